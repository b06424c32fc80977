package rest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/rest"
)

// TestPagesInACircle lists an application that gives the same pages again and
// again: the walk ends with an error, and not with a list that is short.
func TestPagesInACircle(t *testing.T) {
	for name, tc := range map[string]struct {
		page   string
		answer func(r *http.Request) map[string]any
	}{
		"an offset that is not heeded": {"{ offset: offset, limit: limit, max: 2 }", func(*http.Request) map[string]any {
			return map[string]any{"items": []any{map[string]any{"id": 1}, map[string]any{"id": 2}}}
		}},
		"two cursors that lead to each other": {"{ cursor: after, next: /next }", func(r *http.Request) map[string]any {
			next := "a"
			if r.URL.Query().Get("after") == "a" {
				next = "b"
			}
			return map[string]any{"items": []any{map[string]any{"id": next}}, "next": next}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasPrefix(r.URL.Path, "/groups/7/"):
					_ = json.NewEncoder(w).Encode(tc.answer(r))
				case r.URL.Path == "/groups/7":
					_ = json.NewEncoder(w).Encode(map[string]any{"id": 7})
				default:
					_ = json.NewEncoder(w).Encode(tc.answer(r))
				}
			}))
			defer server.Close()
			users := decodeCollection(t, "Users", "anchor: /id\nrest:\n  list: { get: /users, items: /items, page: "+tc.page+" }\n  find: { /login: \"/users?login={value}\" }\n  read: { get: \"/users/{anchor}\" }\n")
			users.Attrs = []connectors.Attr{"/login"}
			groups := decodeCollection(t, "Groups", "anchor: /id\nrest:\n  list: { get: /groups, items: /items }\n  read: { get: \"/groups/{anchor}\" }\n"+
				"  members: { /users: { value: /id, list: { get: \"/groups/{anchor}/users\", items: /items, page: "+tc.page+" } } }\n")
			groups.Attrs, groups.References = []connectors.Attr{"/users"}, map[connectors.Attr][]string{"/users": {"Users"}}
			app := openRest(t, rest.Config{URL: server.URL}, []rest.Collection{users, groups})
			defer app.Close()
			unavailable := func(what string, err error) {
				t.Helper()
				if connectors.KindOf(err) != connectors.Unavailable {
					t.Errorf("%s: %v", what, err)
				}
			}
			for what, q := range map[string]connectors.Query{"a walk": {}, "a find": {Where: connectors.Equal{Attr: "/login", Value: "x"}}} {
				var failed error
				for _, err := range collection(t, app, "Users").Search(t.Context(), q) {
					failed = err
				}
				unavailable(what, failed)
			}
			_, err := collection(t, app, "Groups").Get(t.Context(), "7", []connectors.Attr{"/users"})
			unavailable("members", err)
		})
	}
}
