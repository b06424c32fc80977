package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/rest"
)

// decodeConfig decodes a backend's section with the URL of a test's server in it.
func decodeConfig(t *testing.T, text string) rest.Config {
	t.Helper()
	t.Setenv("SECRET", "s3cret-of-the-test")
	root, ps := configs.Parse("app.yaml", []byte(text))
	c := rest.Decode(root, &ps)
	if ps.HasErrors() {
		t.Fatal(ps)
	}
	return c
}

// TestAuthentication shows who calls in every way that a file can name, and logs
// in again once when that is not taken any more.
func TestAuthentication(t *testing.T) {
	var logins atomic.Int64
	good := func(r *http.Request) bool { return false }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/token":
			id, secret, _ := r.BasicAuth()
			if id != "me" || secret != "s3cret-of-the-test" || !strings.Contains(string(body), "grant_type=client_credentials") {
				w.WriteHeader(401)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, logins.Add(1))
		case "/login":
			if string(body) != "password=s3cret-of-the-test&user=me" {
				w.WriteHeader(403)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprintf("t%d", logins.Add(1))})
		default:
			if !good(r) {
				w.WriteHeader(401)
				return
			}
			fmt.Fprint(w, `{"object":{"id":1,"login":"x"}}`)
		}
	}))
	defer server.Close()
	current := func() string { return fmt.Sprintf("t%d", logins.Load()) }
	for auth, check := range map[string]func(r *http.Request) bool{
		`{ header: { X-Key: { env: SECRET } } }`:             func(r *http.Request) bool { return r.Header.Get("X-Key") == "s3cret-of-the-test" },
		`{ query: { key: { env: SECRET } } }`:                func(r *http.Request) bool { return r.URL.Query().Get("key") == "s3cret-of-the-test" },
		`{ bearer: { env: SECRET } }`:                        func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer s3cret-of-the-test" },
		`{ basic: { user: me, password: { env: SECRET } } }`: func(r *http.Request) bool { u, p, _ := r.BasicAuth(); return u == "me" && p == "s3cret-of-the-test" },
		`{ oauth2: { token: "` + server.URL + `/token", client: me, secret: { env: SECRET } } }`: func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "Bearer "+current()
		},
		`{ session: { login: { post: /login, as: form, body: { user: me, password: "{pass}" } }, values: { pass: { env: SECRET } } } }`: func(r *http.Request) bool {
			c, err := r.Cookie("sid")
			return err == nil && c.Value == current()
		},
	} {
		good = check
		logins.Store(0)
		app := openRest(t, decodeConfig(t, "url: "+server.URL+"\nauth: "+auth+"\n"), collections(t, pageYAML["none"], "", callsYAML))
		users := collection(t, app, "Users")
		for range 2 {
			if _, err := users.Get(t.Context(), "1", nil); err != nil {
				t.Errorf("%s: %v", auth, err)
			}
		}
		if n := logins.Load(); n > 1 {
			t.Errorf("%s: %d log-ins for two calls", auth, n)
		}
		if renews := logins.Load() > 0; renews {
			logins.Add(1) // what was got before is not taken any more
			if _, err := users.Get(t.Context(), "1", nil); err != nil || logins.Load() != 3 {
				t.Errorf("%s: after it ended: %v, %d log-ins", auth, err, logins.Load())
			}
		}
		good = func(*http.Request) bool { return false }
		if _, err := users.Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Denied {
			t.Errorf("%s, refused: %v", auth, err)
		}
		app.Close()
	}
}

