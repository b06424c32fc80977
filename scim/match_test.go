package scim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Match agrees with an evaluator that knows only JSON and the text of paths.
func TestMatchAgreesWithJSON(t *testing.T) {
	for _, rt := range []*ResourceType{userType(t), thingType(t)} {
		t.Run(rt.Name, rapid.MakeCheck(func(t *rapid.T) {
			r := drawResource(t, rt)
			f := drawFilter(t, rt, 2)
			var m map[string]any
			everything := Selection{shown: make([]bool, rt.size)}
			for i := range everything.shown {
				everything.shown[i] = true
			}
			dec := json.NewDecoder(strings.NewReader(string(AppendJSON(nil, r, RenderOptions{Selection: everything}))))
			dec.UseNumber()
			if err := dec.Decode(&m); err != nil {
				t.Fatal(err)
			}
			if got, want := Match(f, r), naive(f, m); got != want {
				t.Fatalf("%s\non %s\nis %v, want %v", f, r.Attrs, got, want)
			}
		}))
	}
}

const elementKey = " element"

// naive evaluates a filter on decoded JSON.
func naive(f Filter, m map[string]any) bool {
	switch f := f.(type) {
	case And:
		for _, g := range f {
			if !naive(g, m) {
				return false
			}
		}
		return true
	case Or:
		for _, g := range f {
			if naive(g, m) {
				return true
			}
		}
		return false
	case Not:
		return !naive(f.Filter, m)
	case Present:
		return len(naiveValues(f.Path, m)) > 0
	case ValuePath:
		for _, v := range naiveValues(AttrPath{Attr: f.Attr}, m) {
			element, ok := v.(map[string]any)
			if !ok {
				element = map[string]any{f.Attr.Name: v}
			}
			element[elementKey] = true
			if naive(f.Filter, element) {
				return true
			}
		}
		return false
	case Compare:
		if f.Op == Ne {
			return !naive(Compare{f.Path, Eq, f.Value}, m)
		}
		for _, v := range naiveValues(f.Path, m) {
			if naiveCompare(f.Path.target(), v, f.Op, f.Value) {
				return true
			}
		}
	}
	return false
}

// naiveValues returns the values at a path in a resource. Within an element, which
// has the key that tells, there are no extensions.
func naiveValues(p AttrPath, m map[string]any) []any {
	if s := p.Attr.Schema(); s != nil && s.extension && m[elementKey] == nil {
		m, _ = m[s.ID].(map[string]any)
	}
	var out []any
	collect := func(x any) {
		if p.Sub != nil {
			x = x.(map[string]any)[p.Sub.Name]
		}
		if x != nil {
			if l, ok := x.([]any); ok {
				out = append(out, l...)
			} else {
				out = append(out, x)
			}
		}
	}
	switch x := m[p.Attr.Name].(type) {
	case nil:
	case []any:
		for _, e := range x {
			collect(e)
		}
	default:
		collect(x)
	}
	return out
}

func naiveCompare(a *Attribute, v any, op Op, want Value) bool {
	var c int
	switch a.Type {
	case Boolean:
		return v == want.Bool()
	case Integer:
		var x int64
		fmt.Sscan(v.(json.Number).String(), &x)
		c = compareInts(x, want.Int())
	case Decimal:
		x, _ := v.(json.Number).Float64()
		c = compareFloats(x, want.Float())
	case DateTime:
		x, y := naiveTime(v.(string)), naiveTime(want.Text())
		c = x.Compare(y)
	case Binary:
		return strings.ReplaceAll(v.(string), "=", "") == strings.ReplaceAll(want.Text(), "=", "")
	default:
		x, y := v.(string), want.Text()
		if op == Eq {
			return x == y || !a.CaseExact && strings.EqualFold(x, y)
		}
		if !a.CaseExact {
			x, y = strings.Map(foldRune, x), strings.Map(foldRune, y)
		}
		switch op {
		case Co:
			return strings.Contains(x, y)
		case Sw:
			return strings.HasPrefix(x, y)
		case Ew:
			return strings.HasSuffix(x, y)
		}
		c = strings.Compare(x, y)
	}
	switch op {
	case Eq:
		return c == 0
	case Gt:
		return c > 0
	case Ge:
		return c >= 0
	case Lt:
		return c < 0
	default:
		return c <= 0
	}
}

func compareInts(a, b int64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func compareFloats(a, b float64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func naiveTime(s string) time.Time {
	if !strings.HasSuffix(s, "Z") && !strings.Contains(s[10:], "+") {
		s += "Z"
	}
	at, _ := time.Parse(time.RFC3339, s)
	return at
}

func TestMatch(t *testing.T) {
	rt := userType(t)
	r := load(t, rt, `{"id":"1","userName":"Bjensen","externalId":"Ext","active":true,
		"emails":[{"value":"a@example.com","type":"work","primary":true},{"value":"b@example.org","type":"home"}],
		"meta":{"created":"2026-01-02T03:04:05Z","lastModified":"2026-01-02T04:04:05+01:00"},
		"`+enterprise+`":{"manager":{"value":"26"}}}`)
	for filter, want := range map[string]bool{
		`userName eq "BJENSEN"`:                                   true,
		`externalId eq "ext"`:                                     false, // caseExact
		`id eq "1" and manager eq "26"`:                           true,
		`title ne "x"`:                                            true, // absent
		`title eq "x"`:                                            false,
		`emails.type ne "work"`:                                   false, // one is work
		`emails[type ne "work"]`:                                  true,  // one is not
		`emails[type eq "work" and value ew ".org"]`:              false, // not the same element
		`emails.type eq "work" and emails.value ew ".org"`:        true,
		`emails pr`:                                               true,
		`emails.display pr`:                                       false,
		`not (emails.display pr)`:                                 true,
		`meta.created eq "2026-01-02T05:04:05+02:00"`:             true, // the same instant
		`meta.lastModified gt "2026-01-02T03:04:04Z"`:             true,
		`meta.lastModified gt "2026-01-02T03:04:05Z"`:             false,
		`schemas eq "` + enterprise + `"`:                         true,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`: true,
		`active eq "True"`:                                        true,
		`emails[primary eq true].value eq "a@example.com"`:        true,
		`emails[primary eq true].value ne "a@example.com"`:        false,
		`emails[primary eq false].value ne "a@example.com"`:       true,
		`userName gt "bjensem"`:                                   true,
		`userName lt "bjensem"`:                                   false,
		`phoneNumbers eq null`:                                    true,
		`phoneNumbers[type eq "work" and not (value eq "x")]`:     false,
	} {
		f, err := lenient.ParseFilter(rt, filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		} else if got := Match(f, r); got != want {
			t.Errorf("%s is %v", filter, got)
		}
	}
}
