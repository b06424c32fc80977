package scim

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func TestParseFilter(t *testing.T) {
	rt := userType(t)
	for _, tt := range []struct{ in, want string }{
		// The examples of RFC 7644 §3.4.2.2, figure 2.
		{`userName eq "bjensen"`, ``},
		{`name.familyName co "O'Malley"`, ``},
		{`userName sw "J"`, ``},
		{`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, `userName sw "J"`},
		{`title pr`, ``},
		{`meta.lastModified gt "2011-05-13T04:42:34Z"`, ``},
		{`meta.lastModified ge "2011-05-13T04:42:34Z"`, ``},
		{`meta.lastModified lt "2011-05-13T04:42:34Z"`, ``},
		{`meta.lastModified le "2011-05-13T04:42:34Z"`, ``},
		{`title pr and userType eq "Employee"`, ``},
		{`title pr or userType eq "Intern"`, ``},
		{`schemas eq "` + enterprise + `"`, ``},
		{`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, `userType eq "Employee" and (emails.value co "example.com" or emails.value co "example.org")`},
		{`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, `userType ne "Employee" and not (emails.value co "example.com" or emails.value co "example.org")`},
		{`userType eq "Employee" and (emails.type eq "work")`, `userType eq "Employee" and emails.type eq "work"`},
		{`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`, ``},
		{`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, ``},

		// Case, space and precedence.
		{`USERNAME EQ "b"`, `userName eq "b"`},
		{`title PR AND not(userType Eq "x")OR active eq true`, `title pr and not (userType eq "x") or active eq true`},
		{"\t( ( title pr ) )\r\n", `title pr`},
		{`title pr or userName pr and nickName pr`, ``},
		{`(title pr or userName pr) and nickName pr`, ``},
		{`title pr or (userName pr or nickName pr)`, `title pr or userName pr or nickName pr`},
		{`title pr and (userName pr and nickName pr)`, `title pr and userName pr and nickName pr`},
		{`not (not (title pr))`, ``},
		{`title pr and (userName pr or (nickName pr and (active eq true or id pr)))`, `title pr and (userName pr or nickName pr and (active eq true or id pr))`},
		{`emails[not (type eq "work") or value pr]`, ``},
		{`emails[ type eq"work" ]`, `emails[type eq "work"]`},

		// Values by the attribute's type.
		{`userName eq "a\"b\\c\u0041\n\ud83d\ude00"`, `userName eq "a\"b\\cA\n😀"`},
		{`active eq "True"`, `active eq true`},
		{`active eq FALSE`, `active eq false`},
		{`active ne "false"`, `active ne false`},
		{`externalId eq x`, `externalId eq "x"`},
		{`externalId eq 123`, `externalId eq "123"`},
		{`title eq null`, `not (title pr)`},
		{`title ne null`, `title pr`},
		{`title eq ""`, `not (title pr)`},
		{`title co ""`, `title pr`},
		{`emails eq null`, `not (emails pr)`},
		{`x509Certificates eq "AAE="`, `x509Certificates.value eq "AAE="`},

		// Names without URN and without sub-attribute.
		{`id eq "1" and manager eq "2"`, `id eq "1" and ` + enterprise + `:manager.value eq "2"`},
		{enterprise + `:employeeNumber pr`, ``},
		{`EMPLOYEENUMBER eq "7"`, enterprise + `:employeeNumber eq "7"`},
		{`emails[value sw "a"]`, ``},
		{`groups eq "g"`, `groups.value eq "g"`},

		// A sub-attribute after a value path (Entra).
		{`emails[type eq "work"].value eq "x"`, `emails[type eq "work" and value eq "x"]`},
		{`emails[type eq "work"].value ne "x"`, `not (emails[type eq "work" and value eq "x"])`},
		{`emails[type eq "work"].value pr`, `emails[type eq "work" and value pr]`},
		{`emails[type eq "work"].value eq null`, `not (emails[type eq "work" and value pr])`},
		{`emails[type eq "work" or type pr].value sw "x" and title pr`, `emails[(type eq "work" or type pr) and value sw "x"] and title pr`},
		{`manager[value eq "1"]`, enterprise + `:manager[value eq "1"]`},
	} {
		if tt.want == "" {
			tt.want = tt.in
		}
		f, err := lenient.ParseFilter(rt, tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if got := f.String(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.in, got, tt.want)
		}
		again, err := ParseFilter(rt, f.String())
		if err != nil || again.String() != f.String() {
			t.Errorf("%s: printed and parsed again: %v, %v", tt.in, again, err)
		}
	}
}

