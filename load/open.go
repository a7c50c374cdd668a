package load

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"
)

// Protocols that Options takes.
const (
	Native = "native" // ClickHouse's own TCP protocol
	HTTP   = "http"   // needs a server of 2021 or later
)

const (
	// defaultDialTimeout is long enough for a server under load.
	defaultDialTimeout = 10 * time.Second
	// defaultReadTimeout bounds one statement, and waiting for the next bytes of
	// an answer.
	defaultReadTimeout = 5 * time.Minute
	// maxConnections is more than parallel loads and readers of one process use.
	maxConnections = 64
)

// Options say where the warehouse is and who we are there.
type Options struct {
	Protocol string   // Native or HTTP
	Addrs    []string // host:port; the first that answers is used until it does not
	Database string
	User     string
	// Password is asked for whenever a connection pool is made; nil means none.
	Password func() string
	// Secure turns TLS on; CAFile, if set, names the only authorities trusted.
	Secure bool
	CAFile string
	// Compress turns LZ4 on. Over loopback it costs time and gains nothing.
	Compress bool
	// DialTimeout bounds connecting to each address, which the native protocol's
	// handshake does not give up any earlier for a context; 0 means 10 seconds.
	DialTimeout time.Duration
	// ReadTimeout bounds one statement, the sending of a block included; of a
	// query, the wait for the next bytes of its answer. 0 means 5 minutes.
	ReadTimeout time.Duration
	// Patience is how long what may be run twice is tried again while the server
	// is unreachable or busy; 0 means 30 seconds.
	Patience time.Duration
	// Gone is what to tell an operator when the server that was reached is not any
	// more; "" for nothing.
	Gone string
	// Cluster is the name of a ClickHouse cluster, whose servers must be reachable
	// from here as system.clusters names them; "" for a single server.
	Cluster string
	// Version is what the ledger of migrations says applied them.
	Version string
	Logger  *zap.Logger // nil: no log
}

// Warehouse is one database on one ClickHouse server, or on a cluster of them.
type Warehouse struct {
	protocol string
	database string
	version  string
	user     string
	log      *zap.Logger
	gone     string // of the Options
	// readTimeout and patience are those of the Options.
	readTimeout, patience time.Duration

	server driver.ServerVersion
	pools
	// ledger goes to the server that the ledger is read from and written to.
	ledger  driver.Conn
	cluster *cluster // nil for a single server
}

// pools are the connections to one server, or to the first of several that answers.
type pools struct {
	// admin is connected to no database of ours: that one may not exist yet.
	admin driver.Conn
	conn  driver.Conn
}

func openPools(o *clickhouse.Options, database string) (pools, error) {
	var p pools
	var err error
	if p.admin, err = clickhouse.Open(o); err != nil {
		return p, err
	}
	ours := *o
	ours.Auth.Database = database
	p.conn, err = clickhouse.Open(&ours)
	return p, err
}

