package main

import (
	"net/http"
	"testing"
)

// testUserNames has clients that write one name in different ways (RFC 7644 §5):
// it is one name, and there is one user.
func testUserNames(t *testing.T, w *world) {
	stem := unique("name")
	wide := "\uff2e" + stem[1:] // a full-width N
	u := w.create("/Users", userBody(w.userName(wide), `,"displayName":"One"`))
	path := "/Users/" + u.id()
	w.cleanup(path)
	if got, want := u.text("userName"), w.userName("N"+stem[1:]); got != want {
		t.Errorf("userName is %q, want %q", got, want)
	}
	for _, same := range []string{stem, wide, "\uff4e" + stem[1:]} {
		name := w.userName(same)
		if found := w.find("/Users", "userName eq "+quote(name)); len(found) != 1 || at(found[0], "id") != u.id() {
			t.Errorf("%q finds %v", name, found)
		}
		w.wantError(w.do("POST", "/Users", userBody(name, "")), http.StatusConflict, "uniqueness")
	}
	tag := w.get(path).etag()
	if a := w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"userName","value":`+quote(w.userName(wide))+`}`)), http.StatusOK); a.etag() != tag {
		t.Errorf("the same name, written otherwise, changes the version: %s", a.body)
	}

	composed, apart := w.userName(unique("ren\u00e9e")), ""
	apart = "rene\u0301e" + composed[len("ren\u00e9e"):]
	if w.refuses != nil && w.refuses(composed) {
		w.wantError(w.do("POST", "/Users", userBody(apart, "")), http.StatusBadRequest, "invalidValue")
		return
	}
	u = w.create("/Users", userBody(apart, ""))
	w.cleanup("/Users/" + u.id())
	if got := u.text("userName"); got != composed {
		t.Errorf("userName is %q, want %q", got, composed)
	}
	for _, name := range []string{composed, apart, "REN\u00c9E" + composed[len("ren\u00e9e"):], "RENE\u0301E" + composed[len("ren\u00e9e"):]} {
		if found := w.find("/Users", "userName eq "+quote(name)); len(found) != 1 || at(found[0], "id") != u.id() {
			t.Errorf("%q finds %v", name, found)
		}
		w.wantError(w.do("POST", "/Users", userBody(name, "")), http.StatusConflict, "uniqueness")
	}
	w.want(w.do("PUT", "/Users/"+u.id(), userBody(apart, ""), "If-Match", u.etag()), http.StatusOK)
	if a := w.get("/Users/" + u.id()); a.etag() != u.etag() {
		t.Errorf("a PUT of the same name, written otherwise, changes the version: %s", a.body)
	}
	stem = unique("stra\u00dfe")
	u = w.create("/Users", userBody(w.userName(stem), ""))
	w.cleanup("/Users/" + u.id())
	w.wantError(w.do("POST", "/Users", userBody(w.userName("STRA\u1e9eE"+stem[len("stra\u00dfe"):]), "")), http.StatusConflict, "uniqueness")
}
