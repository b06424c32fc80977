package demodir

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestScopesAndLimits(t *testing.T) {
	_, c := startOpen(t)
	for _, test := range []struct {
		base  string
		scope int
		limit int
		want  int
		code  code
	}{
		{DefaultSuffix, ldap.ScopeBaseObject, 0, 1, success},
		{DefaultSuffix, ldap.ScopeSingleLevel, 0, 2, success},
		{DefaultSuffix, ldap.ScopeWholeSubtree, 0, 34, success},
		{"OU=People , dc=EXAMPLE,dc=com", ldap.ScopeSingleLevel, 0, 25, success},
		{"OU=People , dc=EXAMPLE,dc=com", ldap.ScopeWholeSubtree, 0, 26, success},
		{DefaultSuffix, ldap.ScopeWholeSubtree, 10, 10, sizeLimitExceeded},
		{DefaultSuffix, ldap.ScopeWholeSubtree, 34, 34, success},
		{"ou=nowhere," + DefaultSuffix, ldap.ScopeWholeSubtree, 0, 0, noSuchObject},
		{"", ldap.ScopeWholeSubtree, 0, 0, noSuchObject},
		{"", ldap.ScopeBaseObject, 0, 1, success},
		{"cn=subschema", ldap.ScopeBaseObject, 0, 1, success},
		{"nonsense", ldap.ScopeBaseObject, 0, 0, invalidDNSyntax},
	} {
		request := search(test.base, test.scope, "(objectClass=*)", "1.1")
		request.SizeLimit = test.limit
		found, err := c.Search(request)
		wantCode(t, fmt.Sprintf("%q scope %d", test.base, test.scope), err, test.code)
		if found != nil && len(found.Entries) != test.want {
			t.Errorf("%q scope %d limit %d: %d entries, want %d", test.base, test.scope, test.limit, len(found.Entries), test.want)
		}
	}
}

