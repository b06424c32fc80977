package demodir

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"
)

func TestFilters(t *testing.T) {
	_, c := startOpen(t)
	add := person("odd",
		Attribute{"description", []string{`star * paren () back \ end`}},
		Attribute{"displayName", []string{"  Ünïcode  Name "}},
		Attribute{"telephoneNumber", []string{"+1 202-555 0100"}},
		Attribute{"uidNumber", []string{"5"}}, Attribute{"gidNumber", []string{"-3"}}, Attribute{"homeDirectory", []string{"/home/odd"}},
		Attribute{"manager", []string{"cn=no one, " + DefaultSuffix}})
	add.Attributes[0].Values = append(add.Attributes[0].Values, "posixAccount")
	if err := c.Add(addRequest(add)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		filter string
		want   int // of the 26 people
	}{
		{"(uid=ODD)", 1}, {"(uid=*)", 26}, {"(objectClass=person)", 26}, {"(objectClass=posixAccount)", 1}, {"(&)", 27}, {"(|)", 0},
		{`(description=star \2a paren \28\29 back \5c end)`, 1}, {`(description=*\2a*)`, 1}, {`(description=*\28\29*\5c*)`, 1}, {"(description=*)", 1},
		{"(displayName=ünïcode name)", 1}, {"(displayName=ÜNÏ*)", 1}, {"(displayName=*name)", 1}, {"(displayName=*code name*)", 1}, {"(displayName=*codename*)", 0},
		{"(telephoneNumber=+12025550100)", 1}, {"(telephoneNumber=+1202*)", 1},
		{"(uidNumber=5)", 1}, {"(uidNumber=05)", 0}, {"(uidNumber>=5)", 1}, {"(uidNumber<=4)", 0}, {"(uidNumber>=-10)", 1}, {"(gidNumber<=-2)", 1}, {"(gidNumber>=-2)", 0},
		{"(uidNumber:1.2.840.113556.1.4.803:=4)", 1}, {"(uidNumber:1.2.840.113556.1.4.803:=6)", 0}, {"(uidNumber:1.2.840.113556.1.4.804:=6)", 1},
		{"(!(uidNumber:1.2.840.113556.1.4.803:=2))", 27},
		{"(nope=x)", 0}, {"(!(nope=x))", 0}, {"(|(nope=x)(uid=odd))", 1}, {"(!(&(nope=x)(uid=odd)))", 26}, {"(!(|(nope=x)(uid=odd)))", 0},
		{"(sn>=a)", 0}, {"(!(sn>=a))", 0}, {"(!(description=x))", 27}, {"(!(uid=odd))", 26},
		{"(cn:caseExactMatch:=New odd)", 1}, {"(cn:caseExactMatch:=new odd)", 0}, {"(cn:caseIgnoreMatch:=new ODD)", 1}, {"(uid:dn:=odd)", 1}, {"(ou:dn:=people)", 27},
		{"(:caseExactMatch:=New odd)", 1}, {"(manager:2.5.13.1:=CN=No One," + DefaultSuffix + ")", 1}, {"(cn:integerMatch:=5)", 0}, {"(!(cn:integerMatch:=5))", 0},
		{"(manager=cn=no  one,DC=example , dc=com)", 1}, {"(manager=cn=*)", 0},
		{"(memberOf=CN=leadership,ou=groups," + DefaultSuffix + ")", 5}, {"(!(memberOf=*))", 2},
		{"(entryDN=" + personDN("odd") + ")", 1}, {"(hasSubordinates=TRUE)", 1}, {"(entryUUID=*)", 27},
	} {
		found, err := c.Search(search("ou=people,"+DefaultSuffix, ldap.ScopeWholeSubtree, test.filter, "uid"))
		if err != nil {
			t.Errorf("%s: %v", test.filter, err)
			continue
		}
		if got := len(found.Entries); got != test.want {
			t.Errorf("%s: found %d, want %d", test.filter, got, test.want)
		}
	}
}

// drawFilter draws a filter in its printed form.
func drawFilter(t *rapid.T, depth int) string {
	if depth > 0 && rapid.Bool().Draw(t, "combined") {
		var subs strings.Builder
		for range rapid.IntRange(0, 3).Draw(t, "count") {
			subs.WriteString(drawFilter(t, depth-1))
		}
		switch rapid.IntRange(0, 2).Draw(t, "operator") {
		case 0:
			return "(&" + subs.String() + ")"
		case 1:
			return "(|" + subs.String() + ")"
		}
		return "(!" + drawFilter(t, depth-1) + ")"
	}
	return rapid.SampledFrom([]string{
		"(uid=ada.lindqvist)", "(uid=MEI.chen)", "(uid=none)", "(mail=mei.chen@example.com)", "(cn=engineering)", "(departmentNumber=sales)",
		"(member=" + personDN("mei.chen") + ")", "(manager=" + personDN("ada.lindqvist") + ")", "(memberOf=cn=Leadership,ou=groups," + DefaultSuffix + ")",
		"(entryDN=" + personDN("mei.chen") + ")", "(nope=x)", "(manager=nonsense)", "(manager=*)", "(sn=*o*)", "(sn>=a)", "(employeeNumber=1003)",
		"(objectClass=groupOfNames)", "(objectClass=person)", "(cn:caseExactMatch:=Mei Chen)",
	}).Draw(t, "item")
}

