package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const restConfig = `listen: %s
store: { bolt: { path: %q } }
clients: { idp: { token: { env: IDP_TOKEN }, access: { User: read-write } } }
backends: { tracker: { rest: { url: "http://%s", concurrency: 64 } } }
limits: { maxPageSize: 1000 }
resources:
  User:
    backend: tracker
    anchor: /id
    rest:
      list: { get: /users, items: /users, total: /total, page: { offset: offset, limit: limit, max: 100 } }
      find: { /login: "/users?name={value}" }
      read: { get: "/users/{anchor}", object: /user }
    map:
      userName: /login
      displayName: /name/display
      name.givenName: /name/given
      name.familyName: /name/family
      title: /title
      emails[type eq "work"].value: /mail
      active: { attr: /status, codec: { values: { "1": true, "3": false } } }
`

// runREST measures the gateway in front of an application with a JSON interface
// against a client of that alone. Reading 10,000 users by pages of 100 is at most 101
// calls whatever pages the client of the gateway asks for.
func runREST(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rest", flag.ContinueOnError)
	users := flags.Int("users", 10_000, "users in the application")
	each := flags.Duration("each", 5*time.Second, "how long each figure is measured")
	profile := flags.String("profile", "", "write a CPU profile of the gateway, reading by id with 16 clients, to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "postern-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	app, err := startApplication(ctx, *users)
	if err != nil {
		return err
	}
	defer app.server.Close()
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, restConfig, address, filepath.Join(dir, "ids.db"), app.address), 0o600); err != nil {
		return err
	}
	g, err := launchGateway(ctx, dir, config, address, *profile, "/Users?count=1")
	if err != nil {
		return err
	}
	defer g.stop()

	fmt.Printf("%-34s %6s %8s %10s %8s\n", "walk of all users", "calls", "seconds", "bare", "MiB")
	began := time.Now()
	app.calls.Store(0)
	if err := app.walk(ctx); err != nil {
		return err
	}
	bare, atLeast := time.Since(began), app.calls.Load()
	var ids []string
	for _, count := range []int{1000, 100, 37, 100} {
		app.calls.Store(0)
		var took time.Duration
		more, err := g.peak(func() (err error) {
			began := time.Now()
			ids, err = walkUsers(ctx, g, *users, count)
			took = time.Since(began)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("%-34s %6d %8.2f %9.1fx %8.1f\n", fmt.Sprintf("by pages of %d", count), app.calls.Load(), took.Seconds(), took.Seconds()/bare.Seconds(), more)
	}
	fmt.Printf("%-34s %6d %8.2f\n\n", "bare, by pages of 100", atLeast, bare.Seconds())

	relay := app.relay()
	defer relay.Close()
	fmt.Printf("%-12s %7s %10s %10s %10s %7s %8s %8s %8s %8s\n", "scenario", "clients", "bare/s", "relay/s", "gateway/s", "of bare", "of relay", "p50 ms", "p99 ms", "CPU µs")
	read := func(url func() string) func(int) (worker, error) {
		return func(int) (worker, error) {
			h := newHTTP()
			return worker{do: func(int) error {
				_, err := h.expect(ctx, "GET", url(), nil)
				return err
			}, close: h.c.CloseIdleConnections}, nil
		}
	}
	for _, clients := range []int{1, 16, 64} {
		raw, err := measure(ctx, clients, *each, read(func() string { return fmt.Sprintf("http://%s/users/%d", app.address, 1+rand.IntN(*users)) }))
		if err != nil {
			return err
		}
		relayed, err := measure(ctx, clients, *each, read(func() string { return fmt.Sprintf("%s/users/%d", relay.URL, 1+rand.IntN(*users)) }))
		if err != nil {
			return err
		}
		profiled := make(chan error, 1)
		if *profile != "" && clients == 16 {
			go func() { profiled <- g.writeProfile(ctx, *profile, *each) }()
		} else {
			profiled <- nil
		}
		before := g.cpu()
		ours, err := measure(ctx, clients, *each, read(func() string { return g.base + "/Users/" + ids[rand.IntN(len(ids))] }))
		if err != nil {
			return err
		}
		fmt.Printf("%-12s %7d %10.0f %10.0f %10.0f %6.0f%% %7.0f%% %8.2f %8.2f %8.0f\n", "read by id", clients, raw.rate, relayed.rate, ours.rate, 100*ours.rate/raw.rate, 100*ours.rate/relayed.rate,
			ms(ours.p50), ms(ours.p99), float64((g.cpu()-before).Microseconds())/float64(ours.count))
		if err := <-profiled; err != nil {
			return err
		}
	}
	fmt.Printf("\nmemory at the peak     %8.1f MiB\n", g.memory("VmHWM"))
	return nil
}

// walkUsers reads all users through the gateway, and returns their ids.
func walkUsers(ctx context.Context, g *gatewayProcess, users, count int) ([]string, error) {
	h := newHTTP()
	defer h.c.CloseIdleConnections()
	var ids []string
	seen := make(map[string]bool, users)
	for start := 1; start <= users; start += count {
		body, err := h.expect(ctx, "GET", fmt.Sprintf("%s/Users?startIndex=%d&count=%d", g.base, start, count), nil)
		if err != nil {
			return nil, err
		}
		var page struct{ Resources []struct{ ID string } }
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Resources {
			ids, seen[r.ID] = append(ids, r.ID), true
		}
	}
	if len(seen) != users || len(ids) != users {
		return nil, fmt.Errorf("a walk by pages of %d gave %d users, %d of them different, of %d", count, len(ids), len(seen), users)
	}
	return ids, nil
}

// application is one with users that can be read by id and listed, 100 at a time.
type application struct {
	server  *http.Server
	address string
	users   [][]byte
	calls   atomic.Int64
}

func startApplication(ctx context.Context, users int) (*application, error) {
	a := &application{}
	for i := range users {
		user, err := json.Marshal(map[string]any{"id": i + 1, "login": fmt.Sprintf("user%05d", i), "title": "Clerk", "status": 1, "mail": fmt.Sprintf("user%05d@example.com", i),
			"name": map[string]any{"display": fmt.Sprintf("User %d", i), "given": "User", "family": strconv.Itoa(i)}, "notes": strings.Repeat("n", 300)})
		if err != nil {
			return nil, err
		}
		a.users = append(a.users, user)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a.address = l.Addr().String()
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.server.Serve(l) }() // it ends when it is closed
	return a, nil
}

// relay passes requests on to the application and the answers back, and does nothing else: what stands between a
// client and an application can be no faster.
func (a *application) relay() *httptest.Server {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+a.address+r.URL.RequestURI(), nil)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		res, err := client.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.calls.Add(1)
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/users" {
		id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/users/"))
		if err != nil || id < 1 || id > len(a.users) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"user":` + string(a.users[id-1]) + `}`))
		return
	}
	from, _ := strconv.Atoi(r.FormValue("offset"))
	from = min(max(from, 0), len(a.users))
	b := []byte(`{"users":[`)
	for i, user := range a.users[from:min(from+100, len(a.users))] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, user...)
	}
	_, _ = w.Write(fmt.Appendf(b, `],"total":%d}`, len(a.users)))
}

// walk lists all users as a client of the application alone does.
func (a *application) walk(ctx context.Context) error {
	client := newHTTP()
	defer client.c.CloseIdleConnections()
	for from := 0; from < len(a.users); from += 100 {
		req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("http://%s/users?limit=100&offset=%d", a.address, from), nil)
		if err != nil {
			return err
		}
		res, err := client.c.Do(req)
		if err != nil {
			return err
		}
		var page struct {
			Users []struct {
				ID    int
				Login string
			}
		}
		err = json.NewDecoder(res.Body).Decode(&page)
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || len(page.Users) == 0 {
			return fmt.Errorf("a page without users: %w", err)
		}
	}
	return nil
}
