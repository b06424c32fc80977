package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern/connectors"
	"postern/connectors/ldap/ldaptest"
	"postern/gateway"
	"postern/idstore"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"
)

// placedWorld is a gateway in front of a real server whose users are called after
// their displayName, with a number where that is taken, and lie where place says.
func placedWorld(t *testing.T, s *ldaptest.Server, place string, more ...string) *world {
	t.Helper()
	named, formatted, name := "    name: uid={userName} ", `{ attr: cn, default: ["{name.givenName} {name.familyName}", "{displayName}", "{userName}"] }`, "cn={displayName}"
	if s.Kind == ldaptest.ActiveDirectory {
		named, name, formatted = "    name: CN={userName} ", "CN={displayName}", ""
	}
	if formatted != "" {
		more = append(more, formatted, "{ attr: cn, write: never }")
	}
	return directoryWorld(t, s, append(more, named, "    name: { template: \""+name+"\", collision: number }\n    place: "+place+"\n    # ")...)
}

// liesIn demands that a user lies in a container, which it returns the DN for.
func (w *world) liesIn(userName, container string) {
	w.t.Helper()
	dn, err := goldap.ParseDN(w.dn(userName))
	if err != nil {
		w.t.Fatal(err)
	}
	want, err := goldap.ParseDN(container)
	if err != nil {
		w.t.Fatal(err)
	}
	if above := (&goldap.DN{RDNs: dn.RDNs[1:]}); !above.EqualFold(want) {
		w.t.Errorf("%s lies in %s, want %s", userName, above, want)
	}
}

const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"

func inDepartment(name, more string) string {
	return `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":` + quote(name) + `}` + more
}

