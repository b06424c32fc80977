package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/rest/redminetest"
	"postern/mapping"

	"github.com/rs/zerolog"
)

// redmineFields are what a company keeps in custom fields of its Redmine's users,
// and how it is mapped.
var redmineFields = []struct{ name, path, more string }{
	{"displayName", "displayName", ""},
	{"title", "title", ""},
	{"type", "userType", ""},
	{"language", "preferredLanguage", ""},
	{"full name", "name.formatted", ""},
	{"given name", "name.givenName", ""},
	{"family name", "name.familyName", ""},
	{"e-mail", `emails[type eq "work"].value`, ", primary: true"},
	{"phone", `phoneNumbers[type eq "work"].value`, ""},
	{"mobile", `phoneNumbers[type eq "mobile"].value`, ""},
	{"street", `addresses[type eq "work"].streetAddress`, ""},
	{"town", `addresses[type eq "work"].locality`, ""},
	{"region", `addresses[type eq "work"].region`, ""},
	{"postal code", `addresses[type eq "work"].postalCode`, ""},
	{"number", enterpriseURN + ":employeeNumber", ""},
	{"department", enterpriseURN + ":department", ""},
	{"organization", enterpriseURN + ":organization", ""},
	{"division", enterpriseURN + ":division", ""},
	{"manager", enterpriseURN + ":manager", ", ref: User, display: displayName"},
}

// redmineLogin is what Redmine takes for a login.
var redmineLogin = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,60}$`)

// redmineConfig is the sample with a user's attributes in custom fields: what
// Redmine itself has is demanded for each user, and can not be taken away.
func redmineConfig(t *testing.T, url, key string) (Config, []*mapping.Mapping) {
	t.Helper()
	t.Setenv("REDMINE_API_KEY", key)
	var fields strings.Builder
	for i, f := range redmineFields {
		fmt.Fprintf(&fields, "      %s: { attr: \"/custom_fields[id=%d]/value\"%s }\n", f.path, i+1, f.more)
	}
	const first, last = "      meta.created:                   /created_on", "      meta.lastModified:              /updated_on"
	return sampleConfig(t, "redmine.yaml", "https://redmine.example.com", url,
		`      name.givenName:                 { attr: /firstname, default: "{userName}" }`+"\n", "",
		`      name.familyName:                { attr: /lastname, default: "{userName}" }`+"\n", "",
		"      emails[type eq \"work\"].value:   { attr: /mail, primary: true }\n", "",
		"write: never, returned: request }", "write: never }",
		first, fields.String()+first,
		last, last+"\n    constants: { /firstname: A, /lastname: Person }\n    derived: { /mail: \"{userName}@example.com\" }")
}

// TestRedmine runs the suite against a real application with a REST API.
func TestRedmine(t *testing.T) {
	var names []string
	for _, f := range redmineFields {
		names = append(names, f.name)
	}
	s := redminetest.Start(t, names...)
	c, maps := redmineConfig(t, s.URL, s.Key)
	connect := func(t *testing.T, _ ...string) map[string]connectors.Connector {
		t.Helper()
		apps, err := openApps(c, maps, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		connected := make(map[string]connectors.Connector)
		for _, r := range c.Resources {
			connected[r.Name], _ = apps[r.Backend].Collection(r.Name)
		}
		for _, app := range apps {
			t.Cleanup(func() { _ = app.Close() })
		}
		return connected
	}
	w := &world{client: openApp(t, c, maps), kind: "redmine", userName: func(stem string) string { return stem }, disables: true, crowd: 100, queries: 6,
		refuses: func(userName string) bool { return !redmineLogin.MatchString(userName) },
		behind:  backing{config: c, maps: maps, connect: connect}}
	w.leak = func(body string) string {
		for _, secret := range []string{s.Key, s.URL} {
			if strings.Contains(body, secret) {
				return secret
			}
		}
		return ""
	}
	w.look(c, maps, "", "")
	w.able["spaces"], w.able["integrity"], w.able["state"] = false, false, false
	looks := connectorBeyond{collections: connect(t), attrs: map[string][]connectors.Attr{}}
	for name, m := range w.maps {
		looks.attrs[name] = m.Attrs()
	}
	w.beyond = looks
	suite(t, w)
}

// TestRedmineSample provisions by the sample as it stands.
func TestRedmineSample(t *testing.T) {
	s := redminetest.Start(t)
	t.Setenv("REDMINE_API_KEY", s.Key)
	c, maps := sampleConfig(t, "redmine.yaml", "https://redmine.example.com", s.URL)
	w := openApp(t, c, maps)
	body := func(name, mail string) string {
		return userBody(name, `,"name":{"givenName":"Anna","familyName":"Berg"},"password":"Corr3ct-Horse-9","emails":[{"type":"work","value":`+quote(mail)+`}]`)
	}
	u := w.create("/Users", body("anna.berg", "anna@example.com"))
	path := "/Users/" + u.id()
	if u.text("name", "givenName") != "Anna" || u.text("emails", 0, "value") != "anna@example.com" || u.at("active") != true {
		t.Errorf("created: %s", u.body)
	}
	w.wantError(w.do("POST", "/Users", body("ANNA.BERG", "other@example.com")), http.StatusConflict, "uniqueness", "userName")
	w.wantError(w.do("POST", "/Users", body("other", "anna@example.com")), http.StatusConflict, "uniqueness", "emails")
	w.wantError(w.do("POST", "/Users", userBody("nobody.home", "")), http.StatusBadRequest, "invalidValue") // without an e-mail
	for _, active := range []bool{false, true} {
		a := w.want(w.do("PATCH", path, patchBody(fmt.Sprintf(`{"op":"replace","path":"active","value":%v}`, active))), http.StatusOK)
		if a.at("active") != active || w.get(path).at("active") != active {
			t.Errorf("active is to be %v: %s", active, a.body)
		}
	}
	a := w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"name.familyName","value":"Bergström"}`), "If-Match", w.get(path).etag()), http.StatusOK)
	if a.text("name", "familyName") != "Bergström" || a.text("name", "givenName") != "Anna" {
		t.Errorf("changed: %s", a.body)
	}
	g := w.create("/Groups", groupBody("Staff", u.id()))
	w.wantError(w.do("POST", "/Groups", groupBody("staff")), http.StatusConflict, "uniqueness", "displayName")
	if a := w.want(w.get(path+"?attributes=groups"), http.StatusOK); a.text("groups", 0, "value") != g.id() {
		t.Errorf("groups: %s", a.body)
	}
	w.want(w.do("PATCH", "/Groups/"+g.id(), patchBody(`{"op":"remove","path":"members[value eq \"`+u.id()+`\"]"}`)), http.StatusNoContent)
	if a := w.want(w.get("/Groups/"+g.id()), http.StatusOK); a.at("members") != nil {
		t.Errorf("emptied: %s", a.body)
	}
	w.want(w.do("DELETE", path, ""), http.StatusNoContent)
	w.wantError(w.get(path), http.StatusNotFound, "")
}
