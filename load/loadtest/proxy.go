package loadtest

import (
	"bytes"
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
	// trigger is text that, once a client has sent it, causes next for the
	// connection that it came on.
	trigger []byte
	next    Fault
	fired   int
	open    map[*link]struct{}
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn
	own            Fault  // of this connection alone; guarded by the proxy's mu
	tail           []byte // the end of what the client sent
}

// StartProxy starts a proxy to an address. It ends with the test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &Proxy{Addr: l.Addr().String(), target: target, listener: l, open: map[*link]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.running.Wait()
	})
	return p
}

// Set makes all connections, those that are open and those to come, suffer from f.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	p.fault, p.trigger = f, nil
	p.mu.Unlock()
	if f == Cut || f == Refused {
		p.cut()
	}
}

// On waits until a client has sent text, passes that on, and then makes that
// connection suffer from f: once. The text must not be compressed.
func (p *Proxy) On(text string, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trigger, p.next = []byte(text), f
}

// Fired tells how often the fault of On has come.
func (p *Proxy) Fired() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fired
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
	defer l.end()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			l.wait()
			fault := l.sees(buf[:n])
			if _, werr := l.server.Write(buf[:n]); werr != nil {
				return
			}
			switch fault {
			case Cut, Refused:
				return
			case HalfClosed:
				_ = l.client.CloseWrite()
			case None, Delayed, AnswersLost:
			}
		}
		if err != nil {
			return
		}
	}
}

// answers carries what the server answers.
func (l *link) answers() {
	defer l.end()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if fault := l.wait(); n > 0 && fault != AnswersLost && fault != HalfClosed {
			if _, werr := l.client.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// sees looks for the trigger in what the client sent, and gives the fault that
// it causes.
func (l *link) sees(data []byte) Fault {
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	l.tail = append(l.tail, data...)
	if len(p.trigger) > 0 && bytes.Contains(l.tail, p.trigger) {
		l.own, p.trigger = p.next, nil
		p.fired++
		return l.own
	}
	l.tail = l.tail[max(0, len(l.tail)-len(p.trigger)):]
	return None
}

// wait is the delay of Delayed; it gives the connection's fault.
func (l *link) wait() Fault {
	l.proxy.mu.Lock()
	fault := max(l.own, l.proxy.fault)
	l.proxy.mu.Unlock()
	if fault == Delayed {
		<-time.After(delay)
	}
	return fault
}

// reset ends both sides at once, without a proper goodbye.
func (l *link) reset() {
	_, _ = l.client.SetLinger(0), l.server.SetLinger(0)
	_, _ = l.client.Close(), l.server.Close()
}

func (l *link) end() {
	l.reset()
	l.proxy.mu.Lock()
	delete(l.proxy.open, l)
	l.proxy.mu.Unlock()
}