// TestPlaces makes people in the container of their department, and moves them when
// they go to another one.
func TestPlaces(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			past := &world{client: (&client{}).with(t), past: s.Admin(t)}
			const odd = `R+D, "Labs"`
			sales, labs := past.container("Sales", s.PeopleBase), past.container(goldap.EscapeDN(odd), s.PeopleBase)
			nested := past.container("Nested", sales)
			w := placedWorld(t, s, fmt.Sprintf("{ template: %q, else: %q }", "ou={"+department+"},"+s.PeopleBase, s.PeopleBase))

			u := w.user("placed", inDepartment("Sales", `,"displayName":"Placed"`))
			path, name := "/Users/"+u.id(), u.text("userName")
			w.liesIn(name, sales)
			g := w.group(unique("placed"), u.id())
			moved := w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":`+quote(department)+`,"value":`+quote(odd)+`}`), "If-Match", u.etag()), http.StatusOK)
			w.liesIn(name, labs)
			if now := w.want(w.get(path), http.StatusOK); now.id() != u.id() || now.etag() != moved.etag() || now.text("displayName") != "Placed" {
				t.Errorf("moved: %s %s, told %s", now.etag(), now.body, moved.etag())
			}
			w.wantMembers(g.id(), u.id())
			if l := w.find("/Users", "userName eq "+quote(name)); len(l) != 1 {
				t.Errorf("found %d times where it lies deeper", len(l))
			}

			// What can not be is not done at all, and no value reaches another container.
			w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":`+quote(department)+`,"value":"Sales"}`), "If-Match", u.etag()), http.StatusPreconditionFailed, "")
			for _, value := range []string{"Nowhere", "Nested,ou=Sales", `x"+ou=Sales`, " Sales\\,", "#53", "Sales\\00"} {
				a := w.do("PATCH", path, patchBody(`{"op":"replace","path":`+quote(department)+`,"value":`+quote(value)+`}`, `{"op":"replace","path":"title","value":"Lost"}`))
				w.wantError(a, http.StatusBadRequest, "invalidValue", "department", "container")
				a = w.do("POST", "/Users", userBody(w.userName(unique("nowhere")), inDepartment(value, `,"displayName":"Nowhere"`)))
				w.wantError(a, http.StatusBadRequest, "invalidValue", "department", "container")
			}
			w.liesIn(name, labs)
			if now := w.want(w.get(path), http.StatusOK); now.etag() != moved.etag() {
				t.Errorf("a move that was refused changed %s to %s", moved.body, now.body)
			}

			// What an administrator has put elsewhere stays there until the department changes.
			if err := w.past.ModifyDN(goldap.NewModifyDNRequest(w.dn(name), strings.SplitN(w.dn(name), ",", 2)[0], true, nested)); err != nil {
				t.Fatal(err)
			}
			w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"title","value":"Head"}`)), http.StatusOK)
			w.want(w.do("PUT", path, userBody(name, inDepartment(odd, `,"displayName":"Placed","title":"Chief"`))), http.StatusOK)
			w.liesIn(name, nested)
			w.want(w.do("PATCH", path, patchBody(`{"op":"remove","path":`+quote(department)+`}`, `{"op":"replace","path":"displayName","value":"Renamed"}`)), http.StatusOK)
			w.liesIn(name, s.PeopleBase)
			w.want(w.do("PUT", path, userBody(name, inDepartment("Sales", `,"displayName":"Placed"`))), http.StatusOK)
			w.liesIn(name, sales)
			w.wantMembers(g.id(), u.id())
			if got := w.get(path); got.id() != u.id() || got.text("meta", "location") != u.text("meta", "location") {
				t.Errorf("in the end: %s", got.body)
			}

			// The same type of resource lies in OUs in OUs, and another under the same base.
			t.Run("one base", func(t *testing.T) { oneBase(t, w.with(t), nested) })
		})
	}
}

// oneBase serves groups from under the base of the users.
func oneBase(t *testing.T, w *world, nested string) {
	c := w.behind.config
	c.Resources = slices.Clone(c.Resources)
	for i := range c.Resources {
		if c.Resources[i].Name == "Group" {
			c.Resources[i].Collection.Base = w.people
		}
	}
	one := *w
	connected := connectDirectories(c, w.behind.maps)(t)
	o := gateway.Options{Store: w.app.store, Log: zerolog.Nop()}
	for i, r := range c.Resources {
		o.Targets = append(o.Targets, gateway.Target{Mapping: w.behind.maps[i], Connector: connected[r.Name], Backend: r.Backend})
	}
	one.client = w.beside(t, o)
	u := one.user("below", `,"displayName":"Below"`)
	g := one.group(unique("below"), u.id())
	// Moved past the gateway, and a minute later that is known everywhere.
	dn := one.dn(u.text("userName"))
	if err := one.past.ModifyDN(goldap.NewModifyDNRequest(dn, strings.SplitN(dn, ",", 2)[0], true, nested)); err != nil {
		t.Fatal(err)
	}
	one.want(one.get("/Users/"+u.id()), http.StatusOK)
	one.want(one.get("/Groups/"+g.id()), http.StatusOK)
	one.wantError(one.get("/Groups/"+u.id()), http.StatusNotFound, "")
	one.wantError(one.get("/Users/"+g.id()), http.StatusNotFound, "")
	for path, id := range map[string]string{"/Users?count=500": u.id(), "/Groups?count=500": g.id()} {
		list, _ := one.want(one.get(path), http.StatusOK).at("Resources").([]any)
		kind := strings.TrimSuffix(strings.TrimPrefix(strings.SplitN(path, "?", 2)[0], "/"), "s")
		found := 0
		for _, r := range list {
			if at(r, "id") == id {
				found++
			}
			if at(r, "meta", "resourceType") != kind {
				t.Errorf("%s lists a %v", path, at(r, "meta", "resourceType"))
			}
		}
		if found != 1 {
			t.Errorf("%s has %s %d times", path, id, found)
		}
	}
	one.wantMembers(g.id(), u.id())
}

// TestPlaceByTable puts people who are deactivated among the others who left.
func TestPlaceByTable(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			past := &world{client: (&client{}).with(t), past: s.Admin(t)}
			staff, left := past.container("Here", s.PeopleBase), past.container("Left", s.PeopleBase)
			w := placedWorld(t, s, fmt.Sprintf(`{ by: active, table: { "true": %q, "false": %q } }`, staff, left))
			u := w.user("leaving", `,"displayName":"Leaving"`)
			g := w.group(unique("leaving"), u.id())
			w.liesIn(u.text("userName"), staff)
			for range 2 {
				a := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"active","value":false}`)), http.StatusOK)
				if a.at("active") != false {
					t.Errorf("deactivated: %s", a.body)
				}
				w.liesIn(u.text("userName"), left)
			}
			w.wantMembers(g.id(), u.id())
			w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"active","value":true}`)), http.StatusOK)
			w.liesIn(u.text("userName"), staff)
			v := w.user("inactive", `,"displayName":"Inactive","active":false`)
			w.liesIn(v.text("userName"), left)
			w.want(w.do("PUT", "/Users/"+v.id(), userBody(v.text("userName"), `,"displayName":"Inactive","title":"Gone"`)), http.StatusOK) // active is left out, and stays
			w.liesIn(v.text("userName"), left)

			// Those who are there lie by department, and the others in one container.
			sales := past.container("Sales", staff)
			w = placedWorld(t, s, fmt.Sprintf(`{ by: active, table: { "true": %q, "false": %q }, else: %q }`, "ou={"+department+"},"+staff, left, staff))
			u = w.user("leaving", inDepartment("Sales", `,"displayName":"Going"`))
			path, name := "/Users/"+u.id(), u.text("userName")
			w.liesIn(name, sales)
			w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"active","value":false}`)), http.StatusOK)
			w.liesIn(name, left)
			w.want(w.do("PATCH", path, patchBody(`{"op":"remove","path":`+quote(department)+`}`)), http.StatusOK)
			w.liesIn(name, left)
			w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"active","value":true}`)), http.StatusOK)
			w.liesIn(name, staff)
			w.want(w.do("PATCH", path, patchBody(`{"op":"add","path":`+quote(department)+`,"value":"Sales"}`)), http.StatusOK)
			w.liesIn(name, sales)
			w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":`+quote(department)+`,"value":"Nowhere"}`)), http.StatusBadRequest, "invalidValue", "department", "container")

			// Without the container nothing is half done, and the account does not stay open unnoticed.
			w = placedWorld(t, s, fmt.Sprintf(`{ by: active, table: { "true": %q, "false": %q }, else: %q }`, "ou={"+department+"},"+staff, "ou=Gone,"+s.PeopleBase, staff))
			u = w.user("staying", `,"displayName":"Staying"`)
			w.wantError(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"active","value":false}`)), http.StatusBadRequest, "invalidValue", "active", "container")
			w.liesIn(u.text("userName"), staff)
		})
	}
}

// TestCollisions makes people of one name at the same time, and gives others that
// name later.
func TestCollisions(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			past := &world{client: (&client{}).with(t), past: s.Admin(t)}
			a, b := past.container("A", s.PeopleBase), past.container("B", s.PeopleBase)
			w := placedWorld(t, s, fmt.Sprintf("{ by: title, table: { A: %q, B: %q }, else: %q }", a, b, s.PeopleBase))
			const many = 8
			display := "Ann Lee"
			users := make([]answer, many)
			var all sync.WaitGroup
			for i := range users {
				all.Go(func() {
					users[i] = w.do("POST", "/Users", userBody(w.userName(fmt.Sprintf("%s%d", unique("same"), i)), `,"displayName":`+quote(display)+`,"title":"A"`))
				})
			}
			all.Wait()
			names := func(container string) (rdns []string) {
				t.Helper()
				for _, dn := range w.heldBy(container) {
					rdns = append(rdns, strings.ToLower(strings.SplitN(dn, ",", 2)[0]))
				}
				slices.Sort(rdns)
				return rdns
			}
			for _, u := range users {
				w.want(u, http.StatusCreated)
				w.cleanup("/Users/" + u.id())
				if u.text("displayName") != display {
					t.Errorf("its name is %s", u.body)
				}
			}
			want := []string{"cn=ann lee"}
			for n := 2; n <= many; n++ {
				want = append(want, fmt.Sprintf("cn=ann lee %d", n))
			}
			if got := names(a); !slices.Equal(got, want) {
				t.Errorf("they are called %q, want %q", got, want)
			}

			// A number that is free again is used, also by who gets the name by a change or by a move.
			w.want(w.do("DELETE", "/Users/"+users[0].id(), ""), http.StatusNoContent)
			gone := slices.Index(want, strings.ToLower("cn="+display))
			other := w.user("other", `,"displayName":"Bob Ray","title":"A"`)
			w.want(w.do("PATCH", "/Users/"+other.id(), patchBody(`{"op":"replace","path":"displayName","value":`+quote(display)+`}`)), http.StatusOK)
			if got := names(a); len(got) != many || !slices.Contains(got, want[max(gone, 0)]) {
				t.Errorf("after a change they are called %q", got)
			}
			third := w.user("third", `,"displayName":`+quote(display)+`,"title":"B"`)
			w.want(w.do("PATCH", "/Users/"+third.id(), patchBody(`{"op":"replace","path":"title","value":"A"}`)), http.StatusOK)
			if got := names(a); len(got) != many+1 || len(names(b)) != 0 {
				t.Errorf("after a move they are called %q, and %q stay", got, names(b))
			}
			if now := w.want(w.get("/Users/"+third.id()), http.StatusOK); now.text("displayName") != display || now.text("title") != "A" {
				t.Errorf("moved: %s", now.body)
			}
			// The same again changes nothing.
			first := w.get("/Users/" + third.id())
			again := w.want(w.do("PATCH", "/Users/"+third.id(), patchBody(`{"op":"replace","path":"displayName","value":`+quote(display)+`}`)), http.StatusOK)
			if first.etag() != again.etag() || len(names(a)) != many+1 {
				t.Errorf("the same again: %s to %s, %q", first.etag(), again.etag(), names(a))
			}
		})
	}
}

// TestReferencesFollow renames and moves people where the directory does not see to
// what refers to them, also where the gateway ends in between.
func TestReferencesFollow(t *testing.T) {
	for _, kind := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389} {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind, ldaptest.WithoutIntegrity)
			past := &world{client: (&client{}).with(t), past: s.Admin(t)}
			a := past.container("A", s.PeopleBase)
			w := directoryWorld(t, s, "    name: uid={userName} ", fmt.Sprintf("    place: { by: title, table: { A: %q }, else: %q }\n    name: uid={userName} ", a, s.PeopleBase))
			u := w.user("follows", "")
			report := w.user("reports", `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":`+quote(u.id())+`}}`)
			g := w.group(unique("follows"), u.id())
			inner := w.group(unique("inner"))
			outer := w.group(unique("outer"), inner.id(), u.id())
			follow := func(what string) {
				t.Helper()
				w.wantMembers(g.id(), u.id())
				w.wantMembers(outer.id(), inner.id(), u.id())
				if m := w.get("/Users/"+report.id()).text("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "manager", "value"); m != u.id() {
					t.Errorf("%s: the manager is %q", what, m)
				}
				if open := w.open(); len(open) > 0 {
					t.Errorf("%s: still open: %+v", what, open)
				}
			}
			patch := func(id string, ops ...string) {
				t.Helper()
				w.want(w.do("PATCH", id, patchBody(ops...)), http.StatusOK)
			}
			first := u.text("userName")
			patch("/Users/"+u.id(), replaceOp("userName", unique("renamed")))
			follow("renamed")
			patch("/Users/"+u.id(), replaceOp("title", "A"))
			follow("moved")
			patch("/Users/"+u.id(), replaceOp("title", "B"), replaceOp("userName", unique("again")))
			follow("moved and renamed")
			patch("/Groups/"+inner.id(), replaceOp("displayName", unique("other")))
			follow("an inner group renamed")

			// Who gets the former name is not in the groups.
			v := w.want(w.do("POST", "/Users", userBody(first, "")), http.StatusCreated)
			w.cleanup("/Users/" + v.id())
			follow("its name taken")

			// The process ended when the directory had renamed it: the table has the intent, the
			// groups the former name. Whoever asks next for that name must not be in them.
			name := w.get("/Users/" + u.id()).text("userName")
			w.endRenaming(t, u, unique("late"))
			next := w.reopened(t)
			heir := next.want(next.do("POST", "/Users", userBody(name, "")), http.StatusCreated)
			w.cleanup("/Users/" + heir.id())
			w = next
			follow("after a crash")
		})
	}
}

