package main

import (
	"errors"
	"fmt"
	"net/http"

	"postern/gateway/adminapi"
	"postern/idstore"
)

// A crashOp is something that the gateway is killed in.
type crashOp struct {
	name string
	run  func(w *crashWorld)
}

// crashOps are what the gateway is killed in. Each prepares what it needs, has one
// thing done while the gateway may die, does it again where it died, as a client
// would, and looks whether all is as it should be.
var crashOps = []crashOp{
	{"create", func(w *crashWorld) { w.create(w.newPerson()) }},
	{"create with externalId", func(w *crashWorld) {
		p := w.newPerson()
		p.external = "x-" + p.number
		w.create(p)
	}},
	{"create and again at once", func(w *crashWorld) {
		p := w.newPerson()
		p.external = "x-" + p.number
		w.atOnce = func() error { return w.postAgain(p) }
		w.create(p)
	}},
	{"create and list before again", func(w *crashWorld) {
		p := w.newPerson()
		p.external = "x-" + p.number
		list := func() error { _, err := w.ask("GET", "/Users?count=1000", ""); return err }
		w.atOnce = list
		w.strike(func() error { return w.post(p) })
		if w.killed {
			w.must(list()) // which may give the object an id
			w.must(w.postAgain(p))
		}
		w.is(p)
	}},
	{"create a group", func(w *crashWorld) {
		a, b := w.hire(), w.hire()
		name := "group of " + a.number
		w.made["group "+name] = true
		var id string
		post := func(again bool) error {
			g, err := w.ask("POST", "/Groups", groupBody(name, a.id, b.id))
			if err == nil && g.status != http.StatusCreated && (!again || g.status != http.StatusConflict) {
				err = fmt.Errorf("POST: %d %s", g.status, g.body)
			}
			return err
		}
		w.strike(func() error { return post(false) })
		if w.killed {
			w.must(post(true))
		}
		found := w.find("/Groups", "displayName eq "+quote(name))
		if len(found) != 1 {
			w.violated("%d groups are called %q", len(found), name)
		}
		id, _ = at(found, 0, "id").(string)
		w.wantMembers(id, a, b)
	}},
	{"delete", func(w *crashWorld) { w.fire(w.hire(), nil) }},
	{"delete and list at once", func(w *crashWorld) {
		w.atOnce = func() error { _, err := w.ask("GET", "/Users?count=1000", ""); return err }
		w.fire(w.hire(), nil)
	}},
	{"delete and take the name at once", func(w *crashWorld) {
		p, next := w.hire(), w.newPerson()
		next.userName = p.userName
		w.fire(p, next)
	}},
	{"delete two objects", func(w *crashWorld) {
		p, old := w.hire(), w.hire()
		g := w.group("of "+old.number, old, w.hire())
		w.merge(old, p)
		w.must(w.remove("/Users/"+old.id, false)) // the alias
		w.tells(old.id, "")
		w.fire(p, nil)
		if has := w.members(g); len(has) != 1 {
			w.violated("the group has the members %v", has)
		}
		if w.entry(old.number) != nil {
			w.violated("the second object is still there")
		}
	}},
	{"delete an alias", func(w *crashWorld) {
		p, old := w.hire(), w.hire()
		w.merge(old, p)
		w.tells(old.id, p.number, "")
		w.strike(func() error { return w.remove("/Users/"+old.id, false) })
		if w.killed {
			w.must(w.remove("/Users/"+old.id, true))
		}
		w.tells(old.id, "")
		w.is(p)
	}},
	{"delete a group", func(w *crashWorld) {
		p := w.hire()
		name := "of " + p.number
		id := w.group(name, p)
		w.tells(id, "group "+name, "")
		w.strike(func() error { return w.remove("/Groups/"+id, false) })
		if w.killed {
			w.must(w.remove("/Groups/"+id, true))
		}
		if a := w.get("/Groups/" + id); a.status != http.StatusNotFound {
			w.violated("the group is there: %s", a.body)
		}
	}},
	{"rename", func(w *crashWorld) {
		p := w.hire()
		rename := func() {
			w.change(p, func() { p.userName = "r-" + p.userName }, func() []string { return []string{replaceOp("userName", p.userName)} })
		}
		g := w.group("of "+p.number, p)
		rename()
		w.wantMembers(g, p)
	}},
	{"rename and take the name", func(w *crashWorld) {
		p, q := w.hire(), w.newPerson()
		g := w.group("of "+p.number, p)
		q.userName = p.userName
		w.change(p, func() { p.userName = "r-" + p.userName }, func() []string { return []string{replaceOp("userName", p.userName)} })
		if w.shape.uid != "userPrincipalName" { // there the account name, which stays, keeps others from it
			w.must(w.post(q))
		}
		w.wantMembers(g, p)
	}},
	{"move", func(w *crashWorld) {
		p := w.hire()
		g := w.group("of "+p.number, p)
		w.change(p, func() { p.title, p.userName = movedTitle, "m-"+p.userName }, func() []string {
			return []string{replaceOp("title", p.title), replaceOp("userName", p.userName)}
		})
		w.wantMembers(g, p)
		for _, e := range w.walk(w.shape.moved, w.shape.isPerson) {
			if e.GetAttributeValue(w.shape.number) == p.number {
				return
			}
		}
		w.violated("%s does not lie in %s", p.number, w.shape.moved)
	}},
	{"rename with more", func(w *crashWorld) {
		p := w.hire()
		w.change(p, func() { p.userName, p.title, p.external = "r-"+p.userName, "t1", "x1-"+p.number }, func() []string {
			return []string{replaceOp("userName", p.userName), replaceOp("title", p.title), replaceOp("externalId", p.external)}
		})
	}},
	{"patch externalId and more", func(w *crashWorld) {
		p := w.newPerson()
		p.external = "x-" + p.number
		w.must(w.post(p))
		w.change(p, func() { p.title, p.external = "t1", "x1-"+p.number }, func() []string {
			return []string{replaceOp("externalId", p.external), replaceOp("title", p.title)}
		})
		if found := w.find("/Users", "externalId eq "+quote("x-"+p.number)); len(found) != 0 {
			w.violated("the former externalId still finds %v", found)
		}
	}},
	{"change members", func(w *crashWorld) {
		a, b := w.hire(), w.hire()
		g := w.group("of "+a.number, a)
		do := func() error {
			return w.patch("/Groups/"+g, `{"op":"add","path":"members","value":[{"value":"`+b.id+`"}]}`, `{"op":"remove","path":"members[value eq \"`+a.id+`\"]"}`)
		}
		w.strike(do)
		if w.killed {
			w.must(do())
		}
		w.wantMembers(g, b)
	}},
	{"merge and keep", func(w *crashWorld) { w.join(idstore.ActionKeep) }},
	{"merge and disable", func(w *crashWorld) { w.join(idstore.ActionDisable) }},
	{"merge and delete", func(w *crashWorld) { w.join(idstore.ActionDelete) }},
	{"split", func(w *crashWorld) {
		p, old := w.hire(), w.hire()
		w.merge(old, p)
		w.tells(old.id, p.number, old.number)
		w.administer(adminapi.OperateRequest{Do: "split", Ref: p.id, Links: []string{w.anchor(old.number)}, IDs: []string{old.id}})
		w.is(p)
		w.is(old)
	}},
	{"relink", func(w *crashWorld) { w.migrate(false) }},
	{"relink and absorb", func(w *crashWorld) { w.migrate(true) }},
	{"adopt", func(w *crashWorld) {
		rdn := "uid="
		if w.shape.suffix != "" {
			rdn = "cn="
		}
		people := []*person{w.newPerson(), w.newPerson()}
		for _, p := range people {
			w.addPast(p, rdn+p.userName+","+w.shape.people)
		}
		w.administers(func() error { return w.process.administer("adopt", adminapi.AdoptRequest{Type: "User"}) })
		for _, p := range people {
			w.is(p)
		}
	}},
	{"undo", func(w *crashWorld) {
		p, old := w.hire(), w.hire()
		w.merge(old, p)
		w.tells(old.id, p.number, old.number)
		w.administer(adminapi.OperateRequest{Do: "undo", Ref: p.id})
		w.is(p)
		w.is(old)
	}},
}

