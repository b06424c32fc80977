package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
)

// testOddEntries reads and writes users to whom others gave what no gateway
// would: it answers with what can be said, and leaves alone what it did not make.
func testOddEntries(t *testing.T, w *world) {
	if w.past == nil {
		t.Skip("no directory behind")
	}
	many := make([]string, 20_000)
	for i := range many {
		many[i] = fmt.Sprintf("many.%d@example.com", i)
	}
	long := strings.Repeat("long", 256<<10)
	for _, odd := range []struct {
		name    string
		attrs   map[string][]string
		shows   map[string]string // of the resource, "" is absent
		refuses []string          // the kinds of directory that take no such thing
	}{
		{"attribute options", map[string][]string{"displayName": {"Plain"}, "displayName;lang-de": {"Schlicht"}, "title;lang-fr": {"Titre"}},
			map[string]string{"displayName": "Plain", "title": ""}, []string{"active-directory", "demo"}},
		{"a value of a mebibyte", map[string][]string{"title": {long}}, map[string]string{"title": long}, []string{"active-directory"}},
		{"very many values", map[string][]string{"mail": many}, nil, []string{"active-directory"}},
		{"controls and separators", map[string][]string{"title": {"a\x01b\u2028c\u202ed\ufeff"}}, map[string]string{"title": "a\x01b\u2028c\u202ed\ufeff"}, nil},
		{"references to nobody", map[string][]string{"manager": {w.people, "cn=nobody," + w.people, "cn=\\+\\,," + w.people}}, nil, []string{"active-directory"}},
		{"a reference to what is no user", map[string][]string{"manager": {w.groupsBase}}, nil, nil},
	} {
		t.Run(odd.name, func(t *testing.T) {
			w := w.with(t)
			name := w.userName(unique("odd"))
			w.addPast(name)
			dn := w.dn(name)
			t.Cleanup(func() { w.past.Del(goldap.NewDelRequest(dn, nil)) })
			m := goldap.NewModifyRequest(dn, nil)
			for attr, values := range odd.attrs {
				m.Add(attr, values)
			}
			var refused *goldap.Error
			if err := w.past.Modify(m); errors.As(err, &refused) && slices.Contains(odd.refuses, w.kind) {
				return // and so can not hold it
			} else if err != nil {
				t.Fatal(err)
			}
			held := func() map[string][]string {
				res, err := w.past.Search(goldap.NewSearchRequest(dn, goldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", slices.Collect(maps.Keys(odd.attrs)), nil))
				if err != nil || len(res.Entries) != 1 {
					t.Fatal(res, err)
				}
				all := make(map[string][]string)
				for _, a := range res.Entries[0].Attributes {
					all[strings.ToLower(a.Name)] = slices.Sorted(slices.Values(a.Values))
				}
				return all
			}
			before := held()
			found := w.find("/Users", "userName eq "+quote(name))
			if len(found) != 1 {
				t.Fatalf("found %d", len(found))
			}
			path := "/Users/" + at(found[0], "id").(string)
			a := w.want(w.get(path), http.StatusOK)
			for attr, want := range odd.shows {
				if got, _ := a.at(attr).(string); got != want {
					t.Errorf("%s is %.40q, want %.40q", attr, got, want)
				}
			}
			a = w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"name.givenName","value":"Odd"}`), "If-Match", a.etag()), http.StatusOK)
			if a.text("name", "givenName") != "Odd" {
				t.Errorf("changed: %.300s", a.body)
			}
			if after := held(); !maps.EqualFunc(before, after, slices.Equal) {
				t.Errorf("the directory holds %.300v, and held %.300v", after, before)
			}
		})
	}
}