func TestParseFilterRefuses(t *testing.T) {
	rt := userType(t)
	for in, want := range map[string]string{
		``:                               `filter ends where an attribute is expected`,
		`userName`:                       `no operator after attribute "userName" in filter`,
		`userName regex "x"`:             `operator "regex" is not supported`,
		`userName eq`:                    `no value at position 11 of the filter`,
		`userName eq ["x", "y"]`:         `a comparison takes one value, and at position 12 of the filter is a list: join comparisons by "or"`,
		`userName eq ("x")`:              `a comparison takes one value, and at position 12 of the filter is a list: join comparisons by "or"`,
		`userName eq "x`:                 `string at position 12 of the filter: unexpected end`,
		`userName eq "x" and`:            `filter ends where an attribute is expected`,
		`userName eq "x" and `:           `filter ends where an attribute is expected`,
		`userName eq "x" xor title pr`:   `unexpected "xor title pr" at position 16 of the filter`,
		`userName eq "x"title pr`:        `unexpected "title pr" after a string at position 15 of the filter`,
		`nosuch eq "x"`:                  `unknown attribute "nosuch" in filter`,
		`emails.nosuch eq "x"`:           `unknown attribute "emails.nosuch" in filter`,
		`emails[nosuch eq "x"]`:          `unknown sub-attribute "nosuch" of "emails" in filter`,
		`emails[type eq "x"`:             `bracket is not closed at position 18 of the filter`,
		`emails[]`:                       `unexpected "]" at position 7 of the filter, where an attribute is expected`,
		`emails[type[value eq "x"]]`:     `value filter at position 11 does not follow a top-level attribute`,
		`userName[value eq "x"]`:         `attribute "userName" has no elements to filter`,
		`(title pr`:                      `parenthesis is not closed at position 9 of the filter`,
		`title pr)`:                      `unexpected ")" at position 8 of the filter`,
		`active gt true`:                 `operator "gt" does not apply to boolean attribute "active"`,
		`active co "t"`:                  `operator "co" does not apply to boolean attribute "active"`,
		`active eq "yes"`:                `"yes" is not a value of boolean attribute "active"`,
		`active eq 1`:                    `"1" is not a value of boolean attribute "active"`,
		`x509Certificates.value gt "AA"`: `operator "gt" does not apply to binary attribute "x509Certificates.value"`,
		`meta.created gt "yesterday"`:    `"yesterday" is not a value of dateTime attribute "meta.created"`,
		`meta.created co "2026"`:         `operator "co" does not apply to dateTime attribute "meta.created"`,
		`name eq "x"`:                    `complex attribute "name" needs a sub-attribute in a comparison`,
		`title gt null`:                  `operator "gt" can not compare "title" with no value`,
		`title co null`:                  `operator "co" can not compare "title" with no value`,
		`password eq "x"`:                `attribute "password" can not be used in a filter`,
		`password pr`:                    `attribute "password" can not be used in a filter`,
		"userName eq \"\xff\"":           `filter is not valid UTF-8`,
		`userName eq "\u0000"`:           `string at position 12 of the filter: NUL in a string`,
		"userName eq \"a\x01\"":          `string at position 12 of the filter: control character in a string`,
		"userName eq a\x01":              `control character in a value without quotes`,
		`userName eq x"y"`:               `unexpected "\"y\"" at position 13 of the filter`,
		`userName eq "\ud83d"`:           `string at position 12 of the filter: half of a surrogate pair in a string`,
		`"userName" eq "x"`:              `unexpected "\"userName\" eq \"x\"" at position 0 of the filter, where an attribute is expected`,
		`not title pr`:                   `unknown attribute "not" in filter`,
		`emails[type eq "work"].value`:   `no operator after attribute "emails.value" in filter`,
		strings.Repeat("(", 65) + "title pr" + strings.Repeat(")", 65):     `filter is nested deeper than 64`,
		strings.Repeat("not (", 65) + "title pr" + strings.Repeat(")", 65): `filter is nested deeper than 64`,
		strings.Repeat("a", 300_000):                                       `filter is longer than 262144 bytes`,
		strings.Repeat("id pr or ", 1000) + "id pr":                        `filter has more than 1000 comparisons`,
	} {
		f, err := ParseFilter(rt, in)
		if err == nil {
			t.Errorf("%.60q is accepted as %s", in, f)
			continue
		}
		if got := problem(err); got != "400 invalidFilter: "+want {
			t.Errorf("%.60q:\n got %s\nwant 400 invalidFilter: %s", in, got, want)
		}
	}
}

func TestParseFilterBounds(t *testing.T) {
	rt := userType(t)
	deep := strings.Repeat("(", 64) + "title pr" + strings.Repeat(")", 64)
	if _, err := ParseFilter(rt, deep); err != nil {
		t.Error(err)
	}
	side := strings.TrimSuffix(strings.Repeat("(id pr) or ", 100), " or ")
	if _, err := ParseFilter(rt, side); err != nil {
		t.Error(err)
	}
	for _, word := range []string{" or ", " and "} {
		many := strings.TrimSuffix(strings.Repeat("id pr"+word, maxFilterTerms), word)
		f, err := ParseFilter(rt, many)
		if err != nil {
			t.Fatal(err)
		}
		if f.String() != many {
			t.Error("many terms print otherwise")
		}
		Match(f, &Resource{Type: rt})
	}
}