// TestIndices asks every entry about random filters: those that a filter holds
// for are exactly those that a search over the indices finds, in the same order.
func TestIndices(t *testing.T) {
	d, _ := startOpen(t)
	words := vocabulary{d.schema, true}
	base := d.byDN[d.suffix.norm]
	rapid.Check(t, func(t *rapid.T) {
		printed := drawFilter(t, 3)
		packet, err := ldap.CompileFilter(printed)
		if err != nil {
			t.Fatal(err)
		}
		f, err := words.read(&decoder{packet.Bytes()}, 1)
		if err != nil {
			t.Fatalf("%s: %v", printed, err)
		}
		var want, got []*node
		for _, n := range base.subtree(nil) {
			holds := f.matches(d, n)
			if (not{f}).matches(d, n) != yes-holds {
				t.Fatalf("%s: the negation of %d is %d", printed, holds, not{f}.matches(d, n))
			}
			if holds == yes {
				want = append(want, n)
			}
		}
		for _, n := range d.inScope(&query{scope: scopeSub, filter: f}, base) {
			if f.matches(d, n) == yes {
				got = append(got, n)
			}
		}
		slices.SortFunc(want, byID)
		slices.SortFunc(got, byID)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: over the indices %d, asking all %d", printed, len(got), len(want))
		}
	})
}

// TestIndicesFollow checks, after random updates, that the indices name exactly
// what a look at all entries finds.
func TestIndicesFollow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(Options{})
		if err := d.Load(Company()); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "updates") {
			drawUpdate(t, d)
		}
		want := map[posting]int{}
		entries := d.byDN[d.suffix.norm].subtree(nil)
		for _, n := range entries {
			if d.byDN[n.entry.dn.norm] != n {
				t.Fatalf("%q is not found by its name", n.entry.dn.text)
			}
			for i := range n.entry.attrs {
				a := &n.entry.attrs[i]
				for j, norm := range a.norms {
					if a.typ.normal(a.values[j]) != norm {
						t.Fatalf("%s of %q: value %q has normal form %q", a.typ.name(), n.entry.dn.text, a.values[j], norm)
					}
					if a.typ.indexed {
						want[posting{a.typ, norm}]++
						if !slices.Contains(d.index[posting{a.typ, norm}], n) {
							t.Fatalf("%s=%s does not name %q", a.typ.name(), norm, n.entry.dn.text)
						}
					}
				}
			}
			if err := d.schema.check(n.entry); err != nil {
				t.Fatalf("%q breaks the schema: %v", n.entry.dn.text, err)
			}
		}
		if len(d.byDN) != len(entries) {
			t.Fatalf("%d names for %d entries", len(d.byDN), len(entries))
		}
		if len(d.index) != len(want) {
			t.Fatalf("%d postings, want %d", len(d.index), len(want))
		}
		for p, n := range want {
			if len(d.index[p]) != n {
				t.Fatalf("%s=%s names %d entries, want %d", p.typ.name(), p.norm, len(d.index[p]), n)
			}
		}
	})
}

// drawUpdate carries out one random update, which may be refused.
func drawUpdate(t *rapid.T, d *Directory) {
	uid := rapid.SampledFrom([]string{"ada.lindqvist", "bruno.okafor", "mei.chen", "farid.haddad", "new", "other"})
	name := func() string {
		return rapid.SampledFrom([]string{personDN(uid.Draw(t, "uid")), "cn=Leadership,ou=groups," + DefaultSuffix, "ou=people," + DefaultSuffix, "ou=inner," + DefaultSuffix}).Draw(t, "name")
	}
	parse := func(text string) dn {
		parsed, err := d.schema.parseDN(text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		if e, err := d.newEntry(person(uid.Draw(t, "uid"), Attribute{"manager", []string{name()}}), false); err == nil {
			_, _ = d.add(e, dn{}, controls{})
		}
	case 1:
		if e, err := d.newEntry(Entry{"ou=inner," + DefaultSuffix, []Attribute{{"objectClass", []string{"organizationalUnit"}}}}, false); err == nil {
			_, _ = d.add(e, dn{}, controls{})
		}
	case 2:
		_, _ = d.delete(parse(name()), controls{})
	case 3:
		attr := rapid.SampledFrom([]string{"member", "manager", "mail", "uid", "cn"}).Draw(t, "attribute")
		value := name()
		if attr == "mail" || attr == "uid" || attr == "cn" {
			value = fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "value"))
		}
		if ch, err := d.newChange(rapid.IntRange(0, 2).Draw(t, "operation"), Attribute{attr, []string{value}}); err == nil {
			_, _, _ = d.modify(parse(name()), []change{ch}, dn{}, controls{})
		}
	case 4:
		var below *dn
		if rapid.Bool().Draw(t, "move") {
			above := parse(name())
			below = &above
		}
		to := rapid.SampledFrom([]string{"uid=new", "uid=other", "UID=New", "cn=x+uid=y", "ou=x", "cn=leadership"}).Draw(t, "to")
		_, _, _ = d.rename(parse(name()), parse(to).rdns[0], rapid.Bool().Draw(t, "delete old"), below, dn{}, controls{})
	}
}
