package main

import (
	"net/http"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"
)

// TestPasswordsOfActiveDirectory follows passwords from a request to the domain:
// those it refuses, and accounts whose client gives none.
func TestPasswordsOfActiveDirectory(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.ActiveDirectory)
	w := directoryWorld(t, s)
	name := w.userName("refused")
	for _, c := range []struct{ password, reason string }{{"Sh0rt!", "too short"}, {"allthesamekind", "too simple"}} {
		a := w.do("POST", "/Users", userBody(name, `,"active":true,"password":`+quote(c.password)))
		w.wantError(a, http.StatusBadRequest, "invalidValue", "password", c.reason)
		if strings.Contains(a.body, c.password) {
			t.Errorf("the answer tells the password: %s", a.body)
		}
	}
	if found := w.find("/Users", "userName eq "+quote(name)); len(found) > 0 {
		t.Errorf("refused creations left %v", found)
	}
	u := w.user("generated", `,"active":true`)
	if u.at("active") != true || w.bind(u.text("userName"), "Corr3ct-Horse-9") {
		t.Errorf("made without a password: %s", u.body)
	}
	w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"password","value":"Corr3ct-Horse-9"}`)), http.StatusOK)
	if !w.bind(u.text("userName"), "Corr3ct-Horse-9") {
		t.Error("a password that is set later does not count")
	}

	c, maps := directoryConfig(t, s, ", generate: true", "")
	bare := openApp(t, c, maps)
	bare.wantError(bare.do("POST", "/Users", userBody(w.userName("bare"), `,"active":true`)), http.StatusBadRequest, "invalidValue", "active", "without a password")
	made := bare.create("/Users", userBody(w.userName("bare"), ""))
	if made.at("active") != false {
		t.Errorf("made without a password: %s", made.body)
	}
}
