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
	"unicode"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/rest"
)

const tracker = `
anchor: /id
rest:
  list:   { get: "/users", items: /users, total: /total, page: { offset: offset, limit: limit, max: 2 } }
  find:   { /login: "/users?name={value}" }
  read:   { get: "/users/{anchor}", object: /user }
  create: { post: "/users", wrap: /user, object: /user }
  update: { put: "/users/{anchor}", wrap: /user, send: changed }
  delete: { delete: "/users/{anchor}" }
  members: { /teams: { value: /id } }
`

// trackerApp answers as the declaration above says, unless answers says otherwise
// for a method and a path.
func trackerApp(t *testing.T, answers map[string]func(http.ResponseWriter, *http.Request)) (server *httptest.Server, writes *atomic.Int64) {
	writes = new(atomic.Int64)
	ann := `{"id":7,"login":"ann","name":"Ann","teams":[{"id":1},{"id":2}]}`
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			writes.Add(1)
		}
		if own, ok := answers[r.Method+" "+r.URL.Path]; ok {
			own(w, r)
			return
		}
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/users":
			if name := r.FormValue("name"); name != "" && name != "ann" {
				fmt.Fprint(w, `{"users":[],"total":0}`)
				return
			}
			fmt.Fprintf(w, `{"users":[%s],"total":1}`, ann)
		case r.Method == http.MethodGet && r.URL.Path == "/users/7", r.Method == http.MethodPut, r.Method == http.MethodPost:
			fmt.Fprintf(w, `{"user":%s}`, ann)
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server, writes
}

func trackerCollection(t testing.TB) rest.Collection {
	c := decodeCollection(t, "User", tracker)
	c.Attrs = []connectors.Attr{"/login", "/name", "/nick", "/teams"}
	c.References = map[connectors.Attr][]string{"/teams": {"User"}}
	return c
}

// tries tries a call, and returns what it tells.
func tries(t *testing.T, section string, trial rest.Trial) (string, error) {
	t.Helper()
	app := openRest(t, decodeConfig(t, section), []rest.Collection{trackerCollection(t)})
	defer app.Close()
	trial.Collection = "User"
	trial.Path = func(a connectors.Attr) string { return map[connectors.Attr]string{"/login": "userName"}[a] }
	var told strings.Builder
	err := app.Try(t.Context(), trial, func(line string) { told.WriteString(line + "\n") })
	return told.String(), err
}

// TestTry tries each call, and looks for what it tells.
func TestTry(t *testing.T) {
	server, writes := trackerApp(t, nil)
	section := `{ url: "` + server.URL + `", headers: { X-Tenant: "1" } }`
	for _, c := range []struct {
		call  string
		dry   bool
		want  []string
		sends int64
	}{
		{"list", false, []string{"GET " + server.URL + "/users?offset=0&limit=2", "X-Tenant: 1", "200 OK", `"total": 1`, "items at /users: 1", "total at /total: 1", "next page: none",
			`anchor at /id: in each, such as "7"`, `/login (userName): in 1 of them, such as "ann"`, "/nick: in none of them", `/teams: in 1 of them, such as User "1", User "2"`}, 0},
		{"list", true, []string{"GET ", "not sent"}, 0},
		{"find /login ann", false, []string{"/users?name=ann&offset=0", "items at /users: 1"}, 0},
		{"read 7", false, []string{"GET " + server.URL + "/users/7", "object at /user: found", `anchor at /id: "7"`, `/login (userName): "ann"`, "/nick: nothing there"}, 0},
		{"create /login=ann", true, []string{"POST ", `"login": "ann"`, "not sent"}, 0},
		{"create /login=ann /nick=", false, []string{"POST ", `the object is now /id "7"`}, 1},
		{"update 7 /name=Anna /teams+=7 /teams-=1", true, []string{"GET ", "PUT ", `"name": "Anna"`, `"id": "7"`, "not sent"}, 0},
		{"update 7 /name=Ann /teams+=1", false, []string{"nothing to change"}, 0},
		{"delete 7", true, []string{"DELETE ", "not sent"}, 0},
		{"delete 7", false, []string{"DELETE ", "204 No Content", "deleted"}, 1},
	} {
		writes.Store(0)
		args := strings.Fields(c.call)
		told, err := tries(t, section, rest.Trial{Call: args[0], Args: args[1:], Dry: c.dry})
		if err != nil {
			t.Errorf("%s: %v", c.call, err)
		}
		for _, want := range c.want {
			if !strings.Contains(told, want) {
				t.Errorf("%s, dry %v, does not tell %q:\n%s", c.call, c.dry, want, told)
			}
		}
		if n := writes.Load(); n != c.sends {
			t.Errorf("%s, dry %v: %d writes, want %d", c.call, c.dry, n, c.sends)
		}
	}
	for _, call := range []string{"reed 7", "list x", "find /login", "find /name x", "read", "read 7 8", "create", "create login", "create /nonsense=1", "create /teams+=1", "update 7", "delete"} {
		args := strings.Fields(call)
		told, err := tries(t, section, rest.Trial{Call: args[0], Args: args[1:]})
		if !errors.Is(err, rest.ErrUsage) || told != "" || len(err.Error()) < 10 {
			t.Errorf("%s: %v, told %q", call, err, told)
		}
	}
}

