package demodir

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNormalForms(t *testing.T) {
	s := newSchema()
	for _, test := range []struct {
		rule, value string
		piece       piece
		want        string // "!" where the value is none
	}{
		{"caseIgnoreMatch", "Ada Lindqvist", whole, "ada lindqvist"},
		{"caseIgnoreMatch", "  a \t b  ", whole, "a b"},
		{"caseIgnoreMatch", "   ", whole, " "},
		{"caseIgnoreMatch", "\u212aELVIN Σίσυφος", whole, "kelvin σίσυφος"},
		{"caseIgnoreMatch", "\u13a0\uab70", whole, "\uab70\uab70"},
		{"caseIgnoreMatch", "e\u0301", whole, "é"},
		{"caseIgnoreMatch", "ﬁx", whole, "fix"},
		{"caseIgnoreMatch", "soft\u00adhyphen", whole, "softhyphen"},
		{"caseIgnoreMatch", "a\u00a0b", whole, "a b"},
		{"caseIgnoreMatch", "\xff", whole, "!"},
		{"caseIgnoreSubstringsMatch", " a ", initial, "a "},
		{"caseIgnoreSubstringsMatch", " a ", middle, " a "},
		{"caseIgnoreSubstringsMatch", " a ", final, " a"},
		{"caseExactMatch", "  Ada  L ", whole, "Ada L"},
		{"caseIgnoreIA5Match", "Ü", whole, "!"},
		{"telephoneNumberMatch", "+1 (202) 555-0100", whole, "+1(202)5550100"},
		{"telephoneNumberMatch", "ext *5", whole, "!"},
		{"generalizedTimeMatch", "20260715120000Z", whole, "20260715120000.000000000Z"},
		{"generalizedTimeMatch", "202607151400+0200", whole, "20260715120000.000000000Z"},
		{"generalizedTimeMatch", "2026071507.5-05", whole, "20260715123000.000000000Z"},
		{"generalizedTimeMatch", "20260715120000,25Z", whole, "20260715120000.250000000Z"},
		{"generalizedTimeMatch", "000001010000Z", whole, "00000101000000.000000000Z"},
		{"generalizedTimeMatch", "20260715120000", whole, "!"},
		{"generalizedTimeMatch", "20261315120000Z", whole, "!"},
		{"generalizedTimeMatch", "20260715120000.Z", whole, "!"},
		{"generalizedTimeMatch", "2026", whole, "!"},
		{"integerMatch", "-12", whole, "-12"},
		{"integerMatch", "007", whole, "!"},
		{"integerMatch", "-0", whole, "!"},
		{"integerMatch", "", whole, "!"},
		{"booleanMatch", "true", whole, "!"},
		{"UUIDMatch", "9D3E0000-ABCD-4000-8000-00000000000F", whole, "9d3e0000-abcd-4000-8000-00000000000f"},
		{"UUIDMatch", "9d3e0000abcd4000800000000000000f0000", whole, "!"},
		{"objectIdentifierMatch", "2.5.6.6", whole, "person"},
		{"objectIdentifierMatch", "inetorgPERSON", whole, "inetorgperson"},
		{"objectIdentifierMatch", "1.2.3", whole, "1.2.3"},
		{"objectIdentifierMatch", "nothing", whole, "!"},
		{"distinguishedNameMatch", "UID = Ada , DC=Example", whole, "uid=ada,dc=example"},
		{"distinguishedNameMatch", "nope=x", whole, "!"},
	} {
		got, ok := s.rule(test.rule).normal(test.value, test.piece)
		if !ok {
			got = "!"
		}
		if got != test.want {
			t.Errorf("%s of %q (%d): got %q, want %q", test.rule, test.value, test.piece, got, test.want)
		}
	}
}

// TestNormalFormIsNormal takes normal forms of anything: they are their own.
func TestNormalFormIsNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		for _, fold := range []bool{true, false} {
			once, ok := prepare(value, whole, fold)
			if !ok {
				t.Fatalf("%q has no normal form", value)
			}
			if twice, _ := prepare(once, whole, fold); twice != once {
				t.Fatalf("%q: %q, then %q", value, once, twice)
			}
		}
	})
}

func TestCompareIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`0|-?[1-9][0-9]{0,30}`)
		a, b := digits.Draw(t, "a"), digits.Draw(t, "b")
		x, _ := new(big.Int).SetString(a, 10)
		y, _ := new(big.Int).SetString(b, 10)
		if got, want := compareIntegers(a, b), x.Cmp(y); got != want {
			t.Fatalf("%s and %s: %d, want %d", a, b, got, want)
		}
	})
}

