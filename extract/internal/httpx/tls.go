package httpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
)

// TLSOptions say whom to trust.
type TLSOptions struct {
	// CAFile names a PEM file; only the authorities in it are trusted. Empty:
	// those of the system.
	CAFile string
	// CAPEM is the same as text; it is used when CAFile is empty.
	CAPEM []byte
	// ServerName is the name that the certificate must carry; empty: the host
	// of the URL.
	ServerName string
	// InsecureSkipVerify trusts anybody. For trying things out.
	InsecureSkipVerify bool
}

func (o TLSOptions) config() (*tls.Config, error) {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         o.ServerName,
		InsecureSkipVerify: o.InsecureSkipVerify, //nolint:gosec // the operator's explicit choice
	}
	pem := o.CAPEM
	if o.CAFile != "" {
		var err error
		if pem, err = os.ReadFile(o.CAFile); err != nil {
			return nil, fmt.Errorf("reading tls.ca_file: %w", err)
		}
	}
	if len(pem) > 0 {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading tls.ca_file %q: there is no PEM certificate in it", o.CAFile)
		}
	}
	return cfg, nil
}

// tlsHint tells whether an error is one of certificates or the handshake, which
// no retry can mend, and what to do about it.
func tlsHint(err error) (hint string, ok bool) {
	var (
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		alert    *net.OpError
		noRecord tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		return "nobody trusted signed the server's certificate: set tls.ca_file to the authority that did, or to the certificate itself where it signed itself", true
	case errors.As(err, &name):
		return "the certificate is for another name: set tls.server_name to a name in it, or correct url", true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate is not valid now: have it renewed on the server, and look at the clock here", true
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "the server's certificate is not acceptable: have it replaced on the server", true
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &noRecord):
		return "the server does not speak TLS on this port: is url meant to begin with http://, or the port another one?", true
	case errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"): // how crypto/tls wraps an alert
		return "the server ended the TLS handshake: it may want an older TLS version than 1.2, or another tls.server_name", true
	}
	return "", false
}
