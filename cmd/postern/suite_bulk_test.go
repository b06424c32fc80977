package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func bulkBody(more string, ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]` + more + `,"Operations":[` + strings.Join(ops, ",") + `]}`
}

func bulkPost(path, bulkID, data string) string {
	return `{"method":"POST","path":"` + path + `","bulkId":"` + bulkID + `","data":` + data + `}`
}

// bulk sends a bulk request and returns the statuses of its operations; what was
// made is deleted when the test ends.
func (w *world) bulk(more string, ops ...string) (answer, string) {
	w.t.Helper()
	a := w.want(w.do("POST", "/Bulk", bulkBody(more, ops...)), http.StatusOK)
	var statuses []string
	for i := range asList(a.at("Operations")) {
		statuses = append(statuses, a.text("Operations", i, "status"))
		if location := a.text("Operations", i, "location"); a.text("Operations", i, "method") == "POST" && location != "" {
			w.cleanup(strings.TrimPrefix(location, w.base))
		}
	}
	return a, strings.Join(statuses, " ")
}

// madeID is the id of what the operation at i made.
func madeID(a answer, i int) string {
	location := a.text("Operations", i, "location")
	return location[strings.LastIndexByte(location, '/')+1:]
}

func testBulk(t *testing.T, w *world) {
	old, gone := w.user("bulkold", `,"title":"Old"`), w.user("bulkgone", "")
	holds := w.group(unique("bulkholds"), gone.id())
	alice, guides := w.userName(unique("alice")), unique("guides")
	// The group comes before its member, and everything that there is to do in one.
	a, statuses := w.bulk("",
		bulkPost("/Groups", "ytrewq", groupBody(guides, "bulkId:qwerty", old.id())),
		bulkPost("/Users", "qwerty", userBody(alice, `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"`+old.id()+`"}}`)),
		`{"method":"PATCH","path":"/Users/`+old.id()+`","version":`+quote(old.etag())+`,"data":`+patchBody(`{"op":"replace","path":"title","value":"New"}`)+`}`,
		`{"method":"PATCH","path":"/Groups/`+holds.id()+`","data":`+patchBody(`{"op":"add","path":"members","value":[{"value":"bulkId:qwerty"}]}`)+`}`,
		`{"method":"PATCH","path":"/Users/`+old.id()+`","version":`+quote(old.etag())+`,"data":`+patchBody(`{"op":"replace","path":"title","value":"Late"}`)+`}`,
		`{"method":"DELETE","path":"/Users/`+gone.id()+`"}`,
		`{"method":"PUT","path":"/Users/bulkId:qwerty","data":`+userBody(alice, `,"title":"Guide"`)+`}`,
	)
	if statuses != "201 201 200 204 412 204 200" {
		t.Fatalf("statuses %s: %s", statuses, a.body)
	}
	if a.text("Operations", 0, "bulkId") != "ytrewq" || a.text("Operations", 1, "bulkId") != "qwerty" || a.at("Operations", 0, "response") != nil ||
		a.text("Operations", 4, "response", "status") != "412" || a.text("Operations", 5, "location") != w.base+"/Users/"+gone.id() {
		t.Errorf("answer: %s", a.body)
	}
	user, group := madeID(a, 1), madeID(a, 0)
	w.wantMembers(group, user, old.id())
	w.wantMembers(holds.id(), user)
	if u := w.want(w.get("/Users/"+user), http.StatusOK); u.text("title") != "Guide" || u.etag() != a.text("Operations", 6, "version") {
		t.Errorf("made and replaced: %s %s, want version %s", u.etag(), u.body, a.text("Operations", 6, "version"))
	}
	if u := w.want(w.get("/Users/"+old.id()), http.StatusOK); u.text("title") != "New" || u.etag() != a.text("Operations", 2, "version") {
		t.Errorf("patched: %s", u.body)
	}
	w.wantError(w.get("/Users/"+gone.id()), http.StatusNotFound, "")

	if w.able["nested"] {
		testBulkRing(t, w, old)
	}
	testBulkFailures(t, w, old)
}

// testBulkRing makes two groups that are members of each other (RFC 7644 §3.7.1).
func testBulkRing(t *testing.T, w *world, old answer) {
	x, y := unique("ring"), unique("ring")
	a, statuses := w.bulk("", bulkPost("/Groups", "x", groupBody(x, "bulkId:y", old.id())), bulkPost("/Groups", "y", groupBody(y, "bulkId:x")))
	if statuses != "201 201" {
		t.Fatalf("statuses %s: %s", statuses, a.body)
	}
	w.wantMembers(madeID(a, 0), madeID(a, 1), old.id())
	w.wantMembers(madeID(a, 1), madeID(a, 0))
	for i := range 2 {
		if g := w.want(w.get("/Groups/"+madeID(a, i)), http.StatusOK); g.etag() != a.text("Operations", i, "version") {
			t.Errorf("operation %d tells version %s, the group has %s", i, a.text("Operations", i, "version"), g.etag())
		}
	}
}

func testBulkFailures(t *testing.T, w *world, old answer) {
	// What depends on a failure fails, the rest is done.
	name, group := w.userName(unique("after")), unique("orphan")
	a, statuses := w.bulk("",
		bulkPost("/Users", "taken", userBody(old.text("userName"), "")),
		bulkPost("/Groups", "g", groupBody(group, "bulkId:taken")),
		bulkPost("/Groups", "h", groupBody(group+"-2", "bulkId:nosuch")),
		bulkPost("/Nothing", "n", `{}`),
		`{"method":"DELETE","path":"/Users/00000000-0000-4000-8000-000000000000"}`,
		bulkPost("/Users", "u", userBody(name, "")),
	)
	if statuses != "409 409 409 404 404 201" || a.text("Operations", 0, "response", "scimType") != "uniqueness" || a.at("Operations", 0, "location") != nil {
		t.Errorf("statuses %s: %s", statuses, a.body)
	}
	if l := w.find("/Groups", `displayName sw `+quote(group)); len(l) != 0 {
		t.Errorf("a group was made without the member that it was to have: %v", l)
	}
	// After so many errors the rest is left undone.
	late := w.userName(unique("late"))
	a, statuses = w.bulk(`,"failOnErrors":1`, bulkPost("/Users", "a", userBody(old.text("userName"), "")), bulkPost("/Users", "b", userBody(late, "")))
	if statuses != "409" {
		t.Errorf("failOnErrors: statuses %s: %s", statuses, a.body)
	}
	// A ring of which one can not be made: nothing of it stays.
	ring := unique("halfring")
	a, statuses = w.bulk("",
		bulkPost("/Groups", "p", groupBody(ring, "bulkId:q")),
		bulkPost("/Groups", "q", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"members":[{"value":"bulkId:p"}]}`))
	if statuses != "409 400" {
		t.Errorf("half a ring: statuses %s: %s", statuses, a.body)
	}
	a, statuses = w.bulk(`,"failOnErrors":1`,
		bulkPost("/Groups", "p", groupBody(ring, "bulkId:q")),
		bulkPost("/Groups", "q", groupBody(ring+"-q", "bulkId:p", "bulkId:u")),
		bulkPost("/Users", "u", userBody("", "")))
	if strings.Contains(statuses, "201") {
		t.Errorf("a ring that an error ended: statuses %s: %s", statuses, a.body)
	}
	if l := w.find("/Groups", `displayName sw `+quote(ring)); len(l) != 0 {
		t.Errorf("a half-made ring was left: %v", l)
	}
	if l := w.find("/Users", `userName eq `+quote(late)); len(l) != 0 {
		t.Errorf("an operation after the last error was carried out: %v", l)
	}
	var many []string
	for range 1001 {
		many = append(many, `{"method":"DELETE","path":"/Users/x"}`)
	}
	w.wantError(w.do("POST", "/Bulk", bulkBody("", many...)), http.StatusRequestEntityTooLarge, "", "1000", "maxOperations")
	w.wantError(w.do("POST", "/Bulk", bulkBody("", bulkPost("/Users", "u", userBody(strings.Repeat("x", testMaxBody), "")))), http.StatusRequestEntityTooLarge, "", fmt.Sprint(testMaxBody))
	w.wantError(w.do("POST", "/Bulk", `{"Operations":{}}`), http.StatusBadRequest, "invalidSyntax", "Operations")

	reader := *w.client
	reader.token = readerToken
	a = reader.want(reader.do("POST", "/Bulk", bulkBody("", bulkPost("/Users", "r", userBody(w.userName(unique("reader")), "")))), http.StatusOK)
	if a.text("Operations", 0, "status") != "403" {
		t.Errorf("a client that may only read wrote: %s", a.body)
	}
}

// testMe asks for the user that a client stands for: the reader of the samples
// stands for one that is made here.
func testMe(t *testing.T, w *world) {
	w.wantError(w.get("/Me"), http.StatusNotImplemented, "")
	me := *w.client
	me.token = readerToken
	me.wantError(me.get("/Me"), http.StatusNotFound, "")
	u := w.create("/Users", userBody(w.userName(meName), ""))
	w.cleanup("/Users/" + u.id())
	a := me.want(me.get("/Me"), http.StatusOK)
	if a.body != u.body || a.etag() != u.etag() || a.header.Get("Location") != w.base+"/Users/"+u.id() {
		t.Errorf("/Me is %s %v, want %s", a.body, a.header, u.body)
	}
	if a := me.want(me.get("/Me?attributes=userName", "If-None-Match", u.etag()), http.StatusNotModified); a.body != "" {
		t.Errorf("a body with 304: %s", a.body)
	}
	me.wantError(me.do("PATCH", "/Me", patchBody(`{"op":"replace","path":"title","value":"x"}`)), http.StatusForbidden, "")
	me.wantError(me.do("POST", "/Me", userBody("x", "")), http.StatusNotImplemented, "")
}
