package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"
	"postern/connectors/memory"
	"postern/mapping"

	goldap "github.com/go-ldap/ldap/v3"
)

const (
	deviceURN    = "urn:example:scim:schemas:Device"
	assetURN     = "urn:example:scim:schemas:extension:asset:Device"
	workplaceURN = "urn:example:scim:schemas:extension:workplace:User"
)

// devicePairs give the sample a second client that may read devices alone.
func devicePairs(pairs ...string) []string {
	const access = "    access: { User: read-write, Device: read-write }\n"
	return append(pairs, access, access+"  reader:\n    token: { env: READER_TOKEN }\n    access: { Device: read }\n")
}

// TestDevices runs what a declared resource type promises, against the reference
// connector and a real directory.
func TestDevices(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		t.Setenv("POSTERN_BIND_PASSWORD", "unused")
		c, maps := editedConfig(t, "devices.yaml", devicePairs()...)
		served, _ := memoryApp(t, c, maps, func(name string, m *mapping.Mapping) memory.Collection {
			col := memoryCollection(name, m)
			col.Reverse = nil // no groups here
			return col
		})
		deviceSuite(t, served)
	})
	t.Run("openldap", func(t *testing.T) {
		s := ldaptest.Start(t, ldaptest.OpenLDAP)
		devices := "ou=devices," + s.Base
		add := goldap.NewAddRequest(devices, nil)
		add.Attribute("objectClass", []string{"organizationalUnit"})
		add.Attribute("ou", []string{"devices"})
		if err := s.Admin(t).Add(add); err != nil {
			t.Fatal(err)
		}
		t.Setenv("POSTERN_BIND_PASSWORD", s.ServicePassword)
		c, maps := editedConfig(t, "devices.yaml", devicePairs("ldaps://ldap.example.com", s.TLSURL, "# tls: { ca: corp-ca.pem }", "tls: { ca: "+s.CAFile+" }",
			"cn=postern,dc=example,dc=com", s.ServiceDN, "ou=people,dc=example,dc=com", s.PeopleBase, "ou=devices,dc=example,dc=com", devices)...)
		client := openApp(t, c, maps)
		client.leak = s.Leak
		deviceSuite(t, client)
	})
}

func deviceSuite(t *testing.T, c *client) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *client)
	}{
		{"Discovery", testDeviceDiscovery},
		{"Life", testDeviceLife},
		{"Characteristics", testDeviceCharacteristics},
		{"Owner", testDeviceOwner},
		{"UserExtension", testUserExtension},
		{"Access", testDeviceAccess},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c.with(t)) })
	}
}

// deviceBody is a device in the room 1, unless more says something of the asset.
func deviceBody(name, more string) string {
	if !strings.Contains(more, assetURN) {
		more += `,"` + assetURN + `":{"room":"1"}`
	}
	return `{"schemas":["` + deviceURN + `","` + assetURN + `"],"displayName":` + quote(name) + more + `}`
}

func testDeviceDiscovery(t *testing.T, c *client) {
	types := c.want(c.get("/ResourceTypes"), http.StatusOK)
	if fmt.Sprint(types.at("totalResults")) != "2" || types.text("Resources", 1, "name") != "Device" {
		t.Errorf("ResourceTypes: %s", types.body)
	}
	one := c.want(c.get("/ResourceTypes/Device"), http.StatusOK)
	if fmt.Sprint(one.json) != fmt.Sprint(types.at("Resources", 1)) {
		t.Errorf("alone %s\nin the list %v", one.body, types.at("Resources", 1))
	}
	for path, want := range map[string]string{
		"endpoint": "/Devices", "schema": deviceURN, "description": "Device", "id": "Device",
	} {
		if one.text(path) != want {
			t.Errorf("%s is %q, want %q", path, one.text(path), want)
		}
	}
	if one.text("schemaExtensions", 0, "schema") != assetURN || one.at("schemaExtensions", 0, "required") != true ||
		one.text("meta", "resourceType") != "ResourceType" || one.text("meta", "location") != c.base+"/ResourceTypes/Device" {
		t.Errorf("ResourceTypes/Device: %s", one.body)
	}
	user := c.want(c.get("/ResourceTypes/User"), http.StatusOK)
	if user.text("schemaExtensions", 0, "schema") != workplaceURN || user.at("schemaExtensions", 1) != nil || user.at("schemaExtensions", 0, "required") != false {
		t.Errorf("ResourceTypes/User: %s", user.body) // nothing of the enterprise extension is mapped
	}

	all := c.want(c.get("/Schemas"), http.StatusOK)
	var ids []string
	for i := range all.at("Resources").([]any) {
		ids = append(ids, all.text("Resources", i, "id"))
	}
	if want := []string{"urn:ietf:params:scim:schemas:core:2.0:User", workplaceURN, deviceURN, assetURN}; !slices.Equal(ids, want) {
		t.Errorf("schemas %v, want %v", ids, want)
	}
	s := c.want(c.get("/Schemas/"+deviceURN), http.StatusOK)
	if s.text("meta", "resourceType") != "Schema" || s.text("meta", "location") != c.base+"/Schemas/"+deviceURN || s.text("name") != "Device" ||
		s.text("description") != "A thing that the company lends" {
		t.Errorf("the schema: %s", s.body)
	}
	const serial = `{"name":"serialNumber","type":"string","multiValued":false,"description":"What the maker calls it","required":false,"caseExact":false,"mutability":"immutable","returned":"default","uniqueness":"server"}`
	const kind = `{"name":"kind","type":"string","multiValued":false,"required":false,"canonicalValues":["laptop","phone","tablet"],"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}`
	const display = `{"name":"display","type":"string","multiValued":false,"required":false,"caseExact":false,"mutability":"readOnly","returned":"default","uniqueness":"none"}`
	for _, want := range []string{serial, kind, display, `"referenceTypes":["User"]`} {
		if !strings.Contains(s.body, want) {
			t.Errorf("the schema has no\n%s\n%s", want, s.body)
		}
	}
	w := c.want(c.get("/Schemas/"+workplaceURN), http.StatusOK)
	if !strings.Contains(w.body, `"canonicalValues":["Berlin","Paris"]`) || !strings.Contains(w.body, `"returned":"request"`) {
		t.Errorf("the extension: %s", w.body)
	}
}

