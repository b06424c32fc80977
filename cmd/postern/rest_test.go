package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"postern/configs"
)

const walkYAML = `
store: { memory: {} }
clients: { idp: { token: { env: IDP_TOKEN }, access: { User: read-write } } }
backends: { app: { rest: { url: "%s" } } }
limits: { maxPageSize: 1000 }
resources:
  User:
    backend: app
    anchor: /id
    rest:
      list: { get: /users, items: /users, total: /total, page: { offset: offset, limit: limit, max: 100 } }
      read: { get: "/users/{anchor}" }
    map: { userName: /login, active: /on }
`

// TestWalk walks 10,000 users through an application that gives 100 at a time: at
// most 101 calls, whatever the pages of the client.
func TestWalk(t *testing.T) {
	const n = 10_000
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		var users []any
		for i := from; i < min(from+100, n); i++ {
			users = append(users, map[string]any{"id": i + 1, "login": fmt.Sprintf("u%d", i), "on": true})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"users": users, "total": n})
	}))
	defer server.Close()
	t.Setenv("IDP_TOKEN", writerToken)
	for _, count := range []int{1000, 100, 37} {
		root, ps := configs.Parse("walk.yaml", []byte(fmt.Sprintf(walkYAML, server.URL)))
		c := decodeConfig(root, &ps)
		maps, err := compile(c, &ps)
		if err != nil || ps.HasErrors() {
			t.Fatal(err, ps)
		}
		calls.Store(0)
		w := openApp(t, c, maps)
		seen := make(map[string]bool)
		for start := 1; start <= n; start += count {
			a := w.want(w.get(fmt.Sprintf("/Users?startIndex=%d&count=%d", start, count)), http.StatusOK)
			for i := range a.at("Resources").([]any) {
				seen[a.text("Resources", i, "userName")] = true
			}
		}
		if got := calls.Load(); len(seen) != n || got > 101 {
			t.Errorf("pages of %d: %d users in %d calls", count, len(seen), got)
		}
	}
}
