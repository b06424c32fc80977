package main

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// proxyCertificate is one that is good for 127.0.0.1, with the file of who signed it.
func proxyCertificate(t *testing.T) (own tls.Certificate, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca = filepath.Join(t.TempDir(), "ca.pem")
	signer := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, signer, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0], ca
}

// losingProxy stands between a gateway and its directory. It loses the answer of one
// write: the directory has carried that out, and the gateway never hears of it. Or it
// holds one back, which the directory then carries out late. A write that is on its
// way arrives whatever becomes of who sent it.
type losingProxy struct {
	listener net.Listener
	dial     func() (net.Conn, error) // the directory
	done     sync.WaitGroup

	mu      sync.Mutex
	open    map[net.Conn]struct{}
	n, at   int    // writes so far, and which one it happens to; 0 for none
	happens func() // is called then
	holds   bool   // it is held back, and not its answer lost
	lost    bool
	down    bool   // whoever connects is sent away
	under   int    // writes that are under way
	held    func() // hands on what is held back
	quiet   *sync.Cond
}

// newLosingProxy starts a proxy to a directory that speaks TLS unless to is nil. The
// proxy itself speaks it then with a certificate of its own.
func newLosingProxy(t *testing.T, target string, to *tls.Config, own ...tls.Certificate) *losingProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dial := func() (net.Conn, error) { return net.Dial("tcp", target) }
	if to != nil {
		dial = func() (net.Conn, error) { return tls.Dial("tcp", target, to) }
		l = tls.NewListener(l, &tls.Config{Certificates: own, MinVersion: tls.VersionTLS12})
	}
	p := &losingProxy{listener: l, dial: dial, open: map[net.Conn]struct{}{}}
	p.quiet = sync.NewCond(&p.mu)
	p.done.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for c := range p.open {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.done.Wait()
	})
	return p
}

func (p *losingProxy) addr() string { return p.listener.Addr().String() }

// arm counts writes anew and loses the answer of one, or holds it back.
func (p *losingProxy) arm(at int, holds bool, happens func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.at, p.holds, p.happens, p.lost = 0, at, holds, happens, false
}

// isHolding tells whether a write is held back.
func (p *losingProxy) isHolding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held != nil
}

// release hands on what is held back.
func (p *losingProxy) release() {
	p.mu.Lock()
	held := p.held
	p.held = nil
	p.mu.Unlock()
	if held != nil {
		held()
	}
}

// await waits until no write is under way.
func (p *losingProxy) await() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.under > 0 {
		p.quiet.Wait()
	}
}

// disarm loses nothing any more.
func (p *losingProxy) disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = 0
}

// hasLost tells whether something was lost.
func (p *losingProxy) hasLost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// setDown makes the directory one that can not be reached, or can again.
func (p *losingProxy) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down = down; !down {
		return
	}
	for c := range p.open {
		_ = c.Close()
	}
}

func (p *losingProxy) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *losingProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		if p.isDown() {
			_ = client.Close()
			continue
		}
		server, err := p.dial()
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &losingLink{p: p, client: client, server: server, pending: map[int64]bool{}}
		p.mu.Lock()
		p.open[client], p.open[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		p.done.Go(l.up)
		p.done.Go(l.downward)
	}
}

// losingLink is one connection of a gateway and its counterpart to the directory.
type losingLink struct {
	p              *losingProxy
	client, server net.Conn
	pending        map[int64]bool // writes without an answer, and whether theirs is lost; of p.mu
	left           bool           // the gateway has; of p.mu
}

// up carries what the gateway sends. When that ends, the other side goes on until
// what is under way is answered.
func (l *losingLink) up() {
	for in := bufio.NewReader(l.client); ; {
		message, id, op, err := readMessage(in)
		if err != nil {
			break
		}
		if hold := l.sends(id, op, message); hold != nil {
			hold()
			continue
		}
		if _, err := l.server.Write(message); err != nil {
			break
		}
	}
	_ = l.client.Close()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.left = true; len(l.pending) == 0 {
		_ = l.server.Close()
	}
}

// sends counts a request. It returns what happens instead of sending it, or nil.
func (l *losingLink) sends(id int64, op byte, message []byte) func() {
	const modify, add, del, modifyDN = 0x66, 0x68, 0x4a, 0x6c // RFC 4511 §4.6 to §4.9
	if !slices.Contains([]byte{modify, add, del, modifyDN}, op) {
		return nil
	}
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	p.under++
	hit := p.n == p.at
	l.pending[id] = hit && !p.holds
	if !hit || !p.holds {
		return nil
	}
	p.lost = true
	p.held = func() { _, _ = l.server.Write(message) }
	return p.happens
}

// downward carries what the directory answers.
func (l *losingLink) downward() {
	for in := bufio.NewReader(l.server); ; {
		message, id, _, err := readMessage(in)
		if err != nil || !l.answers(id) {
			break
		}
		_, _ = l.client.Write(message) // who has left does not hear it
	}
	_ = l.client.Close()
	_ = l.server.Close()
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under -= len(l.pending)
	clear(l.pending)
	p.quiet.Broadcast()
	delete(p.open, l.client)
	delete(p.open, l.server)
}

// answers notes an answer, and tells whether the connection goes on.
func (l *losingLink) answers(id int64) bool {
	p := l.p
	p.mu.Lock()
	lost, write := l.pending[id]
	if write {
		delete(l.pending, id)
		p.under--
		p.quiet.Broadcast()
	}
	p.lost = p.lost || lost
	goes, happens := !lost && (!l.left || len(l.pending) > 0), p.happens
	p.mu.Unlock()
	if lost {
		happens()
	}
	return goes
}

// readMessage reads an LDAPMessage (RFC 4511 §4.1.1), its number and the tag of
// its operation.
func readMessage(in *bufio.Reader) (message []byte, id int64, op byte, err error) {
	size := func() (n int, err error) {
		first, err := in.ReadByte()
		message = append(message, first)
		if err != nil || first < 0x80 {
			return int(first), err
		}
		for range first & 0x7f {
			b, err := in.ReadByte()
			if err != nil {
				return 0, err
			}
			message = append(message, b)
			n = n<<8 | int(b)
		}
		return n, nil
	}
	tag, err := in.ReadByte()
	if err != nil {
		return nil, 0, 0, err
	}
	message = append(message, tag)
	n, err := size()
	if err != nil {
		return nil, 0, 0, err
	}
	head := len(message)
	message = append(message, make([]byte, n)...)
	if _, err := io.ReadFull(in, message[head:]); err != nil {
		return nil, 0, 0, err
	}
	body := message[head:]
	if len(body) < 2 || body[0] != 2 || len(body) < 3+int(body[1]) {
		return nil, 0, 0, errors.New("not an LDAP message")
	}
	for _, b := range body[2 : 2+int(body[1])] {
		id = id<<8 | int64(b)
	}
	return message, id, body[2+int(body[1])], nil
}
