package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/connectors/ldap/ldaptest"
	"postern/idstore"

	"github.com/rs/zerolog"
)

// TestDirectoryDown cuts the way to a directory in every way there is. The
// answer is never 404 and never an empty list, and all is well once it is back.
func TestDirectoryDown(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.OpenLDAP)
	proxy := ldaptest.NewProxy(t, s.TLSURL)
	c, maps := directoryConfig(t, s)
	c.Backends[0].LDAP.Servers = []string{proxy.URL()}
	c.Backends[0].LDAP.TLS.ServerName = "127.0.0.1"
	c.Backends[0].LDAP.Timeout = 2 * time.Second
	c.Limits.RequestTimeout = 3 * time.Second
	w := &world{client: openApp(t, c, maps), userName: func(stem string) string { return stem }}
	w.leak = s.Leak
	u := w.user("down", "")
	path := "/Users/" + u.id()
	requests := func(t *testing.T, status ...int) {
		t.Helper()
		w := w.with(t)
		for _, a := range []answer{
			w.get(path),
			w.get("/Users"),
			w.get(`/Users?filter=userName+eq+%22nobody%22`),
			w.do("POST", "/Users", userBody(unique("new"), "")),
			w.do("PATCH", path, patchBody(`{"op":"replace","path":"title","value":"x"}`)),
			w.do("PUT", path, userBody(u.text("userName"), "")),
			w.do("DELETE", path, ""),
		} {
			if a.status != http.StatusServiceUnavailable && (len(status) == 0 || a.status != status[0]) {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			if a.header.Get("Retry-After") == "" {
				t.Errorf("status %d without Retry-After", a.status)
			}
		}
	}
	t.Run("refused", func(t *testing.T) {
		proxy.Refuse()
		proxy.Cut()
		requests(t)
	})
	proxy.Resume()
	back(t, w, path)
	t.Run("hanging", func(t *testing.T) {
		proxy.Stall()
		requests(t, http.StatusGatewayTimeout)
	})
	proxy.Resume()
	proxy.Cut()
	back(t, w, path)
	t.Run("cut in the middle", func(t *testing.T) {
		proxy.Cut() // the connections that are open; the next request finds new ones
		w.with(t).want(w.with(t).get(path), http.StatusOK)
	})
}

// back waits until the gateway has found the directory again: it may hold off a
// server that was down for a while.
func back(t *testing.T, w *world, path string) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		a := w.get(path)
		if a.status == http.StatusOK {
			return
		}
		if a.status == http.StatusNotFound || time.Now().After(deadline) {
			t.Fatalf("the directory is back and the answer is still %d: %s", a.status, a.body)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// TestDirectoryDownAtStart starts the gateway before its directory can be
// reached.
func TestDirectoryDownAtStart(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.OpenLDAP)
	proxy := ldaptest.NewProxy(t, s.TLSURL)
	proxy.Refuse()
	c, maps := directoryConfig(t, s)
	c.Backends[0].LDAP.Servers = []string{proxy.URL()}
	c.Backends[0].LDAP.TLS.ServerName = "127.0.0.1"
	w := &world{client: openApp(t, c, maps), userName: func(stem string) string { return stem }}
	w.wantError(w.get("/Users"), http.StatusServiceUnavailable, "")
	proxy.Resume()
	back(t, w, "/Users")
	w.user("late", "")
}

// locked is a buffer that several goroutines write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// demoApp is a gateway in front of the demo's directory that logs to a buffer.
func demoApp(t *testing.T) (*app, Config, *locked) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	address, stopped, err := startDemoDirectory(ctx, "the-bind-password")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("POSTERN_DEMO_PASSWORD", "the-bind-password")
	c, maps := sampleConfig(t, "demo.yaml", "ldap://127.0.0.1:3890", "ldap://"+address)
	log := &locked{}
	a, err := open(t.Context(), c, maps, zerolog.New(log).Level(zerolog.DebugLevel))
	if err != nil {
		t.Fatal(err)
	}
	return a, c, log
}

func TestLogsHoldNoSecret(t *testing.T) {
	a, _, log := demoApp(t)
	w := serveApp(t, a)
	made := w.create("/Users", userBody("secretive", `,"password":"the-user-password"`))
	w.do("PATCH", "/Users/"+made.id(), patchBody(`{"op":"replace","path":"password","value":"the-next-password"}`))
	w.do("PATCH", "/Users/"+made.id(), patchBody(`{"op":"replace","path":"password","value":{"a":"the-next-password"}}`))
	w.do("POST", "/Users", `{"password":"the-broken-password`)
	w.get("/Users?filter=userName+eq+%22the-name-in-a-query%22")
	stranger := *w
	stranger.token = "the-wrong-token"
	stranger.get("/Users")
	text := log.String()
	if !strings.Contains(text, made.header.Get("X-Request-Id")) || !strings.Contains(text, `"status":401`) {
		t.Errorf("the log does not tell of the requests:\n%s", text)
	}
	for _, secret := range []string{"the-user-password", "the-next-password", "the-broken-password", "the-bind-password", "the-wrong-token", "the-name-in-a-query", writerToken} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
}

// TestShutdown ends the server while a request is running: the request is
// answered, and new ones are not taken.
func TestShutdown(t *testing.T) {
	a, c, _ := demoApp(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(serve(ctx, l, c.Limits, a, zerolog.Nop()), a.close()) }()

	// A request whose body is on its way when the server is asked to end: it asks
	// whether to go on, which the server answers when it reads the body.
	body, more := io.Pipe()
	reading := make(chan struct{})
	trace := &httptrace.ClientTrace{Got100Continue: func() { close(reading) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", "http://"+l.Addr().String()+"/scim/v2/Users", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+writerToken)
	req.Header.Set("Expect", "100-continue")
	status := make(chan int, 1)
	go func() {
		res, err := (&http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}).Do(req)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	<-reading
	if _, err := io.WriteString(more, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.WriteString(more, `"userName":"last"}`); err != nil {
		t.Fatal(err)
	}
	more.Close()
	if s := <-status; s != http.StatusCreated {
		t.Errorf("the request that was running got %d", s)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if _, err := http.Get("http://" + l.Addr().String() + "/healthz"); err == nil {
		t.Error("the server still answers")
	}
}

// TestIdleConnections opens connections that say nothing, or not enough: they
// are closed.
func TestIdleConnections(t *testing.T) {
	a, c, _ := demoApp(t)
	c.Limits.HeaderTimeout, c.Limits.IdleTimeout = 100*time.Millisecond, 100*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(serve(ctx, l, c.Limits, a, zerolog.Nop()), a.close()) }()
	for _, said := range []string{"", "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, said); err != nil {
			t.Fatal(err)
		}
		// The end of what the server sends is the server's closing: the test would hang without it.
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("after %q: %v", said, err)
		}
		conn.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStoreInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	first, err := openStore(Store{Bolt: path})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := openStore(Store{Bolt: path}); !errors.Is(err, idstore.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("opening a table that is open: %v", err)
	}
	// The whole program says so too, and ends.
	a, c, _ := demoApp(t)
	defer a.close()
	c.Store.Bolt = path
	if _, err := open(t.Context(), c, nil, zerolog.Nop()); !errors.Is(err, idstore.ErrLocked) {
		t.Errorf("opening the gateway on a table that is open: %v", err)
	}
}
