package main

import (
	"fmt"
	"net/http"
	"strings"

	"postern/gateway/adminapi"

	goldap "github.com/go-ldap/ldap/v3"
)

// newPerson is somebody who is not there yet.
func (w *crashWorld) newPerson() *person {
	w.count++
	p := &person{number: fmt.Sprint(70_000 + w.count), title: "t0"}
	p.userName = "crash" + p.number + w.shape.suffix
	w.made[p.number] = true
	return p
}

func (p *person) body() string {
	more := `,"title":` + quote(p.title) + `,"displayName":"D ` + p.number + `","name":{"familyName":"F","formatted":"F"},` + quote(enterpriseURN) + `:{"employeeNumber":` + quote(p.number) + `}`
	if p.external != "" {
		more += `,"externalId":` + quote(p.external)
	}
	return userBody(p.userName, more)
}

// post creates a person. Nothing but success will do.
func (w *crashWorld) post(p *person) error {
	a, err := w.ask("POST", "/Users", p.body())
	if err != nil {
		return err
	}
	if a.status != http.StatusCreated {
		return fmt.Errorf("POST: %d %s", a.status, a.body)
	}
	p.id = a.id()
	return nil
}

// postAgain repeats a POST whose answer was lost: it is answered with what the
// first one made, or refused where that is there, and it is then found.
func (w *crashWorld) postAgain(p *person) error {
	a, err := w.ask("POST", "/Users", p.body())
	if err != nil {
		return err
	}
	switch a.status {
	case http.StatusCreated:
		p.id = a.id()
		return nil
	case http.StatusConflict:
		if p.id == "" && (w.struck != nil || strings.Contains(w.died, "after a create") && !strings.Contains(w.died, "then")) {
			return fmt.Errorf("the creation was not finished, and its repetition is answered %s", a.body)
		}
		return nil
	}
	return fmt.Errorf("POST again: %d %s", a.status, a.body)
}

// hire creates a person before anything is killed.
func (w *crashWorld) hire() *person {
	w.t.Helper()
	p := w.newPerson()
	w.must(w.post(p))
	return p
}

// is fails unless a person is there as it should be: once, under one id, by which
// it was known before if it was.
func (w *crashWorld) is(p *person) {
	w.t.Helper()
	found := w.find("/Users", "userName eq "+quote(p.userName))
	if len(found) != 1 {
		w.violated("%d users are called %q", len(found), p.userName)
	}
	r, _ := found[0].(map[string]any)
	external, _ := r["externalId"].(string)
	id, _ := r["id"].(string)
	if whoIs(r) != p.number || r["title"] != p.title || external != p.external || p.id != "" && p.id != id {
		w.violated("%+v is %v", p, r)
	}
	p.id = id
	if p.external != "" {
		if found := w.find("/Users", "externalId eq "+quote(p.external)); len(found) != 1 || at(found, 0, "id") != id {
			w.violated("by the externalId %q there are %v", p.external, found)
		}
	}
	w.tells(id, p.number)
}

// dismiss deletes whom the operation has made, by every id, so that lists stay
// short.
func (w *crashWorld) dismiss() {
	w.t.Helper()
	for id := range w.touched {
		for who := range w.told[id] {
			if w.made[who] {
				w.must(w.remove(w.paths[id], true))
				w.tells(id, "")
			}
		}
	}
	clear(w.made)
}

// remove deletes what is under a path. Again says that it may be gone.
func (w *crashWorld) remove(path string, again bool) error {
	a, err := w.ask("DELETE", path, "")
	if err == nil && a.status != http.StatusNoContent && (a.status != http.StatusNotFound || !again) {
		err = fmt.Errorf("DELETE: %d %s", a.status, a.body)
	}
	return err
}

// patch changes what is under a path.
func (w *crashWorld) patch(path string, ops ...string) error {
	a, err := w.ask("PATCH", path, patchBody(ops...))
	if err == nil && a.status != http.StatusOK && a.status != http.StatusNoContent {
		err = fmt.Errorf("PATCH: %d %s", a.status, a.body)
	}
	return err
}

