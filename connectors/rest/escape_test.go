package rest_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"postern/connectors"

	"pgregory.net/rapid"
)

// heard is one request as an application gets it.
type heard struct {
	method, path, host string
	query              url.Values
	header             http.Header
	body               []byte
}

// listens notes the requests that reach it, and answers with a user of that anchor.
type listens struct {
	mu  sync.Mutex
	all []heard
}

func (l *listens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	l.all = append(l.all, heard{r.Method, r.URL.EscapedPath(), r.Host, r.URL.Query(), r.Header, body})
	l.mu.Unlock()
	last := r.URL.EscapedPath()[strings.LastIndexByte(r.URL.EscapedPath(), '/')+1:]
	anchor, _ := url.PathUnescape(last)
	if r.Method != http.MethodGet || anchor == "users" {
		anchor = "1"
	}
	if strings.HasPrefix(r.Header.Get("Accept"), "application/xml") {
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<object><id>1</id></object>`)
		return
	}
	object := map[string]any{"id": anchor, "login": "x"}
	_ = json.NewEncoder(w).Encode(map[string]any{"object": object, "objects": []any{object}, "total": 1})
}

func (l *listens) take() []heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

// TestNothingEscapes holds that no value, whatever its characters, changes more of a
// request than the place that it is declared for.
func TestNothingEscapes(t *testing.T) {
	l := &listens{}
	server := httptest.NewServer(l)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	section := "{ url: " + server.URL + "/base, headers: { X-Tenant: one }, auth: { header: { X-Key: { env: SECRET } } } }"
	declared := func(as string) string {
		return `
anchor: /id
rest:
  list:   { get: "/users?all=yes", items: /objects, total: /total }
  find:   { /login: "/users?all=no&login={value}" }
  read:   { get: "/users/{anchor}", object: /object }
  create: { post: "/users?by=us", object: /object, wrap: /all/user, as: ` + as + `, body: { all: { kind: person } } }
`
	}
	users := map[string]connectors.Connector{}
	for _, as := range []string{"json", "form", "xml"} {
		users[as] = opens(t, section, declared(as))
	}
	values := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune("/.\\%?#&=+;:@[]<>\"'{}\r\n\x00 ä\u2028a1")), 1, 12, -1), rapid.StringMatching(`(\.\.|/|%2[fF]|%00|&a=b|#x|\r\nX-Evil: 1){1,3}`),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "bytes")) }))
	rapid.Check(t, func(t *rapid.T) {
		v := values.Draw(t, "value")
		same := func(h heard, method, path string, query url.Values) {
			t.Helper()
			if h.method != method || h.path != path || h.host != host || !maps.EqualFunc(h.query, query, slices.Equal) ||
				h.header.Get("X-Tenant") != "one" || h.header.Get("X-Key") != "s3cret-of-the-test" || h.header.Get("X-Evil") != "" {
				t.Fatalf("%q: %s %s %v at %s, want %s %s %v", v, h.method, h.path, h.query, h.host, method, path, query)
			}
		}
		// A segment of the path: it is that segment, or is not sent.
		l.take()
		_, err := users["json"].Get(t.Context(), connectors.Anchor(v), nil)
		switch calls := l.take(); {
		case len(calls) == 0 && connectors.KindOf(err) == connectors.NotFound:
		case len(calls) != 1 || err != nil:
			t.Fatalf("%q: %d calls, %v", v, len(calls), err)
		default:
			if plain, err := url.PathUnescape(strings.TrimPrefix(calls[0].path, "/base/users/")); err != nil || plain != v || strings.Contains(strings.TrimPrefix(calls[0].path, "/base/users/"), "/") {
				t.Fatalf("%q is the path %s", v, calls[0].path)
			}
			same(calls[0], "GET", calls[0].path, url.Values{})
		}
		// A parameter: it is that parameter's value, or the list is asked for.
		for _, err := range users["json"].Search(t.Context(), connectors.Query{Where: connectors.Equal{Attr: "/login", Value: connectors.Value(v)}}) {
			if err != nil {
				t.Fatalf("%q: %v", v, err)
			}
		}
		for _, h := range l.take() {
			if h.query.Get("all") == "yes" {
				same(h, "GET", "/base/users", url.Values{"all": {"yes"}})
			} else {
				same(h, "GET", "/base/users", url.Values{"all": {"no"}, "login": {v}})
			}
		}
		// A body of each form: it is the attribute's value, beside what is always sent.
		for as, c := range users {
			_, err := c.Create(t.Context(), draftOf(v), nil)
			calls := l.take()
			if len(calls) == 0 {
				if v == "" || connectors.KindOf(err) == connectors.Invalid {
					continue // what can not be written so is refused
				}
				t.Fatalf("%s %q: not sent, %v", as, v, err)
			}
			same(calls[0], "POST", "/base/users", url.Values{"by": {"us"}})
			if !utf8.ValidString(v) {
				t.Fatalf("%s %q, which is no text, was sent", as, v)
			}
			switch as {
			case "json":
				var got struct {
					All struct {
						Kind string
						User map[string]string
					}
				}
				if err := json.Unmarshal(calls[0].body, &got); err != nil || got.All.Kind != "person" || !maps.Equal(got.All.User, map[string]string{"login": v}) {
					t.Fatalf("%q is the body %s", v, calls[0].body)
				}
			case "form":
				if got, err := url.ParseQuery(string(calls[0].body)); err != nil || !maps.EqualFunc(got, url.Values{"all[kind]": {"person"}, "all[user][login]": {v}}, slices.Equal) {
					t.Fatalf("%q is the body %s", v, calls[0].body)
				}
			case "xml":
				var got struct {
					Kind string `xml:"kind"`
					User struct {
						Login string     `xml:"login"`
						Rest  []xml.Name `xml:",any"`
					} `xml:"user"`
					Rest []xml.Name `xml:",any"`
				}
				if err := xml.Unmarshal(calls[0].body, &got); err != nil || got.Kind != "person" || got.User.Login != v || len(got.Rest)+len(got.User.Rest) > 0 {
					t.Fatalf("%q is the body %s: %v", v, calls[0].body, err)
				}
			}
		}
	})
}
