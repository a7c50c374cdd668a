package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// showURL writes a URL for a fault: without user, password and query, where
// secrets hide.
func showURL(s string) string {
	if i := strings.LastIndex(s, "@"); i >= 0 {
		scheme := ""
		if j := strings.Index(s, "://"); j >= 0 && j < i {
			scheme = s[:j+3]
		}
		s = scheme + masked + s[i:]
	}
	if before, query, _ := strings.Cut(s, "?"); query != "" {
		s = before + "?" + masked
	}
	return s
}

// whyNotURL is what is wrong with a URL, without repeating it.
func whyNotURL(s string, err error) string {
	var parse *url.Error
	if !errors.As(err, &parse) || strings.ContainsAny(s, "@?") {
		return "is not a URL"
	}
	return "is not a URL: " + parse.Err.Error()
}

// goodHost accepts names and addresses, without port.
func goodHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(".-_", c)
	})
}

func goodPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// isLoopback says that host is this machine.
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// listenAddress checks the host:port of something that listens here. Port 0
// takes a free one.
func listenAddress(s string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || (host != "" && !goodHost(host)) {
		return "", false
	}
	return host, port == "0" || goodPort(port)
}
