// Package nexthinktest simulates the Software Metering API (classic) of a
// Nexthink Portal, as far as Nexthink documents it: TLS, Basic authentication,
// the discovery page, the details in three formats and the list of Engines.
// What is not documented (the keys of JSON, the status of an unknown metric) is
// a choice, and can be chosen otherwise where it matters.
package nexthinktest

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/internal/simtls"
)

// The paths that the Portal answers.
const (
	DiscoveryPath = "/api/softwaremetering/v1"
	DetailsPath   = "/api/softwaremetering/v1/details"
	EnginesPath   = "/api/configuration/v1/engines"
)

// JSONRoot is the shape of an answer in JSON.
type JSONRoot int

// The shapes.
const (
	ArrayOfObjects   JSONRoot = iota // [{...}, ...]
	ObjectWithList                   // {"total": 1, "details": [{...}, ...]}
	HeadersAndValues                 // {"headers": [...], "rows": [[...], ...]}
)

// KeyStyle is how keys of JSON and columns of CSV are written.
type KeyStyle int

// The styles.
const (
	Labels     KeyStyle = iota // "Average usage per day (seconds)", as documented for the output
	CamelCase                  // "averageUsagePerDay"
	PascalCase                 // "AverageUsagePerDay"
)

// Options say what Portal to simulate.
type Options struct {
	// Seed decides everything about the estate.
	Seed uint64
	// Devices is the number of desks with a device on most days.
	Devices int
	// User and Password are the only account.
	User, Password string
	// Now is the Portal's clock, nil for the machine's: an answer is about the
	// days before today.
	Now func() time.Time
	// Location is the Portal's time zone, nil for UTC. Dates are written in it,
	// without saying so.
	Location *time.Location
	Root     JSONRoot
	Keys     KeyStyle
}

// Portal is a simulated Portal. It is an http.Handler.
type Portal struct {
	// Faults says what goes wrong, and counts the requests.
	Faults simfault.Script

	o       Options
	estate  *estate
	handler http.Handler

	mu         sync.Mutex
	engineList []engine
}

// New makes a Portal.
func New(o Options) *Portal {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	p := &Portal{o: o, estate: newEstate(o.Seed, o.Devices)}
	p.SetEngine("engine-1", "CONNECTED")
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+DiscoveryPath, p.discovery)
	mux.HandleFunc("GET "+DetailsPath, p.details)
	mux.HandleFunc("GET "+EnginesPath, p.engines)
	p.handler = p.Faults.Wrap(p.authenticated(mux))
	return p
}

// Server is a Portal that listens.
type Server = simtls.Server

// Start serves the Portal over TLS on addr, "127.0.0.1:0" for any free port,
// with a certificate that only the server's own authority vouches for.
func (p *Portal) Start(addr string) (*Server, error) {
	return simtls.Start(context.Background(), simtls.Options{Addr: addr}, p)
}

// ServeHTTP answers one request.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// authenticated asks for Basic authentication.
func (p *Portal) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		sameUser := subtle.ConstantTimeCompare([]byte(user), []byte(p.o.User))
		if sameUser&subtle.ConstantTimeCompare([]byte(password), []byte(p.o.Password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="Nexthink Portal"`)
			http.Error(w, "unknown account", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// details answers with the rows of one target as they are today.
func (p *Portal) details(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	sel, err := p.estate.find(targetOf(values))
	out, known := p.writer(w, values.Get("format"))
	switch {
	case errors.Is(err, errUnknown):
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case !known:
		http.Error(w, "invalid format", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", out.contentType())
	out.begin()
	// Only a client that has gone makes a row fail: there is nobody left to tell.
	_ = p.estate.each(sel, dayOf(p.o.Now().In(p.o.Location)), out.row)
	out.end()
}
