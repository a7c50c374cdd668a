package bigfixtest

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind is one way in which a server or the network can let a client down.
type FaultKind string

// The faults.
const (
	FaultStatus      FaultKind = "status"       // answer with Status, RetryAfter and Body
	FaultReset       FaultKind = "reset"        // close the connection before any answer
	FaultHang        FaultKind = "hang"         // accept the request and say nothing
	FaultStall       FaultKind = "stall"        // say nothing more after After bytes
	FaultCut         FaultKind = "cut"          // close the connection after After bytes of a chunked body
	FaultCutLength   FaultKind = "cut_length"   // the same of a body whose length was announced
	FaultEndEarly    FaultKind = "end_early"    // end the body in good order after After bytes
	FaultDrip        FaultKind = "drip"         // from After bytes on one byte every Every
	FaultOversized   FaultKind = "oversized"    // from After bytes on white space without end
	FaultGarbage     FaultKind = "garbage"      // text behind the end of the body
	FaultTotal       FaultKind = "total"        // a total that is one too high
	FaultHTML        FaultKind = "html"         // status 200 and a login page
	FaultRedirect    FaultKind = "redirect"     // to the address in Body
	FaultContentType FaultKind = "content_type" // the right body as text/html
)

// Fault is one to be made.
type Fault struct {
	Kind FaultKind
	// Path is the end of the path it applies to; empty: license usage.
	Path string
	// Skip lets so many requests pass first; Times is how often the fault is
	// made then, 0 for ever.
	Skip, Times int
	Status      int
	RetryAfter  string
	Body        string
	After       int
	Every       time.Duration

	made int
}

// Fault adds one. Of several that apply, the first that was added is made.
func (s *Simulator) Fault(f Fault) {
	if f.Path == "" {
		f.Path = usagePath
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults removes all.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// faultFor picks the fault for a request; s.mu is held.
func (s *Simulator) faultFor(path string) *Fault {
	for i, f := range s.faults {
		if !strings.HasSuffix(path, f.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.made++; f.made == f.Times {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return nil
}

// misbehave makes the fault; goOn means that the answer is still to be written,
// through w.
func (s *Simulator) misbehave(w http.ResponseWriter, r *http.Request, f *Fault) (_ http.ResponseWriter, goOn bool) {
	switch f.Kind {
	case FaultStatus:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		refuse(w, f.Status, f.Body)
	case FaultReset:
		panic(http.ErrAbortHandler) // net/http's way to close a connection
	case FaultHang:
		s.hang(r)
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>")
	case FaultRedirect:
		w.Header().Set("Location", f.Body)
		w.WriteHeader(http.StatusFound)
	default:
		if f.Kind == FaultCutLength {
			w.Header().Set("Content-Length", strconv.Itoa(f.After+1))
		}
		return &faulty{ResponseWriter: w, s: s, r: r, fault: f}, true
	}
	return w, false
}

// hang waits until the client or the simulator goes away, and then breaks the
// connection: returning would end the answer in good order.
func (s *Simulator) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.done:
	}
	panic(http.ErrAbortHandler) // net/http's way to close a connection
}

// faulty passes an answer on until the fault's place in it.
type faulty struct {
	http.ResponseWriter
	s     *Simulator
	r     *http.Request
	fault *Fault
	sent  int
}

// Write passes on what lies before the fault's place. Kinds without a place
// are made where the answer is put together.
func (w *faulty) Write(b []byte) (int, error) {
	switch w.fault.Kind {
	case FaultContentType, FaultTotal, FaultGarbage:
		return w.ResponseWriter.Write(b)
	}
	good := min(len(b), w.fault.After-w.sent)
	if _, err := w.ResponseWriter.Write(b[:good]); err != nil {
		return 0, err
	}
	w.sent += good
	if good == len(b) {
		return good, nil
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // what was sent must arrive
	return w.atPlace(b, good)
}

// atPlace makes the fault; the bytes of b from good on are not sent yet.
func (w *faulty) atPlace(b []byte, good int) (int, error) {
	switch w.fault.Kind {
	case FaultStall:
		w.s.hang(w.r)
	case FaultCut, FaultCutLength:
		panic(http.ErrAbortHandler) // net/http's way to close a connection
	case FaultOversized:
		blank := []byte(strings.Repeat(" ", flushAt))
		for w.s.pause(w.r, 0) {
			if _, err := w.ResponseWriter.Write(blank); err != nil {
				return good, err
			}
		}
	case FaultDrip:
		for i := range b[good:] {
			if !w.s.pause(w.r, w.fault.Every) {
				panic(http.ErrAbortHandler) // as hang does
			}
			if _, err := w.ResponseWriter.Write(b[good+i : good+i+1]); err != nil {
				return good + i, err
			}
			_ = http.NewResponseController(w.ResponseWriter).Flush() // one byte at a time
		}
	}
	return good, io.ErrShortWrite // nothing more of the answer: FaultEndEarly ends here at once
}