func testDeviceLife(t *testing.T, c *client) {
	name, serial := unique("device"), unique("SN")
	made := c.create("/Devices", deviceBody(name, `,"serialNumber":"`+serial+`","kind":"Laptop","description":"grey","`+assetURN+`":{"room":"101","supplier":"Acme"}`))
	path := "/Devices/" + made.id()
	if made.header.Get("Location") != c.base+path || made.text("meta", "location") != c.base+path || made.text("meta", "resourceType") != "Device" ||
		made.text("meta", "created") == "" || made.text(assetURN, "room") != "101" || made.text("kind") != "Laptop" {
		t.Errorf("created: %s", made.body)
	}
	if got := fmt.Sprint(made.at("schemas")); got != "["+deviceURN+" "+assetURN+"]" {
		t.Errorf("schemas: %s", got)
	}
	got := c.want(c.get(path), http.StatusOK)
	if got.body != made.body || got.etag() != made.etag() || got.etag() == "" {
		t.Errorf("read %s\n%s\nafter create %s\n%s", got.etag(), got.body, made.etag(), made.body)
	}
	for _, filter := range []string{
		`serialNumber eq "` + strings.ToLower(serial) + `"`,
		deviceURN + `:serialNumber eq "` + serial + `" and kind eq "laptop"`,
		assetURN + `:supplier eq "acme" and displayName eq ` + quote(name),
		`room sw "10" and displayName eq ` + quote(name),
		`displayName eq ` + quote(name) + ` and not (owner pr)`,
		`meta.resourceType eq "Device" and displayName eq ` + quote(name),
	} {
		if l := c.find("/Devices", filter); len(l) != 1 || at(l[0], "id") != made.id() || at(l[0], "meta", "version") != got.etag() {
			t.Errorf("%s finds %v", filter, l)
		}
	}
	c.wantError(c.get("/Devices?filter=colour+eq+%22x%22"), http.StatusBadRequest, "invalidFilter", "colour")

	renamed := unique("renamed")
	p := c.want(c.do("PATCH", path, patchBody(`{"op":"replace","path":"`+assetURN+`:room","value":"102"}`, `{"op":"remove","path":"description"}`,
		`{"op":"replace","value":{"displayName":"`+renamed+`","`+assetURN+`":{"supplier":"Other"}}}`), "If-Match", made.etag()), http.StatusOK)
	if p.text(assetURN, "room") != "102" || p.text(assetURN, "supplier") != "Other" || p.at("description") != nil || p.text("displayName") != renamed || p.id() != made.id() {
		t.Errorf("patched: %s", p.body)
	}
	c.wantError(c.do("PATCH", path, patchBody(`{"op":"remove","path":"kind"}`), "If-Match", made.etag()), http.StatusPreconditionFailed, "")
	put := c.want(c.do("PUT", path, deviceBody(renamed, `,"serialNumber":"`+serial+`"`)), http.StatusOK)
	if put.at("kind") != nil || put.at(assetURN, "supplier") != nil || put.text(assetURN, "room") != "1" || put.text("serialNumber") != serial {
		t.Errorf("after PUT: %s", put.body)
	}
	c.want(c.do("DELETE", path, ""), http.StatusNoContent)
	c.wantError(c.get(path), http.StatusNotFound, "")
}

