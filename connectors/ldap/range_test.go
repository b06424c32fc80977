package ldap

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"postern/connectors"
)

// TestRanges reads a group from a server that gives 1,500 members at a time, as
// Active Directory does and Samba does not.
func TestRanges(t *testing.T) {
	const members, step = 1700, 600
	group := guidOf(9999)
	name := "CN=g,ou=groups,dc=x"
	var server *fakeServer
	server = fake(t, func(r fakeRequest) []byte {
		if answer := selfDescription(r, samba); answer != nil {
			return answer
		}
		if strings.EqualFold(r.base, "ou=people,dc=x") { // who the members are
			return resolved(r, members)
		}
		if r.base == "ou=groups,dc=x" {
			return message(r.id, result(0x65, 0))
		}
		first := 0
		for _, a := range r.attrs {
			if option, ok := strings.CutPrefix(a, "member;range="); ok {
				fmt.Sscanf(option, "%d-*", &first)
			}
		}
		last := min(first+step, members)
		option := fmt.Sprintf("member;range=%d-%d", first, last-1)
		if last == members {
			option = fmt.Sprintf("member;range=%d-*", first)
		}
		var dns []string
		for n := first; n < last; n++ {
			dns = append(dns, fmt.Sprintf("CN=u%d,ou=people,dc=x", n))
		}
		return found(r, name, map[string][]string{"objectGUID": {group}, "cn": {"g"}, "member": nil, option: dns})
	})
	d := openFake(t, server.url)
	g, _ := d.Collection("Group")
	e, err := g.Get(t.Context(), connectors.Anchor(group), []connectors.Attr{"cn", "member"})
	if err != nil {
		t.Fatal(err)
	}
	f := e.Field("member")
	if f.Partial || len(f.Refs) != members {
		t.Fatalf("%d of %d members, partial %v", len(f.Refs), members, f.Partial)
	}
	for n, r := range f.Refs {
		if r != (connectors.Target{Collection: "User", Anchor: connectors.Anchor(guidOf(n))}) {
			t.Fatalf("member %d is %x", n, string(r.Anchor))
		}
	}
	before := server.count(opSearch)
	if _, err := g.Get(t.Context(), connectors.Anchor(group), []connectors.Attr{"member"}); err != nil {
		t.Fatal(err)
	}
	if n := server.count(opSearch) - before; n != 3 {
		t.Errorf("the second time it takes %d searches, want 3, one for each range", n)
	}
}

// resolved answers a search for members by their names: here all there are,
// whatever the filter, which the connector must bear.
func resolved(r fakeRequest, n int) []byte {
	var out []byte
	for i := range n {
		one := found(r, fmt.Sprintf("CN=u%d,ou=people,dc=x", i), map[string][]string{"objectGUID": {guidOf(i)}})
		end := len(message(r.id, result(0x65, 0)))
		out = append(out, one[:len(one)-end]...)
	}
	return append(out, message(r.id, result(0x65, 0))...)
}

func TestAttributeNames(t *testing.T) {
	d := &decoder{
		c:    &collection{anchor: anchorField{"objectGUID", anchorBytes}},
		f:    &facts{schema: &schema{primary: map[string]string{"surname": "sn", "commonname": "cn"}}},
		want: []connectors.Attr{"surname", "MAIL", "userCertificate;binary", "cn"},
	}
	tests := []struct {
		name string
		want connectors.Attr
		next int
	}{
		{"sn", "surname", 0},
		{"SN", "surname", 0},
		{"mail", "MAIL", 0},
		{"userCertificate;binary", "userCertificate;binary", 0},
		{"userCertificate", "", 0},
		{"cn;lang-de", "", 0},
		{"commonName", "cn", 0},
		{"other", "", 0},
		{"mail;range=0-1499", "MAIL", 1500},
		{"mail;Range=1500-*", "MAIL", 0},
		{"surname;range=0-9", "surname", 10},
		{"mail;range=x", "", 0},
		{"mail;range=0--5", "", 0},
		{"objectGUID", "", 0},
		{"mail;range=1500-*", "MAIL", 0},
		{"other;range=0-1", "", 0},
	}
	for _, tc := range tests {
		if got, next := d.wanted(tc.name); got != tc.want || next != tc.next {
			t.Errorf("%q is %q from %d on, want %q from %d on", tc.name, got, next, tc.want, tc.next)
		}
	}
	if hex.EncodeToString([]byte(guidOf(258))) != "00000000000000000000000000000102" {
		t.Error("the fake GUIDs are not what they should be")
	}
}
