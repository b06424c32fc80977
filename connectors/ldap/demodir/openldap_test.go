package demodir

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// startOpenLDAP starts a slapd in a temporary folder and returns a connection
// bound to it as the one who may do everything, with its address.
func startOpenLDAP(t *testing.T) (*ldap.Conn, string) {
	t.Helper()
	slapd, err := exec.LookPath("slapd")
	if err != nil {
		if slapd = "/usr/sbin/slapd"; !exists(slapd) {
			if os.Getenv("CI") != "" {
				t.Fatal("no slapd here to compare with")
			}
			t.Skip("no slapd here to compare with")
		}
	}
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	for _, s := range []string{"core", "cosine", "inetorgperson", "nis"} {
		fmt.Fprintf(&conf, "include /etc/ldap/schema/%s.schema\n", s)
	}
	conf.WriteString("modulepath /usr/lib/ldap\n")
	for _, m := range []string{"back_mdb", "memberof", "refint", "deref", "ppolicy", "unique"} {
		fmt.Fprintf(&conf, "moduleload %s\n", m)
	}
	fmt.Fprintf(&conf, `loglevel none
database mdb
suffix %[1]s
rootdn %[2]s
rootpw "%[3]s"
directory %[4]s
maxsize 67108864
dbnosync
overlay deref
overlay unique
unique_uri "serialize ldap:///%[1]s?employeeNumber?sub"
overlay memberof
memberof-refint TRUE
memberof-dangling ignore
overlay refint
refint_attributes member manager owner seeAlso secretary
`, DefaultSuffix, rootDN, rootPassword, data)
	file := filepath.Join(folder, "slapd.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	// The port is free now; should another take it, slapd ends and says so.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	cmd := exec.Command(slapd, "-d", "0", "-f", file, "-h", "ldap://"+addr)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	})
	for tick := time.Tick(10 * time.Millisecond); ; {
		if c, err := ldap.DialURL("ldap://" + addr); err == nil {
			t.Cleanup(func() { c.Close() })
			if err := c.Bind(rootDN, rootPassword); err != nil {
				t.Fatal(err)
			}
			return c, addr
		}
		select {
		case <-ended:
			t.Fatalf("slapd ended: %s", said.String())
		case <-tick:
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// TestLikeOpenLDAP asks the same of both servers, in one order, and wants the
// same answers: result codes, names found, values stored.
func TestLikeOpenLDAP(t *testing.T) {
	theirs, _ := startOpenLDAP(t)
	_, addr := start(t, Options{BindDN: rootDN, BindPassword: rootPassword, Unique: []string{"employeeNumber"}}, nil)
	ours := dial(t, addr)
	if err := ours.Bind(rootDN, rootPassword); err != nil {
		t.Fatal(err)
	}
	for _, e := range Company() {
		if err := theirs.Add(addRequest(e)); err != nil {
			t.Fatal(err)
		}
	}
	both := func(what string, ask func(*ldap.Conn) string) {
		t.Helper()
		if got, want := ask(ours), ask(theirs); got != want {
			t.Errorf("%s:\n got %s\nwant %s", what, got, want)
		}
	}
	for _, filter := range comparedFilters() {
		if _, err := ldap.CompileFilter(filter); err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		both(filter, func(c *ldap.Conn) string {
			return names(c.Search(search(DefaultSuffix, ldap.ScopeWholeSubtree, filter, "1.1")))
		})
	}
	for _, base := range []string{"", DefaultSuffix, "ou=nowhere," + DefaultSuffix, "uid=x,ou=nowhere," + DefaultSuffix, "dc=com", "nonsense",
		"OU=People , DC=Example,dc=COM", "2.5.4.11=people,dc=example,dc=com", "foo=bar," + DefaultSuffix, "cn=," + DefaultSuffix, "cn=Subschema",
		"uid=ada.lindqvist+uid=x,ou=people," + DefaultSuffix} {
		for scope := range 3 {
			if base == "" && scope == ldap.ScopeWholeSubtree {
				continue
			}
			both(fmt.Sprintf("search %q scope %d", base, scope), func(c *ldap.Conn) string {
				return names(c.Search(search(base, scope, "(objectClass=*)", "1.1")))
			})
		}
	}
	for i, step := range comparedUpdates() {
		both(fmt.Sprintf("step %d %s", i, step.what), func(c *ldap.Conn) string { return codeOf(step.do(c)) })
		// The refint overlay works in the background: what it will have written is waited for.
		var got string
		want := contents(t, ours)
		for range 200 {
			if got = contents(t, theirs); got == want {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if got != want {
			t.Fatalf("after step %d %s: contents differ\n%s", i, step.what, differing(want, got))
		}
	}
}

func names(found *ldap.SearchResult, err error) string {
	var list []string
	if found != nil {
		for _, e := range found.Entries {
			list = append(list, e.DN)
		}
	}
	slices.Sort(list)
	return codeOf(err) + " " + strings.Join(list, " | ")
}

func codeOf(err error) string {
	if err == nil {
		return "0"
	}
	if refused, ok := err.(*ldap.Error); ok {
		return fmt.Sprintf("%d %q", refused.ResultCode, refused.MatchedDN)
	}
	return err.Error()
}

// contents prints every entry with what both servers must agree on.
func contents(t *testing.T, c *ldap.Conn) string {
	t.Helper()
	found, err := c.Search(search(DefaultSuffix, ldap.ScopeWholeSubtree, "(objectClass=*)", "*", "memberOf", "entryDN", "structuralObjectClass", "hasSubordinates"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range found.Entries {
		for _, a := range e.Attributes {
			list := slices.Clone(a.Values)
			slices.Sort(list)
			lines = append(lines, fmt.Sprintf("%s: %s: %q", e.DN, a.Name, list))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// differing returns the lines that only one of two texts has.
func differing(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	var out []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			out = append(out, "got  "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			out = append(out, "want "+line)
		}
	}
	return strings.Join(out, "\n")
}

func comparedFilters() []string {
	return []string{
		"(objectClass=*)", "(objectClass=person)", "(objectClass=TOP)", "(objectClass=2.5.6.6)", "(objectClass=nothing)", "(!(objectClass=nothing))",
		"(uid=ADA.lindqvist)", "(uid= ada.lindqvist )", "(cn=ada  LINDQVIST)", "(commonName=Ada Lindqvist)", "(2.5.4.3=Ada Lindqvist)",
		"(!(manager=*))", "(manager=*)", "(manager=UID=ada.lindqvist , ou=People,DC=example,dc=com)", "(manager=nonsense)", "(!(manager=nonsense))",
		"(&)", "(|)", "(!(&))", "(nope=x)", "(!(nope=x))", "(nope=*)", "(!(nope=*))", "(|(nope=x)(uid=mei.chen))", "(&(nope=x)(uid=mei.chen))",
		"(&(!(nope=x))(uid=mei.chen))", "(!(&(nope=x)(uid=mei.chen)))", "(!(|(nope=x)(uid=mei.chen)))", "(!(|(nope=x)(objectClass=*)))",
		"(sn=*o*)", "(sn=o*)", "(sn=*O)", "(sn=O'C*NOR)", "(sn=*i*i*)", "(cn=a* l*)", "(cn=ada*lindqvist)", "(cn=*  l*)", "(cn=*a l*)", "(cn=ada *)", "(cn=* lindqvist)",
		"(givenName=INÊS)", "(givenName=ine\\cc\\82s)", "(givenName=ines)", "(l=gdań*)", "(sn=øST*)", "(sn=\\c3\\98stergaard)", "(l=\\ff)", "(!(l=\\ff))",
		"(telephoneNumber=+441174960101)", "(telephoneNumber=+44 117-496 0101)", "(telephoneNumber=+4411749601*)", "(telephoneNumber=*01)", "(telephoneNumber=*4960*)",
		"(mail=ADA.LINDQVIST@example.com)", "(mail=*@EXAMPLE.com)", "(mail=é@example.com)", "(!(mail=é@example.com))",
		"(sn>=m)", "(sn<=m)", "(!(sn>=m))", "(createTimestamp>=20200101000000Z)", "(createTimestamp<=20200101000000Z)", "(createTimestamp>=2020)", "(!(createTimestamp>=2020))",
		"(createTimestamp>=202001010000+0100)", "(entryCSN>=20200101000000.000000Z#000000#000#000000)", "(employeeNumber>=1010)",
		"(member=uid=mei.chen,ou=people,dc=example,dc=com)", "(memberOf=cn=Leadership,ou=groups,dc=example,dc=com)", "(memberOf=cn=sales\\5c, europe,ou=groups,dc=example,dc=com)",
		"(memberOf=*)", "(!(memberOf=*))", "(!(memberOf=cn=Leadership,ou=groups,dc=example,dc=com))", "(memberOf=cn=none,dc=example,dc=com)",
		"(entryDN=uid=mei.chen,ou=people,dc=example,dc=com)", "(|(entryDN=uid=mei.chen,ou=people,dc=example,dc=com)(entryDN=ou=people,dc=example,dc=com))",
		"(hasSubordinates=TRUE)", "(hasSubordinates=true)", "(!(hasSubordinates=TRUE))", "(entryUUID=nonsense)", "(!(entryUUID=nonsense))", "(entryUUID=*)",
		"(cn=Sales, Europe)", "(cn=*,*)", "(cn=\\2a)", "(cn=*\\2a*)", "(uid=mei\\2echen)", "(description=)",
		"(cn:caseExactMatch:=Ada Lindqvist)", "(cn:caseExactMatch:=ada lindqvist)", "(cn:caseIgnoreMatch:=ADA lindqvist)", "(cn:2.5.13.5:=Ada Lindqvist)", "(cn:=ada lindqvist)",
		"(cn:noSuchMatch:=x)", "(!(cn:noSuchMatch:=x))", "(ou:dn:=people)", "(uid:dn:=mei.chen)", "(ou:dn:caseExactMatch:=People)", "(:caseExactMatch:=Mei)",
		"(manager:distinguishedNameMatch:=uid=ada.lindqvist,ou=people,dc=example,dc=com)", "(employeeNumber:1.2.840.113556.1.4.803:=1)", "(!(employeeNumber:1.2.840.113556.1.4.803:=1))",
		"(|(uid=ada.lindqvist)(uid=mei.chen)(uid=nobody))", "(&(departmentNumber=sales)(!(manager=uid=mei.chen,ou=people,dc=example,dc=com)))",
		"(jpegPhoto=x)", "(!(jpegPhoto=x))", "(userPassword=x)", "(facsimileTelephoneNumber=1)", "(!(facsimileTelephoneNumber=1))", "(displayName~=ada lindqvist)",
		"(structuralObjectClass=person)", "(entryCSN>=nonsense)", "(!(entryCSN>=nonsense))", "(structuralObjectClass=inetOrgPerson)", "(preferredLanguage=EN)", "(l;lang-en=Bristol)", "(creatorsName=cn=admin,dc=example,dc=com)",
	}
}

type step struct {
	what string
	do   func(*ldap.Conn) error
}

func comparedUpdates() []step {
	add := func(e Entry) step {
		return step{"add " + e.DN, func(c *ldap.Conn) error { return c.Add(addRequest(e)) }}
	}
	modify := func(name string, changes ...ldap.Change) step {
		return step{fmt.Sprintf("modify %s %v", name, changes), func(c *ldap.Conn) error {
			return c.Modify(&ldap.ModifyRequest{DN: name, Changes: changes})
		}}
	}
	rename := func(name, to string, deleteOld bool, superior string) step {
		return step{fmt.Sprintf("rename %s to %s %v %s", name, to, deleteOld, superior), func(c *ldap.Conn) error {
			return c.ModifyDN(ldap.NewModifyDNRequest(name, to, deleteOld, superior))
		}}
	}
	remove := func(name string) step {
		return step{"delete " + name, func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(name, nil)) }}
	}
	compare := func(name, attr, value string) step {
		return step{"compare " + attr + "=" + value, func(c *ldap.Conn) error {
			ok, err := c.Compare(name, attr, value)
			if err == nil {
				err = fmt.Errorf("%v", ok)
			}
			return err
		}}
	}
	ch := func(operation uint, name string, values ...string) ldap.Change {
		return ldap.Change{Operation: operation, Modification: ldap.PartialAttribute{Type: name, Vals: values}}
	}
	plus := func(name string, values ...string) ldap.Change { return ch(ldap.AddAttribute, name, values...) }
	minus := func(name string, values ...string) ldap.Change { return ch(ldap.DeleteAttribute, name, values...) }
	set := func(name string, values ...string) ldap.Change { return ch(ldap.ReplaceAttribute, name, values...) }
	object := func(name string, attrs ...string) Entry {
		e := Entry{DN: name}
		for i := 0; i < len(attrs); i += 2 {
			e.Attributes = append(e.Attributes, Attribute{attrs[i], strings.Split(attrs[i+1], "|")})
		}
		return e
	}
	people, groups := "ou=people,"+DefaultSuffix, "ou=groups,"+DefaultSuffix
	mei, engineering := personDN("mei.chen"), "cn=Engineering,"+groups
	return []step{
		add(person("new1")),
		add(person("new1")),
		add(person("new2", Attribute{"nope", []string{"x"}})),
		add(person("new2", Attribute{"description", []string{""}})),
		add(person("new2", Attribute{"description", []string{"a", "A"}})),
		add(person("new2", Attribute{"displayName", []string{"a", "b"}})),
		add(person("new2", Attribute{"entryUUID", []string{"11111111-1111-4111-8111-111111111111"}})),
		add(person("new2", Attribute{"memberOf", []string{engineering}})),
		add(person("new2", Attribute{"dc", []string{"x"}})),
		add(person("new2", Attribute{"uidNumber", []string{"1"}})),
		add(person("new2", Attribute{"manager", []string{"nonsense"}})),
		add(person("new2", Attribute{"manager", []string{"UID = mei.chen , OU=people,dc=example,DC=com"}})),
		add(person("new3", Attribute{"employeeNumber", []string{"1001"}})),
		add(person("new3", Attribute{"preferredLanguage", []string{"ünicode"}})),
		add(person("new3", Attribute{"telephoneNumber", []string{"ünicode"}})),
		add(person("new3", Attribute{"mail", []string{"ü@example.com"}})),
		add(object("uid=a,"+people, "objectClass", "inetOrgPerson", "uid", "a", "cn", "a")),
		add(object("uid=a,"+people, "objectClass", "inetOrgPerson", "cn", "a", "sn", "a")),
		add(object("uid=a,"+people, "objectClass", "inetOrgPerson", "uid", "b", "cn", "a", "sn", "a")),
		add(object("uid=a,"+people, "objectClass", "top", "uid", "a")),
		add(object("uid=a,"+people, "uid", "a")),
		add(object("uid=a,"+people, "objectClass", "nothing", "uid", "a")),
		add(object("uid=a,"+people, "objectClass", "inetOrgPerson|organizationalUnit", "uid", "a", "cn", "a", "sn", "a", "ou", "a")),
		add(object("uid=a,"+people, "objectClass", "top|person|organizationalPerson|inetOrgPerson|posixAccount", "uid", "a", "cn", "a", "sn", "a",
			"uidNumber", "01", "gidNumber", "1", "homeDirectory", "/")),
		add(object("uid=a,"+people, "objectClass", "top|person|organizationalPerson|inetOrgPerson|posixAccount", "uid", "a", "cn", "a", "sn", "a",
			"uidNumber", "-7", "gidNumber", "1", "homeDirectory", "/")),
		add(object("uid=a,ou=nowhere,"+DefaultSuffix, "objectClass", "inetOrgPerson", "uid", "a", "cn", "a", "sn", "a")),
		add(object("uid=a,dc=elsewhere", "objectClass", "inetOrgPerson", "uid", "a", "cn", "a", "sn", "a")),
		add(object("nonsense", "objectClass", "inetOrgPerson")),
		add(object(DefaultSuffix, "objectClass", "domain", "dc", "example")),
		add(object(`cn=a\,b\+c\"d\\e\<f\>g\;h\=i\#j ,`+people, "objectClass", "inetOrgPerson", "cn", `a,b+c"d\e<f>g;h=i#j`, "sn", " x  y ")),
		add(object(`cn=\#lead\20,`+people, "objectClass", "inetOrgPerson", "cn", `#lead `, "sn", "x")),
		add(object(`CN=Two+uid=two,`+people, "objectClass", "inetOrgPerson", "cn", "two", "sn", "x", "uid", "TWO")),
		add(object(`uid=𝔘ni,`+people, "objectClass", "inetOrgPerson", "cn", "𝔘ni", "sn", "Łódź", "uid", "𝔘ni")),
		add(object("cn=empty,"+groups, "objectClass", "groupOfNames", "cn", "empty")),
		add(object("cn=nobody yet,"+groups, "objectClass", "groupOfNames", "cn", "nobody yet", "member", "|"+personDN("new1"))),
		add(object("cn=one,"+groups, "objectClass", "groupOfNames", "cn", "one", "member", personDN("new1")+"|cn=ghost,dc=example,dc=com")),
		add(object("ou=inner,"+people, "objectClass", "organizationalUnit", "ou", "inner")),
		add(object("ou=deeper,ou=inner,"+people, "objectClass", "organizationalUnit", "ou", "deeper")),

		modify("uid=nobody,"+people, set("description", "x")),
		modify("nonsense", set("description", "x")),
		modify(mei, set("nope", "x")),
		modify(mei, set("description", "one", "two"), minus("description", "ONE"), plus("description", "three")),
		modify(mei, plus("description", "Three")),
		modify(mei, plus("description", "four", "Four")),
		modify(mei, minus("description", "two", "gone")),
		modify(mei, set("title", "changed"), minus("description", "gone")),
		modify(mei, minus("pager")),
		modify(mei, set("pager")),
		modify(mei, minus("pager", "1")),
		modify(mei, plus("displayName", "second")),
		modify(mei, set("displayName", "a", "b")),
		modify(mei, set("description", "")),
		modify(mei, plus("description")),
		modify(mei, minus("sn")),
		modify(mei, set("sn")),
		modify(mei, minus("uid", "mei.chen")),
		modify(mei, set("uid", "mei.chen", "second")),
		modify(mei, set("uid", "other")),
		modify(mei, set("entryCSN", "x")),
		modify(mei, minus("entryUUID")),
		modify(mei, set("entryUUID", "nonsense")),
		modify(mei, set("entryDN", engineering), set("nope", "x")),
		modify(mei, plus("objectClass", "posixAccount")),
		modify(mei, plus("objectClass", "posixAccount"), plus("uidNumber", "5"), plus("gidNumber", "5"), plus("homeDirectory", "/")),
		modify(mei, minus("objectClass", "posixAccount")),
		modify(mei, minus("objectClass", "posixAccount"), minus("uidNumber"), minus("gidNumber"), minus("homeDirectory", "/")),
		modify(mei, set("objectClass", "organizationalUnit")),
		modify(mei, set("objectClass", "person")),
		modify(mei, plus("objectClass", "person")),
		modify(mei, minus("objectClass")),
		modify(mei, set("employeeNumber", "1001")),
		modify(mei, set("employeeNumber", "1013")),
		modify(mei, set("telephoneNumber", "+1 1", "+1-1")),
		modify(mei, set("cn", "Mei  Chen"), plus("cn", "mei chen")),
		modify(mei, minus("cn", "mei CHEN"), plus("cn", "Mei Chen")),
		modify(mei, set("userPassword", "one"), plus("userPassword", "two"), minus("userPassword", "one")),
		modify(mei, set("jpegPhoto", "\x00\xff")),
		modify(mei, set("manager", "UID=ada.lindqvist, ou=people,dc=example,dc=com")),
		modify(mei, minus("manager", "uid=Ada.Lindqvist,ou=People,dc=example,dc=com"), plus("manager", personDN("bruno.okafor"))),
		modify(mei, set("labeledURI", "http://a", "http://A")),
		modify(mei, set("pwdAccountLockedTime", "000001010000Z")),
		modify(mei, set("pwdAccountLockedTime")),
		modify(engineering, plus("member", personDN("new1"), "cn=ghost,"+DefaultSuffix)),
		modify(engineering, plus("member", "UID=New1,"+people)),
		modify(engineering, minus("member", "cn=ghost2,"+DefaultSuffix)),
		modify(engineering, minus("member", "CN=Ghost,"+DefaultSuffix)),
		modify(engineering, plus("member", "nonsense")),
		modify("cn=one,"+groups, minus("member")),
		modify("cn=one,"+groups, set("member")),
		modify("cn=one,"+groups, minus("member", personDN("new1"), "cn=ghost,"+DefaultSuffix)),

		compare(mei, "sn", "CHEN"), compare(mei, "sn", "x"), compare(mei, "pager", "1"), compare(mei, "nope", "1"), compare(mei, "facsimileTelephoneNumber", "1"),
		compare("uid=nobody,"+people, "sn", "x"), compare(engineering, "member", "UID=New1,"+people), compare(mei, "manager", "nonsense"),
		compare(mei, "memberOf", engineering),

		rename(personDN("new1"), "uid=new1x", true, ""),
		rename(personDN("new1x"), "uid=NEW1X", true, ""),
		rename(personDN("new1x"), "uid=new1", false, ""),
		rename(personDN("new1"), "uid=mei.chen", true, ""),
		rename(personDN("new1"), "cn=First+sn=Last", true, ""),
		rename("sn=last+cn=first,"+people, "uid=new1", true, "ou=inner,"+people),
		rename("uid=new1,ou=inner,"+people, "uid=new1", true, "ou=nowhere,"+DefaultSuffix),
		rename("uid=new1,ou=inner,"+people, "foo=new1", true, ""),
		rename("uid=new1,ou=inner,"+people, "dc=new1", true, ""),
		rename("uid=new1,ou=inner,"+people, "displayName=new1", true, ""),
		rename("displayName=new1,ou=inner,"+people, "displayName=new2", false, ""),
		rename("displayName=new1,ou=inner,"+people, "nonsense", true, ""),
		rename("ou=inner,"+people, "ou=outer", true, groups),
		rename("ou=outer,"+groups, "ou=outer", true, "ou=deeper,ou=outer,"+groups),
		rename("uid=nobody,"+people, "uid=x", true, ""),
		rename(personDN("bruno.okafor"), `uid=bruno\, the first`, true, ""),
		rename(personDN("chiara.moretti"), "uid=chiara", false, groups),
		rename(engineering, "cn=Machines", true, ""),

		remove("ou=outer," + groups),
		remove("uid=nobody," + people),
		remove("nonsense"),
		remove(personDN("samir.patel")),
		remove("cn=Leadership," + groups),
		remove("ou=deeper,ou=outer," + groups),
		remove("displayName=new1,ou=outer," + groups),
		remove("ou=outer," + groups),
		remove(DefaultSuffix),
	}
}

// TestControlsLikeOpenLDAP compares the answers to requests with controls,
// message by message.
func TestControlsLikeOpenLDAP(t *testing.T) {
	filling, addr := startOpenLDAP(t)
	for _, e := range Company() {
		if err := filling.Add(addRequest(e)); err != nil {
			t.Fatal(err)
		}
	}
	theirs := bound(t, addr)
	_, addr = start(t, Options{BindDN: rootDN, BindPassword: rootPassword}, nil)
	ours := bound(t, addr)

	all := filterPacket(t, "(objectClass=*)")
	everyone := filterPacket(t, "(uid=*)")
	asserting := func(critical bool, filter string) *ber.Packet {
		return controlPacket(controlAssertion, critical, filterPacket(t, filter))
	}
	pre := func(attrs ...string) *ber.Packet { return controlPacket(controlPreRead, true, strs(attrs...)) }
	post := func(attrs ...string) *ber.Packet { return controlPacket(controlPostRead, true, strs(attrs...)) }
	paged := func(size int, cookie string) *ber.Packet {
		return controlPacket(controlPaged, true, seq(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, size, ""), octets(cookie)))
	}
	deref := func(by string, attrs ...string) *ber.Packet {
		return controlPacket(controlDereference, true, seq(seq(octets(by), strs(attrs...))))
	}
	unknown := func(critical bool) *ber.Packet { return controlPacket("1.2.3.4.5", critical, nil) }
	people, groups := "ou=people,"+DefaultSuffix, "ou=groups,"+DefaultSuffix
	mei := personDN("mei.chen")
	someone := person("someone", Attribute{"description", []string{"first"}})
	for _, c := range []struct {
		what string
		op   *ber.Packet
		with []*ber.Packet
	}{
		{"search, unknown critical", searchPacket(people, 2, false, all), []*ber.Packet{unknown(true)}},
		{"search, unknown", searchPacket(mei, 0, false, all, "cn"), []*ber.Packet{unknown(false)}},
		{"add, unknown critical", addPacket(someone), []*ber.Packet{unknown(true)}},
		{"modify, unknown critical", modifyPacket(mei, 2, "title", "x"), []*ber.Packet{unknown(true)}},
		{"delete, unknown critical", deletePacket(mei), []*ber.Packet{unknown(true)}},
		{"rename, unknown critical", modifyDNPacket(mei, "uid=x", true), []*ber.Packet{unknown(true)}},
		{"compare, unknown critical", comparePacket(mei, "sn", "chen"), []*ber.Packet{unknown(true)}},
		{"whoami, unknown critical", extendedPacket(extensionWhoAmI, nil), []*ber.Packet{unknown(true)}},
		{"whoami", extendedPacket(extensionWhoAmI, nil), nil},
		{"delete, paged critical", deletePacket(mei), []*ber.Packet{paged(1, "")}},
		{"search, pre-read critical", searchPacket(mei, 0, false, all, "cn"), []*ber.Packet{pre("cn")}},
		{"modify, two assertions", modifyPacket(mei, 2, "title", "x"), []*ber.Packet{asserting(true, "(cn=*)"), asserting(true, "(cn=*)")}},

		{"add, assertion false", addPacket(someone), []*ber.Packet{asserting(true, "(sn=nobody)")}},
		{"add, post-read of an unknown attribute", addPacket(someone), []*ber.Packet{post("description", "nope")}},
		{"add, assertion true and post-read", addPacket(someone), []*ber.Packet{asserting(true, "(sn=someone)"), post("description", "cn")}},
		{"add again, post-read", addPacket(someone), []*ber.Packet{post("*")}},
		{"modify, assertion false", modifyPacket(mei, 2, "title", "x"), []*ber.Packet{asserting(false, "(sn=nobody)")}},
		{"modify, assertion undefined", modifyPacket(mei, 2, "title", "x"), []*ber.Packet{asserting(true, "(nope=x)")}},
		{"modify, assertion true", modifyPacket(mei, 2, "title", "x"), []*ber.Packet{asserting(true, "(&(sn=chen)(objectClass=person))")}},
		{"modify, pre and post", modifyPacket(mei, 0, "description", "d"), []*ber.Packet{pre("description", "title"), post("description", "title")}},
		{"modify, refused with pre and post", modifyPacket(mei, 0, "description", "d"), []*ber.Packet{pre("description"), post("description")}},
		{"modify, not critical post-read of an unknown attribute", modifyPacket(mei, 2, "title", "x"),
			[]*ber.Packet{controlPacket(controlPostRead, false, strs("title", "nope"))}},
		{"modify, post-read of memberOf", modifyPacket(mei, 2, "title", "x"), []*ber.Packet{post("memberOf")}},
		{"modify, post 1.1", modifyPacket(mei, 0, "description", "e"), []*ber.Packet{post("1.1")}},
		{"rename, assertion false", modifyDNPacket(mei, "uid=mei", true), []*ber.Packet{asserting(true, "(uid=mei)")}},
		{"rename, pre and post", modifyDNPacket(mei, "uid=mei", true), []*ber.Packet{pre("uid"), post("uid", "entryDN")}},
		{"compare, assertion false", comparePacket("uid=mei,"+people, "sn", "chen"), []*ber.Packet{asserting(true, "(uid=x)")}},
		{"compare, assertion true", comparePacket("uid=mei,"+people, "sn", "chen"), []*ber.Packet{asserting(true, "(uid=mei)")}},
		{"search, assertion false", searchPacket(people, 2, false, everyone, "1.1"), []*ber.Packet{asserting(true, "(uid=x)")}},
		{"search, assertion true", searchPacket(people, 2, false, filterPacket(t, "(uid=mei)"), "cn"), []*ber.Packet{asserting(true, "(ou=people)")}},
		{"delete, assertion false", deletePacket("uid=mei," + people), []*ber.Packet{asserting(true, "(uid=x)")}},
		{"delete, pre-read", deletePacket("uid=mei," + people), []*ber.Packet{pre("cn", "memberOf"), asserting(true, "(uid=mei)")}},

		{"types only", searchPacket(mei, 0, true, all, "cn", "sn"), nil},
		{"types only of another", searchPacket(personDN("ada.lindqvist"), 0, true, all, "cn", "title"), nil},
		{"no attributes", searchPacket(personDN("ada.lindqvist"), 0, false, all, "1.1"), nil},
		{"all user attributes", searchPacket("ou=people,"+DefaultSuffix, 0, false, all), nil},
		{"by object identifier and case", searchPacket(personDN("ada.lindqvist"), 0, false, all, "2.5.4.3", "TITLE", "Nope"), nil},

		{"dereference", searchPacket("cn=Leadership,"+groups, 0, false, all, "cn"), []*ber.Packet{deref("member", "mail", "pager")}},
		{"dereference, nothing there", searchPacket("cn=Leadership,"+groups, 0, false, all, "cn"), []*ber.Packet{deref("member", "pager")}},
		{"dereference, no such attribute", searchPacket(personDN("ada.lindqvist"), 0, false, all, "cn"), []*ber.Packet{deref("member", "mail")}},
		{"dereference, manager", searchPacket(personDN("bruno.okafor"), 0, false, all, "cn"), []*ber.Packet{deref("manager", "cn", "entryDN", "sn")}},
		{"dereference, memberOf", searchPacket(personDN("farid.haddad"), 0, false, all, "cn"), []*ber.Packet{deref("manager", "memberOf")}},
		{"dereference by memberOf", searchPacket(personDN("farid.haddad"), 0, false, all, "cn"), []*ber.Packet{deref("memberOf", "cn")}},
		{"dereference, no name", searchPacket(personDN("bruno.okafor"), 0, false, all, "cn"), []*ber.Packet{deref("cn", "cn")}},
		{"page of all", searchPacket(groups, 1, false, all, "1.1"), []*ber.Packet{paged(100, "")}},
		{"page of exactly all", searchPacket(groups, 1, false, all, "1.1"), []*ber.Packet{paged(6, "")}},
		{"page with a foreign cookie", searchPacket(groups, 1, false, all, "1.1"), []*ber.Packet{paged(2, "12345678")}},
	} {
		got, want := ours.ask(c.op, c.with...), theirs.ask(c.op, c.with...)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", c.what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}
