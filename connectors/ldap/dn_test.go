package ldap

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"
)

func TestParseDN(t *testing.T) {
	tests := []struct {
		in   string
		want dn // nil is an error, empty is the root
	}{
		{"", dn{}},
		{"cn=a", dn{{{"cn", "a", false}}}},
		{"CN=Steve Kille,O=Isode Limited,C=GB", dn{{{"CN", "Steve Kille", false}}, {{"O", "Isode Limited", false}}, {{"C", "GB", false}}}},
		{"OU=Sales+CN=J.  Smith,DC=net", dn{{{"OU", "Sales", false}, {"CN", "J.  Smith", false}}, {{"DC", "net", false}}}},
		{`CN=James \"Jim\" Smith\, III,DC=net`, dn{{{"CN", `James "Jim" Smith, III`, false}}, {{"DC", "net", false}}}},
		{`CN=Before\0dAfter`, dn{{{"CN", "Before\rAfter", false}}}},
		{`CN=Lu\C4\8Di\C4\87`, dn{{{"CN", "Lučić", false}}}},
		{"1.3.6.1.4.1.1466.0=#04024869", dn{{{"1.3.6.1.4.1.1466.0", "#04024869", true}}}},
		{`cn=\#a`, dn{{{"cn", "#a", false}}}},
		{`cn=a\ ,dc=b`, dn{{{"cn", "a ", false}}, {{"dc", "b", false}}}},
		{`cn=\20a `, dn{{{"cn", " a", false}}}},
		{` cn = a , dc = b `, dn{{{"cn", "a", false}}, {{"dc", "b", false}}}},
		{`cn="a,b+c";dc=b`, dn{{{"cn", "a,b+c", false}}, {{"dc", "b", false}}}},
		{"cn=", dn{{{"cn", "", false}}}},
		{"cn=a=b", dn{{{"cn", "a=b", false}}}},
		{"cn", nil},
		{"cn=a,", nil},
		{"=a", nil},
		{"c n=a", nil},
		{`cn=a\`, nil},
		{`cn=a\x`, nil},
		{`cn=a"b`, nil},
		{`cn="a`, nil},
		{`cn="a"b`, nil},
		{"cn=#1", nil},
		{"cn=#zz", nil},
	}
	for _, tc := range tests {
		got, err := parseDN(tc.in)
		if tc.want == nil {
			if err == nil {
				t.Errorf("%q is read as %v", tc.in, got)
			}
			continue
		}
		if err != nil || !slices.EqualFunc(got, tc.want, slices.Equal[rdn]) {
			t.Errorf("%q is read as %v, %v, want %v", tc.in, got, err, tc.want)
		}
	}
}

func TestWithin(t *testing.T) {
	tests := []struct {
		name, base string
		want       bool
	}{
		{"uid=a,ou=people,dc=x", "OU=People,DC=X", true},
		{"ou=people,dc=x", "ou=people,dc=x", true},
		{"uid=a, ou=people, dc=x", "ou=people,dc=x", true},
		{"uid=a,ou=morepeople,dc=x", "ou=people,dc=x", false},
		{`uid=a\,ou=people,dc=x`, "ou=people,dc=x", false},
		{`uid=a\\,ou=people,dc=x`, "ou=people,dc=x", true},
		{"uid=a,dc=x", "ou=people,dc=x", false},
		{"dc=x", "", true},
	}
	for _, tc := range tests {
		d, ok1 := normalizeDN(tc.name)
		b, ok2 := normalizeDN(tc.base)
		if !ok1 || !ok2 || within(d, b) != tc.want {
			t.Errorf("%q within %q: %v, want %v", tc.name, tc.base, within(d, b), tc.want)
		}
		if tc.base == "" {
			continue
		}
		c := &collection{Collection: Collection{Base: tc.base}, baseNorm: b}
		if c.holds(tc.name) != tc.want {
			t.Errorf("%q held by %q: %v, want %v", tc.name, tc.base, !tc.want, tc.want)
		}
	}
}

func TestCommonBase(t *testing.T) {
	tests := []struct{ a, b, want string }{
		{"ou=people,dc=x,dc=y", "ou=groups,DC=X,dc=y", "dc=x,dc=y"},
		{"ou=people,dc=x", "ou=people,dc=x", "ou=people,dc=x"},
		{"dc=x", "ou=people,dc=x", "dc=x"},
		{"dc=x", "dc=y", ""},
	}
	for _, tc := range tests {
		a, _ := parseDN(tc.a)
		b, _ := parseDN(tc.b)
		if got := commonBase([]dn{a, b}).String(); got != tc.want {
			t.Errorf("%q and %q have %q in common, want %q", tc.a, tc.b, got, tc.want)
		}
	}
}

// TestEscape holds that a value comes back from the DN it was put into, here and
// in another parser, and that the DN has no other parts.
func TestEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune(` ,+"\<>;=#a/*()`+"\x00\n😀é")), 0, 12, -1)).Draw(t, "value")
		text := dn{{{attr: "cn", value: value}}, {{attr: "dc", value: "x"}}}.String()
		got, err := parseDN(text)
		if err != nil || len(got) != 2 || len(got[0]) != 1 || got[0][0].value != value || got[0][0].raw {
			t.Fatalf("%q becomes %q, which is read as %v, %v", value, text, got, err)
		}
		other, err := goldap.ParseDN(text)
		if err != nil {
			t.Fatalf("%q becomes %q, which go-ldap refuses: %v", value, text, err)
		}
		if v := other.RDNs[0].Attributes[0].Value; len(other.RDNs) != 2 || v != value {
			t.Fatalf("%q becomes %q, which go-ldap reads as %q", value, text, v)
		}
	})
}

// FuzzDN prints what it parses and parses that again; and what go-ldap reads in
// the same text must be the same.
func FuzzDN(f *testing.F) {
	for _, s := range []string{"", "cn=a,dc=b", `cn=a\,b+sn=c,dc=d`, `cn=\20 \23#,dc=\E2\82\AC`, `cn="a,b",dc=c`, "1.2.3=#0401ff", `cn=a\\`, "CN= x ;dc=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDN(s)
		if err != nil {
			return
		}
		again, err := parseDN(d.String())
		if err != nil || again.normalize() != d.normalize() || again.String() != d.String() {
			t.Fatalf("%q is %q, which is read as %q, %v", s, d.String(), again.String(), err)
		}
		for _, r := range d {
			for _, a := range r {
				if a.raw {
					return // go-ldap decodes these
				}
			}
		}
		other, err := goldap.ParseDN(s)
		if err != nil || !utf8.ValidString(s) || strings.ContainsAny(s, `"`) {
			return // it refuses some that RFC 2253 has
		}
		if len(other.RDNs) != len(d) {
			t.Fatalf("%q has %d parts, go-ldap sees %d", s, len(d), len(other.RDNs))
		}
		for i, r := range other.RDNs {
			for j, a := range r.Attributes {
				if a.Value != d[i][j].value {
					t.Fatalf("%q: value %q, go-ldap reads %q", s, d[i][j].value, a.Value)
				}
			}
		}
	})
}
