package demodir

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

func TestAdd(t *testing.T) {
	_, c := startOpen(t)
	for _, test := range []struct {
		what  string
		entry Entry
		want  code
	}{
		{"a person", person("new1"), success},
		{"the same again", person("new1"), entryAlreadyExists},
		{"the same in capitals", person("NEW1"), entryAlreadyExists},
		{"an unknown attribute", person("new2", Attribute{"nope", []string{"x"}}), undefinedAttributeType},
		{"an attribute that the class does not allow", person("new2", Attribute{"dc", []string{"x"}}), objectClassViolation},
		{"an empty value", person("new2", Attribute{"description", []string{""}}), invalidAttributeSyntax},
		{"equal values", person("new2", Attribute{"description", []string{"a b", "A  b"}}), attributeOrValueExists},
		{"two values of a single-valued attribute", person("new2", Attribute{"displayName", []string{"a", "b"}}), constraintViolation},
		{"an attribute of the directory's own", person("new2", Attribute{"entryUUID", []string{"11111111-1111-4111-8111-111111111111"}}), constraintViolation},
		{"no parent", Entry{"uid=x,ou=nowhere," + DefaultSuffix, person("x").Attributes}, noSuchObject},
		{"another suffix", Entry{"uid=x,dc=elsewhere", person("x").Attributes}, unwillingToPerform},
		{"a bad name", Entry{"nonsense", person("x").Attributes}, invalidDNSyntax},
		{"no object class", Entry{personDN("x"), person("x").Attributes[1:]}, objectClassViolation},
		{"no sn", Entry{personDN("x"), person("x").Attributes[:3]}, objectClassViolation},
		{"another RDN value", Entry{personDN("y"), person("x").Attributes}, namingViolation},
		{"a group without members", Entry{"cn=g,ou=groups," + DefaultSuffix, []Attribute{{"objectClass", []string{"groupOfNames"}}, {"cn", []string{"g"}}}}, objectClassViolation},
	} {
		wantCode(t, test.what, c.Add(addRequest(test.entry)), test.want)
	}
}

