package ldap

import (
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"

	"postern/connectors"
)

func testWriter() *filterWriter {
	return &filterWriter{
		facts:  &facts{dialect: dialect{conds: connectors.AllConds}},
		anchor: anchorField{"entryUUID", anchorUUID},
		places: map[connectors.Target]place{
			{Collection: "User", Anchor: "1"}:  {dn: `cn=a\,b,dc=c`},
			{Collection: "Group", Anchor: "2"}: {dn: "cn=g", sid: "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00"},
		},
		memberOf: "memberOf",
	}
}

const testAnchor = connectors.Anchor("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef")

func TestFilter(t *testing.T) {
	const nothing, everything = "(!(objectClass=*))", "(objectClass=*)"
	mail := func(v connectors.Value) connectors.Cond { return connectors.Equal{Attr: "mail", Value: v} }
	tests := []struct {
		cond connectors.Cond
		want string // as RFC 4515 writes it
	}{
		{nil, everything},
		{connectors.All{}, everything},
		{connectors.And{}, everything},
		{connectors.Or{}, nothing},
		{mail("a"), "(mail=a)"},
		{mail("*"), `(mail=\2a)`},
		{mail(`a)(b=*\`), `(mail=a\29\28b=\2a\5c)`},
		{mail("\x00é"), `(mail=\00é)`},
		{mail(""), nothing},
		{connectors.Not{Cond: mail("")}, "(!" + nothing + ")"},
		{connectors.Present{Attr: "mail"}, "(mail=*)"},
		{connectors.AtLeast{Attr: "n", Value: "1"}, "(n>=1)"},
		{connectors.AtMost{Attr: "n", Value: "1"}, "(n<=1)"},
		{connectors.Substring{Attr: "cn", Initial: "a*", Any: []connectors.Value{"", "b"}, Final: "c"}, `(cn=a\2a*b*c)`},
		{connectors.Substring{Attr: "cn", Final: "c"}, `(cn=*c)`},
		{connectors.Substring{Attr: "cn", Any: []connectors.Value{""}}, `(cn=*)`},
		{connectors.Bits{Attr: "userAccountControl", Mask: 2}, "(userAccountControl:1.2.840.113556.1.4.803:=2)"},
		{connectors.And{mail("a"), mail("b")}, "(&(mail=a)(mail=b))"},
		// Negations go inward.
		{connectors.Not{Cond: connectors.And{mail("a"), connectors.Not{Cond: mail("b")}}}, "(|(!(mail=a))(mail=b))"},
		{connectors.Not{Cond: connectors.Or{mail("a"), connectors.All{}}}, "(&(!(mail=a))(!(objectClass=*)))"},
		{connectors.Not{Cond: connectors.And{}}, nothing},
		{connectors.Not{Cond: connectors.Or{}}, everything},
		{connectors.RefTo{Attr: "member", Target: connectors.Target{Collection: "User", Anchor: "1"}}, `(member=cn=a\5c,b,dc=c)`},
		{connectors.RefTo{Attr: "member", Target: connectors.Target{Collection: "User", Anchor: "2"}}, nothing},
		{connectors.RefTo{Attr: "memberOf", Target: connectors.Target{Collection: "Group", Anchor: "2"}}, `(|(memberOf=cn=g)(primaryGroupID=544))`},
		{connectors.RefTo{Attr: "memberOf", Target: connectors.Target{Collection: "User", Anchor: "1"}}, `(memberOf=cn=a\5c,b,dc=c)`},
		{connectors.AnchorIn{}, nothing},
		{connectors.AnchorIn{testAnchor}, "(|(entryUUID=01234567-89ab-cdef-0123-456789abcdef))"},
		{connectors.AnchorIn{"no anchor"}, "(|" + nothing + ")"},
		{connectors.Not{Cond: connectors.AnchorIn{testAnchor}}, "(&(!(entryUUID=01234567-89ab-cdef-0123-456789abcdef)))"},
	}
	for _, tc := range tests {
		b, err := testWriter().append(nil, tc.cond)
		if err != nil {
			t.Errorf("%v: %v", tc.cond, err)
			continue
		}
		want, err := goldap.CompileFilter(tc.want)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != string(want.Bytes()) {
			got := ber.DecodePacket(b)
			text, _ := goldap.DecompileFilter(got)
			t.Errorf("%v: %x (%s), want %x (%s)", tc.cond, b, text, want.Bytes(), tc.want)
		}
	}
}

func TestFilterUndeclared(t *testing.T) {
	w := testWriter()
	w.facts.conds &^= connectors.CondBits
	_, err := w.append(nil, connectors.Not{Cond: connectors.And{connectors.Bits{Attr: "a", Mask: 1}}})
	if connectors.KindOf(err) != connectors.Unsupported {
		t.Errorf("got %v", err)
	}
}

// TestFilterValues holds that a value of any bytes reaches the server as that
// value of that attribute, as another decoder sees it.
func TestFilterValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := string(rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "value"))
		b, err := testWriter().append(nil, connectors.Or{connectors.Equal{Attr: "cn", Value: connectors.Value(v)}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := ber.DecodePacketErr(b)
		if err != nil || len(p.Children) != 1 || len(p.Children[0].Children) != 2 || p.Children[0].Children[1].Data.String() != v {
			t.Fatalf("%x: %v", b, err)
		}
	})
}

// FuzzCompileFilter: an administrator's filter never panics, and is well-formed
// if it is accepted.
func FuzzCompileFilter(f *testing.F) {
	f.Add("(&(objectClass=person)(!(cn=a*b)))")
	f.Add(`(cn:caseExactMatch:=\28)`)
	f.Fuzz(func(t *testing.T, s string) {
		b, err := compileFilter(s)
		if err != nil {
			return
		}
		if _, err := ber.DecodePacketErr(b); err != nil {
			t.Errorf("%q becomes %x: %v", s, b, err)
		}
	})
}
