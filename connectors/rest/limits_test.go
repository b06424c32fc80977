package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"postern/connectors"
)

// TestOneProbe lets one call through after the pause, however many calls that were
// under way before end meanwhile.
func TestOneProbe(t *testing.T) {
	now := time.Unix(0, 0)
	b := &breaker{Breaker: Breaker{Failures: 2, Pause: time.Second}, now: func() time.Time { return now }}
	pass := func() ticket {
		t.Helper()
		k, ok := b.allow()
		if !ok {
			t.Fatal("it is refused")
		}
		return k
	}
	refused := func(when string) {
		t.Helper()
		if _, ok := b.allow(); ok {
			t.Errorf("%s: a call is let through", when)
		}
	}
	late, late2, first, second := pass(), pass(), pass(), pass()
	b.done(first, down)
	b.done(second, down)
	refused("open")
	now = now.Add(time.Second)
	probe := pass()
	refused("while one probes")
	b.done(late, unknown)
	refused("while one probes, after the end of an older call")
	b.done(late2, down)
	refused("while one still probes")
	b.done(probe, unknown)
	now = now.Add(time.Second)
	probe = pass()
	b.done(probe, down)
	refused("after a probe that failed")
	now = now.Add(time.Second)
	b.done(pass(), up)
	b.done(pass(), up)
	pass()
	pass()
}

// openUsers opens one collection of users.
func openUsers(t *testing.T, cfg Config) connectors.Connector {
	t.Helper()
	path := func(text string, names ...string) Template {
		tm, err := parseTemplate(text, names...)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	app, err := Open(cfg, []Collection{{Name: "Users", Anchor: "/id", List: List{Call: Call{Method: "GET", Target: path("/users")}},
		Read: Call{Method: "GET", Target: path("/users/{anchor}", phAnchor)}}}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	users, _ := app.Collection("Users")
	return users
}

// TestRetriesKeepToTheRate counts what is tried again against the limit too.
func TestRetriesKeepToTheRate(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(503)
	}))
	defer server.Close()
	users := openUsers(t, Config{URL: server.URL, Rate: 1, Retries: 3})
	ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
	defer cancel()
	if _, err := users.Get(ctx, "1", nil); err == nil || calls.Load() != 1 {
		t.Errorf("%d calls in less than a second at one in a second, %v", calls.Load(), err)
	}
}

// TestTokenEndpointHangs asks an endpoint that does not answer once for all that wait,
// and lets go who does not want to wait any more.
func TestTokenEndpointHangs(t *testing.T) {
	var tokens atomic.Int64
	asked, let := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		tokens.Add(1)
		asked <- struct{}{}
		<-let
		w.WriteHeader(503)
	}))
	defer server.Close()
	users := openUsers(t, Config{URL: server.URL, Timeout: time.Minute, Retries: -1, Concurrency: 20,
		Auth: Auth{OAuth2: &OAuth2{TokenURL: server.URL, ClientID: "me", Secret: func() (string, error) { return "x", nil }}}})
	var all sync.WaitGroup
	var waiting atomic.Int64
	get := func() {
		waiting.Add(1)
		if _, err := users.Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("%v", err)
		}
	}
	all.Go(get)
	<-asked
	for range 10 {
		all.Go(get)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := users.Get(ctx, "1", nil); !errors.Is(err, context.DeadlineExceeded) { // comes back while the endpoint still hangs
		t.Errorf("given up: %v", err)
	}
	close(let)
	all.Wait()
	if n := tokens.Load(); n != 1 {
		t.Errorf("%d calls of the endpoint for %d requests at the same time", n, waiting.Load())
	}
	if _, err := users.Get(t.Context(), "1", nil); err == nil || tokens.Load() != 2 {
		t.Errorf("a later request: %v, %d calls", err, tokens.Load())
	}
}
