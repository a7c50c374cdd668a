package loadtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Fault is what a Proxy does to the connections that it carries.
type Fault int

// The faults of a network.
const (
	// None passes everything on.
	None Fault = iota
	// Delayed passes everything on, later.
	Delayed
	// Cut resets the connection.
	Cut
	// AnswersLost passes on what the client sends and nothing of the answers.
	AnswersLost
	// HalfClosed passes on what the client sends and tells it that there will be
	// no more answers.
	HalfClosed
	// Refused is Cut, and new connections are refused, too.
	Refused
	// Silent carries nothing in either direction until there is another fault, or
	// none: what was sent meanwhile arrives then, as after a partition of a network.
	Silent
)

// delay is what Delayed adds to each piece of data.
const delay = 30 * time.Millisecond

// Proxy carries TCP connections to a server, and spoils them when a test wants
// it to.
type Proxy struct {
	Addr string // where to connect instead

	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	fault Fault
	// changed is closed, and made anew, when the fault is another one.
	changed chan struct{}
	next    *trigger // nil when there is none, or it has been pulled
	open    map[*link]struct{}
}

// trigger is text that, when clients have sent it often enough, changes what
// becomes of the connection that it came on.
type trigger struct {
	text   []byte
	left   int // how often it must still come
	fault  Fault
	pulled chan struct{} // closed when it came
	held   chan struct{} // the connection rests until it is closed; nil for no rest
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn
	ended          int    // directions that are at their end; guarded by the proxy's mu
	own            Fault  // of this connection alone; guarded by the proxy's mu
	tail           []byte // the end of what the client sent; guarded by the proxy's mu
}

// StartProxy starts a proxy to an address. It ends with the test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	return startProxyAt(t, "127.0.0.1:0", target)
}

// startProxyAt listens at an address of the caller's choice.
func startProxyAt(t testing.TB, address, target string) *Proxy {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	p := &Proxy{Addr: l.Addr().String(), target: target, listener: l, open: map[*link]struct{}{}, changed: make(chan struct{})}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.Set(Cut) // ends a silence, too
		p.running.Wait()
	})
	return p
}

// Set makes all connections, those that are open and those to come, suffer from f.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	p.fault = f
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if f == Cut || f == Refused {
		p.cut()
	}
}

// On waits until clients have sent text, which must not be compressed, the nth
// time, passes that on, and from then on makes that connection suffer from f. The
// channel is closed when it has come to that.
func (p *Proxy) On(text string, nth int, f Fault) <-chan struct{} {
	return p.arm(&trigger{text: []byte(text), left: nth, fault: f, pulled: make(chan struct{})})
}

// Hold waits likewise, and keeps the text and what follows it until release is called.
func (p *Proxy) Hold(text string, nth int) (came <-chan struct{}, release func()) {
	held := make(chan struct{})
	return p.arm(&trigger{text: []byte(text), left: nth, pulled: make(chan struct{}), held: held}), sync.OnceFunc(func() { close(held) })
}

func (p *Proxy) arm(next *trigger) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = next
	return next.pulled
}

func (p *Proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		l.reset()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.mu.Lock()
		refused := p.fault == Refused
		p.mu.Unlock()
		server, err := net.Dial("tcp", p.target) //nolint:noctx // loopback
		if err != nil || refused {
			_ = client.(*net.TCPConn).SetLinger(0)
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			continue
		}
		l := &link{proxy: p, client: client.(*net.TCPConn), server: server.(*net.TCPConn)}
		p.mu.Lock()
		p.open[l] = struct{}{}
		p.mu.Unlock()
		p.running.Go(l.requests)
		p.running.Go(l.answers)
	}
}

// requests carries what the client sends.
func (l *link) requests() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			l.wait()
			fault, held := l.sees(buf[:n])
			if held != nil {
				<-held
			}
			if _, werr := l.server.Write(buf[:n]); werr != nil {
				l.end(werr, nil)
				return
			}
			switch fault {
			case Cut, Refused:
				l.end(net.ErrClosed, nil)
				return
			case HalfClosed:
				_ = l.client.CloseWrite()
			case None, Delayed, AnswersLost, Silent:
			}
		}
		if err != nil {
			l.wait()
			l.end(err, l.server)
			return
		}
	}
}

// answers carries what the server answers.
func (l *link) answers() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if fault := l.wait(); n > 0 && fault != AnswersLost && fault != HalfClosed {
			if _, werr := l.client.Write(buf[:n]); werr != nil {
				l.end(werr, nil)
				return
			}
		}
		if err != nil {
			l.end(err, l.client)
			return
		}
	}
}

// sees looks for the trigger in what the client sent, and gives the fault that
// it causes and what the connection has to wait for.
func (l *link) sees(data []byte) (fault Fault, held <-chan struct{}) {
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.next
	if next == nil {
		l.tail = l.tail[:0]
		return None, nil
	}
	l.tail = append(l.tail, data...)
	for {
		at := bytes.Index(l.tail, next.text)
		if at < 0 {
			l.tail = l.tail[max(0, len(l.tail)-len(next.text)+1):]
			return None, nil
		}
		l.tail = l.tail[at+len(next.text):]
		if next.left--; next.left == 0 {
			p.next, l.own = nil, next.fault
			close(next.pulled)
			return next.fault, next.held
		}
	}
}

// wait is the delay of Delayed and the silence of Silent; it gives the
// connection's fault.
func (l *link) wait() Fault {
	for {
		l.proxy.mu.Lock()
		fault, changed := max(l.own, l.proxy.fault), l.proxy.changed
		l.proxy.mu.Unlock()
		switch fault {
		case Delayed:
			<-time.After(delay)
		case Silent:
			<-changed
			continue
		default:
		}
		return fault
	}
}

// reset ends both sides at once, without a proper goodbye.
func (l *link) reset() {
	_, _ = l.client.SetLinger(0), l.server.SetLinger(0)
	_, _ = l.client.Close(), l.server.Close()
}

// end ends one direction: with a proper goodbye to the other side when its
// sender said one, so that nothing that is on its way is lost; else both.
func (l *link) end(why error, other *net.TCPConn) {
	l.proxy.mu.Lock()
	l.ended++
	last := l.ended == 2
	if last {
		delete(l.proxy.open, l)
	}
	l.proxy.mu.Unlock()
	if !errors.Is(why, io.EOF) {
		l.reset()
		return
	}
	_ = other.CloseWrite()
	if last {
		_, _ = l.client.Close(), l.server.Close()
	}
}