// TestSwitchesAndWithin writes attributes by calls of their own, and undoes what
// was done when a later call is refused.
func TestSwitchesAndWithin(t *testing.T) {
	user := map[string]any{"id": 1, "login": "anna", "active": true, "born": "31.12.1999", "roles": "a;b"}
	mails := []map[string]any{{"no": 5, "mail": "a@x"}}
	refuse := ""
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodGet {
			calls = append(calls, r.Method+" "+r.URL.Path+" "+strings.TrimSpace(string(body)))
		}
		if refuse != "" && strings.Contains(r.URL.Path, refuse) && r.Method != http.MethodGet {
			w.WriteHeader(422)
			return
		}
		switch {
		case r.Method == http.MethodPut:
			_ = json.Unmarshal(body, &user)
		case strings.HasSuffix(r.URL.Path, "/on"), strings.HasSuffix(r.URL.Path, "/off"):
			user["active"] = strings.HasSuffix(r.URL.Path, "/on")
		case r.URL.Path == "/users/1/mails" && r.Method == http.MethodPost:
			var m map[string]any
			_ = json.Unmarshal(body, &m)
			m["no"] = len(mails) + 10
			mails = append(mails, m)
		case strings.HasPrefix(r.URL.Path, "/users/1/mails/"):
			mails = slices.DeleteFunc(mails, func(m map[string]any) bool { return fmt.Sprint(m["no"]) == r.URL.Path[len("/users/1/mails/"):] })
		case r.URL.Path == "/users/1/mails":
			_ = json.NewEncoder(w).Encode(mails)
		case r.URL.Path == "/users/1":
			_ = json.NewEncoder(w).Encode(user)
		}
	}))
	defer server.Close()
	c := decodeCollection(t, "Users", `
anchor: /id
rest:
  list: { get: /users }
  read: { get: "/users/{anchor}" }
  update: { put: "/users/{anchor}", send: whole }
  switches: { /active: { "true": { post: "/users/{anchor}/on" }, "false": { post: "/users/{anchor}/off" } } }
  within:
    /mails: { list: { get: "/users/{anchor}/mails" }, value: /mail, id: /no, add: { post: "/users/{anchor}/mails", body: { mail: "{value}" } }, remove: { delete: "/users/{anchor}/mails/{id}" } }
  types: { /active: boolean, /born: { time: 02.01.2006 }, /roles: { join: ";" } }
`)
	c.Attrs = []connectors.Attr{"/login", "/active", "/mails", "/born", "/roles"}
	app := openRest(t, rest.Config{URL: server.URL}, []rest.Collection{c})
	defer app.Close()
	users := collection(t, app, "Users")
	show := func(e connectors.Entry) string {
		var s []string
		for _, a := range c.Attrs {
			s = append(s, fmt.Sprint(e.Field(a).Values))
		}
		return strings.Join(s, " ")
	}
	changes := []connectors.Change{
		{Attr: "/active", Delete: []connectors.Value{"true"}, Add: []connectors.Value{"FALSE"}},
		{Attr: "/mails", Delete: []connectors.Value{"a@x"}, Add: []connectors.Value{"b@x", "c@x"}},
		{Attr: "/born", Delete: []connectors.Value{"1999-12-31T00:00:00Z"}, Add: []connectors.Value{"2001-02-03T00:00:00Z"}},
		{Attr: "/roles", Add: []connectors.Value{"c"}},
	}
	before, err := users.Get(t.Context(), "1", c.Attrs)
	if err != nil || show(before) != "[anna] [true] [a@x] [1999-12-31T00:00:00Z] [a b]" {
		t.Fatalf("%s %v", show(before), err)
	}
	for _, refuse = range []string{"/off", "/mails"} {
		_, err := users.Apply(t.Context(), "1", changes, connectors.Guard{}, c.Attrs)
		if connectors.KindOf(err) != connectors.Invalid {
			t.Errorf("%s refused: %v", refuse, err)
		}
		if now, err := users.Get(t.Context(), "1", c.Attrs); err != nil || show(now) != show(before) {
			t.Errorf("%s refused: %s %v", refuse, show(now), err)
		}
	}
	refuse = ""
	calls = nil
	now, err := users.Apply(t.Context(), "1", changes, connectors.Guard{}, c.Attrs)
	if err != nil || show(now) != "[anna] [false] [b@x c@x] [2001-02-03T00:00:00Z] [a b c]" {
		t.Errorf("%s %v", show(now), err)
	}
	want := []string{`PUT /users/1 {"active":true,"born":"03.02.2001","id":1,"login":"anna","roles":"a;b;c"}`,
		"POST /users/1/off ", "DELETE /users/1/mails/5 ", `POST /users/1/mails {"mail":"b@x"}`, `POST /users/1/mails {"mail":"c@x"}`}
	if !slices.Equal(calls, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
	if _, err := users.Apply(t.Context(), "1", []connectors.Change{{Attr: "/roles", Add: []connectors.Value{"d;e"}}}, connectors.Guard{}, nil); connectors.KindOf(err) != connectors.Invalid {
		t.Errorf("a value that would be two: %v", err)
	}
}

// TestXML speaks with an application that knows nothing but XML.
func TestXML(t *testing.T) {
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			w.WriteHeader(201)
		}
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		if r.URL.Path == "/users" && r.Method == http.MethodGet {
			fmt.Fprint(w, `<users><user nr="1"><login>a&amp;b</login></user><user nr="2"><login>b</login></user></users>`)
			return
		}
		fmt.Fprint(w, `<user nr="1"><login>a&amp;b</login><role>x</role><role>y</role></user>`)
	}))
	defer server.Close()
	c := decodeCollection(t, "Users", `
anchor: /@nr
rest:
  list: { get: /users, as: xml, items: /users/user }
  read: { get: "/users/{anchor}", as: xml, object: /user }
  create: { post: /users, as: xml, wrap: /user, object: /user }
  types: { /role: { list: true } }
`)
	c.Attrs = []connectors.Attr{"/login", "/role"}
	app := openRest(t, rest.Config{URL: server.URL, Timeout: time.Second}, []rest.Collection{c})
	defer app.Close()
	users := collection(t, app, "Users")
	n := 0
	for _, err := range users.Search(t.Context(), connectors.Query{}) {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if n != 2 {
		t.Errorf("%d users", n)
	}
	e, err := users.Create(t.Context(), connectors.Draft{Name: "/login", Fields: []connectors.Field{
		{Attr: "/login", Values: []connectors.Value{"a&b<c"}}, {Attr: "/role", Values: []connectors.Value{"x", "y"}}}}, c.Attrs)
	if err != nil || fmt.Sprint(e.Field("/login").Values, e.Field("/role").Values) != "[a&b] [x y]" || e.Anchor != "1" {
		t.Errorf("%+v %v", e, err)
	}
	if !strings.HasSuffix(sent, "<user><login>a&amp;b&lt;c</login><role>x</role><role>y</role></user>") {
		t.Errorf("sent %s", sent)
	}
	sent = ""
	_, err = users.Create(t.Context(), connectors.Draft{Name: "/login", Fields: []connectors.Field{{Attr: "/login", Values: []connectors.Value{"a\x01b"}}}}, nil)
	if connectors.KindOf(err) != connectors.Invalid || sent != "" {
		t.Errorf("what XML can not hold: %v, sent %q", err, sent)
	}
}