// TestSchemaIsWhole looks for gaps in the tables.
func TestSchemaIsWhole(t *testing.T) {
	s := newSchema()
	definition := regexp.MustCompile(`^\( [0-9.]+ (NAME|DESC) ('[^']+'|\( '[^']+'( '[^']+')+ \))( [^']+)? \)$`)
	oids := map[string]bool{}
	seen := func(oid, text string) {
		if oids[oid] {
			t.Errorf("%s stands twice", oid)
		}
		oids[oid] = true
		if !definition.MatchString(text) {
			t.Errorf("not a definition: %s", text)
		}
	}
	for _, syn := range s.syntaxes {
		seen(syn.oid, syn.String())
	}
	for _, r := range s.rules {
		seen(r.oid, r.String())
	}
	for _, a := range s.attributes {
		if a.syntax == nil {
			t.Fatalf("%s has no syntax", a.name())
		}
		seen(a.oid, a.String())
		for _, name := range append([]string{a.oid, strings.ToUpper(a.name())}, a.names...) {
			if s.attribute(name) != a {
				t.Errorf("%q does not name %s", name, a.name())
			}
		}
		if a.indexed && a.equality == nil {
			t.Errorf("%s has an index without a rule for equality", a.name())
		}
	}
	for _, c := range s.classes {
		for _, a := range append(append([]*attributeType{}, c.must...), c.may...) {
			if a == nil {
				t.Fatalf("%s names an attribute that there is not", c.name)
			}
		}
		if c.super == nil && c.key != "top" {
			t.Errorf("%s does not come from top", c.name)
		}
		seen(c.oid, c.String())
	}
}

func TestDNs(t *testing.T) {
	s := newSchema()
	for _, test := range []struct{ in, text, norm string }{
		{"", "", ""},
		{"UID=Ada.L , OU=People,dc=Example,2.5.4.6=SE", "uid=Ada.L,ou=People,dc=Example,c=SE", "uid=ada.l,ou=people,dc=example,c=se"},
		{`cn=a\,b\+c\"d\\e\<f\>g\;h\=i#j`, `cn=a\2Cb\2Bc\22d\5Ce\3Cf\3Eg\3Bh\3Di#j`, `cn=a\2Cb\2Bc\22d\5Ce\3Cf\3Eg\3Bh\3Di#j`},
		{`cn=\20 Two\20Spaces \20`, `cn=\20 Two Spaces \20`, `cn=two spaces`},
		{`cn=\#lead`, `cn=\23lead`, `cn=\23lead`},
		{"uid=x+cn=Y", "cn=Y+uid=x", "cn=y+uid=x"},
		{`sn=\C3\98ster`, "sn=Øster", "sn=øster"},
	} {
		got, err := s.parseDN(test.in)
		if err != nil || got.text != test.text || got.norm != test.norm {
			t.Errorf("%q: got %q and %q, %v, want %q and %q", test.in, got.text, got.norm, err, test.text, test.norm)
		}
	}
	for _, bad := range []string{"nonsense", "cn=", "nope=x", "cn=a+cn=b", "cn=x,", "jpegPhoto=x", `cn=\ff`} {
		if got, err := s.parseDN(bad); err == nil {
			t.Errorf("%q is parsed as %q", bad, got.text)
		}
	}
}

// TestVersions changes the clock in every way: versions only rise.
func TestVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
		d := New(Options{Now: func() time.Time { return now }})
		last := ""
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			now = now.Add(time.Duration(rapid.IntRange(-2000, 2000).Draw(t, "nanoseconds")))
			e := &entry{}
			d.touch(e, dn{})
			if csn := e.find(d.schema.entryCSN).values[0]; csn <= last || !isCSN(csn) {
				t.Fatalf("%s after %s", csn, last)
			} else {
				last = csn
			}
		}
	})
}

func TestCompany(t *testing.T) {
	d := New(Options{Unique: []string{"uid", "mail", "employeeNumber"}})
	if err := d.Load(Company()); err != nil {
		t.Fatal(err)
	}
	people, groups, led := 0, 0, 0
	for _, n := range d.byDN {
		switch {
		case n.entry.find(d.schema.attribute("uid")) != nil:
			people++
		case n.entry.find(d.schema.member) != nil:
			groups++
		}
		for _, name := range []string{"member", "manager"} {
			if a := n.entry.find(d.schema.attribute(name)); a != nil {
				for _, norm := range a.norms {
					if d.byDN[norm] == nil {
						t.Errorf("%s of %q names %q, whom there is not", name, n.entry.dn.text, norm)
					}
				}
				if name == "manager" {
					led++
				}
			}
		}
	}
	if people != 25 || groups != 6 || led != 24 {
		t.Errorf("%d people, %d of them led, and %d groups", people, led, groups)
	}
}
