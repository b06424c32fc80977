package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"postern/connectors/ldap/ldaptest"

	"github.com/go-ldap/ldap/v3"
)

// fill makes the users and the group. The group gets its members a thousand at a time.
func (b *groupsBench) fill(ctx context.Context) error {
	d := b.d
	d.users = make([]string, b.members+b.batch)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			conn, err := d.dial()
			if err != nil {
				errs[w] = err
				return
			}
			defer conn.Close()
			for i := w; i < len(d.users) && errs[w] == nil && ctx.Err() == nil; i += len(errs) {
				errs[w] = conn.Add(d.person(i))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return err
	}
	conn, err := d.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	d.group = "cn=large," + d.server.GroupsBase
	const step = 1000
	add := ldap.NewAddRequest(d.group, nil)
	add.Attribute("cn", []string{"large"})
	if d.server.Kind == ldaptest.ActiveDirectory {
		add.Attribute("objectClass", []string{"top", "group"})
		add.Attribute("groupType", []string{"-2147483646"})
	} else {
		add.Attribute("objectClass", []string{"top", "groupOfNames"})
	}
	add.Attribute("member", d.users[:min(step, b.members)])
	if err := conn.Add(add); err != nil {
		return err
	}
	for at := step; at < b.members && ctx.Err() == nil; at += step {
		m := ldap.NewModifyRequest(d.group, nil)
		m.Add("member", d.users[at:min(at+step, b.members)])
		if err := conn.Modify(m); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// userName is what the i-th user is called in SCIM.
func (d *directory) userName(i int) string {
	name := fmt.Sprintf("user%07d", i)
	if d.server.Kind == ldaptest.ActiveDirectory {
		name += "@corp.example.com"
	}
	return name
}

// person is the request for the i-th user, and notes its DN.
func (d *directory) person(i int) *ldap.AddRequest {
	uid := fmt.Sprintf("user%07d", i)
	if d.server.Kind == ldaptest.ActiveDirectory {
		d.users[i] = "CN=" + uid + "," + d.server.PeopleBase
		r := ldap.NewAddRequest(d.users[i], nil)
		r.Attribute("objectClass", []string{"top", "person", "organizationalPerson", "user"})
		r.Attribute("sAMAccountName", []string{uid})
		r.Attribute("userPrincipalName", []string{d.userName(i)})
		return r
	}
	d.users[i] = "uid=" + uid + "," + d.server.PeopleBase
	r := ldap.NewAddRequest(d.users[i], nil)
	r.Attribute("objectClass", []string{"top", "person", "organizationalPerson", "inetOrgPerson"})
	for _, attr := range []string{"uid", "cn", "sn"} {
		r.Attribute(attr, []string{uid})
	}
	return r
}

// anchor is the attribute that identifies entries.
func (d *directory) anchor() string {
	switch d.server.Kind {
	case ldaptest.ActiveDirectory:
		return "objectGUID"
	case ldaptest.DS389:
		return "nsUniqueId"
	default:
		return "entryUUID"
	}
}
