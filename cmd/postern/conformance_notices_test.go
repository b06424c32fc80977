package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestConformanceMistakes makes every mistake in a table once: each is named with its line.
func TestConformanceMistakes(t *testing.T) {
	const head = "## RFC 7644 §3.3: a title\n"
	for text, want := range map[string]string{
		"":                               "x.txt:1: the table holds no case",
		"## no section\n":                `x.txt:1: the title "no section" does not begin with a section`,
		head + "\n# nothing\n":           `x.txt:1: the case "RFC 7644 §3.3: a title" does nothing`,
		head + "\nfrobnicate\n":          `x.txt:3: "frobnicate" is no statement`,
		"needs active\n":                 `x.txt:1: "needs" belongs into a case`,
		head + "client acme\n":           `x.txt:2: there is no client "acme"`,
		head + "user any\n":              `x.txt:2: "any" can not be a name`,
		head + "user u {\"a\":}\n":       "x.txt:2: not a JSON object",
		head + "group g u9\n":            `x.txt:2: nothing is called "u9" here`,
		head + "GET /Users/{u9}\n":       `x.txt:2: nothing is called "u9" here`,
		head + "GET /Users\n":            "x.txt:3: the request has no => with the expected status",
		head + "GET /Users\nfoo\n":       `x.txt:3: "foo" is no header, no body and no =>`,
		head + "GET /Users\n=> ok\n":     `x.txt:3: "ok" is no status`,
		head + "GET /\n=> 200\n{\"a\"\n": "x.txt:4: the pattern is not JSON",
		head + "GET /\n=> 200\nsave x\n": "x.txt:4: write save name what",
		head + "PUT /\nbytes x\n":        "x.txt:3: x is not a text in quotes",
		head + "PUT /\nUser []\n=> 1\n":  `x.txt:3: a body after "User" begins with {`,
		head + "find x\n":                "x.txt:2: write find filter => names",
		head + "find x => u9\n":          `x.txt:2: nothing is called "u9" here`,
		head + "user u\nstate u x\n":     `x.txt:3: write state u1 title = "x"`,
		head + "user u\nstate u x = v\n": `x.txt:3: nothing is called "v" here`,
		head + "user u\nbinds u\n":       `x.txt:3: write binds u1 "password"`,
	} {
		if _, err := parseConformTable("x.txt", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestMismatch(t *testing.T) {
	for _, test := range []struct {
		pattern, value string
		matches        bool
	}{
		{`{}`, `{"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, true},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":true}`, `{"a":false}`, false},
		{`{"a":null}`, `{}`, true},
		{`{"a":null}`, `{"a":[]}`, false},
		{`{"a":"{any}"}`, `{"a":[1]}`, true},
		{`{"a":"{any}"}`, `{}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, true},
		{`{"a":[1,1]}`, `{"a":[2,1]}`, false},
		{`{"a":[1]}`, `{"a":[1,2]}`, false},
		{`{"a":[]}`, `{}`, false},
		{`{"a":[{"x":1},{}]}`, `{"a":[{"y":1},{"x":1}]}`, true},
		{`{"a":[{},{"x":1}]}`, `{"a":[{"x":1},{"y":1}]}`, true}, // the first pattern must leave the other its value
		{`{"a":{"b":{"c":1}}}`, `{"a":{"b":1}}`, false},
	} {
		pattern, err := decoded(test.pattern)
		value, err2 := decoded(test.value)
		if why := mismatch("", pattern, value); err != nil || err2 != nil || (why == "") != test.matches {
			t.Errorf("%s against %s: %q, %v, %v", test.value, test.pattern, why, err, err2)
		}
	}
}

// recorder is a test that keeps its failures to itself.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// testConformanceNotices carries out cases that expect what is not so: each must fail, and say where.
func testConformanceNotices(t *testing.T, w *world) {
	const user = "## RFC 7644 §3.3: wrong\nuser u {\"title\":\"x\"}\ngroup g u\n"
	cases := map[string]string{
		"GET /Users/{u}\n=> 404\n":                     "status 200, want 404",
		"GET /Users/{missing}\n=> 404 noTarget\n":      `scimType "", want "noTarget"`,
		"GET /Users/{missing}\n=> 404\ndetail frob\n":  `does not name "frob"`,
		"GET /Users/{u}\n=> 200\nempty\n":              "the answer has a body",
		"GET /Users/{u}\n=> 200\nETag: -\n":            "there is a header",
		"GET /Users/{u}\n=> 200\nETag: not {u.etag}\n": "Etag is",
		"GET /Users/{u}\n=> 200\nETag: x\n":            "Etag is",
		"GET /Users/{u}\n=> 200\nAllow: any\n":         "Allow is",
		"GET /Users/{u}\n=> 200\n{\"title\":null}\n":   "title is \"x\" and must be absent",
		"GET /Users/{u}\n=> 200\nsave v nothing\n":     "has no nothing",
		"GET /Groups\n=> 200\norder\n":                 "the list has [g], want []",
		"find title eq \"x\" => none\n":                "finds [u], want []",
		"find title eq \"y\" => u\n":                   "finds [], want [u]",
		"find title eq \"x\" => 400\n":                 "status 200, want 400",
		"state u title = \"y\"\n":                      `is ["x"] in the directory, want ["y"]`,
		"state u title =\n":                            `is ["x"] in the directory, want []`,
		"state g members =\n":                          " of g is",
		"state u gone\n":                               "u is still there",
		"DELETE /Users/{u}\n=> 204\nstate u title =\n": "u is gone",
	}
	if w.able["bind"] {
		cases["binds u \"wrong\"\n"] = `u signs in with "wrong": false`
	}
	for steps, want := range cases {
		table, err := parseConformTable("x.txt", user+steps)
		if err != nil {
			t.Fatal(err)
		}
		rec := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			table.cases[0].run(&conformRun{world: w.with(rec).as("rfc"), names: map[string]*named{}}, "x")
		}()
		<-done
		if len(rec.failures) != 1 || !strings.HasPrefix(rec.failures[0], "x.txt:") || !strings.Contains(rec.failures[0], want) {
			t.Errorf("%q: %q, want one failure with %q", steps, rec.failures, want)
		}
	}
}