// drawFilter draws any filter on resources of a type, in the canonical shape
// that the parser makes.
func drawFilter(t *rapid.T, rt *ResourceType, depth int) Filter {
	return drawFilterOf(t, depth, func() Filter {
		attrs := rt.Attributes()
		a := rapid.SampledFrom(attrs).Filter(func(a *Attribute) bool { return a.Returned != ReturnedNever }).Draw(t, "attr")
		if (a.Type == Complex || a.MultiValued) && rapid.Bool().Draw(t, "valuePath") {
			return ValuePath{a, drawFilterOf(t, 1, func() Filter {
				if a.Type != Complex {
					return drawTerm(t, AttrPath{Attr: a})
				}
				return drawTerm(t, AttrPath{Attr: rapid.SampledFrom(a.Sub).Draw(t, "sub")})
			})}
		}
		if a.Type == Complex && rapid.Bool().Draw(t, "dotted") {
			return drawTerm(t, AttrPath{a, rapid.SampledFrom(a.Sub).Draw(t, "sub")})
		}
		return drawTerm(t, AttrPath{Attr: a})
	})
}

func drawFilterOf(t *rapid.T, depth int, term func() Filter) Filter {
	if depth == 0 {
		return term()
	}
	switch rapid.IntRange(0, 5).Draw(t, "shape") {
	case 0:
		var all And
		for range rapid.IntRange(2, 3).Draw(t, "n") {
			all = flattenAnd(all, drawFilterOf(t, depth-1, term))
		}
		return all
	case 1:
		var all Or
		for range rapid.IntRange(2, 3).Draw(t, "n") {
			all = flattenOr(all, drawFilterOf(t, depth-1, term))
		}
		return all
	case 2:
		return Not{drawFilterOf(t, depth-1, term)}
	default:
		return term()
	}
}

func drawTerm(t *rapid.T, path AttrPath) Filter {
	target := path.target()
	if target.Type == Complex || rapid.IntRange(0, 4).Draw(t, "pr") == 0 {
		return Present{path}
	}
	op := rapid.SampledFrom([]Op{Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le}).Filter(func(op Op) bool { return applies(op, target.Type) }).Draw(t, "op")
	return Compare{path, op, drawSingle(t, target)}
}

func TestFilterPrintsAndParses(t *testing.T) {
	for _, rt := range []*ResourceType{userType(t), thingType(t)} {
		t.Run(rt.Name, rapid.MakeCheck(func(t *rapid.T) {
			f := drawFilter(t, rt, 3)
			text := f.String()
			got, err := ParseFilter(rt, text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if shape(got) != shape(f) {
				t.Fatalf("%s:\n got %s\nwant %s", text, shape(got), shape(f))
			}
		}))
	}
}

// shape tells a filter's structure, with the identity of its attributes.
func shape(f Filter) string {
	switch f := f.(type) {
	case And:
		return "And" + shapes(f)
	case Or:
		return "Or" + shapes(f)
	case Not:
		return "Not(" + shape(f.Filter) + ")"
	case Present:
		return fmt.Sprintf("Present(%p %p)", f.Path.Attr, f.Path.Sub)
	case Compare:
		return fmt.Sprintf("Compare(%p %p %v %d %v)", f.Path.Attr, f.Path.Sub, f.Op, f.Value.Kind(), f.Value)
	case ValuePath:
		return fmt.Sprintf("ValuePath(%p %s)", f.Attr, shape(f.Filter))
	default:
		return fmt.Sprintf("%T", f)
	}
}

func shapes(fs []Filter) string {
	var s []string
	for _, f := range fs {
		s = append(s, shape(f))
	}
	return fmt.Sprint(s)
}

// TestQuotes refuses what is quoted wrongly: it would find nothing.
func TestQuotes(t *testing.T) {
	rt := userType(t)
	for _, f := range []string{`userName eq 'anna'`, `userName eq TRUE`, `userName eq false`, "userName eq `anna`", `userName eq “anna”`, `userName eq a*`} {
		if _, err := lenient.ParseFilter(rt, f); err == nil {
			t.Errorf("%s is taken", f)
		}
	}
	for _, f := range []string{`externalId eq x`, `active eq "True"`} {
		if _, err := ParseFilter(rt, f); err == nil {
			t.Errorf("%s is taken, against the grammar", f)
		}
	}
	for _, f := range []string{`externalId eq x`, `userName eq anna.b@example.com`, `active eq True`, `userName eq null`} {
		if _, err := lenient.ParseFilter(rt, f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
