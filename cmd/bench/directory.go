package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"postern/connectors/ldap/ldaptest"

	"github.com/go-ldap/ldap/v3"
)

// directory is the server under both sides of the comparison.
type directory struct {
	server *ldaptest.Server
	users  []string // DNs
	uuids  []string // entryUUID, in the order of users
	group  string   // DN of the large group
	walked time.Duration
}

func startDirectory(ctx context.Context, dir string, o options) (*directory, error) {
	if err := ldaptest.Install(ctx, os.Stderr, ldaptest.OpenLDAP); err != nil {
		return nil, err
	}
	s, err := ldaptest.Launch(ctx, ldaptest.OpenLDAP, "")
	if err != nil {
		return nil, err
	}
	d := &directory{server: s}
	if err := d.fill(o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return d, nil
}

func (d *directory) dial() (*ldap.Conn, error) {
	return d.server.Dial(d.server.ServiceDN, d.server.ServicePassword)
}

func (d *directory) fill(o options) error {
	conn, err := d.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	d.users = make([]string, o.users)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for w := range errs {
		wg.Go(func() {
			conn, err := d.dial()
			if err != nil {
				errs[w] = err
				return
			}
			defer conn.Close()
			for i := w; i < o.users; i += len(errs) {
				uid := fmt.Sprintf("user%05d", i)
				d.users[i] = "uid=" + uid + "," + d.server.PeopleBase
				add := ldap.NewAddRequest(d.users[i], nil)
				for attr, value := range map[string]string{"uid": uid, "cn": "User " + uid, "sn": "Number" + uid, "givenName": "User",
					"displayName": "User Number " + uid, "mail": uid + "@example.com", "title": "Engineer", "telephoneNumber": "+1 555 0100",
					"employeeNumber": fmt.Sprint(i), "departmentNumber": "42"} {
					add.Attribute(attr, []string{value})
				}
				add.Attribute("objectClass", []string{"top", "person", "organizationalPerson", "inetOrgPerson"})
				if errs[w] = conn.Add(add); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d.group = "cn=large," + d.server.GroupsBase
	add := ldap.NewAddRequest(d.group, nil)
	add.Attribute("objectClass", []string{"top", "groupOfNames"})
	add.Attribute("cn", []string{"large"})
	add.Attribute("member", append([]string{""}, d.users[:o.members]...))
	if err := conn.Add(add); err != nil {
		return err
	}
	began := time.Now()
	found, err := conn.SearchWithPaging(search(d.server.PeopleBase, "(objectClass=inetOrgPerson)", "uid", "entryUUID"), 100)
	if err != nil {
		return err
	}
	d.walked = time.Since(began)
	uuids := make(map[string]string, o.users)
	for _, e := range found.Entries {
		uuids[e.GetAttributeValue("uid")] = e.GetAttributeValue("entryUUID")
	}
	for i := range d.users {
		d.uuids = append(d.uuids, uuids[fmt.Sprintf("user%05d", i)])
	}
	return nil
}

func search(base, filter string, attrs ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attrs, nil)
}
