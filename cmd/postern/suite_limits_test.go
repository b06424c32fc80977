package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func testBadRequests(t *testing.T, w *world) {
	u := w.user("bad", `,"title":"Kept"`)
	path := "/Users/" + u.id()
	for _, test := range []struct {
		method, path, body string
		status             int
		scimType, names    string
	}{
		{"POST", "/Users", `{"userName":`, 400, "invalidSyntax", ""},
		{"POST", "/Users", `[]`, 400, "invalidSyntax", ""},
		{"POST", "/Users", `{"userName":"a","userName":"b"}`, 400, "invalidSyntax", ""},
		{"POST", "/Users", strings.Repeat(`{"name":`, 10000), 400, "invalidSyntax", ""},
		{"POST", "/Users", userBody(w.userName("x"), `,"active":"perhaps"`), 400, "invalidValue", "active"},
		{"POST", "/Users", userBody(w.userName("x"), `,"name":"flat"`), 400, "invalidValue", "name"},
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`, 400, "invalidValue", "userName"},
		{"POST", "/Users", userBody("", ""), 400, "invalidValue", "userName"},
		{"PATCH", path, patchBody(`{"op":"replace","path":"nosuch","value":1}`), 400, "invalidPath", "nosuch"},
		{"PATCH", path, patchBody(`{"op":"replace","path":"title[","value":1}`), 400, "invalidPath", ""},
		{"PATCH", path, patchBody(`{"op":"frobnicate","path":"title","value":"x"}`), 400, "invalidSyntax", "frobnicate"},
		{"PATCH", path, patchBody(`{"op":"replace","path":"title","value":"Changed"}`, `{"op":"replace","path":"groups","value":[]}`), 400, "mutability", "groups"},
		{"PATCH", path, patchBody(`{"op":"replace","path":"title","value":"Changed"}`, `{"op":"replace","path":"id","value":"x"}`), 400, "mutability", "id"},
		{"PATCH", path, patchBody(`{"op":"replace","path":"title","value":"Changed"}`, `{"op":"replace","path":"title","value":{"a":1}}`), 400, "invalidValue", "title"},
		{"PATCH", path, patchBody(), 400, "invalidSyntax", "Operations"},
		{"PATCH", path, `{}`, 400, "", ""},
		{"PATCH", path, patchBody(`{"op":"remove"}`), 400, "noTarget", ""},
		{"PATCH", path, patchBody(`{"op":"remove","path":"userName"}`), 400, "", "userName"},
		{"POST", path, `{}`, 405, "", ""},
		{"DELETE", "/Users", "", 405, "", ""},
		{"GET", "/Nothing", "", 404, "", ""},
		{"GET", "/Users/not-an-id", "", 404, "", ""},
		{"GET", "/Users/" + strings.Repeat("x", 4000), "", 404, "", ""},
		{"GET", "/Groups/" + u.id(), "", 404, "", ""},
		{"DELETE", "/Groups/" + u.id(), "", 404, "", ""},
	} {
		a := w.do(test.method, test.path, test.body)
		if a.status != test.status || test.scimType != "" && a.text("scimType") != test.scimType || !strings.Contains(a.text("detail"), test.names) {
			t.Errorf("%s %.60s %.120s: %d %s, want %d %q naming %q", test.method, test.path, test.body, a.status, a.body, test.status, test.scimType, test.names)
		}
		if test.status == 405 && a.header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", test.method, test.path)
		}
	}
	if a := w.do("POST", "/Users", userBody(w.userName(strings.Repeat("x", 300)), "")); a.status == http.StatusCreated {
		w.cleanup("/Users/" + a.id()) // a directory may take names that long
	} else if a.status != http.StatusBadRequest {
		t.Errorf("a name of 300 characters: %d %s", a.status, a.body)
	}
	w.wantError(w.do("POST", "/Users", userBody("x", ""), "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "")
	w.wantError(w.do("POST", "/Users", userBody("x", `,"title":"`+strings.Repeat("x", testMaxBody)+`"`)), http.StatusRequestEntityTooLarge, "", fmt.Sprint(testMaxBody))
	if a := w.get(path); a.body != u.body {
		t.Errorf("something of the refused requests was written: %s", a.body)
	}
}

func testLargeGroup(t *testing.T, w *world) {
	if testing.Short() {
		t.Skip("2,000 members")
	}
	n := w.crowd
	if n == 0 {
		n = 2000
	}
	ids := make([]string, n)
	w.members(ids)
	g := w.group(unique("large"))
	path := "/Groups/" + g.id()
	members := func(op string, ids ...string) string {
		var vs []string
		for _, id := range ids {
			vs = append(vs, `{"value":"`+id+`"}`)
		}
		return patchBody(`{"op":"` + op + `","path":"members","value":[` + strings.Join(vs, ",") + `]}`)
	}
	for some := range slices.Chunk(ids, 500) {
		w.want(w.do("PATCH", path, members("add", some...)), http.StatusNoContent)
	}
	began := time.Now()
	w.wantMembers(g.id(), ids...)
	t.Logf("read %d members in %s", n, time.Since(began))
	version := func() string { return w.want(w.get(path), http.StatusOK).etag() }
	whole := version()

	// What is so already changes nothing, and what can not be does not either.
	w.want(w.do("PATCH", path, members("add", ids[:min(600, n)]...)), http.StatusNoContent)
	w.wantError(w.do("PATCH", path, members("add", append(slices.Clone(ids[:100]), "00000000-0000-4000-8000-000000000000")...)), http.StatusBadRequest, "invalidValue", "members")
	if v := version(); v != whole {
		t.Errorf("members that were there, and one that is nobody, moved the version from %s to %s", whole, v)
	}
	w.want(w.get(path, "If-None-Match", whole), http.StatusNotModified)
	if found := w.find("/Groups", `id eq "`+g.id()+`"`); len(found) != 1 {
		t.Errorf("the group is found %d times by its id", len(found))
	} else if v := found[0].(map[string]any)["meta"].(map[string]any)["version"]; v != whole {
		t.Errorf("a list shows the version %v, a read %s", v, whole)
	}
	for _, filter := range []string{`members eq "` + ids[7] + `"`, `members[value eq "` + ids[n-1] + `"]`} {
		if found := w.find("/Groups", filter); len(found) != 1 || found[0].(map[string]any)["id"] != g.id() {
			t.Errorf("%s finds %d groups", filter, len(found))
		}
	}
	if of := w.want(w.get("/Users/"+ids[n/2]+"?attributes=groups"), http.StatusOK); of.text("groups", 0, "value") != g.id() {
		t.Errorf("the groups of a member are %v", of.at("groups"))
	}
	without := w.want(w.get(path+"?excludedAttributes=members"), http.StatusOK)
	if without.at("members") != nil || without.etag() != "" {
		t.Errorf("without its members the group is %.200s, version %q", without.body, without.etag())
	}

	w.want(w.do("PATCH", path, patchBody(`{"op":"remove","path":"members[value eq \"`+ids[0]+`\"]"}`)), http.StatusNoContent)
	w.wantMembers(g.id(), ids[1:]...)
	if version() == whole {
		t.Error("a member less, and the same version")
	}
	w.wantError(w.do("PATCH", path, members("add", ids[0]), "If-Match", whole), http.StatusPreconditionFailed, "")
	w.want(w.do("PATCH", path, members("remove", ids[:40]...)), http.StatusNoContent) // one is gone already
	w.wantMembers(g.id(), ids[40:]...)
	now := version()
	w.want(w.do("PATCH", path, members("remove", ids[:40]...)), http.StatusNoContent)
	if v := version(); v != now {
		t.Errorf("members that were gone moved the version from %s to %s", now, v)
	}
	if a := w.do("PATCH", path, members("add", ids[:40]...), "If-Match", now); a.status != http.StatusOK || a.etag() != whole {
		t.Errorf("a conditional PATCH of the version that there is: %d, version %s, want %s: %.200s", a.status, a.etag(), whole, a.body)
	}
	w.wantMembers(g.id(), ids...)
}

// members creates as many users as there is room for, several at a time. They
// stay, since to delete them takes some directories longer than all else.
func (w *world) members(ids []string) {
	w.t.Helper()
	each := func(do func(i int)) {
		var wg sync.WaitGroup
		next := make(chan int)
		for range 8 {
			wg.Go(func() {
				for i := range next {
					do(i)
				}
			})
		}
		for i := range ids {
			next <- i
		}
		close(next)
		wg.Wait()
	}
	stem := unique("bulk")
	each(func(i int) {
		ids[i] = w.do("POST", "/Users", userBody(w.userName(fmt.Sprintf("%s-%d", stem, i)), "")).id()
	})
	for i, id := range ids {
		if id == "" {
			w.t.Fatalf("member %d could not be created", i)
		}
	}
}
