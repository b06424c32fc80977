package rest

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzTemplate fills in values of all kinds: none changes how many segments the
// path has, adds a parameter, or is anything else than itself when it arrives.
func FuzzTemplate(f *testing.F) {
	for _, v := range []string{"7", "a/b", "..", ".", "%2e%2e", "a?b=c", "a&b=c", "a#b", "a;b", "\r\nX: y", "http://x/", "//x", "é", "a b+c", `\`, "\x00", "%2F", "@", ":", "{anchor}"} {
		f.Add(v)
	}
	t1, err := parseTemplate("/users/{anchor}.json?name={value}&status=&x=a{value}b", "anchor", "value")
	if err != nil {
		f.Fatal(err)
	}
	base, _ := url.Parse("https://app.example.com/api")
	c := &client{base: base}
	f.Fuzz(func(t *testing.T, v string) {
		u, err := c.target(request{call: &Call{Method: "GET", Target: t1}, values: map[string]string{"anchor": v, "value": v}})
		if err != nil {
			return
		}
		back, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q makes %q: %v", v, u, err)
		}
		segments := strings.Split(back.EscapedPath(), "/")
		last, err := url.PathUnescape(segments[len(segments)-1])
		if back.Scheme != "https" || back.Host != "app.example.com" || back.User != nil || back.Fragment != "" ||
			len(segments) != 4 || segments[1] != "api" || segments[2] != "users" || err != nil || last != v+".json" {
			t.Errorf("%q makes %q", v, u)
		}
		q, err := url.ParseQuery(back.RawQuery)
		if err != nil || len(q) != 3 || len(q["name"]) != 1 || q.Get("name") != v || q.Get("x") != "a"+v+"b" || q.Get("status") != "" {
			t.Errorf("%q makes the query %q", v, back.RawQuery)
		}
		if strings.ContainsAny(u.String(), "\r\n \x00") {
			t.Errorf("%q makes %q", v, u)
		}
	})
}

// TestTemplatesRefused are templates that would be trouble.
func TestTemplatesRefused(t *testing.T) {
	for _, text := range []string{"", "users", "//other.example.com/x", "/a/../b", "/a/%2e%2e/b", "/a/./b", "/a b", "/a#b", "/{what}", "/{anchor", "/a?{anchor}=b",
		"/a?b=c&=d", "/a%2Fb", "/a\r\n", "/a?x=\n", "https://x/"} {
		if _, err := parseTemplate(text, "anchor"); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
