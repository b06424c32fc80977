package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// A tracer stands between the client and the network and tells of every request
// and its answer, without the secrets in them.
type tracer struct {
	next http.RoundTripper
	tell func(line string)
	// hold says which requests are shown and not sent.
	hold func(*http.Request) bool

	named map[string]bool // header fields, in lower case, and parameters that are secrets

	mu      sync.Mutex
	secrets []string         // in all their spellings
	short   []*regexp.Regexp // of secrets that would be found in everything, but for where they stand alone
}

// errHeld ends a request that is shown and not sent.
var errHeld = errors.New("it was not sent")

const (
	// shownBody is how much of a body is shown, in bytes.
	shownBody = 4 << 10
	// keptBody is how much of an answer is kept to be shown.
	keptBody = 64 << 10
	redacted = "(secret)"
	// shortSecret is the length below which a secret is found where it stands alone.
	shortSecret = 4
)

// trace makes the client tell of what it does from now on.
func (c *client) trace(tell func(string), hold func(*http.Request) bool) *tracer {
	t := &tracer{next: c.http.HTTPClient.Transport, tell: tell, hold: hold, named: make(map[string]bool)}
	for name := range c.cfg.Auth.Headers {
		t.named[strings.ToLower(name)] = true
	}
	for name := range c.cfg.Auth.Query {
		t.named["?"+name] = true
	}
	c.http.HTTPClient.Transport = t
	c.traced = t
	for _, secret := range c.cfg.Auth.secrets() {
		if text, err := secret(); err == nil { // else the call says so
			t.hide(text)
		}
	}
	return t
}

// secrets are all that an application is authenticated with.
func (a Auth) secrets() (all []func() (string, error)) {
	for _, named := range []map[string]func() (string, error){a.Headers, a.Query} {
		for _, s := range named {
			all = append(all, s)
		}
	}
	for _, s := range []func() (string, error){a.Secret, a.Bearer} {
		if s != nil {
			all = append(all, s)
		}
	}
	if a.OAuth2 != nil {
		all = append(all, a.OAuth2.Secret)
	}
	if a.Session != nil {
		for _, s := range a.Session.Values {
			all = append(all, s)
		}
	}
	return all
}

// hide keeps a secret out of what is told, in each way in which it may be written.
func (t *tracer) hide(secret string) {
	if secret == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(secret) < shortSecret {
		t.short = append(t.short, regexp.MustCompile(`(^|\W)`+regexp.QuoteMeta(secret)+`(\W|$)`))
		return
	}
	for _, s := range spellings(secret) {
		if !slices.Contains(t.secrets, s) {
			t.secrets = append(t.secrets, s)
		}
	}
	// The longest first: one may be a part of another.
	slices.SortFunc(t.secrets, func(a, b string) int { return len(b) - len(a) })
}

// clean takes secrets out of a text, and what a terminal would not show as it is.
func (t *tracer) clean(text string) string { return printable(t.redact(text)) }

// redact takes secrets out of a text.
func (t *tracer) redact(text string) string {
	text = unnumbered(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.secrets {
		text = strings.ReplaceAll(text, s, redacted)
	}
	for _, s := range t.short {
		text = s.ReplaceAllString(text, "${1}"+redacted+"${2}")
	}
	return text
}

// printable writes what a terminal obeys instead of showing it, and what is shown
// elsewhere than where it stands, as Go does in quotes.
func printable(text string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// RoundTrip implements http.RoundTripper.
func (t *tracer) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	t.tell(t.clean(req.Method + " " + t.address(req.URL)))
	t.headers(req.Header)
	t.body(body, false)
	if t.hold(req) {
		return nil, errHeld
	}
	began := time.Now()
	resp, err := t.next.RoundTrip(req)
	took := time.Since(began).Round(time.Millisecond)
	if err != nil {
		t.tell(t.clean(fmt.Sprintf("\nno answer after %s: %v", took, err)))
		return nil, err
	}
	for _, k := range resp.Cookies() {
		t.hide(k.Value)
	}
	resp.Body = &overheard{ReadCloser: resp.Body, told: func(text []byte, more bool) {
		t.tell(fmt.Sprintf("\n%s after %s", t.clean(resp.Status), took))
		t.headers(resp.Header)
		if t.hideToken(text) {
			t.tell("  (a token)")
		} else {
			t.body(text, more)
		}
		t.tell("")
	}}
	return resp, nil
}

// address is a URL without what its parameters give away.
func (t *tracer) address(u *url.URL) string {
	text := u.Redacted()
	for name, values := range u.Query() {
		for _, v := range values {
			if t.named["?"+name] {
				pair := url.QueryEscape(name) + "="
				text = strings.ReplaceAll(text, pair+url.QueryEscape(v), pair+redacted)
			}
		}
	}
	return text
}

// overheard is the body of an answer, and tells of its beginning once it is closed.
type overheard struct {
	io.ReadCloser
	kept []byte
	more bool
	told func(text []byte, more bool)
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	room := min(n, keptBody-len(o.kept))
	o.kept = append(o.kept, p[:room]...)
	o.more = o.more || room < n
	return n, err
}

func (o *overheard) Close() error {
	if o.told != nil {
		o.told(o.kept, o.more)
		o.told = nil
	}
	return o.ReadCloser.Close()
}

// hideToken hides what the answer of a token endpoint gives (RFC 6749 §5.1), and
// reports whether it is one.
func (t *tracer) hideToken(text []byte) (is bool) {
	var answer map[string]any
	if json.Unmarshal(text, &answer) != nil {
		return false
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		if token, ok := answer[name].(string); ok {
			is = true
			t.hide(token)
		}
	}
	return is
}

// headers tells of header fields, those that show who calls without their values.
func (t *tracer) headers(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			switch field := strings.ToLower(name); field {
			case "date", "server", "connection", "content-length", "keep-alive": // which say nothing here
				continue
			case "authorization", "proxy-authorization":
				scheme, credentials, _ := strings.Cut(value, " ")
				t.hide(credentials)
				if pair, err := base64.StdEncoding.DecodeString(credentials); err == nil && strings.EqualFold(scheme, "basic") {
					_, password, _ := strings.Cut(string(pair), ":")
					t.hide(password)
				}
				value = scheme + " " + redacted
			case "cookie", "set-cookie":
				name, rest, _ := strings.Cut(value, "=")
				_, attributes, more := strings.Cut(rest, ";")
				if value = name + "=" + redacted; more && !strings.EqualFold(name, "cookie") {
					value += ";" + attributes
				}
			default:
				if t.named[field] {
					value = redacted
				}
			}
			t.tell("  " + t.clean(name+": "+value))
		}
	}
}

// body tells of a body: JSON with a line for each member, and no more than fits.
func (t *tracer) body(text []byte, more bool) {
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	var b bytes.Buffer
	if !more && json.Indent(&b, text, "", "  ") == nil {
		text = bytes.TrimRight(b.Bytes(), "\n")
	}
	shown := t.redact(string(text)) // before it is cut: half a secret is not recognised
	if more {
		shown = t.whole(shown)
	}
	shown = printable(shown)
	cut := more
	if len(shown) > shownBody {
		shown, cut = strings.ToValidUTF8(shown[:shownBody], ""), true
	}
	for line := range strings.Lines(shown) {
		t.tell("  " + strings.TrimRight(line, "\r\n"))
	}
	if cut {
		t.tell("  … and more")
	}
}

// whole is a text that was cut, without the beginning of a secret at its end.
func (t *tracer) whole(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return text[:len(text)-beginsSecret(text, t.secrets)]
}