func testDeviceCharacteristics(t *testing.T, c *client) {
	made := c.create("/Devices", deviceBody(unique("plain"), ""))
	path := "/Devices/" + made.id()
	post := func(more string) answer { return c.do("POST", "/Devices", deviceBody(unique("bad"), more)) }
	patch := func(op string) answer { return c.do("PATCH", path, patchBody(op)) }

	// Closed values.
	allowed := []string{"kind", `"laptop"`, `"phone"`, `"tablet"`}
	c.wantError(post(`,"kind":"fridge"`), http.StatusBadRequest, "invalidValue", allowed...)
	c.wantError(c.do("PUT", path, deviceBody(made.text("displayName"), `,"kind":"fridge"`)), http.StatusBadRequest, "invalidValue", allowed...)
	c.wantError(patch(`{"op":"add","path":"kind","value":"fridge"}`), http.StatusBadRequest, "invalidValue", allowed...)
	c.wantError(patch(`{"op":"replace","value":{"kind":"fridge"}}`), http.StatusBadRequest, "invalidValue", allowed...)
	c.want(patch(`{"op":"add","path":"kind","value":"PHONE"}`), http.StatusOK)

	// Set once.
	serial := unique("SN")
	set := c.want(patch(`{"op":"add","path":"serialNumber","value":"`+serial+`"}`), http.StatusOK)
	if set.text("serialNumber") != serial {
		t.Errorf("set: %s", set.body)
	}
	c.wantError(patch(`{"op":"replace","path":"serialNumber","value":"other"}`), http.StatusBadRequest, "mutability", "serialNumber")
	c.wantError(patch(`{"op":"remove","path":"serialNumber"}`), http.StatusBadRequest, "mutability", "serialNumber")
	c.wantError(c.do("PUT", path, deviceBody(made.text("displayName"), `,"serialNumber":"other"`)), http.StatusBadRequest, "mutability", "serialNumber")
	c.want(patch(`{"op":"replace","path":"serialNumber","value":"`+strings.ToLower(serial)+`"}`), http.StatusOK)
	kept := c.want(c.do("PUT", path, deviceBody(made.text("displayName"), "")), http.StatusOK)
	if kept.text("serialNumber") != serial {
		t.Errorf("a PUT that leaves it out: %s", kept.body)
	}

	// Unique.
	c.wantError(post(`,"serialNumber":"`+strings.ToLower(serial)+`"`), http.StatusConflict, "uniqueness", "serialNumber")
	other := c.create("/Devices", deviceBody(unique("other"), ""))
	c.wantError(c.do("PATCH", "/Devices/"+other.id(), patchBody(`{"op":"add","path":"serialNumber","value":"`+serial+`"}`)), http.StatusConflict, "uniqueness", "serialNumber")

	// Required attributes, and the required extension.
	c.wantError(c.do("POST", "/Devices", `{"schemas":["`+deviceURN+`"],"displayName":"x"}`), http.StatusBadRequest, "invalidValue", assetURN)
	c.wantError(c.do("PUT", path, `{"schemas":["`+deviceURN+`"],"displayName":"x"}`), http.StatusBadRequest, "invalidValue", assetURN)
	c.wantError(post(`,"`+assetURN+`":{"supplier":"x"}`), http.StatusBadRequest, "invalidValue", "room")
	c.wantError(c.do("POST", "/Devices", `{"schemas":["`+deviceURN+`"],"`+assetURN+`":{"room":"1"}}`), http.StatusBadRequest, "invalidValue", "displayName")
	c.wantError(patch(`{"op":"remove","path":"`+assetURN+`:room"}`), http.StatusBadRequest, "mutability", "room")
	c.wantError(patch(`{"op":"remove","path":"`+assetURN+`"}`), http.StatusBadRequest, "mutability")

	// References are URIs.
	c.wantError(post(`,"owner":{"value":"x","$ref":"no uri"}`), http.StatusBadRequest, "invalidValue", "owner.$ref")
}

