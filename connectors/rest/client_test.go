package rest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/rest"
)

const oneUser = `{"object":{"id":1,"login":"x"},"objects":[{"id":1,"login":"x"}],"total":1}`

// opens opens the users of an application whose section is given, and says how to
// reach them.
func opens(t *testing.T, section, users string) connectors.Connector {
	t.Helper()
	c := decodeCollection(t, "Users", users)
	c.Attrs = []connectors.Attr{"/login", "/name"}
	app := openRest(t, decodeConfig(t, section), []rest.Collection{c})
	t.Cleanup(func() { app.Close() })
	return collection(t, app, "Users")
}

const plainUsers = `
anchor: /id
rest:
  list:   { get: /users, items: /objects, total: /total }
  read:   { get: "/users/{anchor}", object: /object }
  create: { post: /users, object: /object }
  update: { put: "/users/{anchor}", object: /object }
  delete: { delete: "/users/{anchor}" }
`

func draftOf(login string) connectors.Draft {
	return connectors.Draft{Name: "/login", Fields: []connectors.Field{{Attr: "/login", Values: []connectors.Value{connectors.Value(login)}}}}
}

// TestWritesOnce never sends a write a second time that may have been carried out,
// unless the application is told by a key that it is the same.
func TestWritesOnce(t *testing.T) {
	cut := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	for name, answer := range map[string]func(http.ResponseWriter){
		"cut": cut,
		"cut in the answer": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"obj`)
			w.(http.Flusher).Flush()
			cut(w)
		},
		"502": func(w http.ResponseWriter) { w.WriteHeader(502) },
		"503": func(w http.ResponseWriter) { w.WriteHeader(503) },
		"504": func(w http.ResponseWriter) { w.WriteHeader(504) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var keys []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				mu.Lock()
				keys = append(keys, r.Header.Get("Idempotency-Key"))
				first := len(keys) == 1
				mu.Unlock()
				if first {
					answer(w)
					return
				}
				fmt.Fprint(w, oneUser)
			}))
			defer server.Close()
			users := opens(t, "url: "+server.URL, plainUsers)
			if _, err := users.Create(t.Context(), draftOf("x"), nil); err == nil || len(keys) != 1 {
				t.Errorf("without a key: %v after %d calls", err, len(keys))
			}
			keys = nil
			keyed := opens(t, "url: "+server.URL, strings.Replace(plainUsers, "{ post: /users,", "{ post: /users, idempotencyKey: Idempotency-Key,", 1))
			_, err := keyed.Create(t.Context(), draftOf("x"), nil)
			switch {
			case name == "cut in the answer": // the beginning of an answer says that it was done; nobody knows more
				if err == nil || len(keys) != 1 {
					t.Errorf("with a key: %v after %d calls", err, len(keys))
				}
			case err != nil || len(keys) != 2 || keys[0] == "" || keys[0] != keys[1]:
				t.Errorf("with a key: %v, keys %q", err, keys)
			}
			before := keys
			_, _ = keyed.Create(t.Context(), draftOf("y"), nil)
			if len(keys) > len(before) && len(before) > 0 && keys[len(keys)-1] == before[0] {
				t.Error("another creation has the same key")
			}
		})
	}
}

