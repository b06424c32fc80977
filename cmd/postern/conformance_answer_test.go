package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// do sends the request and holds the answer against what is expected.
func (x *exchange) do(r *conformRun) {
	a := r.send(x.request(r))
	r.cleanupMade(x, a)
	if fmt.Sprint(a.status) != x.status {
		r.fatalf("status %d, want %s: %.500s", a.status, x.status, a.body)
	}
	if x.errorAnswer() {
		x.checkError(r, a)
	}
	if x.empty && a.body != "" {
		r.errorf("the answer has a body: %.500s", a.body)
	}
	for _, h := range x.answerHeaders {
		x.checkHeader(r, h[0], r.fill(h[1], plainly), a.header)
	}
	if x.pattern != "" {
		pattern, err := decoded(r.fill(x.pattern, inJSON))
		if err != nil {
			r.fatalf("the pattern: %v", err)
		}
		if why := mismatch("", pattern, any(a.json)); why != "" {
			r.errorf("%s: %.1000s", why, a.body)
		}
	}
	if got := r.listed(a); x.order != nil && !slices.Equal(got, x.order) {
		r.errorf("the list has %v, want %v", got, x.order)
	}
	if x.as != "" {
		r.register(x.as, a)
	}
	for _, s := range x.saves {
		r.save(s[0], s[1], a)
	}
}

// request makes the request as it is written: its target goes out unchanged.
func (x *exchange) request(r *conformRun) *http.Request {
	target := r.fill(x.target, url.PathEscape)
	for _, q := range x.query {
		name, value, _ := strings.Cut(q, "=")
		sep := "?"
		if strings.Contains(target, "?") {
			sep = "&"
		}
		target += sep + name + "=" + url.QueryEscape(r.fill(value, plainly))
	}
	body := x.body.bytes(r)
	req, err := http.NewRequestWithContext(r.t.Context(), x.method, r.base, bytes.NewReader(body))
	if err != nil {
		r.fatalf("%v", err)
	}
	req.URL.Opaque = req.URL.Path + target
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	given := make(map[string]bool)
	for _, h := range x.headers {
		if !given[h[0]] {
			given[h[0]] = true
			req.Header.Del(h[0])
		}
		if h[1] != "-" {
			req.Header.Add(h[0], r.fill(h[1], plainly))
		}
	}
	return req
}

func (b requestBody) bytes(r *conformRun) []byte {
	if b.kind == "bytes" {
		return []byte(r.fill(b.text, plainly))
	}
	form := bodyForms[b.kind]
	return []byte(form[0] + r.fill(b.text, inJSON) + form[1])
}

// cleanupMade deletes what the exchange made when the case ends.
func (r *conformRun) cleanupMade(x *exchange, a answer) {
	locations := []string{}
	if x.method == http.MethodPost && a.status == http.StatusCreated {
		locations = append(locations, a.header.Get("Location"))
	}
	for i := range asList(a.at("Operations")) {
		if a.text("Operations", i, "method") == "POST" {
			locations = append(locations, a.text("Operations", i, "location"))
		}
	}
	for _, l := range locations {
		if path, ok := strings.CutPrefix(l, r.base); ok {
			r.cleanup(path)
		}
	}
}

// checkError holds an answer against RFC 7644 §3.12.
func (x *exchange) checkError(r *conformRun, a answer) {
	schemas := asList(a.at("schemas"))
	if len(schemas) != 1 || schemas[0] != "urn:ietf:params:scim:api:messages:2.0:Error" || a.text("status") != x.status {
		r.errorf("not a SCIM error with status %s: %.500s", x.status, a.body)
	}
	if a.text("scimType") != x.scimType {
		r.errorf("scimType %q, want %q: %.500s", a.text("scimType"), x.scimType, a.body)
	}
	for _, d := range x.details {
		if d = r.fill(d, plainly); !strings.Contains(a.text("detail"), d) {
			r.errorf("the detail does not name %q: %.500s", d, a.body)
		}
	}
}

func (x *exchange) checkHeader(r *conformRun, name, want string, header http.Header) {
	got, there := header.Get(name), len(header.Values(name)) > 0
	other, differs := strings.CutPrefix(want, "not ")
	switch {
	case want == "-" && there:
		r.errorf("there is a header %s: %s", name, got)
	case want == "any" && !there, differs && (!there || got == other):
		r.errorf("%s is %q, want %s", name, got, want)
	case want != "-" && want != "any" && !differs && got != want:
		r.errorf("%s is %q, want %q", name, got, want)
	}
}

// save keeps a header or a part of the body as a text.
func (r *conformRun) save(name, what string, a answer) {
	var text string
	if what[0] >= 'A' && what[0] <= 'Z' && len(a.header.Values(what)) > 0 {
		text = a.header.Get(what)
	} else {
		var v any = a.json
		for part := range strings.SplitSeq(what, ".") {
			if l, ok := v.([]any); ok && len(part) == 1 && part[0] >= '0' && int(part[0]-'0') < len(l) {
				v = l[part[0]-'0']
				continue
			}
			v = at(v, part)
		}
		if v != nil {
			text = fmt.Sprint(v)
		}
	}
	if text == "" {
		r.fatalf("the answer has no %s: %.500s", what, a.body)
	}
	r.names[name] = &named{id: text, name: text}
}

// binds checks whether the directory takes a password.
func (r *conformRun) binds(who, password string, want bool) {
	if got := r.bind(r.names[who].name, password); got != want {
		r.errorf("%s signs in with %q: %v", who, password, got)
	}
}