// TestReferencesRace renames, moves, deletes and makes people of a few names at the
// same time, where the directory does not see to what refers to them: each stays in
// the group that is its own, and in no other.
func TestReferencesRace(t *testing.T) {
	for _, kind := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389} {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind, ldaptest.WithoutIntegrity)
			past := &world{client: (&client{}).with(t), past: s.Admin(t)}
			a, b := past.container("A", s.PeopleBase), past.container("B", s.PeopleBase)
			w := placedWorld(t, s, fmt.Sprintf("{ by: title, table: { A: %q, B: %q }, else: %q }", a, b, s.PeopleBase))
			names, titles := []string{"Ann Lee", "Bob", "ann  lee"}, []string{"A", "B", "C"}
			const people, rounds = 10, 15
			var all sync.WaitGroup
			var checks []func()
			for i := range people {
				u := w.user("race", fmt.Sprintf(`,"displayName":%q,"title":%q`, names[i%3], titles[i%3]))
				g := w.group(unique("race"), u.id())
				stay := i%2 == 0
				all.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(i)))
					id, name := u.id(), u.text("userName")
					for range rounds {
						if !stay && r.IntN(4) == 0 { // another person of the same names
							w.want(w.do("DELETE", "/Users/"+id, ""), http.StatusNoContent)
							v := w.want(w.do("POST", "/Users", userBody(name, fmt.Sprintf(`,"displayName":%q,"title":%q`, names[r.IntN(3)], titles[r.IntN(3)]))), http.StatusCreated)
							w.cleanup("/Users/" + v.id())
							id = v.id()
							continue
						}
						a := w.do("PATCH", "/Users/"+id, patchBody(replaceOp("displayName", names[r.IntN(3)]), replaceOp("title", titles[r.IntN(3)])))
						if a.status != http.StatusOK {
							t.Errorf("%s: %d %s", name, a.status, a.body)
						}
					}
				})
				checks = append(checks, func() {
					if stay {
						w.wantMembers(g.id(), u.id())
					} else if m := memberIDs(w.get("/Groups/" + g.id())); len(m) > 1 || len(m) == 1 && m[0] != u.id() {
						t.Errorf("in the group of one who is gone: %v", m)
					}
				})
			}
			all.Wait()
			for _, check := range checks {
				check()
			}
			if open := w.open(); len(open) > 0 {
				t.Errorf("still open: %+v", open)
			}
		})
	}
}