// TestRateAndConcurrency keeps to the limits, also where callers give up while they
// wait.
func TestRateAndConcurrency(t *testing.T) {
	var now, most, calls atomic.Int64
	let := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		<-let
		fmt.Fprint(w, oneUser)
	}))
	defer server.Close()
	users := opens(t, "{ url: "+server.URL+", concurrency: 2, timeout: 1m }", plainUsers)
	ctx, cancel := context.WithCancel(t.Context())
	var gaveUp, all sync.WaitGroup
	for range 20 {
		gaveUp.Go(func() { _, _ = users.Get(ctx, "1", nil) })
	}
	for calls.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel() // of two that are under way, and of eighteen that wait
	gaveUp.Wait()
	close(let)
	for range 10 {
		all.Go(func() {
			if _, err := users.Get(t.Context(), "1", nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() > 2+2 { // what was given up may still be at work there
		t.Errorf("%d calls at the same time, want 2", most.Load())
	}

	calls.Store(0)
	slow := opens(t, "{ url: "+server.URL+", rate: 20 }", plainUsers)
	began := time.Now()
	for range 30 { // 20 at once, then 20 in a second
		if _, err := slow.Get(t.Context(), "1", nil); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 450*time.Millisecond {
		t.Errorf("30 calls took %s at 20 in a second", took)
	}
}

// TestProxy reaches the application by way of a proxy, which is not shown who calls.
func TestProxy(t *testing.T) {
	app := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret-of-the-test" {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, oneUser)
	}))
	defer app.Close()
	var seen bytes.Buffer
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(&seen)
		if r.Method != http.MethodConnect {
			w.WriteHeader(405)
			return
		}
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		down, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		fmt.Fprint(down, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(up, down); up.Close() }()
		go func() { _, _ = io.Copy(down, up); down.Close() }()
	}))
	defer proxy.Close()
	ca := certificateFile(t, "ca.pem", app.Certificate().Raw)
	users := opens(t, "{ url: "+app.URL+", proxy: "+proxy.URL+", tls: { ca: "+ca+" }, auth: { bearer: { env: SECRET } } }", plainUsers)
	if _, err := users.Get(t.Context(), "1", nil); err != nil {
		t.Fatal(err)
	}
	if text := seen.String(); !strings.HasPrefix(text, "CONNECT ") || strings.Contains(text, "s3cret") || strings.Contains(text, "Authorization") {
		t.Errorf("the proxy sees %q", text)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	none := opens(t, "{ url: "+app.URL+", proxy: "+gone.URL+", retries: 0 }", plainUsers)
	if _, err := none.Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Unavailable {
		t.Errorf("a proxy that is not there: %v", err)
	}
}

// TestTLS believes whom the file says, and shows who calls.
func TestTLS(t *testing.T) {
	own, key := newCertificate(t, "postern")
	var shown atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown.Store(r.TLS.PeerCertificates[0].Subject.CommonName)
		fmt.Fprint(w, oneUser)
	}))
	clients := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(own)
	if err != nil {
		t.Fatal(err)
	}
	clients.AddCert(parsed)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.StartTLS()
	defer server.Close()
	ca := certificateFile(t, "ca.pem", server.Certificate().Raw)
	stranger, strangerKey := newCertificate(t, "stranger")
	for name, c := range map[string]struct {
		tls string
		ok  bool
	}{
		"all right":          {"{ ca: " + ca + ", cert: " + certificateFile(t, "own.pem", own) + ", key: " + keyFile(t, "own.key", key) + " }", true},
		"by another name":    {"{ ca: " + ca + ", serverName: example.com, cert: " + certificateFile(t, "own.pem", own) + ", key: " + keyFile(t, "own.key", key) + " }", true},
		"by a wrong name":    {"{ ca: " + ca + ", serverName: other.test, cert: " + certificateFile(t, "own.pem", own) + ", key: " + keyFile(t, "own.key", key) + " }", false},
		"nothing shown":      {"{ ca: " + ca + " }", false},
		"a stranger":         {"{ ca: " + ca + ", cert: " + certificateFile(t, "s.pem", stranger) + ", key: " + keyFile(t, "s.key", strangerKey) + " }", false},
		"the system's roots": {"{ cert: " + certificateFile(t, "own.pem", own) + ", key: " + keyFile(t, "own.key", key) + " }", false},
		"another authority":  {"{ ca: " + certificateFile(t, "other.pem", stranger) + ", cert: " + certificateFile(t, "own.pem", own) + ", key: " + keyFile(t, "own.key", key) + " }", false},
	} {
		users := opens(t, "{ url: "+server.URL+", retries: 0, tls: "+c.tls+" }", plainUsers)
		_, err := users.Get(t.Context(), "1", nil)
		if c.ok != (err == nil) || !c.ok && connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && shown.Load() != "postern" {
			t.Errorf("%s: it was shown %v", name, shown.Load())
		}
	}
}

