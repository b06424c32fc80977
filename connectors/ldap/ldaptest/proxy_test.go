package ldaptest

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return "tcp://" + l.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// trip sends a word and reads it back.
func trip(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	answer(t, conn)
}

func answer(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
		t.Fatalf("the answer is %q (%v)", got, err)
	}
}

// silent fails the test if anything but nothing comes.
func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes (%v), want none yet", n, err)
	}
}

func TestProxyForwards(t *testing.T) {
	p := NewProxy(t, echo(t))
	trip(t, dial(t, p))
	trip(t, dial(t, p))
	if up, down := p.Bytes(); p.Accepted() != 2 || p.Open() != 2 || up != 10 || down != 10 {
		t.Errorf("counted %d connections, %d open, %d and %d bytes", p.Accepted(), p.Open(), up, down)
	}
}

func TestProxyCuts(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	trip(t, conn)
	p.Cut()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
	trip(t, dial(t, p))
}

func TestProxyStalls(t *testing.T) {
	p := NewProxy(t, echo(t))
	before := dial(t, p)
	trip(t, before)
	p.Stall()
	after := dial(t, p)
	for _, conn := range []net.Conn{before, after} {
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		silent(t, conn)
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	answer(t, before)
	answer(t, after)
	p.Stall()
	if _, err := before.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if n, err := before.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes (%v) from a stalled connection that was cut", n, err)
	}
}

func TestProxyDelays(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	const d = 100 * time.Millisecond
	p.Delay(d)
	begin := time.Now()
	trip(t, conn)
	if took := time.Since(begin); took < d {
		t.Errorf("the trip took %v, want at least %v", took, d)
	}
}

func TestProxyRefuses(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	trip(t, conn)
	p.Refuse()
	if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling: %v, want it refused", err)
	}
	trip(t, conn)
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	trip(t, dial(t, p))
}

func TestProxyBeforeServer(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		s := Start(t, k)
		p := NewProxy(t, s.TLSURL)
		config, err := s.TLSConfig()
		if err != nil {
			t.Fatal(err)
		}
		config.ServerName = "127.0.0.1"
		conn, err := ldap.DialURL(p.URL(), ldap.DialWithTLSConfig(config))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.Bind(s.ServiceDN, s.ServicePassword); err != nil {
			t.Error(err)
		}
		p.Cut()
		if err := conn.Bind(s.ServiceDN, s.ServicePassword); err == nil {
			t.Error("a bind after the cut succeeded")
		}
	})
}

// TestProxyHalfCloses: the client reads the end, and can still send.
func TestProxyHalfCloses(t *testing.T) {
	p := NewProxy(t, echo(t))
	conn := dial(t, p)
	trip(t, conn)
	p.HalfClose()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("reading: %v, want the end", err)
	}
	up, _ := p.Bytes()
	for range 3 {
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		up += 5
		for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
			if now, _ := p.Bytes(); now == up {
				tick.Stop()
				break
			}
		}
	}
	trip(t, dial(t, p))
}