// open returns the intents that are in the table.
func (w *world) open() (open []idstore.Intent) {
	w.t.Helper()
	err := w.app.store.View(w.t.Context(), func(tx idstore.Tx) error {
		for in, err := range idstore.Intents(tx) {
			if err != nil {
				return err
			}
			open = append(open, in)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return open
}

// endRenaming leaves table and directory as a process does that ends when the
// directory has given a user another name.
func (w *world) endRenaming(t *testing.T, u answer, name string) {
	w.t.Helper()
	users := w.behind.connect(t)["User"]
	repairer, ok := connectors.As[connectors.Repairer](users)
	if !ok {
		w.t.Fatal("the connector repairs nothing")
	}
	public, _ := idstore.ParsePublicID(u.id())
	scope := idstore.Scope{Type: "User", Externals: "idp"}
	var rec idstore.Record
	err := w.app.store.View(w.t.Context(), func(tx idstore.Tx) (err error) {
		rec, err = idstore.Resolve(tx, scope, public)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	trace, err := repairer.TraceName(w.t.Context(), connectors.Anchor(rec.Anchor().Key))
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.app.store.Update(w.t.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Rename, Scope: scope, Entity: rec.Entity, Backend: rec.Anchor().Backend,
			Anchors: []idstore.Anchor{rec.Anchor()}, Name: trace})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	old := w.dn(w.get("/Users/" + u.id()).text("userName"))
	if err := w.past.ModifyDN(goldap.NewModifyDNRequest(old, "uid="+name, true, "")); err != nil {
		w.t.Fatal(err)
	}
}

// reopened is another gateway over the same table, which takes over what is open
// in it as a new process does.
func (w *world) reopened(t *testing.T) *world {
	t.Helper()
	connected := w.behind.connect(t)
	o := gateway.Options{Store: w.app.store, Log: zerolog.Nop()}
	for i, r := range w.behind.config.Resources {
		o.Targets = append(o.Targets, gateway.Target{Mapping: w.behind.maps[i], Connector: connected[r.Name], Backend: r.Backend})
	}
	other := *w
	other.client = w.beside(t, o)
	if err := other.app.gateway.TakeOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &other
}