// TestTryMistakes tries calls that do not fit the application: the error says what
// to do.
func TestTryMistakes(t *testing.T) {
	says := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		name, url string
		answer    func(http.ResponseWriter, *http.Request)
		want      []string
	}{
		{"another pointer", "", says(`{"data":{"id":7},"a/b":1}`), []string{"nothing at /user", "/a~1b /data", "see the pointers"}},
		{"no anchor", "", says(`{"user":{"uid":7}}`), []string{"no anchor at /id", "it has /uid"}},
		{"another object", "", says(`{"user":{"id":8}}`), []string{`the anchor "8" and not "7"`}},
		{"a page for people", "", says(`<html>please log in</html>`), []string{"not JSON", "log-in"}},
		{"no body", "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, []string{"no body"}},
		{"refused", "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, []string{"denied", "see auth"}},
		{"not there", "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, []string{"not found", "the path of the call"}},
		{"elsewhere", "", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, gone.URL, http.StatusFound) }, []string{"another origin", "into url"}},
		{"a rule", "", says(`{"error":"E42"}`), []string{"by rule 1 of errors", "unavailable"}},
		{"an unknown authority", tls.URL, nil, []string{"certificate", "tls: { ca: FILE }"}},
		{"plain for TLS", strings.Replace(gone.URL, "http://", "https://", 1), nil, []string{"refused", "host and port in url"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := c.url
			if c.answer != nil {
				server, _ := trackerApp(t, map[string]func(http.ResponseWriter, *http.Request){"GET /users/7": c.answer})
				url = server.URL
			}
			_, err := tries(t, `{ url: "`+url+`", retries: 0, errors: [{ status: 200, at: /error, is: unavailable }] }`, rest.Trial{Call: rest.TryRead, Args: []string{"7"}})
			if err == nil {
				t.Fatal("it is right")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: does not say %q", err, want)
				}
			}
		})
	}
}

// TestTryKeepsSecrets shows who calls in every way that a file can name, to an
// application that says all of it again: none of it is told.
func TestTryKeepsSecrets(t *testing.T) {
	const secret = "s3cret-of-the-test"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = r.ParseForm()
		switch r.URL.Path {
		case "/token":
			fmt.Fprint(w, `{"access_token":"the-t0ken-given","token_type":"Bearer","expires_in":3600}`)
			return
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "the-t0ken-given", Path: "/", HttpOnly: true})
			return
		}
		w.Header().Set("X-Echo", r.URL.RawQuery+" "+r.Header.Get("X-Key"))
		user, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":%q}`, fmt.Sprint(r.URL.Query(), r.Header, user, password, r.Cookies(), string(body), "\x1b[2J\u202e\u009b"))
	}))
	defer server.Close()
	for name, auth := range map[string]string{
		"header":    `header: { X-Key: { env: SECRET } }`,
		"query":     `query: { key: { env: SECRET } }`,
		"basic":     `basic: { user: me, password: { env: SECRET } }`,
		"bearer":    `bearer: { env: SECRET }`,
		"oauth2":    `oauth2: { token: "` + server.URL + `/token", client: me, secret: { env: SECRET } }`,
		"in a body": `oauth2: { token: "` + server.URL + `/token", client: me, secret: { env: SECRET }, authenticate: body }`,
		"session":   `session: { login: { post: /login, body: { user: me, password: "{password}" } }, values: { password: { env: SECRET } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, dry := range []bool{false, true} {
				for _, call := range []string{"read 7", "create /login=x"} {
					args := strings.Fields(call)
					told, err := tries(t, `{ url: "`+server.URL+`", auth: { `+auth+` } }`, rest.Trial{Call: args[0], Args: args[1:], Dry: dry})
					if dry != (err == nil) {
						t.Errorf("%s, dry %v: %v", call, dry, err)
					}
					told += fmt.Sprint(err)
					if !strings.Contains(told, "(secret)") {
						t.Errorf("%s, dry %v: nothing was left out of\n%s", call, dry, told)
					}
					for _, s := range []string{secret, "the-t0ken-given", "bWU6czNjcmV0", "\x1b", "\u202e", "\u009b"} {
						if strings.Contains(told, s) {
							t.Errorf("%s, dry %v: tells %q:\n%s", call, dry, s, told)
						}
					}
					if i := strings.IndexFunc(told, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); i >= 0 {
						t.Errorf("%s, dry %v: a terminal would obey %q", call, dry, told[i:min(len(told), i+9)])
					}
				}
			}
		})
	}
}

// TestTryLarge tries a call whose answer is large, and one whose answer never ends.
func TestTryLarge(t *testing.T) {
	server, _ := trackerApp(t, map[string]func(http.ResponseWriter, *http.Request){
		"GET /users/7": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"user":{"id":7,"login":%q}}`, strings.Repeat("x", 200_000))
		},
		"GET /users/8": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"user":"`)
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, strings.Repeat("x", 10_000)); err != nil {
					return
				}
			}
		},
	})
	section := `{ url: "` + server.URL + `", maxAnswer: 1MiB, retries: 0 }`
	told, err := tries(t, section, rest.Trial{Call: rest.TryRead, Args: []string{"7"}})
	if err != nil || len(told) > 220_000 || strings.Count(told, "x") > 210_000 || !strings.Contains(told, "… and more") {
		t.Errorf("a large answer: %v, %d bytes are told", err, len(told))
	}
	told, err = tries(t, section, rest.Trial{Call: rest.TryRead, Args: []string{"8"}})
	if err == nil || !strings.Contains(err.Error(), "maxAnswer") || len(told) > 10_000 {
		t.Errorf("an answer that does not end: %v, %d bytes are told", err, len(told))
	}
}

