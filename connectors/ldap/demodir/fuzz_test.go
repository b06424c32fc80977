package demodir

import (
	"bufio"
	"bytes"
	"net"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// discard is a connection that takes everything and gives nothing.
type discard struct{ net.Conn }

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }

// FuzzMessage gives a session any octets for messages: it must not panic, and
// what it leaves of the directory must keep to the schema.
func FuzzMessage(f *testing.F) {
	compiled, err := ldap.CompileFilter("(&(|(uid=a*b*c)(!(sn>=x)))(cn:dn:caseExactMatch:=y)(mail=*))")
	if err != nil {
		f.Fatal(err)
	}
	assertion := controlPacket(controlAssertion, true, compiled)
	read := controlPacket(controlPostRead, false, strs("*", "+"))
	page := controlPacket(controlPaged, true, seq(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, ""), octets("")))
	deref := controlPacket(controlDereference, true, seq(seq(octets("member"), strs("uid", "memberOf"))))
	for _, p := range []*ber.Packet{
		envelope(1, bindPacket(rootDN, rootPassword)),
		envelope(2, searchPacket(DefaultSuffix, 2, true, compiled, "*", "+", "1.1", "memberOf"), page, deref),
		envelope(3, addPacket(person("x", Attribute{"manager", []string{personDN("mei.chen")}})), read),
		envelope(4, modifyPacket(personDN("mei.chen"), 2, "objectClass", "person"), assertion, read),
		envelope(5, modifyDNPacket("ou=people,"+DefaultSuffix, `ou=x\,y+cn=z`, true), read),
		envelope(6, deletePacket(personDN("mei.chen")), controlPacket(controlPreRead, true, strs("+"))),
		envelope(7, comparePacket(personDN("mei.chen"), "sn", "chen")),
		envelope(8, extendedPacket(extensionPasswordModify, seq(text(0, ber.ClassContext, personDN("mei.chen")), text(2, ber.ClassContext, "new")))),
		envelope(9, text(16, ber.ClassApplication, "\x02")),
		envelope(10, extendedPacket(extensionStartTLS, nil)),
	} {
		f.Add(p.Bytes())
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		d := New(Options{})
		if err := d.Load(Company()); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(bytes.NewReader(octets))
		s := &session{server: &server{directory: d, root: d.describeRoot(false)}, directory: d, conn: discard{}, in: in, streams: map[int]*stream{}}
		_ = s.serve()
		s.wait()
		for _, n := range d.byDN {
			if err := d.schema.check(n.entry); err != nil {
				t.Fatalf("%q: %v", n.entry.dn.text, err)
			}
			for i := range n.entry.attrs {
				if _, err := d.schema.values(n.entry.attrs[i].typ, n.entry.attrs[i].values); err != nil {
					t.Fatalf("%q: %v", n.entry.dn.text, err)
				}
			}
		}
	})
}

// FuzzFilter evaluates any filter: it must not panic, its negation is its
// opposite, and the indices find nothing less than a look at every entry.
func FuzzFilter(f *testing.F) {
	for _, filter := range []string{
		"(&)", "(|)", "(!(nope=x))", "(sn=*a*b*)", "(uid=mei.chen)", "(|(entryDN=" + DefaultSuffix + ")(memberOf=cn=Leadership,ou=groups," + DefaultSuffix + "))",
		"(createTimestamp>=20200101000000.5+0130)", "(entryCSN<=x)", "(cn:dn:2.5.13.5:=x)", "(uidNumber:1.2.840.113556.1.4.803:=3)", `(cn~=\c3\98\20\20)`,
	} {
		p, err := ldap.CompileFilter(filter)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.Bytes())
	}
	d := New(Options{})
	if err := d.Load(Company()); err != nil {
		f.Fatal(err)
	}
	base := d.byDN[d.suffix.norm]
	f.Fuzz(func(t *testing.T, octets []byte) {
		parsed, err := vocabulary{d.schema, true}.read(&decoder{octets}, 1)
		if err != nil {
			return
		}
		found := map[*node]bool{}
		for _, n := range d.inScope(&query{scope: scopeSub, filter: parsed}, base) {
			found[n] = true
		}
		for _, n := range base.subtree(nil) {
			holds := parsed.matches(d, n)
			if (not{parsed}).matches(d, n) != yes-holds {
				t.Fatalf("%q: %d and its negation %d", n.entry.dn.text, holds, not{parsed}.matches(d, n))
			}
			if holds == yes && !found[n] {
				t.Fatalf("%q is not among the candidates", n.entry.dn.text)
			}
		}
	})
}

// FuzzDN parses any name: printed and parsed again it is the same, in the form
// that is shown as in the normal one.
func FuzzDN(f *testing.F) {
	for _, name := range []string{DefaultSuffix, `CN = a\,b + UID=\20 x\20,dc=x`, `cn=\#a\0d\c3\98`, "2.5.4.3=#040178", `cn=a\\ ,dc=b`, "member=cn\\=x\\,dc\\=y,o=z"} {
		f.Add(name)
	}
	s := newSchema()
	f.Fuzz(func(t *testing.T, name string) {
		first, err := s.parseDN(name)
		if err != nil {
			return
		}
		shown, err := s.parseDN(first.text)
		if err != nil || shown.text != first.text || shown.norm != first.norm {
			t.Fatalf("%q is shown as %q, which is %q, %v", name, first.text, shown.text, err)
		}
		// A normal form need not have the length that a syntax asks for.
		if normal, err := s.parseDN(first.norm); err == nil && normal.norm != first.norm {
			t.Fatalf("%q has the normal form %q, which has %q", name, first.norm, normal.norm)
		}
	})
}