// create creates a person while the gateway may die.
func (w *crashWorld) create(p *person) {
	w.t.Helper()
	w.strike(func() error { return w.post(p) })
	if w.killed {
		w.must(w.postAgain(p))
	}
	w.is(p)
	a, err := w.ask("POST", "/Users", p.body())
	if w.want(a, err, http.StatusCreated, http.StatusConflict); a.status == http.StatusCreated && (!w.killed || a.id() != p.id) {
		w.violated("a later creation is answered %s", a.body)
	}
	w.is(p)
}

// fire deletes a person while the gateway may die. next, if not nil, gets the name,
// at once after a restart if that can be.
func (w *crashWorld) fire(p, next *person) {
	w.t.Helper()
	g := w.group("about "+p.number, p)
	hire := func() error {
		a, err := w.ask("POST", "/Users", next.body())
		if err == nil && a.status != http.StatusCreated && a.status != http.StatusConflict {
			err = fmt.Errorf("POST: %d %s", a.status, a.body)
		}
		return err
	}
	if next != nil {
		w.atOnce = hire
	}
	w.tells(p.id, p.number, "")
	w.strike(func() error { return w.remove("/Users/"+p.id, false) })
	if w.killed {
		w.must(w.remove("/Users/"+p.id, true))
	}
	w.tells(p.id, "")
	if next == nil {
		next = w.newPerson()
		next.userName = p.userName
	}
	w.must(hire())
	w.is(next)
	w.wantMembers(g)
}

