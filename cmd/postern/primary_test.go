package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

// TestPrimaryGroup gives a user of a domain a primary group among those of the
// gateway: the domain itself takes the user out of the group's members.
func TestPrimaryGroup(t *testing.T) {
	w := directoryWorld(t, ldaptest.Start(t, ldaptest.ActiveDirectory))
	u, v := w.user("primary", ""), w.user("other", "")
	g, h := w.group(unique("primary"), u.id(), v.id()), w.group(unique("other"), u.id())
	groups := func(id string) map[string]bool {
		t.Helper()
		list, _ := w.want(w.get("/Users/"+id), http.StatusOK).at("groups").([]any)
		ids := map[string]bool{}
		for _, one := range list {
			ids[at(one, "value").(string)] = true
		}
		return ids
	}
	if len(groups(u.id())) != 2 {
		t.Fatalf("in %v", groups(u.id()))
	}
	found, err := w.past.Search(goldap.NewSearchRequest(w.groupsBase, goldap.ScopeSingleLevel, 0, 0, 0, false, "(cn="+g.text("displayName")+")", []string{"objectSid"}, nil))
	if err != nil || len(found.Entries) != 1 {
		t.Fatal(found, err)
	}
	sid := found.Entries[0].GetRawAttributeValue("objectSid")
	w.replace(u.text("userName"), "primaryGroupID", fmt.Sprint(binary.LittleEndian.Uint32(sid[len(sid)-4:])))
	w.wantMembers(g.id(), v.id())

	if in := groups(u.id()); !in[g.id()] || !in[h.id()] || len(in) != 2 {
		t.Errorf("in %v, want %s and %s", in, g.id(), h.id())
	}
	if in := groups(v.id()); !in[g.id()] || len(in) != 1 {
		t.Errorf("the other is in %v", in)
	}
	if list := w.find("/Users", "groups.value eq "+quote(g.id())); len(list) != 2 {
		t.Errorf("%d users are found by the group", len(list))
	}
	if list := w.find("/Users", `not (groups.value eq `+quote(g.id())+`) and (userName eq `+quote(u.text("userName"))+` or userName eq `+quote(v.text("userName"))+`)`); len(list) != 0 {
		t.Errorf("%d users are found by not being in the group", len(list))
	}

	// It is not removable, alone or with others.
	for _, value := range []string{`{"value":` + quote(u.id()) + `}`, `{"value":` + quote(u.id()) + `},{"value":` + quote(v.id()) + `}`} {
		a := w.do("PATCH", "/Groups/"+g.id(), patchBody(`{"op":"remove","path":"members","value":[`+value+`]}`))
		w.wantError(a, http.StatusBadRequest, "invalidValue", "members", "primary group")
	}
	w.wantMembers(g.id(), v.id())
	w.want(w.do("PATCH", "/Groups/"+g.id(), patchBody(`{"op":"remove","path":"members","value":[{"value":`+quote(v.id())+`}]}`)), http.StatusNoContent)
	w.want(w.do("PATCH", "/Groups/"+g.id(), patchBody(`{"op":"remove","path":"members","value":[{"value":`+quote(v.id())+`}]}`)), http.StatusNoContent)
	w.wantMembers(g.id())
	if in := groups(u.id()); !in[g.id()] {
		t.Errorf("in %v", in)
	}
}
