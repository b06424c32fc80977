package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"postern/connectors"
)

// client is a SCIM client as an identity provider is one: it knows a base URL
// and a token. Every answer it gets is checked for what no answer may hold.
type client struct {
	t     testing.TB
	base  string
	token string
	leak  func(body string) string       // what of the backend a text gives away, or ""
	app   *app                           // what answers
	less  func(*connectors.Capabilities) // what its backends can not do, or nil
}

// answer is a response with its body, decoded.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (c *client) with(t testing.TB) *client {
	d := *c
	d.t = t
	return &d
}

// do sends one request; headers are pairs of name and value.
func (c *client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	target := path
	if !strings.HasPrefix(path, "http") {
		target = c.base + path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, target, rd)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.send(req)
}

// send sends a request that is made, and checks what holds of every answer.
func (c *client) send(req *http.Request) answer {
	c.t.Helper()
	method, path := req.Method, req.URL
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatalf("%s %.200s: %v", method, path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(raw)}
	if len(raw) > 0 {
		if ct := res.Header.Get("Content-Type"); ct != "application/scim+json" {
			c.t.Errorf("%s %s: content type %q with body %.200s", method, path, ct, raw)
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&a.json); err != nil {
			c.t.Errorf("%s %s: the body is not JSON: %v: %.200s", method, path, err, raw)
		}
	}
	if c.leak != nil {
		var all strings.Builder
		all.WriteString(a.body)
		for k, vs := range a.header {
			fmt.Fprintf(&all, "\n%s: %s", k, vs)
		}
		if what := c.leak(all.String()); what != "" {
			c.t.Errorf("%s %s: the answer gives away %q: %.500s", method, path, what, a.body)
		}
	}
	return a
}

// want fails the test unless the answer has the status.
func (c *client) want(a answer, status int) answer {
	c.t.Helper()
	if a.status != status {
		c.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// wantError fails the test unless the answer is a SCIM error with the status,
// the scimType and every fragment in its detail.
func (c *client) wantError(a answer, status int, scimType string, fragments ...string) {
	c.t.Helper()
	if a.status != status || a.text("status") != fmt.Sprint(status) || a.text("scimType") != scimType {
		c.t.Errorf("answer %d %q, want %d %q: %s", a.status, a.text("scimType"), status, scimType, a.body)
	}
	if !strings.Contains(a.body, "urn:ietf:params:scim:api:messages:2.0:Error") {
		c.t.Errorf("not a SCIM error: %s", a.body)
	}
	for _, f := range fragments {
		if !strings.Contains(a.text("detail"), f) {
			c.t.Errorf("the detail %q does not name %q", a.text("detail"), f)
		}
	}
}

func (c *client) get(path string, headers ...string) answer {
	c.t.Helper()
	return c.do("GET", path, "", headers...)
}

func (c *client) create(path, body string) answer {
	c.t.Helper()
	return c.want(c.do("POST", path, body), http.StatusCreated)
}

// find lists by filter and returns the resources found.
func (c *client) find(path, filter string) []any {
	c.t.Helper()
	a := c.want(c.get(path+"?filter="+url.QueryEscape(filter)), http.StatusOK)
	list, _ := a.json["Resources"].([]any)
	if total := fmt.Sprint(a.json["totalResults"]); total != fmt.Sprint(len(list)) {
		c.t.Errorf("filter %s: totalResults %s with %d resources", filter, total, len(list))
	}
	return list
}

// at walks into the decoded body: names into objects, numbers into arrays.
func (a answer) at(path ...any) any { return at(a.json, path...) }

func (a answer) text(path ...any) string {
	s, _ := a.at(path...).(string)
	return s
}

func (a answer) id() string   { return a.text("id") }
func (a answer) etag() string { return a.header.Get("ETag") }

func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// patchBody is a PatchOp request with the given operations as JSON.
func patchBody(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

func userBody(userName, more string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":` + quote(userName) + more + `}`
}

func groupBody(displayName string, members ...string) string {
	var ms []string
	for _, m := range members {
		ms = append(ms, `{"value":`+quote(m)+`}`)
	}
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":` + quote(displayName) + `,"members":[` + strings.Join(ms, ",") + `]}`
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var names atomic.Int64

// unique returns a name that no other test uses, since a server's uniqueness
// rules may cover more than a test's own part of the tree.
func unique(stem string) string { return fmt.Sprintf("%s-%d", stem, names.Add(1)) }