func testDeviceOwner(t *testing.T, c *client) {
	ann := c.create("/Users", userBody(unique("ann"), `,"displayName":"Ann"`))
	bob := c.create("/Users", userBody(unique("bob"), ""))
	d := c.create("/Devices", deviceBody(unique("owned"), `,"owner":{"value":"`+ann.id()+`","display":"made up"}`))
	path := "/Devices/" + d.id()
	if d.text("owner", "value") != ann.id() || d.text("owner", "display") != "Ann" || d.text("owner", "$ref") != c.base+"/Users/"+ann.id() {
		t.Errorf("created: %s", d.body)
	}
	for _, filter := range []string{`owner.value eq "` + ann.id() + `"`, `owner.display eq "ann" and displayName eq ` + quote(d.text("displayName"))} {
		if l := c.find("/Devices", filter); len(l) != 1 || at(l[0], "id") != d.id() || at(l[0], "owner", "display") != "Ann" {
			t.Errorf("%s finds %v", filter, l)
		}
	}
	if a := c.want(c.get(path+"?excludedAttributes=owner.display"), http.StatusOK); a.at("owner", "display") != nil || a.text("owner", "value") != ann.id() {
		t.Errorf("excluded: %s", a.body)
	}
	c.want(c.do("PATCH", "/Users/"+ann.id(), patchBody(`{"op":"replace","path":"displayName","value":"Anna"}`)), http.StatusOK)
	if a := c.want(c.get(path), http.StatusOK); a.text("owner", "display") != "Anna" || a.etag() != d.etag() {
		t.Errorf("after the owner's name changed: %s %s, was %s", a.etag(), a.body, d.etag())
	}
	p := c.want(c.do("PATCH", path, patchBody(`{"op":"replace","path":"owner.value","value":"`+bob.id()+`"}`)), http.StatusOK)
	if p.text("owner", "value") != bob.id() || p.at("owner", "display") != nil || p.etag() == d.etag() {
		t.Errorf("another owner, who has no name: %s", p.body)
	}
	c.wantError(c.do("PATCH", path, patchBody(`{"op":"replace","path":"owner.display","value":"x"}`)), http.StatusBadRequest, "mutability", "owner.display")
	c.wantError(c.do("PATCH", path, patchBody(`{"op":"replace","path":"owner","value":{"value":"`+d.id()+`"}}`)), http.StatusBadRequest, "invalidValue", "owner")
	c.want(c.do("DELETE", "/Users/"+bob.id(), ""), http.StatusNoContent)
	if a := c.want(c.get(path), http.StatusOK); a.at("owner") != nil {
		t.Errorf("a deleted owner is still shown: %s", a.body)
	}
}

func testUserExtension(t *testing.T, c *client) {
	u := c.create("/Users", userBody(unique("worker"), `,"`+workplaceURN+`":{"site":"berlin","vehicles":["B-1","B-2"]}`))
	path := "/Users/" + u.id()
	if u.text(workplaceURN, "site") != "Berlin" || u.at(workplaceURN, "vehicles") != nil {
		t.Errorf("created: %s", u.body)
	}
	a := c.want(c.get(path+"?attributes="+workplaceURN+":vehicles"), http.StatusOK)
	if fmt.Sprint(a.at(workplaceURN, "vehicles")) != "[B-1 B-2]" || a.at("userName") != nil {
		t.Errorf("asked for by name: %s", a.body)
	}
	c.wantError(c.do("POST", "/Users", userBody(unique("worker"), `,"`+workplaceURN+`":{"site":"Rome"}`)), http.StatusBadRequest, "invalidValue", "Berlin", "Paris")
	if l := c.find("/Users", workplaceURN+`:site eq "berlin" and userName eq `+quote(u.text("userName"))); len(l) != 1 {
		t.Errorf("found: %v", l)
	}
	// What is only returned on request is not lost to a PUT of what a GET gave.
	c.want(c.do("PUT", path, u.body), http.StatusOK)
	p := c.want(c.do("PATCH", path+"?attributes="+workplaceURN, patchBody(`{"op":"add","path":"`+workplaceURN+`:vehicles","value":["B-3"]}`, `{"op":"remove","path":"`+workplaceURN+`:site"}`)), http.StatusOK)
	if p.at(workplaceURN, "site") != nil {
		t.Errorf("removed: %s", p.body)
	}
	a = c.want(c.get(path+"?attributes=vehicles"), http.StatusOK)
	if fmt.Sprint(a.at(workplaceURN, "vehicles")) != "[B-1 B-2 B-3]" {
		t.Errorf("added: %s", a.body)
	}
}

func testDeviceAccess(t *testing.T, c *client) {
	d := c.create("/Devices", deviceBody(unique("seen"), ""))
	reader := *c
	reader.token = readerToken
	reader.want(reader.get("/Devices/"+d.id()), http.StatusOK)
	reader.wantError(reader.do("POST", "/Devices", deviceBody("x", "")), http.StatusForbidden, "")
	reader.wantError(reader.get("/Users"), http.StatusForbidden, "")
}
