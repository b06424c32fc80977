package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
	"postern/gateway"
	"postern/idstore"

	goldap "github.com/go-ldap/ldap/v3"
)

// record is the entity that an id names.
func (w *world) record(id string) idstore.Record {
	w.t.Helper()
	public, _ := idstore.ParsePublicID(id)
	var rec idstore.Record
	err := w.app.store.View(w.t.Context(), func(tx idstore.Tx) (err error) {
		rec, err = idstore.FindID(tx, public)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rec
}

// operate carries out an operation on the identity table, as an administrator
// does, on what the ids name.
func (w *world) operate(fn func(idstore.Tx) (idstore.Operation, error), ids ...string) (o idstore.Operation) {
	w.t.Helper()
	var concerned []idstore.Anchor
	for _, id := range ids {
		concerned = append(concerned, w.record(id).Anchor())
	}
	err := w.app.gateway.Operate(w.t.Context(), concerned, func(tx idstore.Tx) (err error) {
		o, err = fn(tx)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) merge(from, into string, leftover idstore.Action) {
	w.t.Helper()
	f, i := w.record(from).Entity, w.record(into).Entity
	w.operate(func(tx idstore.Tx) (idstore.Operation, error) {
		return idstore.Merge(tx, f, i, idstore.MergeOptions{Leftover: leftover})
	}, from, into)
}

// workOff does the deferred work.
func (w *world) workOff() {
	w.t.Helper()
	if _, err := w.app.gateway.WorkOff(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	err := w.app.store.View(w.t.Context(), func(tx idstore.Tx) error {
		for work, err := range idstore.Works(tx) {
			if err != nil {
				return err
			}
			w.t.Errorf("work that is left: %s, %s", work.Action, work.LastError)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// there reports whether the directory has an object.
func (w *world) there(t *testing.T, kind string, a idstore.Anchor) bool {
	t.Helper()
	_, err := w.behind.connect(t)[kind].Get(t.Context(), connectors.Anchor(a.Key), nil)
	if err != nil && connectors.KindOf(err) != connectors.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// testMerge makes one person of two accounts and goes on speaking of both.
func testMerge(t *testing.T, w *world) {
	old := w.user("merged-away", `,"externalId":"`+unique("m")+`","active":true,"password":"Corr3ct-Horse-9"`)
	stays := w.user("merged-into", `,"active":true,"password":"Corr3ct-Horse-9"`)
	both, one := w.group(unique("both"), old.id(), stays.id()).id(), w.group(unique("one"), old.id()).id()
	w.wantMembers(both, old.id(), stays.id())
	leftover := w.record(old.id()).Anchor()
	w.merge(old.id(), stays.id(), idstore.ActionDisable)
	w.workOff()

	byOld := w.want(w.get("/Users/"+old.id()), http.StatusOK)
	if byOld.id() != old.id() || byOld.text("userName") != stays.text("userName") || byOld.text("meta", "location") != w.base+"/Users/"+old.id() || byOld.at("active") != true {
		t.Errorf("by the alias: %s", byOld.body)
	}
	byNew := w.want(w.get("/Users/"+stays.id()), http.StatusOK)
	if byNew.etag() != byOld.etag() {
		t.Errorf("versions %s and %s", byOld.etag(), byNew.etag())
	}
	if w.bind != nil && w.bind(old.text("userName"), "Corr3ct-Horse-9") {
		t.Error("the account that was left over can sign in")
	}
	w.wantMembers(both, stays.id())
	w.wantMembers(one, stays.id())
	for filter, want := range map[string]int{
		`userName eq ` + quote(old.text("userName")):                 0,
		`userName eq ` + quote(stays.text("userName")):               1,
		`id eq ` + quote(old.id()):                                   1,
		`externalId eq ` + quote(old.text("externalId")):             1,
		`id eq ` + quote(old.id()) + ` and not (displayName eq "x")`: 1,
	} {
		if l := w.find("/Users", filter); len(l) != want || want == 1 && at(l[0], "id") != stays.id() {
			t.Errorf("%s finds %v, want %d", filter, l, want)
		}
	}
	if l := w.find("/Groups", `members.value eq `+quote(old.id())); len(l) != 2 {
		t.Errorf("the groups of the alias: %v", l)
	}
	w.want(w.do("PATCH", "/Groups/"+both, patchBody(`{"op":"add","path":"members","value":[{"value":`+quote(old.id())+`}]}`)), http.StatusNoContent)
	w.wantMembers(both, stays.id())
	w.want(w.do("PATCH", "/Groups/"+both, patchBody(`{"op":"remove","path":"members[value eq \"`+old.id()+`\"]"}`)), http.StatusNoContent)
	w.wantMembers(both)
	a := w.want(w.do("PATCH", "/Users/"+old.id(), patchBody(`{"op":"replace","path":"title","value":"Boss"}`), "If-Match", byNew.etag()), http.StatusOK)
	if a.id() != old.id() || a.text("title") != "Boss" {
		t.Errorf("patched by the alias: %s", a.body)
	}
	w.wantError(w.do("DELETE", "/Users/"+old.id(), "", "If-Match", byNew.etag()), http.StatusPreconditionFailed, "")
	w.want(w.do("DELETE", "/Users/"+old.id(), "", "If-Match", a.etag()), http.StatusNoContent)
	w.wantError(w.get("/Users/"+old.id()), http.StatusNotFound, "")
	if w.want(w.get("/Users/"+stays.id()), http.StatusOK); !w.there(t, "User", leftover) {
		t.Error("an object went with an alias")
	}
	primary := w.record(stays.id()).Anchor()
	w.want(w.do("DELETE", "/Users/"+stays.id(), ""), http.StatusNoContent)
	if w.there(t, "User", leftover) || w.there(t, "User", primary) {
		t.Error("an object is left after the last id")
	}
	w.wantMembers(one)
}

// testMergeAndDelete deletes what a merge leaves over and keeps what it was in.
func testMergeAndDelete(t *testing.T, w *world) {
	old, stays, bystander := w.user("double", ""), w.user("single", ""), w.user("bystander", "").id()
	one := w.group(unique("one"), old.id(), bystander).id()
	const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	managed := w.user("managed", `,"`+manager+`":{"manager":{"value":`+quote(old.id())+`}}`)
	leftover := w.record(old.id()).Anchor()
	w.merge(old.id(), stays.id(), idstore.ActionDelete)
	w.workOff()
	if w.there(t, "User", leftover) {
		t.Error("the object is there still")
	}
	w.wantMembers(one, stays.id(), bystander)
	if managed.json[manager] != nil { // where the mapping has it
		if got := w.want(w.get("/Users/"+managed.id()), http.StatusOK).text(manager, "manager", "value"); got != stays.id() {
			t.Errorf("the manager is %q, want %s", got, stays.id())
		}
	}
	if a := w.want(w.get("/Users/"+old.id()), http.StatusOK); a.id() != old.id() {
		t.Errorf("by the alias: %s", a.body)
	}
	w.want(w.do("DELETE", "/Users/"+old.id(), ""), http.StatusNoContent)
}

// testSplit takes a wrong merge apart again.
func testSplit(t *testing.T, w *world) {
	a, b := w.user("half-a", ""), w.user("half-b", "")
	entry := w.record(a.id()).Anchor()
	w.merge(a.id(), b.id(), idstore.ActionKeep)
	whole := w.record(b.id())
	public, _ := idstore.ParsePublicID(a.id())
	w.operate(func(tx idstore.Tx) (idstore.Operation, error) {
		return idstore.Split(tx, whole.Entity, idstore.SplitOptions{Links: []idstore.Anchor{entry}, IDs: []idstore.PublicID{public}})
	}, b.id())
	for _, half := range []answer{a, b} {
		got := w.want(w.get("/Users/"+half.id()), http.StatusOK)
		if got.text("userName") != half.text("userName") || got.etag() != half.etag() {
			t.Errorf("%s reads %s, was %s", half.id(), got.body, half.body)
		}
	}
	w.want(w.do("PATCH", "/Users/"+a.id(), patchBody(`{"op":"replace","path":"title","value":"A"}`), "If-Match", a.etag()), http.StatusOK)
	if now := w.want(w.get("/Users/"+b.id()), http.StatusOK); now.etag() != b.etag() {
		t.Error("a write to one half moved the version of the other")
	}
}

// testDrift renames, moves, deletes and makes entries past the gateway.
func testDrift(t *testing.T, w *world) {
	if w.past == nil {
		t.Skip("no directory behind")
	}
	u := w.user("drift", "")
	group := w.group(unique("drifters"), u.id()).id()
	unit := "ou=" + unique("moved") + "," + w.people
	add := goldap.NewAddRequest(unit, nil)
	add.Attribute("objectClass", []string{"top", "organizationalUnit"})
	if err := w.past.Add(add); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.past.Del(goldap.NewDelRequest(unit, nil)) })
	dn := w.dn(u.text("userName"))
	rdn, _, _ := strings.Cut(dn, ",")
	attr, _, _ := strings.Cut(rdn, "=")
	same := func(what string) {
		t.Helper()
		if a := w.get("/Users/" + u.id()); a.status != http.StatusOK || a.id() != u.id() {
			t.Errorf("after %s: %d %s", what, a.status, a.body)
		}
		if l := w.find("/Users", `id eq `+quote(u.id())); len(l) != 1 {
			t.Errorf("after %s the list has %v", what, l)
		}
		w.wantMembers(group, u.id())
	}
	renamed := attr + "=" + unique("renamed")
	if err := w.past.ModifyDN(goldap.NewModifyDNRequest(dn, renamed, attr != "uid", "")); err != nil {
		t.Fatal(err)
	}
	same("a rename")
	_, base, _ := strings.Cut(dn, ",")
	if err := w.past.ModifyDN(goldap.NewModifyDNRequest(renamed+","+base, renamed, true, unit)); err != nil {
		t.Fatal(err)
	}
	same("a move")

	name := w.userName(unique("reborn"))
	first := w.create("/Users", userBody(name, ""))
	lost := w.record(first.id()).Anchor()
	if err := w.past.Del(goldap.NewDelRequest(w.dn(name), nil)); err != nil {
		t.Fatal(err)
	}
	w.wantError(w.get("/Users/"+first.id()), http.StatusNotFound, "")
	if l := w.find("/Users", `userName eq `+quote(name)); len(l) != 0 {
		t.Errorf("a deleted entry is listed: %v", l)
	}
	w.addPast(name)
	found := w.find("/Users", `userName eq `+quote(name))
	if len(found) != 1 {
		t.Fatalf("the entry made past the gateway: %v", found)
	}
	second := at(found[0], "id").(string)
	w.cleanup("/Users/" + second)
	if second == first.id() {
		t.Error("another entry of the same name has the id of the first")
	}
	w.wantError(w.get("/Users/"+first.id()), http.StatusNotFound, "")

	// The administrator knows that it is the same person.
	entity, anchor := w.record(first.id()).Entity, w.record(second).Anchor()
	err := w.app.gateway.Operate(t.Context(), []idstore.Anchor{lost, anchor}, func(tx idstore.Tx) error {
		_, err := idstore.Relink(tx, entity, lost, anchor, idstore.RelinkOptions{Absorb: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{first.id(), second} {
		if a := w.want(w.get("/Users/"+id), http.StatusOK); a.id() != id || a.text("userName") != name {
			t.Errorf("%s reads %s", id, a.body)
		}
	}
	if l := w.find("/Users", `userName eq `+quote(name)); len(l) != 1 || at(l[0], "id") != first.id() {
		t.Errorf("relinked, the list has %v, want %s", l, first.id())
	}
}

// addPast makes a user in the directory past the gateway.
func (w *world) addPast(userName string) {
	w.t.Helper()
	rdn, classes := "uid", []string{"top", "person", "organizationalPerson", "inetOrgPerson"}
	if w.nameAttr == "userPrincipalName" {
		rdn, classes = "cn", []string{"top", "person", "organizationalPerson", "user"}
	}
	stem, _, _ := strings.Cut(userName, "@")
	add := goldap.NewAddRequest(fmt.Sprintf("%s=%s,%s", rdn, goldap.EscapeDN(stem), w.people), nil)
	add.Attribute("objectClass", classes)
	add.Attribute(w.nameAttr, []string{userName})
	add.Attribute("sn", []string{"past"})
	if rdn == "uid" {
		add.Attribute("cn", []string{stem})
	}
	if err := w.past.Add(add); err != nil {
		w.t.Fatal(err)
	}
}

// testAdoption gives ids to what is there before any request asks for it.
func testAdoption(t *testing.T, w *world) {
	if w.past == nil {
		t.Skip("no directory behind")
	}
	const known = "2819c223-7f76-453a-919d-41386190464"
	names := []string{w.userName(unique("adopted")), w.userName(unique("adopted"))}
	for _, name := range names {
		w.addPast(name)
	}
	by, err := w.app.gateway.Lookup("User", "userName", names[0])
	if err != nil {
		t.Fatal(err)
	}
	id := known + fmt.Sprint(len(w.kind)%10)
	rows := []gateway.Known{{Line: 2, ID: id, ExternalID: "kept-" + names[0], By: by}}
	client := gateway.Caller{Client: "x", Domain: w.domain()}
	sum, problems, err := w.app.gateway.AdoptKnown(t.Context(), client, "User", rows, gateway.KnownOptions{})
	if err != nil || len(problems) > 0 || sum.New != 1 {
		t.Fatalf("%+v, %v, %v", sum, problems, err)
	}
	all, err := w.app.gateway.Adopt(t.Context(), "User", []string{w.domain()}, func(gateway.Adoption) error { return nil })
	if err != nil || all.New < 1 || all.Seen < 2 {
		t.Errorf("adopted %+v, %v", all, err)
	}
	again, err := w.app.gateway.Adopt(context.Background(), "User", []string{w.domain()}, func(gateway.Adoption) error { return nil })
	if err != nil || again != (gateway.Adoption{Seen: all.Seen}) {
		t.Errorf("adopted again %+v, %v, first %+v", again, err, all)
	}
	a := w.want(w.get("/Users/"+id), http.StatusOK)
	if a.text("userName") != names[0] || a.text("externalId") != "kept-"+names[0] {
		t.Errorf("the adopted user: %s", a.body)
	}
	for _, name := range names {
		l := w.find("/Users", `userName eq `+quote(name))
		if len(l) != 1 || name == names[0] && at(l[0], "id") != id {
			t.Errorf("%s: %v", name, l)
			continue
		}
		w.want(w.do("DELETE", "/Users/"+at(l[0], "id").(string), ""), http.StatusNoContent)
	}
}

// domain is the provisioning domain of the client that writes.
func (w *world) domain() string {
	i := slices.IndexFunc(w.behind.config.Clients, func(c Client) bool { return len(c.Access) == 2 })
	return w.behind.config.Clients[i].Domain
}
