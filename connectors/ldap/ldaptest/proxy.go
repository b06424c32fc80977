package ldaptest

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors/servertest"
)

// Proxy stands on loopback between a client and a server and makes the network
// between them fail. It forwards until it is told otherwise. As it listens on
// 127.0.0.1, the certificates of the servers are good for it.
type Proxy struct {
	address *servertest.Address
	scheme  string
	target  string // host:port
	done    sync.WaitGroup

	accepted, toServer, toClient atomic.Int64

	mu       sync.Mutex
	closed   bool
	listener net.Listener // nil while refusing
	open     map[*link]struct{}
	delay    time.Duration
	stalled  chan struct{} // closed when the stall ends; nil without one
}

// link is one connection of a client and its counterpart to the server.
type link struct {
	client, server net.Conn
	cut            chan struct{}
	once           sync.Once
	half           atomic.Bool // nothing more goes to the client
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.cut)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// NewProxy starts a proxy to the server at target, a URL such as
// [Server.TLSURL]. It ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	scheme, hostPort, ok := strings.Cut(target, "://")
	if !ok {
		t.Fatalf("%q is no URL of a server", target)
	}
	a, err := servertest.FreePorts() // Held, so that Resume finds its port free.
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{address: a, scheme: scheme, target: hostPort, open: map[*link]struct{}{}}
	t.Cleanup(p.close)
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	return p
}

// Addr is the proxy's host:port.
func (p *Proxy) Addr() string { return servertest.Join(p.address.Host, p.address.Plain) }

// URL is the proxy's address with the scheme of its target.
func (p *Proxy) URL() string { return p.scheme + "://" + p.Addr() }

// Accepted counts the connections that clients have made so far.
func (p *Proxy) Accepted() int { return int(p.accepted.Load()) }

// Open counts the connections that are open now.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// Bytes counts what was forwarded so far in each direction.
func (p *Proxy) Bytes() (toServer, toClient int64) { return p.toServer.Load(), p.toClient.Load() }

// Cut closes every open connection. New ones are treated as before.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		l.close()
	}
}

// HalfClose ends the direction to the client on every open connection, as a
// server does that has said its last word: what the client sends still arrives.
func (p *Proxy) HalfClose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		l.half.Store(true)
		if c, ok := l.client.(*net.TCPConn); ok {
			_ = c.CloseWrite()
		}
	}
}

// Stall keeps connections open and accepts new ones, but forwards nothing in
// either direction until Resume.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// Delay holds back by d whatever clients send from now on, so that a round
// trip takes d longer.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Refuse stops listening: new connections are refused by the system. Those
// that are open stay; Cut ends them.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

// Resume ends what Stall, Delay and Refuse began. What was stalled goes on its
// way. It fails only if the proxy can not listen again.
func (p *Proxy) Resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	p.delay = 0
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
	if p.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.Addr())
	if err != nil {
		return fmt.Errorf("resuming the proxy: %w", err)
	}
	p.listener = l
	p.done.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) close() {
	p.Refuse()
	p.mu.Lock()
	p.closed = true
	for l := range p.open {
		l.close()
	}
	p.mu.Unlock()
	p.done.Wait()
	p.address.Release()
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		p.connect(client)
	}
}

// connect joins the client to the server; a client whose server can not be
// reached is closed.
func (p *Proxy) connect(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.target, 10*time.Second)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server, cut: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener == nil { // it was still on its way when new ones began to be refused
		l.close()
		return
	}
	p.open[l] = struct{}{}
	p.done.Go(func() {
		var up sync.WaitGroup
		up.Go(func() { p.forward(l, l.server, l.client, &p.toServer, true) })
		p.forward(l, l.client, l.server, &p.toClient, false)
		up.Wait()
		p.mu.Lock()
		delete(p.open, l)
		p.mu.Unlock()
	})
}

// forward carries what comes from one side to the other, until either ends.
func (p *Proxy) forward(l *link, to, from net.Conn, count *atomic.Int64, delayed bool) {
	defer l.close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || !p.pass(l, delayed) {
			return
		}
		count.Add(int64(n)) // First, so that who has the bytes finds them counted.
		if to == l.client && l.half.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil && !(to == l.client && l.half.Load()) {
			return
		}
	}
}

// pass waits for as long as the proxy holds back, and is false if the
// connection is cut meanwhile.
func (p *Proxy) pass(l *link, delayed bool) bool {
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	if delayed && delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.cut:
			return false
		}
	}
	for {
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled == nil {
			return true
		}
		select {
		case <-stalled:
		case <-l.cut:
			return false
		}
	}
}
