package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptApplication serves the application of docs/rest.md until the script ends, and
// writes tracker.yaml, which is the file that is shown there: application
// ['OLD -> NEW' …] with texts of that to replace.
func scriptApplication(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(newTracker("the-key-of-the-tracker"))
	ts.Defer(server.Close)
	doc, err := os.ReadFile("../../docs/rest.md")
	if err != nil {
		ts.Fatalf("%v", err)
	}
	_, block, _ := strings.Cut(string(doc), "```yaml\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		ts.Fatalf("docs/rest.md shows no file")
	}
	replace := []string{"https://tracker.example.com", server.URL, "{ file: /run/secrets/tracker }", "{ env: TRACKER_KEY }"}
	for _, a := range args {
		before, after, ok := strings.Cut(a, " -> ")
		if !ok || !strings.Contains(block, before) {
			ts.Fatalf("%q: write 'OLD -> NEW' with a text of the file", a)
		}
		replace = append(replace, before, after)
	}
	const head = "listen: 127.0.0.1:8880\nstore: { memory: {} }\nclients: { idp: { token: { env: IDP_TOKEN }, access: { User: read-write } } }\n"
	if err := os.WriteFile(ts.MkAbs("tracker.yaml"), []byte(head+strings.NewReplacer(replace...).Replace(block)), 0o600); err != nil {
		ts.Fatalf("%v", err)
	}
	ts.Setenv("TRACKER_KEY", "the-key-of-the-tracker")
	ts.Setenv("IDP_TOKEN", writerToken)
}

// A tracker is the application of docs/rest.md: one user, anna, with the id 7.
type tracker struct {
	key string

	mu    sync.Mutex
	users map[int]map[string]any
}

func newTracker(key string) *tracker {
	return &tracker{key: key, users: map[int]map[string]any{7: {"id": 7, "login": "anna", "status": 1}}}
}

func (a *tracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	var sent struct{ User map[string]any }
	_ = json.NewDecoder(r.Body).Decode(&sent)
	id, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/users/"), ".json"))
	user, there := a.users[id]
	switch {
	case r.Header.Get("X-Api-Key") != a.key:
		answer(http.StatusUnauthorized, map[string]any{"error": "who are you?"})
	case r.URL.Path == "/users.json" && r.Method == http.MethodGet:
		var found []any
		for id := range 100 {
			if u, ok := a.users[id]; ok && slices.Contains([]any{"", u["login"]}, any(r.FormValue("name"))) {
				found = append(found, u)
			}
		}
		from, _ := strconv.Atoi(r.FormValue("offset"))
		answer(http.StatusOK, map[string]any{"users": append([]any{}, found[min(from, len(found)):]...), "total_count": len(found)})
	case r.URL.Path == "/users.json" && r.Method == http.MethodPost:
		for id = 1; a.users[id] != nil || id < 8; id++ {
		}
		sent.User["id"] = id
		a.users[id] = sent.User
		answer(http.StatusCreated, map[string]any{"user": sent.User})
	case !there:
		answer(http.StatusNotFound, map[string]any{"error": "no such user"})
	case r.Method == http.MethodPut:
		for k, v := range sent.User {
			user[k] = v
		}
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete:
		delete(a.users, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		answer(http.StatusOK, map[string]any{"user": user})
	}
}
