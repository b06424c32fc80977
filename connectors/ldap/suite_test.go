package ldap_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"

	"postern/connectors"
	"postern/connectors/connectortest"
	"postern/connectors/ldap"
	"postern/connectors/ldap/demodir"
	"postern/connectors/ldap/ldaptest"
)

// TestSuite holds the connector against the contract on every real server, as
// it is and with what it does not need switched off.
func TestSuite(t *testing.T) {
	bare := []ldaptest.Option{ldaptest.WithoutIntegrity}
	tests := []struct {
		name    string
		kind    ldaptest.Kind
		without []string
		cache   int
		options []ldaptest.Option
	}{
		{name: "openldap", kind: ldaptest.OpenLDAP},
		{name: "openldap, plain", kind: ldaptest.OpenLDAP, options: bare, cache: -1,
			without: []string{ldap.WithoutAssertion, ldap.WithoutPostRead, ldap.WithoutPaging}},
		{name: "ds389", kind: ldaptest.DS389},
		{name: "ds389, plain", kind: ldaptest.DS389, options: bare, cache: -1, without: []string{ldap.WithoutPostRead}},
		{name: "active-directory", kind: ldaptest.ActiveDirectory},
		{name: "active-directory, plain", kind: ldaptest.ActiveDirectory,
			without: []string{ldap.WithoutExtendedDN, ldap.WithoutPermissive}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			d := start(t, tc.kind, tc.options...)
			d.without, d.cache, d.proxy = tc.without, tc.cache, ldaptest.NewProxy(t, d.TLSURL)
			connectortest.Run(t, d.harness(t, len(tc.options) == 0))
		})
	}
}

// TestSuiteDemo does the same on the in-process directory, which needs nothing
// installed.
func TestSuiteDemo(t *testing.T) {
	for _, without := range [][]string{nil, {ldap.WithoutAssertion, ldap.WithoutPostRead, ldap.WithoutPaging}} {
		t.Run(strings.Join(append([]string{"without"}, without...), " "), func(t *testing.T) {
			d := demo(t)
			d.without, d.proxy = without, ldaptest.NewProxy(t, d.URL)
			connectortest.Run(t, d.harness(t, true))
		})
	}
}

// TestSuiteReplica does the same through connectors that read from a replica,
// which is the server itself, so that everything is there at once.
func TestSuiteReplica(t *testing.T) {
	d := demo(t)
	d.replica, d.proxy = true, ldaptest.NewProxy(t, d.URL)
	connectortest.Run(t, d.harness(t, true))
}

// A directory is a server with what a test needs to know of its schema.
type directory struct {
	*ldaptest.Server
	users, groups ldap.Collection
	without       []string
	cache         int
	replica       bool
	proxy         *ldaptest.Proxy
}

