package demodir

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Serve answers LDAP on the connections of a listener until the context ends.
// With a TLS configuration it also takes StartTLS, and TLS from the first octet,
// as LDAPS has it, on the same port. When it returns, the listener and all
// connections are closed and nothing that it started is left running. A context
// that ended is no error.
func (d *Directory) Serve(ctx context.Context, listener net.Listener, config *tls.Config) error {
	s := &server{directory: d, tls: config, root: d.describeRoot(config != nil), open: map[net.Conn]struct{}{}}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		<-ctx.Done()
		listener.Close()
		s.close()
	})
	if d.broken != nil {
		return d.broken
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		if !s.add(conn) {
			conn.Close()
			continue
		}
		running.Go(func() {
			defer s.remove(conn)
			s.serve(conn)
		})
	}
}

// server is what the connections of one Serve have in common.
type server struct {
	directory *Directory
	tls       *tls.Config
	root      *node

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

func (s *server) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[conn] = struct{}{}
	return true
}

func (s *server) remove(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	conn.Close()
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.open {
		conn.Close()
	}
}

// serve answers the requests of one connection. Only its end tells of an error:
// there is nobody else to tell.
func (s *server) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	const handshake = 0x16
	if first, err := in.Peek(1); err != nil {
		return
	} else if first[0] == handshake && s.tls != nil {
		conn = tls.Server(&peeked{conn, in}, s.tls)
		in = bufio.NewReader(conn)
	}
	c := &session{server: s, directory: s.directory, conn: conn, in: in, streams: map[int]*stream{}}
	defer c.wait()
	if err := c.serve(); errors.Is(err, errMalformed) {
		c.disconnect()
	}
	// The streams still running write to a closed connection and end.
	conn.Close()
}

// peeked is a connection of which something has been read into a buffer.
type peeked struct {
	net.Conn
	in *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.in.Read(b) }
