package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"postern/connectors"
	"postern/connectors/rest"
)

// TestListsThatLie walks lists that are shorter than they say, or repeat what they had:
// the walk ends with an error, and never with a list that passes for the whole.
func TestListsThatLie(t *testing.T) {
	some := func(from, to int) []any {
		items := []any{}
		for i := from; i < to; i++ {
			items = append(items, map[string]any{"id": i})
		}
		return items
	}
	number := func(r *http.Request, name string) int { n, _ := strconv.Atoi(r.URL.Query().Get(name)); return n }
	const offset, page, cursor = "{ offset: offset, limit: limit, max: 2 }", "{ page: page, limit: limit, max: 2 }", "{ cursor: after, next: /next }"
	for name, tc := range map[string]struct {
		page   string
		answer func(r *http.Request) map[string]any
		want   int // objects, where the list is no lie; -1 is an error
	}{
		"pages by number that end early": {page, func(r *http.Request) map[string]any {
			if number(r, "page") > 2 {
				return map[string]any{"items": some(0, 0), "total": 6}
			}
			return map[string]any{"items": some(2*number(r, "page"), 2*number(r, "page")+2), "total": 6}
		}, -1},
		"a cursor that is lost": {cursor, func(r *http.Request) map[string]any {
			if number(r, "after") == 2 {
				return map[string]any{"items": some(2, 4), "total": 6}
			}
			return map[string]any{"items": some(0, 2), "total": 6, "next": "2"}
		}, -1},
		"URLs of pages that end early": {"{ nextURL: /next }", func(*http.Request) map[string]any {
			return map[string]any{"items": some(0, 2), "total": 3}
		}, -1},
		"the last page is the first again": {offset, func(*http.Request) map[string]any {
			return map[string]any{"items": some(0, 2), "total": 4}
		}, -1},
		"the last page by number is the first again": {page, func(*http.Request) map[string]any {
			return map[string]any{"items": some(0, 2), "total": 4}
		}, -1},
		"the last page by cursor is the first again": {cursor, func(r *http.Request) map[string]any {
			if number(r, "after") == 2 {
				return map[string]any{"items": some(0, 2), "total": 4}
			}
			return map[string]any{"items": some(0, 2), "total": 4, "next": "2"}
		}, -1},
		"more on a page than there are": {page, func(*http.Request) map[string]any {
			return map[string]any{"items": some(0, 2), "total": 0}
		}, -1},
		"more without pages than there are": {"", func(*http.Request) map[string]any {
			return map[string]any{"items": some(0, 2), "total": 1}
		}, -1},
		"less without pages than there are": {"", func(*http.Request) map[string]any {
			return map[string]any{"items": some(0, 2), "total": 3}
		}, -1},
		"an object twice on a page": {offset, func(*http.Request) map[string]any {
			return map[string]any{"items": append(some(5, 6), some(5, 6)...), "total": 2}
		}, 1},
		"a total that is never told": {page, func(r *http.Request) map[string]any {
			if number(r, "page") > 2 {
				return map[string]any{"items": some(0, 0)}
			}
			return map[string]any{"items": some(2*number(r, "page"), 2*number(r, "page")+2)}
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/groups/7" {
					_ = json.NewEncoder(w).Encode(map[string]any{"id": 7})
					return
				}
				_ = json.NewEncoder(w).Encode(tc.answer(r))
			}))
			defer server.Close()
			list := ", items: /items, total: /total"
			if tc.page != "" {
				list += ", page: " + tc.page
			}
			users := decodeCollection(t, "Users", "anchor: /id\nrest:\n  list: { get: /users"+list+" }\n  read: { get: \"/users/{anchor}\" }\n")
			groups := decodeCollection(t, "Groups", "anchor: /id\nrest:\n  list: { get: /groups, items: /items }\n  read: { get: \"/groups/{anchor}\" }\n"+
				"  members: { /users: { value: /id, list: { get: \"/groups/{anchor}/users\""+list+" } } }\n")
			groups.Attrs, groups.References = []connectors.Attr{"/users"}, map[connectors.Attr][]string{"/users": {"Users"}}
			app := openRest(t, rest.Config{URL: server.URL}, []rest.Collection{users, groups})
			defer app.Close()
			check := func(what string, n int, err error) {
				t.Helper()
				if tc.want < 0 && connectors.KindOf(err) != connectors.Unavailable || tc.want >= 0 && (err != nil || n != tc.want) {
					t.Errorf("%s: %d objects, %v", what, n, err)
				}
			}
			n, err := walked(t, collection(t, app, "Users"))
			check("a walk", len(n), err)
			g, err := collection(t, app, "Groups").Get(t.Context(), "7", []connectors.Attr{"/users"})
			check("members", len(g.Field("/users").Refs), err)
		})
	}
}

// walked lists everything.
func walked(t *testing.T, c connectors.Connector) (anchors []connectors.Anchor, err error) {
	t.Helper()
	for e, err := range c.Search(t.Context(), connectors.Query{}) {
		if err != nil {
			return anchors, err
		}
		anchors = append(anchors, e.Anchor)
	}
	return anchors, nil
}

// TestListsThatMove walks lists from which objects are taken, and to which objects are
// added, between their pages: what was there all the time is found, once.
func TestListsThatMove(t *testing.T) {
	for style, param := range map[string]string{"offset": "{ offset: offset, limit: limit, max: 4 }", "page": "{ page: page, limit: limit, max: 4 }"} {
		for name, change := range map[string]func(ids []int, call int) []int{
			"one is taken from the front":  func(ids []int, call int) []int { return ids[min(1, call-1):] },
			"six are taken from the front": func(ids []int, call int) []int { return ids[6*min(1, call/3):] },
			"one goes with each page":      func(ids []int, call int) []int { return ids[min(6, call-1):] },
			"one comes in front at every third call": func(ids []int, call int) []int {
				for i := range call / 3 {
					ids = append([]int{1000 + i}, ids...)
				}
				return ids
			},
			"one comes at the end each time": func(ids []int, call int) []int { return append(ids[:len(ids):len(ids)], make([]int, min(call, 8))...) },
		} {
			t.Run(style+", "+name, func(t *testing.T) {
				var calls atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ids := make([]int, 20)
					for i := range ids {
						ids[i] = 100 + i
					}
					ids = change(ids, int(calls.Add(1)))
					from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
					if style == "page" {
						n, _ := strconv.Atoi(r.URL.Query().Get("page"))
						from = 4 * (n - 1)
					}
					items := []any{}
					for i := from; i < min(from+4, len(ids)); i++ {
						id := ids[i]
						if id == 0 {
							id = 2000 + i
						}
						items = append(items, map[string]any{"id": id})
					}
					_ = json.NewEncoder(w).Encode(map[string]any{"items": items, "total": len(ids)})
				}))
				defer server.Close()
				users := opens(t, "url: "+server.URL, "anchor: /id\nrest:\n  list: { get: /users, items: /items, total: /total, page: "+param+" }\n  read: { get: \"/users/{anchor}\" }\n")
				got, err := walked(t, users)
				if err != nil {
					t.Fatal(err)
				}
				times := map[connectors.Anchor]int{}
				for _, a := range got {
					times[a]++
				}
				for id := 106; id < 120; id++ {
					if a := connectors.Anchor(fmt.Sprint(id)); times[a] != 1 {
						t.Errorf("%s is found %d times: %s", a, times[a], strings.TrimSpace(fmt.Sprint(got)))
					}
				}
			})
		}
	}
}