// TestTokensElsewhere believes of a token endpoint on another host what it would of
// any server, however lenient the file is with the application.
func TestTokensElsewhere(t *testing.T) {
	var shown atomic.Int64
	tokens := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			t.Error("it is shown the application's certificate")
		}
		shown.Add(1)
		fmt.Fprint(w, `{"access_token":"t","token_type":"Bearer"}`)
	}))
	tokens.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	tokens.StartTLS()
	defer tokens.Close()
	app := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, oneUser) }))
	defer app.Close()
	own, key := newCertificate(t, "postern")
	open := func(more string) connectors.Connector {
		return opens(t, "{ url: "+app.URL+", retries: 0, tls: { "+more+", serverName: example.com, cert: "+certificateFile(t, "own.pem", own)+", key: "+keyFile(t, "own.key", key)+" }, "+
			`auth: { oauth2: { token: "`+tokens.URL+`/token", client: me, secret: { env: SECRET } } } }`, plainUsers)
	}
	if _, err := open("verify: never").Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Unavailable || shown.Load() != 0 {
		t.Errorf("whoever answers is told the secret: %v, %d times", err, shown.Load())
	}
	if _, err := open("ca: "+certificateFile(t, "ca.pem", tokens.Certificate().Raw)).Get(t.Context(), "1", nil); err != nil || shown.Load() != 1 {
		t.Errorf("of a known authority: %v, %d times", err, shown.Load())
	}
}

func newCertificate(t *testing.T, name string) (der []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if der, err = x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key); err != nil {
		t.Fatal(err)
	}
	return der, key
}

func certificateFile(t *testing.T, name string, der []byte) string {
	t.Helper()
	return pemFile(t, name, "CERTIFICATE", der)
}

func keyFile(t *testing.T, name string, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, name, "PRIVATE KEY", der)
}

func pemFile(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestGzip reads answers that are compressed, and no more of them than of others.
func TestGzip(t *testing.T) {
	bomb := atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("it asks for %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		if !bomb.Load() {
			fmt.Fprint(z, oneUser)
			return
		}
		fmt.Fprint(z, `{"object":{"id":1,"login":"`)
		zeros := bytes.Repeat([]byte("0"), 1<<20)
		for range 200 {
			if _, err := z.Write(zeros); err != nil {
				return
			}
		}
		fmt.Fprint(z, `"}}`)
	}))
	defer server.Close()
	users := opens(t, "{ url: "+server.URL+", maxAnswer: 1MiB, retries: 0 }", plainUsers)
	if e, err := users.Get(t.Context(), "1", []connectors.Attr{"/login"}); err != nil || len(e.Fields) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	bomb.Store(true)
	if _, err := users.Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.TooMany {
		t.Errorf("200 MiB of zeros: %v", err)
	}
}

// TestRedirects follows reads within the origin, and nothing else.
func TestRedirects(t *testing.T) {
	var stray atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stray.Add(1) }))
	defer other.Close()
	var to string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved/1" && r.Method == http.MethodGet {
			fmt.Fprint(w, oneUser)
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	users := opens(t, "{ url: "+server.URL+", retries: 0, auth: { bearer: { env: SECRET } } }", plainUsers)
	for target, ok := range map[string]bool{"/moved/1": true, server.URL + "/moved/1": true, other.URL + "/moved/1": false, "https://" + host + "/moved/1": false,
		"http://me:pw@" + host + "/moved/1": false, "//" + strings.TrimPrefix(other.URL, "http://") + "/moved/1": false, "ftp://" + host + "/moved/1": false} {
		to = target
		if _, err := users.Get(t.Context(), "1", nil); ok != (err == nil) {
			t.Errorf("a read to %s: %v", target, err)
		}
		if _, err := users.Create(t.Context(), draftOf("x"), nil); err == nil {
			t.Errorf("a write to %s was followed", target)
		}
	}
	if stray.Load() != 0 {
		t.Errorf("%d calls reached another host", stray.Load())
	}
}

