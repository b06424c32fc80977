package configs

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// decoded is a section with a key of every kind.
type decoded struct {
	base, text     At[string]
	flag           At[bool]
	number         At[int]
	wait           At[time.Duration]
	size           At[int64]
	ids            At[string]
	names          []At[string]
	file, fileName At[string]
	secret         At[Secret]
	tokens         []At[Secret]
	rules          []At[string]
}

func decode(root *Node, ps *Problems) decoded {
	m := root.Map(ps)
	m.Required("base")
	d := decoded{
		base:     m.String("base"),
		text:     m.Text("text"),
		flag:     m.Bool("flag"),
		number:   m.Int("number", 1, 256),
		wait:     m.Duration("wait"),
		size:     m.Bytes("size"),
		ids:      m.Enum("ids", "shared", "pairwise"),
		names:    m.Strings("names"),
		file:     m.File("file"),
		fileName: m.FileName("fileName"),
		secret:   m.Secret("secret"),
		tokens:   m.Tokens("tokens"),
	}
	tls := m.Child("tls").Map(ps)
	tls.Required("cert", "key")
	tls.String("cert")
	tls.String("key")
	tls.Done()
	rules := m.Child("map").Map(ps)
	rules.NotEmpty("rule")
	for key, rule := range rules.Each() {
		d.rules = append(d.rules, key)
		if rule.Kind() == Mapping {
			rm := rule.Map(ps)
			rm.Required("attr")
			rm.String("attr")
			rm.Enum("write", "always", "create", "never")
			rm.Done()
		} else {
			rule.String(ps)
		}
	}
	m.Done()
	return d
}

func TestDecode(t *testing.T) {
	t.Setenv("POSTERN_TEST_SECRET", "hunter2")
	golden(t, "decode", func(t *testing.T, config []byte) Problems {
		root, problems := Parse("config.yaml", config)
		if root == nil {
			t.Fatal(problems)
		}
		decode(root, &problems)
		for _, p := range problems {
			if strings.Contains(p.String(), "hunter2") {
				t.Errorf("a problem tells a secret: %s", p)
			}
		}
		return problems
	})
}

func TestDecodeValues(t *testing.T) {
	t.Setenv("POSTERN_TEST_SECRET", "hunter2")
	const text = `base: OU=Staff
text: 010
flag: true
number: 256
wait: 1h30m
size: 64KiB
ids: pairwise
names: [a, "1"]
fileName: sub/x.db
secret: { env: POSTERN_TEST_SECRET }
tokens:
  - { env: POSTERN_TEST_SECRET }
  - { sha256: F52FBD32B2B3B86FF88EF6C490628285F482AF15DDCB29541F94BCF526A3F6C7 }
map:
  z: 1z
  a: { attr: x }
`
	root, problems := Parse("etc/config.yaml", []byte(text))
	d := decode(root, &problems)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if d.base.Value != "OU=Staff" || d.base.Path != "base" || !d.base.Set || d.base.Pos != (Pos{"etc/config.yaml", 1, 7}) {
		t.Errorf("base: %+v", d.base)
	}
	if d.file.Set || d.file.Path != "file" || d.file.Pos != root.Pos() || d.file.Or("other") != "other" {
		t.Errorf("an absent key: %+v", d.file)
	}
	if d.text.Value != "010" || !d.flag.Value || d.number.Value != 256 || d.wait.Value != 90*time.Minute ||
		d.size.Value != 64<<10 || d.ids.Value != "pairwise" || d.fileName.Value != "etc/sub/x.db" {
		t.Errorf("%+v", d)
	}
	if !slices.Equal(Values(d.names), []string{"a", "1"}) || d.names[1].Path != "names[1]" {
		t.Errorf("names: %+v", d.names)
	}
	if !slices.Equal(Values(d.rules), []string{"z", "a"}) || d.rules[1].Path != "map.a" || d.rules[1].Pos.Line != 16 {
		t.Errorf("the rules in the order of the file: %+v", d.rules)
	}
	if v, err := d.secret.Value.Resolve(); v != "hunter2" || err != nil {
		t.Errorf("secret: %q, %v", v, err)
	}
	first, err1 := d.tokens[0].Value.Digest()
	second, err2 := d.tokens[1].Value.Digest()
	if first != second || err1 != nil || err2 != nil {
		t.Errorf("digests: %x %v, %x %v", first, err1, second, err2)
	}
}

// TestShared decodes one map by two rooms: what either took is known to the one that calls Done.
func TestShared(t *testing.T) {
	root, problems := Parse("f", []byte("base: a\nmap: { x: y }\nfilter: b\nflter: c\n"))
	first, second := root.Map(&problems), root.Map(&problems)
	first.Child("map")
	second.String("base")
	second.String("filter")
	second.String("anchor")
	first.Done()
	want := `f:4:1: flter: unknown key "flter"; did you mean "filter"?`
	if problems.Error() != want {
		t.Errorf("got %s\nwant %s", problems, want)
	}
}

func TestAbsent(t *testing.T) {
	var problems Problems
	var n *Node
	m := n.Map(&problems)
	m.Required("a")
	m.NotEmpty("thing")
	for range m.Each() {
		t.Error("an absent map has a key")
	}
	if m.Child("a") != nil || m.Len() != 0 || m.Has("a") || m.String("a").Set || m.Secret("a").Set || m.Strings("a") != nil || m.File("a").Set {
		t.Error("an absent map has a value")
	}
	m.Done()
	if len(problems) > 0 {
		t.Error(problems)
	}
}

func TestProblems(t *testing.T) {
	at := func(line, col int, message string) Problem {
		return Problem{Pos: Pos{"f", line, col}, Path: "p", Message: message}
	}
	ps := Problems{at(10, 1, "c"), at(2, 10, "b"), at(2, 9, "a").WithHint("do %d", 1), at(2, 10, "b"), at(3, 1, "w").AsWarning(), {Pos: Pos{File: "f"}, Message: "whole"}}
	want := "f: whole\nf:2:9: p: a; do 1\nf:2:10: p: b\nf:3:1: p: warning: w\nf:10:1: p: c"
	if got := ps.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if ps.Err() == nil || ps[4:5].Err() != nil || ps[4:5].HasErrors() {
		t.Error("a warning alone is no error, anything else is")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"userName", "displayName", "name.givenName", "filter", "base", "ids"}
	for name, want := range map[string]string{
		"username":      "userName",
		"usreName":      "userName",
		"givenName":     "name.givenName",
		"GivenName":     "name.givenName",
		"displayname":   "displayName",
		"name.givnName": "name.givenName",
		"fliter":        "filter",
		"bsae":          "base",
		"id":            "ids",
		"x":             "",
		"":              "",
		"objectClass":   "",
		"userName":      "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