// change patches a person while the gateway may die.
func (w *crashWorld) change(p *person, to func(), ops func() []string) {
	w.t.Helper()
	to()
	do := func() error { return w.patch("/Users/"+p.id, ops()...) }
	w.strike(do)
	if w.killed {
		w.must(do())
	}
	w.is(p)
}

// administer carries out an operation while the gateway may die.
func (w *crashWorld) administer(o adminapi.OperateRequest) {
	w.t.Helper()
	w.administers(func() error { return w.operate(o) })
}

func (w *crashWorld) administers(do func() error) {
	w.t.Helper()
	w.strike(do)
	if w.killed {
		if err := do(); errors.Is(err, errKilled) { // it may be done already, and is refused then
			w.must(err)
		}
		w.must(w.settle())
	}
}

// join merges two persons, and looks what became of the object of the one that
// went.
func (w *crashWorld) join(leftover idstore.Action) {
	w.t.Helper()
	p, old := w.hire(), w.hire()
	both, one := w.group("both of "+p.number, p, old), w.group("one of "+p.number, old)
	w.tells(old.id, old.number, p.number)
	w.administer(adminapi.OperateRequest{Do: "merge", Ref: old.id, Into: p.id, Leftover: leftover.String()})
	w.tells(old.id, p.number)
	w.is(p)
	w.wantMembers(both, p)
	w.wantMembers(one, p)
	e := w.entry(old.number)
	switch leftover {
	case idstore.ActionDelete:
		if e != nil {
			w.violated("the object that is left is still there")
		}
	case idstore.ActionDisable:
		if e == nil || !w.disabled(e) {
			w.violated("the object that is left is not disabled: %v", e)
		}
	case idstore.ActionKeep:
		if e == nil {
			w.violated("the object that is left is gone")
		}
	}
}

// migrate gives a person another object. seen says that a list meets that before
// it is relinked.
func (w *crashWorld) migrate(seen bool) {
	w.t.Helper()
	p := w.hire()
	w.tells(p.id, p.number, "") // as long as the object is gone
	before, now := w.again(p)
	if seen {
		w.list("/Users")
	}
	w.administer(adminapi.OperateRequest{Do: "relink", Ref: p.id, From: before, To: now, Absorb: seen})
	if w.killed && !seen { // a list may have met it after the restart
		if a := w.get("/Users/" + p.id); a.status == http.StatusNotFound {
			w.must(w.operate(adminapi.OperateRequest{Do: "relink", Ref: p.id, From: before, To: now, Absorb: true}))
		}
	}
	w.is(p)
}
