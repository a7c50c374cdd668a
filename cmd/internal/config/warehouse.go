package config

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const warehouseAdvice = "write embedded:./data, clickhouse://user@host:9000/meterhouse or https://user@host:8443/meterhouse"

func (b *block) warehouse() Warehouse {
	w := Warehouse{Database: "meterhouse", Libchdb: b.r.env(EnvLibchdb)}
	raw, ok := b.required("url", warehouseAdvice)
	w.Password, _ = b.secret("password", true)
	w.Cluster = b.str("cluster", "")
	b.refuse("is a part of the url here: clickhouse://user@host:9000/database", "user", "database")
	b.done()
	if !ok {
		return w
	}

	scheme, rest, _ := strings.Cut(raw, ":")
	switch scheme {
	case "embedded":
		w.Kind = WarehouseEmbedded
		b.embedded(&w, rest)
		for _, key := range []string{"password", "password_file", "password_env"} {
			if b.given(key) {
				b.warn(key, "", "is not used: the embedded warehouse makes its own key", "remove it")
			}
		}
		if w.Cluster != "" {
			b.fault("cluster", w.Cluster, "is not possible with an embedded warehouse", `remove it, or name a server in warehouse.url`)
		}
	case "clickhouse", "http", "https":
		w.Kind = WarehouseHTTP
		if scheme == "clickhouse" {
			w.Kind = WarehouseNative
		}
		b.server(&w, scheme, raw)
		if w.Cluster != "" && w.Kind == WarehouseHTTP {
			b.fault("cluster", w.Cluster, "needs the native protocol, by which the servers of a cluster know each other", "write clickhouse://user@host:9000/meterhouse in warehouse.url, or remove cluster")
		}
	default:
		b.fault("url", showURL(raw), "is of no kind that Meterhouse knows", warehouseAdvice)
	}
	return w
}

// embedded reads what follows embedded: in ./data?listen=127.0.0.1:8124.
func (b *block) embedded(w *Warehouse, rest string) {
	dir, query, _ := strings.Cut(rest, "?")
	if dir == "" || strings.HasPrefix(dir, "//") {
		b.fault("url", "embedded:"+dir, "names no data folder", "write embedded:./data or embedded:/var/lib/meterhouse")
		return
	}
	w.Dir = b.r.abs(dir)
	values := b.query(query, "listen")
	w.Listen = values.Get("listen")
	if w.Listen == "" {
		return
	}
	host, ok := listenAddress(w.Listen)
	if !ok {
		b.fault("url", "", "listen="+strconv.Quote(w.Listen)+" in it is not host:port", "write listen=127.0.0.1:8124")
	} else if !isLoopback(host) {
		b.fault("url", "", "listen="+strconv.Quote(w.Listen)+" in it is outside loopback, where the embedded warehouse is not served", "write listen=127.0.0.1:8124")
	}
}

// server reads clickhouse://user@host:9000,host2:9000/database?secure=true and
// its http and https forms.
func (b *block) server(w *Warehouse, scheme, raw string) {
	hosts, first := splitHosts(raw)
	u, err := url.Parse(first)
	if err != nil || u.Opaque != "" {
		b.fault("url", showURL(raw), whyNotURL(raw, err), warehouseAdvice)
		return
	}
	w.User = "default"
	if u.User != nil {
		w.User = u.User.Username()
		if _, literal := u.User.Password(); literal {
			b.fault("url", showURL(raw), "holds a password, and URLs are shown", "use warehouse.password_file or password_env")
		}
	}
	values := b.query(u.RawQuery, "secure", "ca_file", "dial_timeout", "read_timeout")
	w.DialTimeout = b.urlDuration(values, "dial_timeout")
	w.ReadTimeout = b.urlDuration(values, "read_timeout")
	b.serverTLS(w, scheme, values)
	b.database(w, raw, strings.Trim(u.Path, "/"))
	if u.Fragment != "" {
		b.fault("url", showURL(raw), "has a part after #", "remove it")
	}

	for _, h := range hosts {
		address, host, ok := hostPort(h, defaultPort(w))
		if !ok {
			b.fault("url", showURL(raw), "has no usable host:port in "+strconv.Quote(h), warehouseAdvice)
			continue
		}
		w.Hosts = append(w.Hosts, address)
		if !w.Secure && !isLoopback(host) {
			advice := "use https://"
			if scheme == "clickhouse" {
				advice = "add ?secure=true"
			}
			b.warn("url", showURL(raw), "sends the password and all data unencrypted to "+host, advice)
		}
	}
}

// splitHosts gives the hosts of a URL that may list several, and the URL with
// the first one alone, which net/url understands.
func splitHosts(raw string) (hosts []string, first string) {
	scheme, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndex(rest[:end], "@") + 1
	hosts = strings.Split(rest[at:end], ",")
	return hosts, scheme + "://" + rest[:at] + hosts[0] + rest[end:]
}

// defaultPort is where ClickHouse listens when nobody says otherwise.
func defaultPort(w *Warehouse) string {
	switch {
	case w.Kind == WarehouseNative && w.Secure:
		return "9440"
	case w.Kind == WarehouseNative:
		return "9000"
	case w.Secure:
		return "8443"
	default:
		return "8123"
	}
}

// hostPort completes host, host:port or [ip]:port.
func hostPort(s, defaultPort string) (address, host string, ok bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), defaultPort
	}
	return net.JoinHostPort(host, port), host, goodHost(host) && goodPort(port)
}

func (b *block) serverTLS(w *Warehouse, scheme string, values url.Values) {
	w.Secure = scheme == "https"
	if s := values.Get("secure"); s != "" {
		secure, err := strconv.ParseBool(s)
		switch {
		case err != nil:
			b.fault("url", "", "secure in it must be true or false", "write ?secure=true")
		case scheme != "clickhouse" && secure != w.Secure:
			b.fault("url", "", "contradicts itself: "+scheme+":// with secure="+s, "let https:// or http:// decide and remove secure")
		default:
			w.Secure = secure
		}
	}
	file := values.Get("ca_file")
	if file == "" {
		return
	}
	if !w.Secure {
		b.fault("url", "", "names a ca_file for a connection without TLS", "add secure=true, or use https://")
		return
	}
	w.CAFile = b.caFile("url", file, true)
}

// urlDuration reads a time-out of the URL, 0 when it has none.
func (b *block) urlDuration(values url.Values, name string) time.Duration {
	text := values.Get(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		b.fault("url", "", name+"="+strconv.Quote(text)+" in it is no duration of a second or more", "write "+name+"=30s")
	}
	return d
}

func (b *block) database(w *Warehouse, raw, name string) {
	if name == "" {
		return
	}
	w.Database = name
	if strings.ContainsFunc(name, func(c rune) bool { return !isWordByte(c) && c != '-' }) {
		b.fault("url", showURL(raw), "names a database with odd characters", "use letters, digits, _ and - only, after a single /")
	}
}

// query reads the part of a URL after ?, which may hold the given names.
func (b *block) query(query string, names ...string) url.Values {
	values, err := url.ParseQuery(query)
	if err != nil {
		b.fault("url", "", "has a part after ? that is not name=value", "")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, name) {
			b.fault("url", "", "has the unknown parameter "+strconv.Quote(name), didYouMean(name, names, "possible are "))
		}
	}
	return values
}