func (p pools) close() error {
	var errs []error
	for _, c := range []driver.Conn{p.conn, p.admin} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Open connects and makes sure that a server answers. It creates nothing: the
// database need not exist. The error is an *Error.
func Open(ctx context.Context, o Options) (*Warehouse, error) {
	if o.Cluster != "" && o.Protocol != Native {
		return nil, &Error{
			Class: Unsupported, Doing: "opening the warehouse",
			Err:  fmt.Errorf("cluster %q over HTTP: its servers are known by their native ports only", o.Cluster),
			Hint: "use clickhouse://HOST:9000/... in warehouse.url, or leave warehouse.cluster empty",
		}
	}
	driverOptions, err := o.driverOptions()
	if err != nil {
		return nil, err
	}
	w := &Warehouse{
		protocol: o.Protocol, database: o.Database, version: o.Version, user: o.User, log: o.Logger, gone: o.Gone,
		readTimeout: cmp.Or(o.ReadTimeout, defaultReadTimeout), patience: cmp.Or(o.Patience, defaultPatience),
	}
	if w.log == nil {
		w.log = zap.NewNop()
	}
	if err := w.connect(ctx, driverOptions); err != nil {
		_ = w.Close() // the reason why it cannot be used is what matters
		return nil, connectError(err, o)
	}
	if o.Cluster != "" {
		if err := w.join(ctx, o); err != nil {
			_ = w.Close()
			return nil, err
		}
	}
	return w, nil
}

// connect opens both pools and asks the server who it is.
func (w *Warehouse) connect(ctx context.Context, o *clickhouse.Options) error {
	var err error
	if w.pools, err = openPools(o, w.database); err != nil {
		return err
	}
	w.ledger = w.conn
	if err := w.admin.Ping(ctx); err != nil {
		return err
	}
	server, err := w.admin.ServerVersion()
	if err != nil {
		return err
	}
	w.server = *server
	return nil
}

// Close gives the connections back.
func (w *Warehouse) Close() error {
	errs := []error{w.close()}
	if w.cluster != nil {
		errs = append(errs, w.cluster.close())
	}
	return fail(errors.Join(errs...), "closing the warehouse")
}

func (o Options) driverOptions() (*clickhouse.Options, error) {
	each := cmp.Or(o.DialTimeout, defaultDialTimeout)
	d := &clickhouse.Options{
		Addr:         o.Addrs,
		Auth:         clickhouse.Auth{Username: o.User},
		DialTimeout:  each * time.Duration(max(1, len(o.Addrs))),
		DialStrategy: (&addresses{timeout: each}).dial,
		ReadTimeout:  cmp.Or(o.ReadTimeout, defaultReadTimeout),
		MaxOpenConns: maxConnections,
	}
	if o.Password != nil {
		d.Auth.Password = o.Password()
	}
	if o.Cluster != "" {
		d.Settings = wholeAnswers()
	}
	switch o.Protocol {
	case Native:
		d.Protocol = clickhouse.Native
	case HTTP:
		d.Protocol = clickhouse.HTTP
	default:
		return nil, &Error{Class: Invalid, Doing: "opening the warehouse", Err: fmt.Errorf("no protocol %q", o.Protocol)}
	}
	if o.Compress {
		d.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	if o.Secure {
		config, err := tlsConfig(o.CAFile)
		if err != nil {
			return nil, &Error{Class: Invalid, Doing: "reading the warehouse's CA file", Err: err}
		}
		d.TLS = config
	}
	return d, nil
}

func tlsConfig(caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", caFile)
	}
	return config, nil
}

// connectError says what to do where the first contact has its own reasons to fail.
func connectError(err error, o Options) error {
	err = fail(err, "connecting to ClickHouse at "+strings.Join(o.Addrs, ", "))
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	var answer *clickhouse.HTTPError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		e.Class = Invalid
		e.Hint = "name the PEM file of the authority that signed it: ?secure=true&ca_file=... (https: ?ca_file=...) in warehouse.url"
	case e.Class == Unreachable:
		e.Hint = "check that the server runs and that warehouse.url names its host and port"
	case e.Class == Unsupported, e.Class == Invalid && e.Code == 0 && errors.As(err, &answer):
		// ClickHouse before 2021 knows neither the driver's settings nor the
		// header that tells an error's code.
		e.Class = Unsupported
		e.Hint = "the HTTP interface of a ClickHouse before 2021 cannot be used, take its native protocol: clickhouse://HOST:9000/..."
	}
	return err
}

// Info is what a server says about itself.
type Info struct {
	Version  string
	Database string
	Timezone string    // of the server; Meterhouse itself stores UTC
	Now      time.Time // the server's clock, UTC, whole seconds
}

// Info asks the server for its version, time zone and clock.
func (w *Warehouse) Info(ctx context.Context) (Info, error) {
	info := Info{Database: w.database}
	err := w.again(ctx, ledgerTimeout, "asking the server about itself", func(ctx context.Context) error {
		return w.admin.QueryRow(ctx, infoSQL).Scan(&info.Version, &info.Timezone, &info.Now)
	})
	info.Now = info.Now.UTC()
	return info, err
}

// atLeast tells whether the server's version is that or newer.
func (w *Warehouse) atLeast(year, release uint64) bool {
	v := w.server.Version
	return v.Major > year || v.Major == year && v.Minor >= release
}
