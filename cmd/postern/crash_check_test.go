package main

import (
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"

	"postern/idstore"

	goldap "github.com/go-ldap/ldap/v3"
)

// check holds what the gateway promises against the directory, which it looks at
// past the gateway, and against the table, both ways: no object is without an
// id that a client was promised, no id names nothing, no object is there twice. It
// wants everything settled.
func (w *crashWorld) check() {
	w.t.Helper()
	atOnce, what := w.atOnce, w.what
	w.atOnce = nil
	defer func() { w.atOnce, w.what = atOnce, what }()

	shown := w.list("/Users")
	groups := w.list("/Groups")
	table, err := w.process.table()
	w.must(err)
	for _, d := range table.Damages {
		w.violated("the table is damaged: %s", d)
	}
	if len(table.Intents)+len(table.Work) > 0 {
		w.violated("still open: %q %q", table.Intents, table.Work)
	}
	people := w.walk(w.shape.people, w.shape.isPerson)
	all := maps.Clone(people)
	maps.Copy(all, w.walk(w.shape.groups, "(|(objectClass=groupOfNames)(objectClass=group))"))

	names := map[string]bool{"": true, strings.ToLower(w.shape.nobody): true}
	for _, e := range all {
		names[strings.ToLower(e.DN)] = true
	}
	if w.shape.leavers != "" { // references follow them, where the directory has them do that
		for _, e := range w.walk(w.shape.leavers, w.shape.isPerson) {
			names[strings.ToLower(e.DN)] = true
		}
	}
	linked := map[string]int{} // how many entities an object is linked to
	primary := map[string]bool{}
	for i, r := range table.Records {
		for k, l := range r.Links {
			key := hex.EncodeToString(table.Keys[i][k])
			linked[key]++
			if r.Retired { // no client sees it, wherever its objects are
				continue
			}
			if l.Primary {
				primary[key] = true
			}
			if all[key] == nil && !w.dangling[key] && (l.Primary || !w.leaving(r)) {
				w.violated("entity %d with the ids %v is linked to %s, which is not in the directory", r.Entity, r.IDs, key)
			}
		}
		if (len(r.IDs) == 0) != r.Retired {
			w.violated("entity %d has the ids %v, and is retired: %v", r.Entity, r.IDs, r.Retired)
		}
	}
	for key, e := range all {
		if linked[key] != 1 {
			w.violated("%q is linked to %d entities", e.DN, linked[key])
		}
		for _, m := range e.GetAttributeValues("member") {
			if !names[strings.ToLower(m)] {
				w.violated("%q has the member %q, which is not there", e.DN, m)
			}
		}
	}
	for key := range people {
		if !primary[key] {
			delete(people, key)
		}
	}
	if len(shown) != len(people) {
		w.violated("%d users are listed, the directory has %d", len(shown), len(people))
	}
	w.checkShown(shown)
	w.checkShown(groups)
	for id := range w.touched {
		w.checkID(id)
	}
}

// checkAll is check, and reads every id that was ever told.
func (w *crashWorld) checkAll() {
	w.t.Helper()
	for id := range w.told {
		w.touched[id] = true
	}
	w.check()
	clear(w.touched)
}

// leaving tells whether somebody asked for an entity to be deleted. Where that was
// broken off, secondary objects may be gone.
func (w *crashWorld) leaving(r idstore.Record) bool {
	for _, id := range r.IDs {
		if w.told[id.Public.String()][""] {
			return true
		}
	}
	return false
}

// walk reads a part of the directory past the gateway, by anchor.
func (w *crashWorld) walk(base, filter string) map[string]*goldap.Entry {
	w.t.Helper()
	found, err := w.past.SearchWithPaging(goldap.NewSearchRequest(base, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 0, 0, false,
		filter, []string{w.shape.anchor, w.shape.number, w.shape.uid, "member", "title", "pwdAccountLockedTime", "nsAccountLock", "userAccountControl"}, nil), 400)
	w.must(err)
	entries := map[string]*goldap.Entry{}
	for _, e := range found.Entries {
		entries[w.shape.key(e)] = e
	}
	return entries
}

// key is the anchor of an entry in hexadecimal.
func (s crashShape) key(e *goldap.Entry) string {
	if s.anchor == "objectGUID" {
		return hex.EncodeToString(e.GetRawAttributeValue(s.anchor))
	}
	return strings.ReplaceAll(strings.ToLower(e.GetAttributeValue(s.anchor)), "-", "")
}

// list lists everything of a type.
func (w *crashWorld) list(path string) []any {
	w.t.Helper()
	list, _ := w.get(path + "?count=1000").json["Resources"].([]any)
	return list
}

// checkShown fails where a list shows somebody twice.
func (w *crashWorld) checkShown(list []any) {
	w.t.Helper()
	ids, whom := map[string]bool{}, map[string]bool{}
	for _, r := range list {
		resource, _ := r.(map[string]any)
		id, _ := resource["id"].(string)
		who := whoIs(resource)
		if id == "" || ids[id] || whom[who] {
			w.violated("%q is listed twice, or without an id: %q", who, id)
		}
		ids[id], whom[who] = true, true
	}
}

// checkID reads an id that was told, which names who it should, or answers 404
// where that may be.
func (w *crashWorld) checkID(id string) {
	w.t.Helper()
	a := w.get(w.paths[id])
	who := ""
	if a.status == http.StatusOK {
		if who = whoIs(a.json); a.id() != id {
			w.violated("GET %s is answered with the id %s", id, a.id())
		}
	}
	if !w.told[id][who] {
		w.violated("the id %s, which is of %v, is answered with %d and %q", id, slices.Collect(maps.Keys(w.told[id])), a.status, who)
	}
}