func TestAddedEntry(t *testing.T) {
	d := New(Options{Now: func() time.Time { return time.Date(2026, 7, 15, 12, 0, 0, 123456789, time.UTC) }})
	if err := d.Load(Company()[:3]); err != nil {
		t.Fatal(err)
	}
	if err := d.Load([]Entry{person("x", Attribute{"entryUUID", []string{"11111111-1111-4111-8111-111111111111"}})}); err != nil {
		t.Fatal(err)
	}
	c := dial(t, serve(t, d, nil))
	got := read(t, c, personDN("x"), "+")
	for name, want := range map[string]string{
		"entryUUID":             "11111111-1111-4111-8111-111111111111",
		"createTimestamp":       "20260715120000Z",
		"modifyTimestamp":       "20260715120000Z",
		"entryCSN":              "20260715120000.123456Z#000003#000#000000",
		"structuralObjectClass": "inetOrgPerson",
		"subschemaSubentry":     "cn=Subschema",
		"entryDN":               personDN("x"),
		"hasSubordinates":       "FALSE",
	} {
		if value := got.GetAttributeValue(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
	if len(got.GetAttributeValues("cn")) != 0 {
		t.Error("a user attribute came without being asked for")
	}
	if plain := read(t, c, personDN("x")); plain.GetAttributeValue("entryUUID") != "" || plain.GetAttributeValue("cn") != "New x" {
		t.Errorf("asking for nothing gives %v", plain.Attributes)
	}
}

// TestModify applies lists of changes to one entry, each to a fresh one, and
// wants a code and the values of description and title that are left.
func TestModify(t *testing.T) {
	_, c := startOpen(t)
	ch := func(operation uint, name string, values ...string) ldap.Change {
		return ldap.Change{Operation: operation, Modification: ldap.PartialAttribute{Type: name, Vals: values}}
	}
	plus := func(name string, values ...string) ldap.Change { return ch(ldap.AddAttribute, name, values...) }
	minus := func(name string, values ...string) ldap.Change { return ch(ldap.DeleteAttribute, name, values...) }
	set := func(name string, values ...string) ldap.Change { return ch(ldap.ReplaceAttribute, name, values...) }
	for _, test := range []struct {
		what    string
		changes []ldap.Change
		want    code
		left    string
	}{
		{"add", []ldap.Change{plus("description", "c")}, success, "a,b,c;t"},
		{"add what is there", []ldap.Change{set("title", "x"), plus("description", "A")}, attributeOrValueExists, "a,b;t"},
		{"delete a value by its rule", []ldap.Change{minus("description", "A")}, success, "b;t"},
		{"delete a value that is not there", []ldap.Change{set("title", "x"), minus("description", "z")}, noSuchAttribute, "a,b;t"},
		{"delete an attribute", []ldap.Change{minus("description")}, success, ";t"},
		{"delete an absent attribute", []ldap.Change{minus("pager")}, noSuchAttribute, "a,b;t"},
		{"replace", []ldap.Change{set("description", "z")}, success, "z;t"},
		{"replace with nothing", []ldap.Change{set("description"), set("pager")}, success, ";t"},
		{"delete old, add new", []ldap.Change{minus("description", "a"), plus("description", "z")}, success, "b,z;t"},
		{"the order counts", []ldap.Change{plus("description", "z"), minus("description", "Z", "a", "b")}, success, ";t"},
		{"a required attribute", []ldap.Change{set("title", "x"), minus("sn")}, objectClassViolation, "a,b;t"},
		{"the RDN", []ldap.Change{set("uid", "other")}, namingViolation, "a,b;t"},
		{"unknown attribute", []ldap.Change{set("title", "x"), set("nope", "x")}, undefinedAttributeType, "a,b;t"},
		{"the directory's own", []ldap.Change{set("entryCSN")}, constraintViolation, "a,b;t"},
		{"the version as a guard", []ldap.Change{set("title", "x"), minus("entryCSN", "20260715120000.123456Z#000003#000#000000")}, constraintViolation, "a,b;t"},
		{"second value of a single-valued attribute", []ldap.Change{plus("displayName", "x", "y")}, constraintViolation, "a,b;t"},
		{"another structural class", []ldap.Change{set("objectClass", "person")}, objectClassModsProhibited, "a,b;t"},
		{"no values to add", []ldap.Change{plus("description")}, protocolError, "a,b;t"},
	} {
		t.Run(test.what, func(t *testing.T) {
			if err := c.Add(addRequest(person("x", Attribute{"description", []string{"a", "b"}}, Attribute{"title", []string{"t"}}))); err != nil {
				t.Fatal(err)
			}
			defer func() { wantCode(t, "delete", c.Del(ldap.NewDelRequest(personDN("x"), nil)), success) }()
			before := read(t, c, personDN("x"), "entryCSN").GetAttributeValue("entryCSN")
			wantCode(t, "modify", c.Modify(&ldap.ModifyRequest{DN: personDN("x"), Changes: test.changes}), test.want)
			after := read(t, c, personDN("x"), "*", "entryCSN")
			if left := strings.Join(values(after, "description"), ",") + ";" + after.GetAttributeValue("title"); left != test.left {
				t.Errorf("left %q, want %q", left, test.left)
			}
			if version := after.GetAttributeValue("entryCSN"); version > before != (test.want == success) {
				t.Errorf("version went from %s to %s", before, version)
			}
		})
	}
}

// TestManyValues takes the ways that lists too long for looking at each value take.
func TestManyValues(t *testing.T) {
	d, c := startOpen(t)
	name := "cn=Engineering,ou=groups," + DefaultSuffix
	before := values(read(t, c, name, "member"), "member")
	var many []string
	for i := range 500 {
		many = append(many, personDN("p"+strings.Repeat("x", i)))
	}
	modify := func(operation uint, list ...string) error {
		return c.Modify(&ldap.ModifyRequest{DN: name, Changes: []ldap.Change{{Operation: operation, Modification: ldap.PartialAttribute{Type: "member", Vals: list}}}})
	}
	wantCode(t, "add", modify(ldap.AddAttribute, many...), success)
	wantCode(t, "add again", modify(ldap.AddAttribute, many[100:200]...), attributeOrValueExists)
	wantCode(t, "add twice", modify(ldap.ReplaceAttribute, append(slices.Clone(many), many[7])...), attributeOrValueExists)
	if got := len(values(read(t, c, name, "member"), "member")); got != 500+len(before) {
		t.Errorf("%d members, want %d", got, 500+len(before))
	}
	if groups, _ := d.indexed(d.schema.member, strings.ToLower(many[250])); len(groups) != 1 {
		t.Errorf("the index names %d groups of a member in the middle", len(groups))
	}
	wantCode(t, "delete", modify(ldap.DeleteAttribute, many...), success)
	wantCode(t, "delete again", modify(ldap.DeleteAttribute, many...), noSuchAttribute)
	if got := values(read(t, c, name, "member"), "member"); !slices.Equal(got, before) {
		t.Errorf("members %q, want %q", got, before)
	}
	if groups, _ := d.indexed(d.schema.member, strings.ToLower(many[250])); len(groups) != 0 {
		t.Errorf("the index still names %d groups", len(groups))
	}
}

func TestUnique(t *testing.T) {
	_, addr := start(t, Options{Unique: []string{"mail", "uid"}}, nil)
	c := dial(t, addr)
	mail := func(address string) Attribute { return Attribute{"mail", []string{address}} }
	wantCode(t, "a mail address that is taken", c.Add(addRequest(person("x", mail("ADA.lindqvist@example.com")))), constraintViolation)
	wantCode(t, "another", c.Add(addRequest(person("x", mail("x@example.com")))), success)
	change := ldap.NewModifyRequest(personDN("x"), nil)
	change.Replace("mail", []string{"ada.lindqvist@example.com"})
	wantCode(t, "modify to one that is taken", c.Modify(change), constraintViolation)
	change = ldap.NewModifyRequest(personDN("x"), nil)
	change.Replace("mail", []string{"X@example.com"})
	wantCode(t, "modify to its own", c.Modify(change), success)
	wantCode(t, "rename to one that is taken", c.ModifyDN(ldap.NewModifyDNRequest(personDN("x"), "uid=mei.chen", true, "ou=groups,"+DefaultSuffix)), constraintViolation)
}

func TestRename(t *testing.T) {
	_, c := startOpen(t)
	id := read(t, c, personDN("bruno.okafor"), "entryUUID").GetAttributeValue("entryUUID")
	engineering := "cn=Engineering,ou=groups," + DefaultSuffix
	version := read(t, c, engineering, "entryCSN").GetAttributeValue("entryCSN")

	wantCode(t, "to a name that is taken", c.ModifyDN(ldap.NewModifyDNRequest(personDN("bruno.okafor"), "uid=Mei.Chen", true, "")), entryAlreadyExists)
	wantCode(t, "rename", c.ModifyDN(ldap.NewModifyDNRequest(personDN("bruno.okafor"), `uid=bruno\, x`, true, "")), success)
	renamed := `uid=bruno\2C x,ou=people,` + DefaultSuffix
	got := read(t, c, `uid=BRUNO\, X,ou=people,`+DefaultSuffix, "uid", "entryUUID", "entryDN")
	if got == nil || got.DN != renamed || !slices.Equal(values(got, "uid"), []string{"bruno, x"}) || got.GetAttributeValue("entryUUID") != id {
		t.Fatalf("after the rename: %+v", got)
	}
	if read(t, c, personDN("bruno.okafor")) != nil {
		t.Error("the old name still finds the entry")
	}
	if manager := read(t, c, personDN("hugo.tanaka"), "manager").GetAttributeValue("manager"); manager != renamed {
		t.Errorf("manager is %q", manager)
	}
	group := read(t, c, engineering, "member", "entryCSN")
	if !slices.Contains(values(group, "member"), renamed) || group.GetAttributeValue("entryCSN") <= version {
		t.Errorf("the group did not follow: %v", group.Attributes)
	}
	if got := uids(t, c, `(memberOf=cn=engineering,ou=groups,dc=example,dc=com)`); !slices.Contains(got, "bruno, x") {
		t.Errorf("memberOf finds %q", got)
	}

	wantCode(t, "keep the old RDN", c.ModifyDN(ldap.NewModifyDNRequest(renamed, "uid=b", false, "")), success)
	if got := values(read(t, c, personDN("b"), "uid"), "uid"); !slices.Equal(got, []string{"b", "bruno, x"}) {
		t.Errorf("uid is %q", got)
	}

	wantCode(t, "move below itself", c.ModifyDN(ldap.NewModifyDNRequest("ou=people,"+DefaultSuffix, "ou=people", true, personDN("b"))), unwillingToPerform)
	wantCode(t, "move the container", c.ModifyDN(ldap.NewModifyDNRequest("ou=people,"+DefaultSuffix, "ou=staff", true, "ou=groups,"+DefaultSuffix)), success)
	if read(t, c, "uid=b,ou=staff,ou=groups,"+DefaultSuffix) == nil {
		t.Error("the entries below did not follow")
	}
	for _, member := range values(read(t, c, engineering, "member"), "member") {
		if !strings.HasSuffix(member, ",ou=staff,ou=groups,"+DefaultSuffix) || read(t, c, member) == nil {
			t.Errorf("member %q did not follow", member)
		}
	}
	found, err := c.Search(search("ou=groups,"+DefaultSuffix, ldap.ScopeSingleLevel, "(objectClass=organizationalUnit)", "ou"))
	if err != nil || len(found.Entries) != 1 || found.Entries[0].GetAttributeValue("ou") != "staff" {
		t.Errorf("below ou=groups: %v, %v", found, err)
	}
}

func TestDelete(t *testing.T) {
	_, c := startOpen(t)
	remove := func(name string) error { return c.Del(ldap.NewDelRequest(name, nil)) }
	only := "cn=only,ou=groups," + DefaultSuffix
	if err := c.Add(addRequest(Entry{only, []Attribute{{"objectClass", []string{"groupOfNames"}}, {"cn", []string{"only"}}, {"member", []string{personDN("bruno.okafor")}}}})); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "an entry with others below", remove("ou=people,"+DefaultSuffix), notAllowedOnNonLeaf)
	wantCode(t, "no entry", remove(personDN("nobody")), noSuchObject)
	wantCode(t, "a person", remove("UID=Bruno.Okafor, ou=people,"+DefaultSuffix), success)
	if members := values(read(t, c, "cn=Engineering,ou=groups,"+DefaultSuffix, "member"), "member"); slices.Contains(members, personDN("bruno.okafor")) || len(members) != 7 {
		t.Errorf("members are %q", members)
	}
	if manager := read(t, c, personDN("hugo.tanaka"), "manager").GetAttributeValues("manager"); len(manager) != 0 {
		t.Errorf("manager is %q", manager)
	}
	if members := values(read(t, c, only, "member"), "member"); !slices.Equal(members, []string{"cn=nobody," + DefaultSuffix}) {
		t.Errorf("the only member became %q", members)
	}
	wantCode(t, "again under the same name", c.Add(addRequest(person("bruno.okafor"))), success)
	if groups := read(t, c, personDN("bruno.okafor"), "memberOf").GetAttributeValues("memberOf"); len(groups) != 0 {
		t.Errorf("a new entry inherits %q", groups)
	}
	wantCode(t, "a group", remove("cn=All Staff,ou=groups,"+DefaultSuffix), success)
	if groups := read(t, c, personDN("ada.lindqvist"), "memberOf").GetAttributeValues("memberOf"); !slices.Equal(groups, []string{"cn=Leadership,ou=groups," + DefaultSuffix}) {
		t.Errorf("memberOf is %q", groups)
	}
}

// TestNoLostUpdate lets many writers count by deleting the value they have read
// and adding the next.
func TestNoLostUpdate(t *testing.T) {
	_, addr := start(t, Options{}, nil)
	setup := dial(t, addr)
	if err := setup.Add(addRequest(person("counter", Attribute{"description", []string{"0"}}))); err != nil {
		t.Fatal(err)
	}
	const writers, each = 50, 8
	var all sync.WaitGroup
	for range writers {
		c := dial(t, addr)
		all.Go(func() {
			for done := 0; done < each; {
				found, err := c.Search(search(personDN("counter"), ldap.ScopeBaseObject, "(objectClass=*)", "description"))
				if err != nil {
					t.Error(err)
					return
				}
				have := found.Entries[0].GetAttributeValue("description")
				change := ldap.NewModifyRequest(personDN("counter"), nil)
				change.Delete("description", []string{have})
				change.Add("description", []string{next(have)})
				switch err := c.Modify(change); {
				case err == nil:
					done++
				case !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchAttribute):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := read(t, setup, personDN("counter"), "description").GetAttributeValue("description"); got != "400" {
		t.Errorf("counted %s, want %d", got, writers*each)
	}
}

// next returns the decimal number after this one.
func next(number string) string {
	digits := []byte(number)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i]++; digits[i] <= '9' {
			return string(digits)
		}
		digits[i] = '0'
	}
	return "1" + string(digits)
}
