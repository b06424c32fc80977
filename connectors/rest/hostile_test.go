package rest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/rest"
)

// TestHostile meets an application that answers badly in every way.
func TestHostile(t *testing.T) {
	elsewhere := atomic.Int64{}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	answers := map[string]func(w http.ResponseWriter, r *http.Request){
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // a server notices that nobody waits only then
			<-r.Context().Done()
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"object":{"id":1,"lo`)
		},
		"not JSON":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>please log in</html>") },
		"two documents": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"object":{"id":1}} {}`) },
		"another shape": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[1,2,3]`) },
		"no anchor":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"object":{"login":"x"},"objects":[{}]}`) },
		"null":          func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `null`) },
		"nothing":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) },
		"500":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"503":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"leads away": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/users/1", http.StatusFound)
		},
		"leads in rings": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/users/1", http.StatusFound) },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"object":{"id":1,"login":"`)
			for range 100 {
				fmt.Fprint(w, strings.Repeat("x", 10_000))
			}
			fmt.Fprint(w, `"}}`)
		},
		"a forged object": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"object":{"id":2,"login":"x"}}`) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			writes := atomic.Int64{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					writes.Add(1)
				}
				answer(w, r)
			}))
			defer server.Close()
			app := openRest(t, rest.Config{URL: server.URL, Timeout: 200 * time.Millisecond, Retries: -1, MaxAnswer: 100_000},
				collections(t, pageYAML["none"], "", callsYAML))
			defer app.Close()
			users := collection(t, app, "Users")
			check := func(what string, err error, may ...connectors.Kind) {
				t.Helper()
				e, ok := errors.AsType[*connectors.Error](err)
				if !ok {
					t.Errorf("%s: %v", what, err)
					return
				}
				for _, k := range may {
					if e.Kind == k {
						return
					}
				}
				t.Errorf("%s: %v, want %v", what, err, may)
			}
			bad := []connectors.Kind{connectors.Unavailable, connectors.Timeout, connectors.TooMany}
			_, err := users.Get(t.Context(), "1", []connectors.Attr{"/login"})
			if name == "a forged object" {
				check("get", err, connectors.NotFound)
			} else {
				check("get", err, bad...)
			}
			for _, err := range users.Search(t.Context(), connectors.Query{}) {
				if name != "a forged object" || err != nil {
					check("search", err, bad...)
				}
			}
			_, err = users.Apply(t.Context(), "1", []connectors.Change{{Attr: "/name", Add: []connectors.Value{"x"}}}, connectors.Guard{}, nil)
			check("apply", err, append(bad, connectors.NotFound)...)
			check("delete", users.Delete(t.Context(), "1", connectors.Guard{}), append(bad, connectors.NotFound)...)
			if n := writes.Load(); n != 0 {
				t.Errorf("%d writes to an object that could not be read", n)
			}
			_, err = users.Create(t.Context(), connectors.Draft{Name: "/login", Fields: []connectors.Field{{Attr: "/login", Values: []connectors.Value{"x"}}}}, nil)
			if name == "a forged object" {
				if err != nil { // it can not be told from an honest answer
					t.Error(err)
				}
			} else {
				check("create", err, bad...)
			}
			if n := writes.Load(); n > 1 {
				t.Errorf("a creation was tried %d times", n)
			}
		})
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d calls went to another host", n)
	}
}

// TestBreaker finds an application down, refuses at once, and finds it up again.
func TestBreaker(t *testing.T) {
	l := newLegacy()
	down := atomic.Bool{}
	l.gate = func(w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(503)
		}
		return down.Load()
	}
	server := httptest.NewServer(http.HandlerFunc(l.ServeHTTP))
	defer server.Close()
	app := openRest(t, rest.Config{URL: server.URL, Retries: -1, Breaker: rest.Breaker{Failures: 3, Pause: time.Nanosecond}}, collections(t, pageYAML["none"], "", callsYAML))
	defer app.Close()
	slow := openRest(t, rest.Config{URL: server.URL, Retries: -1, Breaker: rest.Breaker{Failures: 3, Pause: time.Hour}}, collections(t, pageYAML["none"], "", callsYAML))
	defer slow.Close()
	down.Store(true)
	for range 10 {
		if _, err := collection(t, slow, "Users").Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("while it is down: %v", err)
		}
	}
	if n := l.calls.Load(); n != 3 {
		t.Errorf("%d calls reached an application that is down, want 3", n)
	}
	for range 5 {
		if _, err := collection(t, app, "Users").Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("while it is down: %v", err)
		}
	}
	down.Store(false)
	if _, err := collection(t, app, "Users").Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.NotFound {
		t.Errorf("after the pause: %v", err)
	}
}

// TestRetries repeats what is safe to repeat, and nothing else.
func TestRetries(t *testing.T) {
	for _, tc := range []struct {
		status       int
		reads, write int64 // calls
	}{{503, 2, 1}, {502, 2, 1}, {500, 1, 1}, {429, 2, 2}} {
		var reads, writes atomic.Int64
		l := newLegacy()
		l.gate = func(w http.ResponseWriter, r *http.Request) bool {
			n := &reads
			if r.Method != http.MethodGet {
				n = &writes
			}
			first := n.Add(1) == 1
			if first {
				w.WriteHeader(tc.status)
			}
			return first
		}
		server := httptest.NewServer(http.HandlerFunc(l.ServeHTTP))
		app := openRest(t, rest.Config{URL: server.URL}, collections(t, pageYAML["none"], "", callsYAML))
		users := collection(t, app, "Users")
		_, _ = users.Get(t.Context(), "1", nil)
		_, _ = users.Create(t.Context(), connectors.Draft{Name: "/login", Fields: []connectors.Field{{Attr: "/login", Values: []connectors.Value{"x"}}}}, nil)
		if reads.Load() != tc.reads || writes.Load() != tc.write {
			t.Errorf("%d: %d reads and %d writes, want %d and %d", tc.status, reads.Load(), writes.Load(), tc.reads, tc.write)
		}
		app.Close()
		server.Close()
	}
}
