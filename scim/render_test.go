package scim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAppendJSON(t *testing.T) {
	rt := userType(t)
	r := load(t, rt, `{"id":"1","userName":"b","externalId":"e","password":"secret","groups":[{"value":"g","$ref":"Groups/g"}],
		"photos":[{"value":"pic.png"}],
		"`+enterprise+`":{"manager":{"value":"26","$ref":"https://other/Users/26"},"employeeNumber":"7"}}`)
	at := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600))
	r = r.WithMeta(Meta{Created: at, LastModified: at.Truncate(time.Second), Location: "Users/1", Version: "abc"})
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],"id":"1","externalId":"e","userName":"b",` +
		`"photos":[{"value":"pic.png"}],"groups":[{"value":"g","$ref":"https://example.com/v2/Groups/g"}],` +
		`"` + enterprise + `":{"employeeNumber":"7","manager":{"value":"26","$ref":"https://other/Users/26"}},` +
		`"meta":{"resourceType":"User","created":"2026-01-02T02:04:05.6Z","lastModified":"2026-01-02T02:04:05Z","location":"https://example.com/v2/Users/1","version":"W/\"abc\""}}`
	for _, base := range []string{"https://example.com/v2", "https://example.com/v2/"} {
		if got := string(AppendJSON(nil, r, RenderOptions{BaseURL: base})); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if got := string(AppendJSON([]byte("x"), r, RenderOptions{})); !strings.Contains(got, `"$ref":"Groups/g"`) || got[0] != 'x' {
		t.Error("without a base URL:", got)
	}
}

func TestSelection(t *testing.T) {
	user, thing := userType(t), thingType(t)
	u := load(t, user, `{"id":"1","userName":"b","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"a","type":"work"},{"type":"home"}],"password":"p",
		"`+enterprise+`":{"manager":{"value":"26"},"employeeNumber":"7"},"meta":{"resourceType":"User"}}`)
	th := load(t, thing, `{"id":"1","name":"n","notes":"asked","label":"always","secret":"never","tags":["a"]}`)
	const core, thingURN = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],"id":"1"`, `{"schemas":["urn:example:Thing"],"id":"1"`
	for _, tt := range []struct {
		r                    *Resource
		attributes, excluded string
		want                 string
	}{
		{u, "userName", "", core + `,"userName":"b"}`},
		{u, "USERNAME,name.familyName", "", core + `,"userName":"b","name":{"familyName":"f"}}`},
		{u, "name", "", core + `,"name":{"familyName":"f","givenName":"g"}}`},
		{u, "name,name.familyName", "", core + `,"name":{"familyName":"f","givenName":"g"}}`},
		{u, "emails.value", "", core + `,"emails":[{"value":"a"}]}`},
		{u, "emails.display", "", core + `}`},
		{u, "password", "", core + `}`},
		{u, "nosuch", "", core + `}`},
		{u, " , ", "emails,name,userName, nosuch,meta,id,schemas," + enterprise, core + `}`},
		{u, enterprise, "", core + `,"` + enterprise + `":{"employeeNumber":"7","manager":{"value":"26"}}}`},
		{u, enterprise + ":manager", "", core + `,"` + enterprise + `":{"manager":{"value":"26"}}}`},
		{u, "manager.value", "", core + `,"` + enterprise + `":{"manager":{"value":"26"}}}`},
		{u, "", "emails.type,name.givenName,name.familyName,manager,meta", core + `,"userName":"b","emails":[{"value":"a"}],"` + enterprise + `":{"employeeNumber":"7"}}`},
		{th, "", "", thingURN + `,"name":"n","tags":["a"],"label":"always"}`},
		{th, "notes", "", thingURN + `,"notes":"asked","label":"always"}`},
		{th, "", "label,tags,id", thingURN + `,"name":"n","label":"always"}`},
		{th, "secret", "", thingURN + `,"label":"always"}`},
	} {
		s, err := ParseSelection(tt.r.Type, []string{tt.attributes}, []string{tt.excluded})
		if err != nil {
			t.Fatal(err)
		}
		got := string(AppendJSON(nil, tt.r, RenderOptions{Selection: s}))
		if got != tt.want {
			t.Errorf("attributes=%s excludedAttributes=%s:\n got %s\nwant %s", tt.attributes, tt.excluded, got, tt.want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("invalid JSON %s", got)
		}
	}
	if _, err := ParseSelection(user, []string{"a"}, []string{"b"}); err == nil {
		t.Error("both parameters are accepted")
	}
	s, _ := ParseSelection(user, nil, []string{"groups"})
	if s.Wants(attribute(t, user, "groups")) || !s.Wants(attribute(t, user, "emails")) || s.Wants(attribute(t, user, "password")) {
		t.Error("Wants is wrong")
	}
}

func TestAppendList(t *testing.T) {
	rt := groupType(t)
	rs := []*Resource{load(t, rt, `{"id":"1","displayName":"a"}`), load(t, rt, `{"id":"2","displayName":"b"}`)}
	each := func(dst []byte, i int) []byte { return AppendJSON(dst, rs[i], RenderOptions{}) }
	const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":`
	if got, want := string(AppendList(nil, 0, 1, 0, each)), head+`0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`; got != want {
		t.Errorf("got %s", got)
	}
	want := head + `7,"startIndex":3,"itemsPerPage":2,"Resources":[` + render(rs[0]) + `,` + render(rs[1]) + `]}`
	if got := string(AppendList(nil, 7, 3, 2, each)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAppendError(t *testing.T) {
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{InvalidFilter("bad %q", "x"), `"status":"400","scimType":"invalidFilter","detail":"bad \"x\""}`},
		{Errorf(409, TypeUniqueness, "taken"), `"status":"409","scimType":"uniqueness","detail":"taken"}`},
		{TooMany("no"), `"status":"400","scimType":"tooMany","detail":"no"}`},
		{&Error{Status: 404}, `"status":"404"}`},
	} {
		want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],` + tt.want
		if got := string(AppendError(nil, tt.err)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