func replaceOp(path, value string) string {
	return `{"op":"replace","path":` + quote(path) + `,"value":` + quote(value) + `}`
}

// group makes a group of people, and returns its id.
func (w *crashWorld) group(name string, members ...*person) string {
	w.t.Helper()
	w.made["group "+name] = true
	var ids []string
	for _, m := range members {
		ids = append(ids, m.id)
	}
	a, err := w.ask("POST", "/Groups", groupBody(name, ids...))
	return w.want(a, err, http.StatusCreated).id()
}

// members are the ids in a group.
func (w *crashWorld) members(group string) map[string]bool {
	w.t.Helper()
	ids := map[string]bool{}
	list, _ := w.get("/Groups/" + group).json["members"].([]any)
	for _, m := range list {
		id, _ := at(m, "value").(string)
		ids[id] = true
	}
	return ids
}

// wantMembers fails unless exactly these are in a group.
func (w *crashWorld) wantMembers(group string, want ...*person) {
	w.t.Helper()
	has := w.members(group)
	for _, p := range want {
		if !has[p.id] {
			w.violated("%s is not in the group: %v", p.number, has)
		}
	}
	if len(has) != len(want) {
		w.violated("the group has %d members, want %d", len(has), len(want))
	}
}

// operate does what an administrator does.
func (w *crashWorld) operate(o adminapi.OperateRequest) error {
	return w.process.administer("operate", o)
}

// merge makes one person of two before anything is killed.
func (w *crashWorld) merge(from, into *person) {
	w.t.Helper()
	w.tells(from.id, into.number)
	w.must(w.operate(adminapi.OperateRequest{Do: "merge", Ref: from.id, Into: into.id}))
}

// entry is the object of a number in the directory; nil where there is none.
func (w *crashWorld) entry(number string) *goldap.Entry {
	w.t.Helper()
	for _, e := range w.walk(w.shape.people, "("+w.shape.number+"="+number+")") {
		return e
	}
	return nil
}

// anchor is that of the object of a number.
func (w *crashWorld) anchor(number string) string {
	w.t.Helper()
	return "hex:" + w.shape.key(w.entry(number))
}

// again deletes the entry of a person and makes it anew past the gateway, so that
// it has another anchor. It returns both.
func (w *crashWorld) again(p *person) (before, now string) {
	w.t.Helper()
	e := w.entry(p.number)
	before = w.anchor(p.number)
	w.must(w.past.Del(goldap.NewDelRequest(e.DN, nil)))
	w.addPast(p, e.DN)
	w.dangling[strings.TrimPrefix(before, "hex:")] = true
	return before, w.anchor(p.number)
}

// addPast makes the entry of a person past the gateway.
func (w *crashWorld) addPast(p *person, dn string) {
	w.t.Helper()
	add := goldap.NewAddRequest(dn, nil)
	add.Attribute("objectClass", w.shape.classes)
	add.Attribute(w.shape.number, []string{p.number})
	add.Attribute("title", []string{p.title})
	add.Attribute("sn", []string{"F"})
	if w.shape.suffix == "" {
		add.Attribute("cn", []string{"F"})
	}
	add.Attribute(w.shape.uid, []string{p.userName})
	w.must(w.past.Add(add))
}

// disabled tells whether an account is locked in the directory.
func (w *crashWorld) disabled(e *goldap.Entry) bool {
	return e.GetAttributeValue("pwdAccountLockedTime") != "" || strings.EqualFold(e.GetAttributeValue("nsAccountLock"), "true") ||
		w.shape.suffix != "" && accountControl(e)&2 != 0
}

func accountControl(e *goldap.Entry) (bits int) {
	_, _ = fmt.Sscan(e.GetAttributeValue("userAccountControl"), &bits)
	return bits
}
