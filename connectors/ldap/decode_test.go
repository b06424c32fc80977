package ldap

import (
	"strings"
	"testing"

	"postern/configs"
)

func TestCheckServer(t *testing.T) {
	for _, test := range []struct {
		url          string
		clearAllowed bool
		upgradable   bool
		problem      string // a part of it; "" is none
	}{
		{"ldaps://dc1.example.com", false, false, ""},
		{"ldaps://dc1.example.com:3269/", false, false, ""},
		{"LDAPS://dc1.example.com", false, false, ""},
		{"ldap://127.0.0.1:3890", false, true, ""},
		{"ldap://127.8.9.1", false, true, ""},
		{"ldap://[::1]:389", false, true, ""},
		{"ldap://localhost", false, true, ""},
		{"ldap://dc1.example.com", true, true, ""},
		{"ldap://dc1.example.com", false, true, "not be encrypted"},
		{"ldap://10.0.0.1", false, true, "not be encrypted"},
		{"ldap://0.0.0.0", false, true, "not be encrypted"},
		{"ldap://127.0.0.1.example.com", false, true, "not be encrypted"},
		{"dc1.example.com", false, false, "not a URL"},
		{"dc1.example.com:389", false, false, "not a URL"},
		{"ldap:dc1", false, false, "not a URL"},
		{"ldap://%zz", false, false, "not a URL"},
		{"ldapi:///var/run/ldapi", false, false, "neither"},
		{"ldap://", false, false, "no host"},
		{"ldap://:389", false, false, "no host"},
		{"ldaps://user@dc1.example.com", false, false, "host and a port only"},
		{"ldaps://dc1.example.com/dc=x??sub", false, false, "host and a port only"},
		{"ldaps://dc1.example.com:0", false, false, "not a port"},
		{"ldaps://dc1.example.com:99999", false, false, "not a port"},
	} {
		var problems configs.Problems
		upgradable := checkServer(configs.At[string]{Value: test.url, Set: true}, test.clearAllowed, &problems)
		if upgradable != test.upgradable {
			t.Errorf("%s: StartTLS can upgrade it: %v", test.url, upgradable)
		}
		if (test.problem == "") != (len(problems) == 0) || !strings.Contains(problems.Error(), test.problem) {
			t.Errorf("%s: %v, want %q", test.url, problems, test.problem)
		}
	}
}

func TestDescriptor(t *testing.T) {
	for s, want := range map[string]bool{
		"cn": true, "objectGUID": true, "msDS-cloudExtensionAttribute1": true, "2.5.4.3": true,
		"-cn": false, "c n": false, "cn;lang-de": false, "/id": false, "2.5.x": false, "ünï": false, "\u212aelvin": false, "a\x00": false,
	} {
		if descriptor(s) != want {
			t.Errorf("descriptor(%q) = %v", s, !want)
		}
	}
}

// TestDecodeLeavesOthersTheirKeys holds that a resource's section is shared: what is not the
// directory's is neither taken nor reported.
func TestDecodeLeavesOthersTheirKeys(t *testing.T) {
	root, problems := configs.Parse("f", []byte("base: dc=example,dc=com\nobjectClass: [top, person]\nmap: { userName: uid }\nbsae: x\n"))
	c := DecodeCollection("User", root, &problems)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Name != "User" || c.Base != "dc=example,dc=com" || len(c.ObjectClass) != 2 || c.Filter != "" {
		t.Errorf("%+v", c)
	}
	m := root.Map(&problems)
	m.Child("map")
	m.Done()
	if len(problems) != 1 || problems[0].Path != "bsae" || problems[0].Hint == "" {
		t.Errorf("problems: %v", problems)
	}
}