// demo starts the in-process directory.
func demo(t testing.TB) *directory {
	t.Helper()
	const admin, password = "cn=admin," + demodir.DefaultSuffix, "secret"
	tree := demodir.New(demodir.Options{BindDN: admin, BindPassword: password, Unique: []string{"mail"}})
	if err := tree.Load(demodir.Company()); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- tree.Serve(ctx, listener, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return newDirectory(&ldaptest.Server{
		Kind: ldaptest.OpenLDAP, URL: "ldap://" + listener.Addr().String(),
		Base: demodir.DefaultSuffix, BindDN: admin, BindPassword: password, ServiceDN: admin, ServicePassword: password,
		PeopleBase: "ou=people," + demodir.DefaultSuffix, GroupsBase: "ou=groups," + demodir.DefaultSuffix,
	})
}

func start(t testing.TB, k ldaptest.Kind, options ...ldaptest.Option) *directory {
	t.Helper()
	return newDirectory(ldaptest.Start(t, k, options...))
}

func newDirectory(s *ldaptest.Server) *directory {
	d := &directory{Server: s}
	d.users = ldap.Collection{
		Name: "User", Base: d.PeopleBase,
		Filter:      "(objectClass=inetOrgPerson)",
		ObjectClass: []string{"top", "person", "organizationalPerson", "inetOrgPerson"},
		References:  map[connectors.Attr][]string{"manager": {"User"}, "memberOf": {"Group"}},
	}
	d.groups = ldap.Collection{
		Name: "Group", Base: d.GroupsBase,
		Filter:      "(objectClass=groupOfNames)",
		ObjectClass: []string{"top", "groupOfNames"},
		References:  map[connectors.Attr][]string{"member": {"User", "Group"}},
	}
	if d.ad() {
		d.users.Filter, d.users.ObjectClass = "(&(objectCategory=person)(objectClass=user))", []string{"top", "person", "organizationalPerson", "user"}
		d.groups.Filter, d.groups.ObjectClass = "(objectClass=group)", []string{"top", "group"}
	}
	return d
}

// url is where to connect: over TLS, where there is a certificate.
func (d *directory) url() string {
	if d.TLSURL == "" {
		return d.URL
	}
	return d.TLSURL
}

// admin is a connection past the connector.
func (d *directory) admin(t testing.TB) *goldap.Conn {
	t.Helper()
	if d.TLSURL != "" {
		return d.Admin(t)
	}
	conn, err := goldap.DialURL(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Bind(d.BindDN, d.BindPassword); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (d *directory) ad() bool { return d.Kind == ldaptest.ActiveDirectory }

func (d *directory) config(url string) ldap.Config {
	return ldap.Config{
		Servers:  []string{url},
		TLS:      ldap.TLSConfig{CAFile: d.CAFile},
		BindDN:   d.ServiceDN,
		Password: func() (string, error) { return d.ServicePassword, nil },
		Without:  d.without,
		RefCache: ldap.RefCache{Entries: d.cache},
		Poll:     10 * time.Millisecond,
	}
}

func (d *directory) open(t testing.TB, c ldap.Config) *ldap.Directory {
	t.Helper()
	opened, err := ldap.Open(t.Context(), c, []ldap.Collection{d.users, d.groups}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func (d *directory) naming() connectors.Attr {
	if d.ad() {
		return "cn"
	}
	return "uid"
}

func value(vs ...connectors.Value) []connectors.Value { return vs }

// user is what the schema demands of a person, under a name.
func (d *directory) user(name connectors.Value) connectors.Draft {
	fields := []connectors.Field{{Attr: d.naming(), Values: value(name)}}
	if !d.ad() {
		fields = append(fields, connectors.Field{Attr: "cn", Values: value("A Person")}, connectors.Field{Attr: "sn", Values: value("Person")})
	}
	return connectors.Draft{Name: d.naming(), Fields: fields}
}

func (d *directory) group(name connectors.Value) connectors.Draft {
	return connectors.Draft{Name: "cn", Fields: []connectors.Field{{Attr: "cn", Values: value(name)}}}
}

func collection(t testing.TB, d *ldap.Directory, name string) connectors.Connector {
	t.Helper()
	c, ok := d.Collection(name)
	if !ok {
		t.Fatalf("no collection %q", name)
	}
	return c
}

func (d *directory) harness(t *testing.T, integrity bool) connectortest.Harness {
	t.Helper()
	const first, second = "First", `R+D, "all"`
	for _, name := range []string{first, second} {
		if err := d.admin(t).Add(addRequest("ou="+goldap.EscapeDN(name)+","+d.PeopleBase, "organizationalUnit")); err != nil {
			t.Fatal(err)
		}
	}
	h := connectortest.Harness{
		Users: connectortest.Users{
			Collection: "User", Draft: d.user,
			Naming: d.naming(), Plain: "displayName", Other: "employeeNumber", Multi: "description",
			Exact: "labeledURI", Long: "street", Unique: "uid",
			Ref: "manager", Reverse: "memberOf",
			Places: [2]connectors.Place{
				connectors.PlaceOf("ou=" + first + "," + d.PeopleBase),
				{Text: []string{"OU=", "," + d.PeopleBase}, Values: value(second)},
			},
			Containers: [2]string{"ou=" + first + "," + d.PeopleBase, "ou=" + goldap.EscapeDN(second) + "," + d.PeopleBase},
			NoPlace:    connectors.Place{Text: []string{"ou=", ",ou=" + first + "," + d.PeopleBase}, Values: value("Nowhere")},

			Secret: "userPassword", Secrets: [2]connectors.Value{"Uncommon-4711", "Different-0815"},
		},
		Groups: connectortest.Groups{
			Collection: "Group", Draft: d.group, Naming: "cn", Ref: "member", Nested: true,
		},
		RenamesKeepReferences: integrity,
		Throwaway:             true,
		Open:                  d.opened,
	}
	switch d.Kind {
	case ldaptest.OpenLDAP:
		h.Users.Unique, h.Users.Binary = "mail", "audio"
	case ldaptest.DS389:
		// Its 7-bit check.
		h.Users.Refuses = func(name connectors.Value) bool {
			return strings.ContainsFunc(string(name), func(r rune) bool { return r > 0x7f })
		}
		h.Users.Unique, h.Users.Binary = "", "audio"
	case ldaptest.ActiveDirectory:
		h.Users.Exact, h.Users.Long, h.Users.Unique = "", "info", "userPrincipalName"
		h.Users.LongLength = 1000
		h.Users.Multi, h.Users.Other = "otherTelephone", "company"
		h.Users.Integer, h.Users.Boolean, h.Users.Time = "uidNumber", "msNPAllowDialin", "msTSExpireDate"
		h.Users.Binary = "thumbnailPhoto"
		h.Users.Secret = "unicodePwd"
		h.Users.Secrets = [2]connectors.Value{unicodePassword("Uncommon-4711"), unicodePassword("Different-0815")}
	}
	if !integrity {
		h.Users.Reverse = ""
	}
	if d.TLSURL == "" { // the demo's schema is smaller
		h.Users.Binary = ""
	}
	return h
}

// unicodePassword is a password as unicodePwd takes it ([MS-ADTS] §3.1.1.3.1.5).
func unicodePassword(s string) connectors.Value {
	var b strings.Builder
	for _, c := range []byte(`"` + s + `"`) {
		b.Write([]byte{c, 0})
	}
	return connectors.Value(b.String())
}

// opened connects twice, the first time through a proxy that can fail.
func (d *directory) opened(t *testing.T, o connectortest.Options) connectortest.Opened {
	config := d.config(d.proxy.URL())
	config.PageSize = o.PageSize
	if d.replica {
		config.Replicas, config.Pin = config.Servers, time.Nanosecond
		config.Health.Interval = time.Hour // the first probe is enough, and no connection is made later
	}
	first, second := d.open(t, config), d.open(t, d.config(d.url()))
	resume := func() {
		if err := d.proxy.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	return connectortest.Opened{
		Users: reader(collection(t, first, "User")), Groups: reader(collection(t, first, "Group")),
		RivalUsers: collection(t, second, "User"), RivalGroups: collection(t, second, "Group"),
		Close: func() error {
			first.Close()
			return second.Close()
		},
		Break: func() func() {
			d.proxy.Refuse()
			d.proxy.Cut()
			return resume
		},
		Stall: func() func() {
			d.proxy.Stall()
			return resume
		},
		Plant: d.plant,
	}
}

// reader is what a connector reads with where there are replicas.
func reader(c connectors.Connector) connectors.Connector {
	if r, ok := connectors.As[connectors.Replicated](c); ok {
		return r.Replica()
	}
	return c
}

// plant gives a group members that are nobody the gateway knows: the service's
// own entry, and where the server takes it, an entry that does not exist.
func (d *directory) plant(t *testing.T, group connectors.Anchor) {
	conn := d.admin(t)
	found, err := conn.Search(goldap.NewSearchRequest(d.GroupsBase, goldap.ScopeSingleLevel, 0, 0, 0, false, d.groups.Filter,
		[]string{"entryUUID", "nsUniqueId", "objectGUID"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.Entries {
		if !has(e, group) {
			continue
		}
		strangers := []string{d.ServiceDN}
		if !d.ad() {
			strangers = append(strangers, "uid=zz-marker-gone,"+d.PeopleBase)
		}
		m := goldap.NewModifyRequest(e.DN, nil)
		m.Add("member", strangers)
		if err := conn.Modify(m); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the group is not there")
}

// has reports whether an entry has the anchor, however its server writes it.
func has(e *goldap.Entry, a connectors.Anchor) bool {
	if string(e.GetRawAttributeValue("objectGUID")) == string(a) {
		return true
	}
	for _, name := range []string{"entryUUID", "nsUniqueId"} {
		if v := strings.ReplaceAll(e.GetEqualFoldAttributeValue(name), "-", ""); v != "" && strings.EqualFold(v, hexOf(a)) {
			return true
		}
	}
	return false
}

func hexOf(a connectors.Anchor) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(a) {
		b.Write([]byte{digits[a[i]>>4], digits[a[i]&15]})
	}
	return b.String()
}

// addRequest makes an Add of an entry with one object class.
func addRequest(dn, class string, attrs ...string) *goldap.AddRequest {
	add := goldap.NewAddRequest(dn, nil)
	add.Attribute("objectClass", []string{class})
	for i := 0; i+1 < len(attrs); i += 2 {
		add.Attribute(attrs[i], []string{attrs[i+1]})
	}
	return add
}
