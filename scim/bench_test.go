package scim

import (
	"fmt"
	"strings"
	"testing"
)

const typicalUser = `{"id":"2819c223-7f76-453a-919d-413861904646","externalId":"701984","userName":"bjensen@example.com",
"name":{"formatted":"Ms. Barbara J Jensen, III","familyName":"Jensen","givenName":"Barbara","middleName":"Jane"},
"displayName":"Babs Jensen","title":"Tour Guide","preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":true,
"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}],
"phoneNumbers":[{"value":"555-555-5555","type":"work"},{"value":"555-555-4444","type":"mobile"}],
"addresses":[{"streetAddress":"100 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608","country":"US","type":"work"}],
"groups":[{"value":"e9e30dba-f08f-4109-8486-d5c6a331660a","$ref":"Groups/e9e30dba-f08f-4109-8486-d5c6a331660a","display":"Tour Guides"}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","department":"Tour Operations","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d","$ref":"Users/26118915-6090-4610-87e4-49d8ca9f808d","displayName":"John Smith"}},
"meta":{"resourceType":"User","created":"2010-01-23T04:56:22Z","lastModified":"2011-05-13T04:42:34Z","version":"W/\"a330bc54f0671c9\"","location":"Users/2819c223-7f76-453a-919d-413861904646"}}`

const tenOperations = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
{"op":"replace","path":"displayName","value":"Babs J. Jensen"},
{"op":"replace","path":"name.familyName","value":"Jensen-Smith"},
{"op":"add","path":"nickName","value":"Babs"},
{"op":"Replace","path":"active","value":"False"},
{"op":"replace","path":"emails[type eq \"work\"].value","value":"babs@example.com"},
{"op":"add","path":"phoneNumbers","value":[{"value":"555-555-3333","type":"fax"}]},
{"op":"remove","path":"title"},
{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"},
{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"},
{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"26"}]}`

func largeGroup(tb testing.TB, n int) *Resource {
	rt := groupType(tb)
	members := attribute(tb, rt, "members")
	value, _ := members.SubAttribute("value")
	ref, _ := members.SubAttribute("$ref")
	kind, _ := members.SubAttribute("type")
	vs := make([]Value, n)
	for i := range vs {
		id := fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i)
		vs[i] = Obj(Object{{value, Str(id)}, {ref, Str("Users/" + id)}, {kind, Str("User")}})
	}
	return load(tb, rt, `{"id":"1","displayName":"Guides"}`).With(members, List(vs...))
}

func BenchmarkParseFilter(b *testing.B) {
	rt := userType(b)
	for _, s := range []string{
		`userName eq "bjensen@example.com"`,
		`userType eq "Employee" and (emails.type eq "work" or emails[type eq "home" and value co "@example.com"])`,
	} {
		b.Run(fmt.Sprint(len(s)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseFilter(rt, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A filter of very many terms is parsed, or refused for its length, at once.
func BenchmarkParseFilterManyTerms(b *testing.B) {
	rt := userType(b)
	for _, n := range []int{maxFilterTerms, 10_000, 100_000} {
		s := strings.TrimSuffix(strings.Repeat("id pr or ", n), " or ")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseFilter(rt, s); (err != nil) != (n > maxFilterTerms) {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	rt := userType(b)
	r := load(b, rt, typicalUser)
	f, err := ParseFilter(rt, `userName sw "BJENSEN" and emails[type eq "work" and value co "@example.com"]`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !Match(f, r) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkRenderUser(b *testing.B) {
	r := load(b, userType(b), typicalUser)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendJSON(buf[:0], r, RenderOptions{BaseURL: "https://example.com/scim/v2"})
	}
}

func BenchmarkRenderGroupOf5000(b *testing.B) {
	r := largeGroup(b, 5_000)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendJSON(buf[:0], r, RenderOptions{BaseURL: "https://example.com/scim/v2"})
	}
}

func BenchmarkDecodeUser(b *testing.B) {
	rt := userType(b)
	b.ReportAllocs()
	for b.Loop() {
		r, err := DecodeResource(rt, []byte(typicalUser), DecodeOptions{})
		if err == nil {
			err = Validate(r)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeGroupOf5000(b *testing.B) {
	r := largeGroup(b, 5_000)
	body := AppendJSON(nil, r, RenderOptions{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeResource(r.Type, body, DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func patchTen(tb testing.TB, r *Resource, body []byte) {
	p, err := DecodePatch(r.Type, body, DecodeOptions{ID: r.ID(), Dialect: lenient})
	if err == nil {
		_, err = p.Apply(r)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkPatchTenOperations(b *testing.B) {
	r := load(b, userType(b), typicalUser)
	body := []byte(tenOperations)
	b.ReportAllocs()
	for b.Loop() {
		patchTen(b, r, body)
	}
}

func BenchmarkPatchMemberOf5000(b *testing.B) {
	r := largeGroup(b, 5_000)
	body := []byte(`{"Operations":[{"op":"add","path":"members","value":[{"value":"new"}]},{"op":"remove","path":"members[value eq \"old\"]"}]}`)
	for _, whole := range []bool{true, false} {
		b.Run(fmt.Sprintf("whole=%v", whole), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := DecodePatch(r.Type, body, DecodeOptions{})
				if err != nil {
					b.Fatal(err)
				}
				if whole {
					_, err = p.Apply(r)
				} else if _, _, ok := p.Elementwise(attribute(b, r.Type, "members")); !ok {
					b.Fatal("not elementwise")
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The bounds on allocations are part of what the package promises: they do not
// depend on how fast the machine is.
func TestAllocations(t *testing.T) {
	rt := userType(t)
	r := load(t, rt, typicalUser)
	body := []byte(tenOperations)
	buf := make([]byte, 0, 8<<10)
	many := strings.Repeat("id pr or ", 100_000) + "id pr"
	for _, tt := range []struct {
		name string
		most float64
		do   func()
	}{
		{"ten operations", 100, func() { patchTen(t, r, body) }},
		{"render", 0, func() { AppendJSON(buf, r, RenderOptions{BaseURL: "https://example.com"}) }},
		{"filter", 1, func() { _, _ = ParseFilter(rt, `userName eq "bjensen"`) }},
		{"filter with a value path", 20, func() {
			_, _ = ParseFilter(rt, `userType eq "Employee" and emails[type eq "home" and value co "@example.com"]`)
		}},
		{"filter of 100,000 terms", 10, func() { _, _ = ParseFilter(rt, many) }},
		{"decode and validate", 20, func() {
			if r, err := DecodeResource(rt, []byte(typicalUser), DecodeOptions{}); err == nil {
				_ = Validate(r)
			}
		}},
		{"attribute", 0, func() { rt.Attribute("NAME.givenName") }},
	} {
		if got := testing.AllocsPerRun(100, tt.do); got > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, got, tt.most)
		}
	}
}