// TestPages walks by pages of many sizes: each entry comes once.
func TestPages(t *testing.T) {
	_, c := startOpen(t)
	want, err := c.Search(search(DefaultSuffix, ldap.ScopeWholeSubtree, "(objectClass=*)", "1.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, filter := range []string{"(objectClass=*)", "(|(uid=ada.lindqvist)(uid=mei.chen)(uid=bruno.okafor))"} {
		for _, size := range []uint32{1, 2, 3, 17, 33, 34, 35, 1000} {
			paged, err := c.SearchWithPaging(search(DefaultSuffix, ldap.ScopeWholeSubtree, filter, "1.1"), size)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range paged.Entries {
				names = append(names, e.DN)
			}
			slices.Sort(names)
			wanted := 3
			if filter == "(objectClass=*)" {
				wanted = len(want.Entries)
			}
			if len(names) != wanted || len(slices.Compact(names)) != wanted {
				t.Errorf("%s by %d: %d entries, want %d", filter, size, len(names), wanted)
			}
		}
	}
}

// nextPage asks for a page and returns the names on it and the next cookie.
func nextPage(c *ldap.Conn, filter string, size uint32, cookie []byte) ([]string, []byte, error) {
	paging := ldap.NewControlPaging(size)
	paging.SetCookie(cookie)
	request := search("ou=people,"+DefaultSuffix, ldap.ScopeSingleLevel, filter, "uid")
	request.Controls = []ldap.Control{paging}
	found, err := c.Search(request)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, e := range found.Entries {
		names = append(names, e.GetAttributeValue("uid"))
	}
	control, _ := ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if control == nil {
		return names, nil, fmt.Errorf("no paged results control")
	}
	return names, control.Cookie, nil
}

// TestCookies holds a cookie to its connection, its search and its turn.
func TestCookies(t *testing.T) {
	_, addr := start(t, Options{}, nil)
	c, another := dial(t, addr), dial(t, addr)
	const everyone = "(uid=*)"
	_, first, err := nextPage(c, everyone, 10, nil)
	if err != nil || len(first) == 0 {
		t.Fatalf("first page: %v", err)
	}
	_, _, err = nextPage(another, everyone, 10, first)
	wantCode(t, "on another connection", err, protocolError)
	if _, err = c.Search(search(DefaultSuffix, ldap.ScopeWholeSubtree, "(uid=*)")); err != nil {
		t.Fatal(err)
	}
	page, second, err := nextPage(c, everyone, 10, first)
	if err != nil || len(page) != 10 {
		t.Fatalf("second page: %q, %v", page, err)
	}
	_, _, err = nextPage(c, everyone, 10, first)
	wantCode(t, "a second time", err, unwillingToPerform)
	page, end, err := nextPage(c, everyone, 10, second)
	if err != nil || len(page) != 5 || len(end) != 0 {
		t.Fatalf("last page: %q, cookie %q, %v", page, end, err)
	}

	_, first, _ = nextPage(c, everyone, 10, nil)
	_, _, err = nextPage(c, "(sn=*)", 10, first)
	wantCode(t, "with another search", err, unwillingToPerform)
	_, first, _ = nextPage(c, everyone, 10, nil)
	_, other, _ := nextPage(c, "(sn=*)", 10, nil)
	_, _, err = nextPage(c, everyone, 10, first)
	wantCode(t, "after another search by pages began", err, unwillingToPerform)
	if page, end, err := nextPage(c, "(sn=*)", 0, other); err != nil || len(page) != 0 || len(end) != 0 {
		t.Errorf("giving up: %q, cookie %q, %v", page, end, err)
	}
	_, _, err = nextPage(c, "(sn=*)", 10, other)
	wantCode(t, "after giving up", err, protocolError)
}

// TestSizeLimitOverPages counts the limit of a search over all its pages.
func TestSizeLimitOverPages(t *testing.T) {
	_, c := startOpen(t)
	request := search("ou=people,"+DefaultSuffix, ldap.ScopeSingleLevel, "(uid=*)", "uid")
	request.SizeLimit = 12
	paging := ldap.NewControlPaging(10)
	request.Controls = []ldap.Control{paging}
	first, err := c.Search(request)
	if err != nil || len(first.Entries) != 10 {
		t.Fatalf("first page: %v, %v", first, err)
	}
	paging.SetCookie(ldap.FindControl(first.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie)
	second, err := c.Search(request)
	wantCode(t, "second page", err, sizeLimitExceeded)
	if len(second.Entries) != 2 {
		t.Errorf("%d entries on the second page, want 2", len(second.Entries))
	}
}

// TestPagesWhileWriting deletes and renames what a later page would show.
func TestPagesWhileWriting(t *testing.T) {
	_, addr := start(t, Options{}, nil)
	c, writer := dial(t, addr), dial(t, addr)
	seen, cookie, err := nextPage(c, "(uid=*)", 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, uid := range []string{seen[0], "xavier.roux", "yara.silva"} {
		wantCode(t, "delete", writer.Del(ldap.NewDelRequest(personDN(uid), nil)), success)
	}
	wantCode(t, "rename", writer.ModifyDN(ldap.NewModifyDNRequest(personDN("wanda.nowak"), "uid=wanda", true, "")), success)
	for len(cookie) > 0 {
		var page []string
		if page, cookie, err = nextPage(c, "(uid=*)", 5, cookie); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, page...)
	}
	slices.Sort(seen)
	if len(seen) != 23 || len(slices.Compact(seen)) != 23 || !slices.Contains(seen, "wanda") {
		t.Errorf("saw %q", seen)
	}
}

func TestRootDSE(t *testing.T) {
	_, c := startOpen(t)
	if plain := read(t, c, ""); len(plain.Attributes) != 1 || plain.GetAttributeValue("objectClass") == "" {
		t.Errorf("user attributes are %v", plain.Attributes)
	}
	root := read(t, c, "", "*", "+")
	for name, want := range map[string]string{
		"objectClass":          "OpenLDAProotDSE",
		"namingContexts":       DefaultSuffix,
		"subschemaSubentry":    "cn=Subschema",
		"supportedLDAPVersion": "3",
		"vendorName":           "Postern demo directory",
		"supportedControl":     controlAssertion,
		"supportedExtension":   extensionWhoAmI,
	} {
		if !slices.Contains(root.GetAttributeValues(name), want) {
			t.Errorf("%s is %q, want %q among them", name, root.GetAttributeValues(name), want)
		}
	}
	if slices.Contains(root.GetAttributeValues("supportedExtension"), extensionStartTLS) {
		t.Error("StartTLS is offered without a certificate")
	}
	schema := read(t, c, "cn=Subschema", "attributeTypes", "objectClasses", "matchingRules", "ldapSyntaxes")
	const want = "( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )"
	if !slices.Contains(schema.GetAttributeValues("attributeTypes"), want) {
		t.Errorf("no %s", want)
	}
	if one := schema.GetAttributeValues("objectClasses"); !slices.Contains(one, "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( seeAlso $ description $ userPassword $ telephoneNumber ) )") {
		t.Errorf("object classes are %q", one)
	}
}

// TestControls looks at what the answers of updates carry.
func TestControls(t *testing.T) {
	_, addr := start(t, Options{BindDN: rootDN, BindPassword: rootPassword}, nil)
	c := bound(t, addr)
	people := "ou=people," + DefaultSuffix
	post := controlPacket(controlPostRead, true, strs("description"))
	pre := controlPacket(controlPreRead, true, strs("description"))
	asserting := func(filter string) []*rawPacket {
		return []*rawPacket{controlPacket(controlAssertion, true, filterPacket(t, filter))}
	}
	name := personDN("x")
	for _, test := range []struct {
		what string
		op   *rawPacket
		with []*rawPacket
		want string
	}{
		{"add", addPacket(person("x", Attribute{"description", []string{"one"}})), []*rawPacket{post},
			`tag 9 code 0 "" control 1.3.6.1.1.13.2 64{04:"uid=x,ou=people,dc=example,dc=com" 30{30{04:"description" 31{04:"one"}}}}`},
		{"modify", modifyPacket(name, 2, "description", "two"), []*rawPacket{pre, post},
			`tag 7 code 0 "" control 1.3.6.1.1.13.1 64{04:"uid=x,ou=people,dc=example,dc=com" 30{30{04:"description" 31{04:"one"}}}}` +
				` control 1.3.6.1.1.13.2 64{04:"uid=x,ou=people,dc=example,dc=com" 30{30{04:"description" 31{04:"two"}}}}`},
		{"modify, stale", modifyPacket(name, 2, "description", "three"), asserting("(description=one)"), `tag 7 code 122 ""`},
		{"modify, undefined", modifyPacket(name, 2, "description", "three"), asserting("(!(nope=one))"), `tag 7 code 122 ""`},
		{"modify, true", modifyPacket(name, 2, "description", "three"), asserting("(description=TWO)"), `tag 7 code 0 ""`},
		{"rename", modifyDNPacket(name, "uid=y", true), []*rawPacket{post},
			`tag 13 code 0 "" control 1.3.6.1.1.13.2 64{04:"uid=y,ou=people,dc=example,dc=com" 30{30{04:"description" 31{04:"three"}}}}`},
		{"delete, stale", deletePacket("uid=y," + people), asserting("(uid=x)"), `tag 11 code 122 ""`},
		{"delete", deletePacket("uid=y," + people), []*rawPacket{pre},
			`tag 11 code 0 "" control 1.3.6.1.1.13.1 64{04:"uid=y,ou=people,dc=example,dc=com" 30{30{04:"description" 31{04:"three"}}}}`},
		{"add, unknown", addPacket(person("x")), []*rawPacket{controlPacket("1.2.3", true, nil)}, `tag 9 code 12 ""`},
		{"add, unknown but not critical", addPacket(person("x")), []*rawPacket{controlPacket("1.2.3", false, nil)}, `tag 9 code 0 ""`},
		{"delete, not for it", deletePacket(name), []*rawPacket{post}, `tag 11 code 12 ""`},
		{"search, dereference", searchPacket("cn=Leadership,ou=groups,"+DefaultSuffix, 0, false, filterPacket(t, "(member=*)"), "1.1"),
			[]*rawPacket{controlPacket(controlDereference, true, seq(seq(octets("member"), strs("sn"))))},
			`entry 64{04:"cn=Leadership,ou=groups,dc=example,dc=com" 30{}} control 1.3.6.1.4.1.4203.666.5.16 30{` +
				`30{04:"member" 04:"uid=ada.lindqvist,ou=people,dc=example,dc=com" a0{30{04:"sn" 31{04:"Lindqvist"}}}} ` +
				`30{04:"member" 04:"uid=bruno.okafor,ou=people,dc=example,dc=com" a0{30{04:"sn" 31{04:"Okafor"}}}} ` +
				`30{04:"member" 04:"uid=chiara.moretti,ou=people,dc=example,dc=com" a0{30{04:"sn" 31{04:"Moretti"}}}} ` +
				`30{04:"member" 04:"uid=dmitri.volkov,ou=people,dc=example,dc=com" a0{30{04:"sn" 31{04:"Volkov"}}}} ` +
				`30{04:"member" 04:"uid=elena.ruiz,ou=people,dc=example,dc=com" a0{30{04:"sn" 31{04:"Ruiz"}}}}}; tag 5 code 0 ""`},
	} {
		if got := strings.Join(c.ask(test.op, test.with...), "; "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.what, got, test.want)
		}
	}
}