// TestCheck holds declarations that do not fit against an application: each is told
// with its place.
func TestCheck(t *testing.T) {
	says := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	const ann = `{"id":7,"login":"ann","name":"Ann","teams":[{"id":1}]}`
	for _, c := range []struct {
		name     string
		answers  map[string]func(http.ResponseWriter, *http.Request)
		mistake  string // "" is none
		warnings []string
	}{
		{"all is well", nil, "", []string{"has /nick"}},
		{"no list there", map[string]func(http.ResponseWriter, *http.Request){"GET /users": says(`{"data":[]}`)}, "it has /data", nil},
		{"no total", map[string]func(http.ResponseWriter, *http.Request){"GET /users": says(`{"users":[]}`)}, "where the total should be", nil},
		{"an empty list", map[string]func(http.ResponseWriter, *http.Request){"GET /users": says(`{"users":[],"total":0}`)}, "", []string{"the list is empty"}},
		{"no anchors", map[string]func(http.ResponseWriter, *http.Request){"GET /users": says(`{"users":[{"uid":7}],"total":1}`)}, "it has /uid", nil},
		{"anchors twice", map[string]func(http.ResponseWriter, *http.Request){"GET /users": says(`{"users":[{"id":7},{"id":7}],"total":2}`)}, `two objects have the anchor "7"`, nil},
		{"refused", map[string]func(http.ResponseWriter, *http.Request){"GET /users": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }}, "see auth", nil},
		{"no object read", map[string]func(http.ResponseWriter, *http.Request){"GET /users/7": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }}, "/users/{anchor} answers 404", nil},
		{"the list shows less", map[string]func(http.ResponseWriter, *http.Request){"GET /users/7": says(`{"user":{"id":7,"login":"ann","nick":"A"}}`)}, "without: [/nick]", nil},
		{"an object for a value", map[string]func(http.ResponseWriter, *http.Request){
			"GET /users": says(`{"users":[{"id":7,"login":"ann","nick":{"short":"A"}}],"total":1}`), "GET /users/7": says(`{"user":{"id":7,"login":"ann","nick":{"short":"A"}}}`)},
			"it has /short", []string{"/name", "does not seem to heed it"}},
		{"finds everybody", map[string]func(http.ResponseWriter, *http.Request){"GET /users": says(`{"users":[` + ann + `],"total":1}`)}, "", []string{"/nick", "does not seem to heed it"}},
		{"finds nobody", map[string]func(http.ResponseWriter, *http.Request){"GET /users": func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("name") != "" {
				fmt.Fprint(w, `{"users":[],"total":0}`)
				return
			}
			fmt.Fprintf(w, `{"users":[%s],"total":1}`, ann)
		}}, "is not found by its own /login", []string{"/nick"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, writes := trackerApp(t, c.answers)
			app := openRest(t, decodeConfig(t, `{ url: "`+server.URL+`", auth: { bearer: { env: SECRET } } }`), []rest.Collection{trackerCollection(t)})
			defer app.Close()
			told, ps := app.Check(t.Context(), map[string]map[connectors.Attr]configs.Pos{"User": {"/nick": {File: "tracker.yaml", Line: 99, Col: 7}}})
			if c.mistake == "" != !ps.HasErrors() || c.mistake != "" && !strings.Contains(ps.Error(), c.mistake) {
				t.Errorf("it says %v, want %q", ps, c.mistake)
			}
			for _, p := range ps {
				if p.Pos.Line == 0 {
					t.Errorf("%v has no place", p)
				}
			}
			for _, w := range c.warnings {
				if !strings.Contains(ps.Error(), w) {
					t.Errorf("no warning of %q: %v", w, ps)
				}
			}
			if c.name == "all is well" && (len(told) != 1 || !strings.Contains(told[0], "1 of 1 objects") || !strings.Contains(told[0], "found by /login")) {
				t.Errorf("told %q", told)
			}
			if writes.Load() != 0 {
				t.Error("it wrote")
			}
		})
	}
}
