package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/gateway/httpapi"
	idmemory "postern/idstore/memory"
	"postern/mapping"
	"postern/scim"

	"github.com/rs/zerolog"
)

const token = "a-token"

type edge struct {
	*httptest.Server
	t       *testing.T
	backend *memory.Backend
	log     *buffer
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newEdge serves users that have a userName, a title and an address at work.
func newEdge(t *testing.T) *edge {
	t.Helper()
	return newEdgeOver(t, func(c connectors.Connector) connectors.Connector { return c })
}

func newEdgeOver(t *testing.T, over func(connectors.Connector) connectors.Connector, change ...func(*httpapi.Options)) *edge {
	t.Helper()
	root, ps := configs.Parse("User", []byte("name: uid={userName}\nmap:\n  userName: uid\n  title: title\n  emails[type eq \"work\"].value: mail\n"))
	spec := mapping.Decode(root, &ps)
	spec.Type = "User"
	full, err := scim.NewResourceType("User", "/Users", "User", scim.UserSchema())
	if err != nil {
		t.Fatal(err)
	}
	m, more := mapping.Compile(spec, full)
	if ps.Add(more...); ps.HasErrors() {
		t.Fatal(ps)
	}
	store, err := idmemory.Open()
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{t: t, backend: memory.New(memory.Options{Collections: []memory.Collection{{Name: "User"}}}), log: &buffer{}}
	log := zerolog.New(e.log)
	g, err := gateway.New(gateway.Options{Store: store, Log: log, Targets: []gateway.Target{{Mapping: m, Connector: over(e.backend.Collection("User")), Backend: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	o := httpapi.Options{Gateway: g, Log: log, MaxBody: 1000, BasePath: "/idm/scim/", Clients: []httpapi.Client{
		{Name: "c", Domain: "c", Tokens: []httpapi.Token{httpapi.HashToken(token)}, Access: map[string]httpapi.Access{"User": httpapi.ReadWrite}}}}
	for _, c := range change {
		c(&o)
	}
	e.Server = httptest.NewServer(httpapi.New(o))
	t.Cleanup(e.Close)
	return e
}

func (e *edge) do(method, target, body string, headers ...string) (*http.Response, string) {
	e.t.Helper()
	req, err := http.NewRequest(method, e.URL+"/scim/v2"+target, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return res, string(text)
}

func (e *edge) create(name string) string {
	e.t.Helper()
	res, body := e.do("POST", "/Users", `{"userName":"`+name+`"}`)
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(body), &r); err != nil || res.StatusCode != http.StatusCreated {
		e.t.Fatalf("creating: %s %s", res.Status, body)
	}
	return r.ID
}

// TestQueryIsNeverLost sends queries whose filter can be lost on the way: what
// can not be read is refused, never answered with everybody.
func TestQueryIsNeverLost(t *testing.T) {
	e := newEdge(t)
	e.create("one")
	e.create("a;b")
	for target, want := range map[string]string{
		"/Users?filter=userName%20eq%20%22a;b%22":                   `"totalResults":1,`,
		"/Users?filter=userName%20eq%20%22none;%22":                 `"totalResults":0,`,
		"/Users?count=1;filter=userName%20eq%20%22none%22":          `"status":"400"`,
		"/Users?filter=userName%20eq%20%22100%%22":                  `"status":"400"`,
		"/Users?filter=userName%20pr&filter=userName%20eq%20%22%22": `"status":"400"`,
		"/Users?aadOptscim062020":                                   `"totalResults":2,`,
	} {
		if _, body := e.do("GET", target, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %s, want %s", target, body, want)
		}
	}
}

func TestPathsAndMethods(t *testing.T) {
	e := newEdge(t)
	id := e.create("one")
	for _, test := range []struct {
		method, target string
		status         int
		body           bool
	}{
		{"GET", "/Users/", 200, true},
		{"GET", "/Users/" + id + "/", 200, true},
		{"HEAD", "/Users/" + id, 200, false},
		{"HEAD", "/Users/" + strings.ToUpper(id), 404, false},
		{"GET", "/Users/%" + "3" + id[:1], 404, true},
		{"GET", "/Users/%2F", 404, true},
		{"GET", "/Users/a%2Fb", 404, true},
		{"GET", "/users", 404, true},
		{"OPTIONS", "/Users", 204, false},
		{"TRACE", "/Users", 405, true},
		{"PURGE", "/Users/" + id, 405, true},
		{"POST", "/Users/.search", 400, true},
		{"POST", "/.search", 400, true},
		{"GET", "/.search", 405, true},
		{"PUT", "", 405, true},
		{"GET", "/Me", 501, true},
		{"GET", "/ServiceProviderConfig?filter=x", 403, true},
		{"GET", "/Schemas?filter=x", 403, true},
	} {
		res, body := e.do(test.method, test.target, "")
		if res.StatusCode != test.status || (body != "") != test.body {
			t.Errorf("%s %s: %s %q, want %d", test.method, test.target, res.Status, body, test.status)
		}
		if test.body && test.status >= 400 && !strings.Contains(body, "messages:2.0:Error") {
			t.Errorf("%s %s: not a SCIM error: %s", test.method, test.target, body)
		}
		if (test.status == 405 || test.method == "OPTIONS") && !strings.Contains(res.Header.Get("Allow"), "OPTIONS") {
			t.Errorf("%s %s: Allow is %q", test.method, test.target, res.Header.Get("Allow"))
		}
	}
}

// What /Me does not do is told by what it lacks.
func TestNoMe(t *testing.T) {
	e := newEdge(t)
	for method, want := range map[string]string{"GET": "stands for no user", "DELETE": "stands for no user", "POST": "POST to /Users"} {
		if res, body := e.do(method, "/Me", ""); res.StatusCode != 501 || !strings.Contains(body, want) {
			t.Errorf("%s /Me: %s %s, want 501 and %q", method, res.Status, body, want)
		}
	}
}

func TestContentTypes(t *testing.T) {
	e := newEdge(t)
	for i, test := range []struct {
		headers []string
		status  int
	}{
		{nil, 201},
		{[]string{"Content-Type", "application/scim+json; charset=utf-8"}, 201},
		{[]string{"Content-Type", "application/json"}, 201},
		{[]string{"Content-Type", "text/json"}, 201},
		{[]string{"Content-Type", "application/json; charset=UTF-8"}, 201},
		{[]string{"Content-Type", "application/scim+json; charset=utf-16"}, 415},
		{[]string{"Content-Type", "application/json; charset=iso-8859-1"}, 415},
		{[]string{"Content-Type", "text/xml"}, 415},
		{[]string{"Content-Type", ";;"}, 415},
		{[]string{"Content-Encoding", "gzip"}, 415},
	} {
		res, body := e.do("POST", "/Users", `{"userName":"user`+string(rune('a'+i))+`"}`, test.headers...)
		if res.StatusCode != test.status || res.Header.Get("Content-Type") != "application/scim+json" {
			t.Errorf("%v: %s %s", test.headers, res.Status, body)
		}
	}
	if res, body := e.do("POST", "/Users", `{"userName":"`+strings.Repeat("x", 1000)+`"}`); res.StatusCode != 413 || !strings.Contains(body, "1000") {
		t.Errorf("a body over the limit: %s %s", res.Status, body)
	}
}

func TestConditions(t *testing.T) {
	e := newEdge(t)
	id := e.create("one")
	res, _ := e.do("GET", "/Users/"+id, "")
	tag := res.Header.Get("ETag")
	for _, test := range []struct {
		name, value string
		status      int
	}{
		{"If-None-Match", tag, 304},
		{"If-None-Match", "*", 304},
		{"If-None-Match", `W/"x", ` + tag, 304},
		{"If-None-Match", `W/"x"`, 200},
		{"If-Match", tag, 200},
		{"If-Match", "*", 200},
		{"If-Match", strings.TrimPrefix(tag, "W/"), 200}, // compared weakly
		{"If-Match", `"x"`, 412},
		{"If-Match", "x", 400},
	} {
		res, body := e.do("GET", "/Users/"+id, "", test.name, test.value)
		if res.StatusCode != test.status {
			t.Errorf("%s: %s: %s %s, want %d", test.name, test.value, res.Status, body, test.status)
		}
		if test.status == 304 && res.Header.Get("ETag") != tag {
			t.Errorf("304 with ETag %q, want %q", res.Header.Get("ETag"), tag)
		}
	}
}

// TestPanic makes the backend panic in the middle of a request: the client gets
// a SCIM error and the log has the story under the request's id.
func TestPanic(t *testing.T) {
	e := newEdgeOver(t, func(c connectors.Connector) connectors.Connector { return panicking{c} })
	res, body := e.do("GET", "/Users?filter=userName%20pr", "")
	if res.StatusCode != 500 || !strings.Contains(body, "messages:2.0:Error") || strings.Contains(body, "the cause") {
		t.Errorf("%s %s", res.Status, body)
	}
	if text := e.log.String(); !strings.Contains(text, "the cause") || !strings.Contains(text, res.Header.Get("X-Request-Id")) {
		t.Errorf("the log does not tell: %s", text)
	}
}

type panicking struct{ connectors.Connector }

func (panicking) Capabilities() connectors.Capabilities { panic("the cause") }

// TestBodyThatNeverEnds sends bodies that stop in the middle and bodies that go
// on for ever: both are refused, and neither is waited for.
func TestBodyThatNeverEnds(t *testing.T) {
	e := newEdgeOver(t, func(c connectors.Connector) connectors.Connector { return c }, func(o *httpapi.Options) { o.Timeout = 200 * time.Millisecond })
	for _, test := range []struct {
		header, body string
		status       int
	}{
		{"Content-Length: 100", `{"userName":`, 408},
		{"Transfer-Encoding: chunked", "c\r\n" + `{"userName":` + "\r\n", 408},
		{"Transfer-Encoding: chunked", strings.Repeat("8\r\n        \r\n", 1000), 413},
	} {
		conn, err := net.Dial("tcp", e.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n"+test.header+"\r\n\r\n"+test.body); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != test.status || !strings.Contains(string(body), "messages:2.0:Error") {
			t.Errorf("%s: %s %s, %v, want %d", test.header, res.Status, body, err, test.status)
		}
	}
}

// A gate is a connector that holds up its searches and counts them.
type gate struct {
	connectors.Connector
	arrived chan struct{}
	open    chan struct{}
}

func (g gate) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	g.arrived <- struct{}{}
	<-g.open
	return g.Connector.Search(ctx, q)
}

// What large bodies take of the memory is bounded: only some of them are worked on
// at the same time, the others wait, and small ones go past them.
func TestLargeBodiesTakeTurns(t *testing.T) {
	t.Run("by number", func(t *testing.T) { takeTurns(t, 300<<10, 8) })
	t.Run("by bytes", func(t *testing.T) { takeTurns(t, 2<<20-100, 2) })
	t.Run("by both", func(t *testing.T) { takeTurns(t, 900<<10, 4) })
}

// takeTurns posts bodies of a size, of which so many are to be worked on at once,
// where one may have 2 MiB.
func takeTurns(t *testing.T, size, most int) {
	const all = 20
	g := gate{arrived: make(chan struct{}, 10*all), open: make(chan struct{})}
	e := newEdgeOver(t, func(c connectors.Connector) connectors.Connector { g.Connector = c; return g }, func(o *httpapi.Options) { o.MaxBody = 2 << 20 })
	post := func(name, more string) int {
		resp, _ := e.do("POST", "/Users", `{"userName":"`+name+`","x":"`+more+`"}`)
		return resp.StatusCode
	}
	statuses := make(chan int, all)
	large := strings.Repeat("x", size)
	for i := range all {
		go func() { statuses <- post("large-"+strconv.Itoa(i), large) }()
	}
	for range most {
		<-g.arrived
	}
	select {
	case <-g.arrived:
		t.Errorf("more than %d large bodies are worked on at once", most)
	case <-time.After(200 * time.Millisecond):
	}
	small := make(chan int)
	go func() { small <- post("small", "") }()
	<-g.arrived // it did not wait for the others
	close(g.open)
	if got := <-small; got != http.StatusCreated {
		t.Errorf("the small one: status %d", got)
	}
	for range all {
		if got := <-statuses; got != http.StatusCreated {
			t.Errorf("a large one: status %d", got)
		}
	}
}

// Large bodies that wait for their turn are bounded too: of the others the rest
// stays with the client.
func TestLargeBodiesWaitUnread(t *testing.T) {
	const most, all = 8 + 16, 60
	g := gate{arrived: make(chan struct{}, 10*all), open: make(chan struct{})}
	e := newEdgeOver(t, func(c connectors.Connector) connectors.Connector { g.Connector = c; return g }, func(o *httpapi.Options) { o.MaxBody = 2 << 20 })
	read, statuses := make(chan struct{}, all), make(chan int, all)
	for i := range all {
		text := strings.NewReader(`{"userName":"user-` + strconv.Itoa(i) + `","x":"` + strings.Repeat("x", 300<<10) + `"}`)
		ended := sync.OnceFunc(func() { read <- struct{}{} })
		req := httptest.NewRequest("POST", "/scim/v2/Users", readerFunc(func(b []byte) (int, error) {
			n, err := text.Read(b)
			if err != nil {
				ended()
			}
			return n, err
		}))
		req.Header.Set("Authorization", "Bearer "+token)
		go func() {
			w := httptest.NewRecorder()
			e.Config.Handler.ServeHTTP(w, req)
			statuses <- w.Code
		}()
	}
	for range most {
		<-read
	}
	select {
	case <-read:
		t.Errorf("more than %d large bodies are read while none is answered", most)
	case <-time.After(200 * time.Millisecond):
	}
	close(g.open)
	for range all {
		if got := <-statuses; got != http.StatusCreated {
			t.Errorf("status %d", got)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestHostIsQuoted sends a Host that is not text: the answer is JSON all the same.
func TestHostIsQuoted(t *testing.T) {
	e := newEdge(t)
	conn, err := net.Dial("tcp", e.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET http://a%ff%c0b/scim/v2/ServiceProviderConfig HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(body) {
		t.Errorf("not JSON: %s", body)
	}
}

// TestBasePaths asks at both places; what is answered speaks of the one that was
// asked.
func TestBasePaths(t *testing.T) {
	e := newEdge(t)
	id := e.create("one")
	for _, base := range []string{"/scim/v2", "/idm/scim"} {
		req, err := http.NewRequest("GET", e.URL+base+"/Users/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %s %s, %v", base, res.Status, text, err)
		}
		if want := e.URL + base + "/Users/" + id; res.Header.Get("Location") != want || !strings.Contains(string(text), `"location":"`+want+`"`) {
			t.Errorf("%s: Location %q with %s, want %s", base, res.Header.Get("Location"), text, want)
		}
	}
}

// TestIgnoredIsLoggedWithItsRequest sends what the mapping has no place for: the
// line that says so names the request and the client.
func TestIgnoredIsLoggedWithItsRequest(t *testing.T) {
	e := newEdge(t)
	for _, ask := range []struct{ method, target, body string }{
		{"POST", "/Users", `{"userName":"anna","emails":[{"type":"home","value":"a@b"}]}`},
		{"PATCH", "/Users/" + e.create("bert"), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"emails","value":[{"type":"home","value":"a@b"}]}]}`},
	} {
		res, body := e.do(ask.method, ask.target, ask.body)
		id := res.Header.Get("X-Request-Id")
		found := false
		for line := range strings.Lines(e.log.String()) {
			found = found || strings.Contains(line, `"request":"`+id+`"`) && strings.Contains(line, `"client":"c"`) && strings.Contains(line, "no place for")
		}
		if res.StatusCode >= 300 || !found {
			t.Errorf("%s: %s %s; the log has\n%s", ask.method, res.Status, body, e.log)
		}
	}
}

// TestUnknownIsLogged sends names that no schema has, one of them twice and more than
// a line holds: the line of the request has them.
func TestUnknownIsLogged(t *testing.T) {
	e := newEdge(t)
	line := func(body string) string {
		t.Helper()
		res, text := e.do("POST", "/Users", body)
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("%s %s", res.Status, text)
		}
		for line := range strings.Lines(e.log.String()) {
			if strings.Contains(line, res.Header.Get("X-Request-Id")) && strings.Contains(line, `"message":"request"`) {
				return line
			}
		}
		t.Fatalf("no line of the request:\n%s", e.log)
		return ""
	}
	if got := line(`{"userName":"anna","nick":"A","emails":[{"value":"a@b","zip":1},{"value":"c@d","zip":2}]}`); !strings.Contains(got, `"unknown":["nick","emails.zip"]`) {
		t.Errorf("%s", got)
	}
	if got := line(`{"userName":"bert"}`); strings.Contains(got, "unknown") {
		t.Errorf("%s", got)
	}
	var many strings.Builder
	for i := range 110 {
		fmt.Fprintf(&many, `,"%d":1`, 100+i)
	}
	if got := line(`{"userName":"carl"` + many.String() + `}`); !strings.Contains(got, `"199"],"more":10,`) {
		t.Errorf("%s", got)
	}
	if got := line(`{"userName":"dora","` + strings.Repeat("x", 900) + `":1}`); !strings.Contains(got, `"`+strings.Repeat("x", 200)+`"`) {
		t.Errorf("%s", got)
	}
}
