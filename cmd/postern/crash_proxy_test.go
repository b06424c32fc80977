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

// losingProxy stands between a gateway and its directory and loses the answer of
// one write: the directory has carried that out, and the gateway never hears of it.
type losingProxy struct {
	listener net.Listener
	dial     func() (net.Conn, error) // the directory
	done     sync.WaitGroup

	mu    sync.Mutex
	open  map[net.Conn]struct{}
	n, at int    // writes so far, and which one loses its answer; 0 for none
	lose  func() // is called then, before the connection is cut
	lost  bool
	down  bool // whoever connects is sent away
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

// arm counts writes anew and loses the answer of one.
func (p *losingProxy) arm(at int, lose func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.at, p.lose, p.lost = 0, at, lose, false
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
	p.down = down
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
		p.mu.Lock()
		p.open[client], p.open[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		var loses int64 = -1 // the number of the request whose answer is lost on this connection
		var mu sync.Mutex
		cut := func() {
			_ = client.Close()
			_ = server.Close()
			p.mu.Lock()
			delete(p.open, client)
			delete(p.open, server)
			p.mu.Unlock()
		}
		p.done.Go(func() {
			defer cut()
			forward(server, client, func(id int64, op byte) bool {
				if p.counts(op) {
					mu.Lock()
					loses = id
					mu.Unlock()
				}
				return true
			})
		})
		p.done.Go(func() {
			defer cut()
			forward(client, server, func(id int64, _ byte) bool {
				mu.Lock()
				hit := id == loses
				mu.Unlock()
				if hit {
					p.mu.Lock()
					lose := p.lose
					p.lost = true
					p.mu.Unlock()
					lose()
				}
				return !hit
			})
		})
	}
}

// counts counts a request, and tells whether its answer is the one to be lost.
func (p *losingProxy) counts(op byte) bool {
	const modify, add, del, modifyDN = 0x66, 0x68, 0x4a, 0x6c // RFC 4511 §4.6 to §4.9
	if !slices.Contains([]byte{modify, add, del, modifyDN}, op) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	return p.n == p.at
}

// forward hands on one message after the other, as long as pass lets them.
func forward(to io.Writer, from io.Reader, pass func(id int64, op byte) bool) {
	in := bufio.NewReader(from)
	for {
		message, id, op, err := readMessage(in)
		if err != nil || !pass(id, op) {
			return
		}
		if _, err := to.Write(message); err != nil {
			return
		}
	}
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