// TestTokens asks for one token however many need it, before it ends, and not
// where the endpoint does not answer.
func TestTokens(t *testing.T) {
	var tokens, calls atomic.Int64
	life, down := atomic.Int64{}, atomic.Bool{}
	life.Store(3600)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if down.Load() {
				w.WriteHeader(503)
				return
			}
			time.Sleep(10 * time.Millisecond)
			fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":%d}`, tokens.Add(1), life.Load())
			return
		}
		calls.Add(1)
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", tokens.Load()) {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, oneUser)
	}))
	defer server.Close()
	open := func() connectors.Connector {
		return opens(t, `{ url: `+server.URL+`, retries: 0, auth: { oauth2: { token: "`+server.URL+`/token", client: me, secret: { env: SECRET } } } }`, plainUsers)
	}
	many := func(users connectors.Connector) {
		t.Helper()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := users.Get(t.Context(), "1", nil); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	users := open()
	many(users)
	if tokens.Load() != 1 || calls.Load() != 20 {
		t.Errorf("%d tokens for %d calls", tokens.Load(), calls.Load())
	}
	tokens.Add(1) // it is not taken any more
	many(users)
	if tokens.Load() != 3 {
		t.Errorf("%d tokens when one had ended", tokens.Load())
	}

	tokens.Store(0)
	life.Store(1)
	users = open()
	if _, err := users.Get(t.Context(), "1", nil); err != nil {
		t.Fatal(err)
	}
	time.Sleep(950 * time.Millisecond) // a tenth of its life is left
	calls.Store(0)
	if _, err := users.Get(t.Context(), "1", nil); err != nil || tokens.Load() != 2 || calls.Load() != 1 {
		t.Errorf("before it ends: %v, %d tokens, %d calls", err, tokens.Load(), calls.Load())
	}

	down.Store(true)
	calls.Store(0)
	if _, err := open().Get(t.Context(), "1", nil); connectors.KindOf(err) != connectors.Unavailable || calls.Load() != 0 {
		t.Errorf("without an endpoint: %v, %d calls", err, calls.Load())
	}
}

// TestErrorRules takes the first rule that fits, and tells clients what it says.
func TestErrorRules(t *testing.T) {
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, oneUser)
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	users := opens(t, `
url: `+server.URL+`
retries: 0
errors:
  - { status: 200, at: /error/code, matches: "^E4", is: invalid, attr: /name, tell: true }
  - { status: 200, at: /error/code, is: unavailable }
  - { status: 418, is: exists }
  - { status: 409, at: /reason, matches: "being edited", is: conflict }
  - { status: 404, is: ok }
`, plainUsers)
	for _, c := range []struct {
		status int
		body   string
		kind   connectors.Kind
		attr   connectors.Attr
		reason string
	}{
		{200, `{"error":{"code":"E42"},"object":{"id":1}}`, connectors.Invalid, "/name", "E42"},
		{200, `{"error":{"code":"X"},"object":{"id":1}}`, connectors.Unavailable, "", ""},
		{418, ``, connectors.Exists, "", ""},
		{409, `{"reason":"it is being edited"}`, connectors.GuardFailed, "", ""},
		{409, `{"reason":"secret of the application"}`, connectors.Exists, "", ""},
		{422, `{"errors":["Login has already been taken"]}`, connectors.Exists, "", ""},
		{422, `{"errors":["Login is too short"]}`, connectors.Invalid, "", ""},
		{400, `not JSON`, connectors.Invalid, "", ""},
		{403, `{"why":"secret of the application"}`, connectors.Denied, "", ""},
		{500, `{"trace":"secret of the application"}`, connectors.Timeout, "", ""},
		{405, ``, connectors.Unsupported, "", ""},
	} {
		status, body = c.status, c.body
		_, err := users.Create(t.Context(), draftOf("x"), nil)
		e, ok := err.(*connectors.Error)
		if !ok || e.Kind != c.kind || e.Attr != c.attr || e.Reason != c.reason {
			t.Errorf("%d %s: %v, want %v %q %q", c.status, c.body, err, c.kind, c.attr, c.reason)
		}
	}
	status, body = 404, ""
	if err := users.Delete(t.Context(), "1", connectors.Guard{}); err != nil {
		t.Errorf("what is declared to be no error: %v", err)
	}
}

// TestNumbersAsAnchors keeps every digit of an anchor.
func TestNumbersAsAnchors(t *testing.T) {
	const large = "9007199254740993123"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/users" && r.URL.Path != "/users/"+large {
			w.WriteHeader(404)
			return
		}
		fmt.Fprintf(w, `{"object":{"id":%s,"login":"x"},"objects":[{"id":%s,"login":"x"}],"total":1}`, large, large)
	}))
	defer server.Close()
	users := opens(t, "url: "+server.URL, plainUsers)
	var anchors []connectors.Anchor
	for e, err := range users.Search(t.Context(), connectors.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		anchors = append(anchors, e.Anchor)
	}
	if !slices.Equal(anchors, []connectors.Anchor{large}) {
		t.Errorf("listed %q", anchors)
	}
	if e, err := users.Get(t.Context(), large, nil); err != nil || e.Anchor != large {
		t.Errorf("read %q, %v", e.Anchor, err)
	}
}
