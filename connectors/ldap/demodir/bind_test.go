package demodir

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// certificate returns the two sides of TLS on loopback.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

// startGuarded serves the company with a password for one of its people.
func startGuarded(t *testing.T, config *tls.Config) string {
	t.Helper()
	d, addr := start(t, Options{BindDN: rootDN, BindPassword: rootPassword}, config)
	ch, err := d.newChange(changeReplace, Attribute{"userPassword", []string{"mei's"}})
	if err != nil {
		t.Fatal(err)
	}
	name, err := d.schema.parseDN(personDN("mei.chen"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.modify(name, []change{ch}, d.root, controls{}); err != nil {
		t.Fatal(err)
	}
	return addr
}

func TestBind(t *testing.T) {
	addr := startGuarded(t, nil)
	for _, test := range []struct {
		name, password string
		want           code
		who            string
	}{
		{rootDN, rootPassword, success, "dn:" + rootDN},
		{"CN=Admin, dc=example,dc=com", rootPassword, success, "dn:" + rootDN},
		{rootDN, "wrong", invalidCredentials, ""},
		{"uid=MEI.chen,ou=people," + DefaultSuffix, "mei's", success, "dn:" + personDN("mei.chen")},
		{personDN("mei.chen"), "MEI's", invalidCredentials, ""},
		{personDN("ada.lindqvist"), "any", invalidCredentials, ""},
		{personDN("nobody"), "any", invalidCredentials, ""},
		{"nonsense", "any", invalidDNSyntax, ""},
	} {
		c := dial(t, addr)
		if err := c.Bind(rootDN, rootPassword); err != nil {
			t.Fatal(err)
		}
		wantCode(t, test.name, c.Bind(test.name, test.password), test.want)
		who, err := c.WhoAmI(nil)
		if err != nil || who.AuthzID != test.who {
			t.Errorf("after binding as %q: %q, %v, want %q", test.name, who.AuthzID, err, test.who)
		}
	}
	c := dial(t, addr)
	wantCode(t, "a name without a password", c.UnauthenticatedBind(rootDN), unwillingToPerform)
	wantCode(t, "anonymous", c.UnauthenticatedBind(""), success)
}

func TestRights(t *testing.T) {
	addr := startGuarded(t, nil)
	change := func(name string) *ldap.ModifyRequest {
		m := ldap.NewModifyRequest(name, nil)
		m.Replace("title", []string{"x"})
		return m
	}
	anonymous := dial(t, addr)
	_, err := anonymous.Search(search(DefaultSuffix, ldap.ScopeBaseObject, "(objectClass=*)"))
	wantCode(t, "anonymous search", err, insufficientAccessRights)
	_, err = anonymous.Compare(personDN("mei.chen"), "sn", "Chen")
	wantCode(t, "anonymous compare", err, insufficientAccessRights)
	wantCode(t, "anonymous modify", anonymous.Modify(change(personDN("mei.chen"))), strongerAuthRequired)
	if read(t, anonymous, "", "namingContexts") == nil || read(t, anonymous, "cn=Subschema", "objectClasses") == nil {
		t.Error("the root DSE or the schema is not for everyone")
	}

	mei := dial(t, addr)
	if err := mei.Bind(personDN("mei.chen"), "mei's"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "modify by a person", mei.Modify(change(personDN("mei.chen"))), insufficientAccessRights)
	wantCode(t, "delete by a person", mei.Del(ldap.NewDelRequest(personDN("ada.lindqvist"), nil)), insufficientAccessRights)
	if got := read(t, mei, personDN("mei.chen"), "*", "userPassword"); got.GetAttributeValue("sn") != "Chen" || got.GetAttributeValue("userPassword") != "" {
		t.Errorf("a person reads %v", got.Attributes)
	}
	if got := uids(t, mei, "(userPassword=*)"); len(got) != 0 {
		t.Errorf("a filter on passwords finds %q", got)
	}
	_, err = mei.Compare(personDN("mei.chen"), "userPassword", "mei's")
	wantCode(t, "compare a password", err, undefinedAttributeType)

	root := dial(t, addr)
	if err := root.Bind(rootDN, rootPassword); err != nil {
		t.Fatal(err)
	}
	if got := uids(t, root, "(userPassword=mei's)"); !slices.Equal(got, []string{"mei.chen"}) {
		t.Errorf("a filter on passwords finds %q", got)
	}
}

func TestPasswordModify(t *testing.T) {
	addr := startGuarded(t, nil)
	mei := dial(t, addr)
	if err := mei.Bind(personDN("mei.chen"), "mei's"); err != nil {
		t.Fatal(err)
	}
	_, err := mei.PasswordModify(ldap.NewPasswordModifyRequest("", "wrong", "new"))
	wantCode(t, "with a wrong old password", err, unwillingToPerform)
	_, err = mei.PasswordModify(ldap.NewPasswordModifyRequest(personDN("ada.lindqvist"), "", "new"))
	wantCode(t, "of another", err, insufficientAccessRights)
	_, err = mei.PasswordModify(ldap.NewPasswordModifyRequest("", "mei's", "new"))
	wantCode(t, "of one's own", err, success)
	wantCode(t, "bind with the old", dial(t, addr).Bind(personDN("mei.chen"), "mei's"), invalidCredentials)
	wantCode(t, "bind with the new", dial(t, addr).Bind(personDN("mei.chen"), "new"), success)

	root := dial(t, addr)
	if err := root.Bind(rootDN, rootPassword); err != nil {
		t.Fatal(err)
	}
	made, err := root.PasswordModify(ldap.NewPasswordModifyRequest(personDN("ada.lindqvist"), "", ""))
	if err != nil || made.GeneratedPassword == "" {
		t.Fatalf("made up: %v, %v", made, err)
	}
	wantCode(t, "bind with the one made up", dial(t, addr).Bind(personDN("ada.lindqvist"), made.GeneratedPassword), success)

	lock := ldap.NewModifyRequest(personDN("ada.lindqvist"), nil)
	lock.Replace("pwdAccountLockedTime", []string{"000001010000Z"})
	wantCode(t, "lock", root.Modify(lock), success)
	wantCode(t, "bind when locked", dial(t, addr).Bind(personDN("ada.lindqvist"), made.GeneratedPassword), invalidCredentials)
	lock = ldap.NewModifyRequest(personDN("ada.lindqvist"), nil)
	lock.Delete("pwdAccountLockedTime", nil)
	wantCode(t, "unlock", root.Modify(lock), success)
	wantCode(t, "bind when unlocked", dial(t, addr).Bind(personDN("ada.lindqvist"), made.GeneratedPassword), success)
}

func TestTLS(t *testing.T) {
	serverSide, clientSide := certificate(t)
	addr := startGuarded(t, serverSide)
	secure, err := ldap.DialURL("ldaps://"+addr, ldap.DialWithTLSConfig(clientSide))
	if err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	upgraded := dial(t, addr)
	if !slices.Contains(read(t, upgraded, "", "supportedExtension").GetAttributeValues("supportedExtension"), extensionStartTLS) {
		t.Error("StartTLS is not offered")
	}
	if err := upgraded.StartTLS(clientSide); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*ldap.Conn{secure, upgraded} {
		if _, ok := c.TLSConnectionState(); !ok {
			t.Error("no TLS")
		}
		wantCode(t, "bind", c.Bind(rootDN, rootPassword), success)
		if got := uids(t, c, "(uid=mei.chen)"); len(got) != 1 {
			t.Errorf("found %q", got)
		}
	}
	raw := bound(t, startGuarded(t, nil))
	if got := raw.ask(extendedPacket(extensionStartTLS, nil)); len(got) != 1 || got[0][:len("tag 24 code 2")] != "tag 24 code 2" {
		t.Errorf("StartTLS without a certificate: %q", got)
	}
}

// TestStartTLSInjection sends a request right behind StartTLS: it must not be
// taken for one that came under TLS.
func TestStartTLSInjection(t *testing.T) {
	serverSide, _ := certificate(t)
	c := dialRaw(t, startGuarded(t, serverSide))
	both := append(envelope(1, extendedPacket(extensionStartTLS, nil)).Bytes(), envelope(2, bindPacket(rootDN, rootPassword)).Bytes()...)
	if _, err := c.conn.Write(both); err != nil {
		t.Fatal(err)
	}
	wantDisconnect(t, c.conn)
}
