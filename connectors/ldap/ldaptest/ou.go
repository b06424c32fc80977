package ldaptest

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// OU is a place in the directory for one test.
//
// It keeps entries apart, not keys: uid (and on OpenLDAP mail) is unique below
// the whole suffix on OpenLDAP and 389-DS, sAMAccountName in the whole domain on
// Active Directory. Unique makes names that no other test has.
type OU struct {
	Base   string // the organizational unit above the two
	People string
	Groups string
	suffix string
}

// NewOU makes a place for one test, removed with all that is in it when the
// test ends.
func (s *Server) NewOU(t testing.TB) OU {
	t.Helper()
	suffix := strings.ToLower(rand.Text()[:10])
	base := "ou=" + Marker + "-" + suffix + "," + s.Base
	ou := OU{Base: base, People: peopleRDN + "," + base, Groups: groupsRDN + "," + base, suffix: suffix}
	conn := s.Admin(t)
	for _, dn := range []string{ou.Base, ou.People, ou.Groups} {
		if err := conn.Add(addition(dn, "objectClass", "organizationalUnit")); err != nil {
			t.Fatalf("adding %q: %v", dn, err)
		}
	}
	if s.tester == t {
		return ou // The whole server goes when the test ends.
	}
	t.Cleanup(func() {
		if err := deleteTree(conn, ou.Base); err != nil {
			t.Errorf("removing %q: %v", ou.Base, err)
		}
	})
	return ou
}

// Unique is name with an ending that no other OU has: 11 lower-case letters
// and digits, so that a name of 9 still fits into sAMAccountName.
func (ou OU) Unique(name string) string { return name + "-" + ou.suffix }

// Admin is a connection bound as the administrator, closed when the test ends.
// It goes past the gateway, and past the limits and rules of the directory.
func (s *Server) Admin(t testing.TB) *ldap.Conn {
	t.Helper()
	conn, err := s.Dial(s.BindDN, s.BindPassword)
	if err != nil {
		t.Fatalf("binding as %q: %v", s.BindDN, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// deleteTree removes the entry dn and all below it, the lowest first: of the
// three servers only Active Directory would do it in one operation.
func deleteTree(conn *ldap.Conn, dn string) error {
	result, err := conn.SearchWithPaging(ldap.NewSearchRequest(dn, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		0, 0, false, "(objectClass=*)", []string{"1.1"}, nil), 500)
	if err != nil {
		return err
	}
	left := make([]string, 0, len(result.Entries))
	for _, e := range result.Entries {
		left = append(left, e.DN)
	}
	for len(left) > 0 {
		var parents []string
		for _, dn := range left {
			err := conn.Del(ldap.NewDelRequest(dn, nil))
			switch {
			case ldap.IsErrorWithCode(err, ldap.LDAPResultNotAllowedOnNonLeaf):
				parents = append(parents, dn)
			case err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
				return err
			}
		}
		if len(parents) == len(left) {
			return errors.New("what is left is not empty and can not be emptied")
		}
		left = parents
	}
	return nil
}
