package scim

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

type jsonAttribute struct {
	Name, Type, Description         string
	MultiValued, Required           bool
	CaseExact                       *bool
	Mutability, Returned            string
	Uniqueness                      string
	CanonicalValues, ReferenceTypes []string
	SubAttributes                   []jsonAttribute
}

type jsonSchema struct {
	Schemas               []string
	ID, Name, Description string
	Attributes            []jsonAttribute
	Meta                  struct{ ResourceType, Location string }
}

// flat returns the attributes by path, each with the characteristics that the
// RFC's text gives for it.
func flat(prefix string, attrs []jsonAttribute, into map[string]string) {
	for _, a := range attrs {
		caseExact := a.CaseExact != nil && *a.CaseExact
		unique := a.Uniqueness
		if unique == "" {
			unique = "none"
		}
		into[prefix+a.Name] = fmt.Sprintln(a.Type, a.MultiValued, a.Required, caseExact, a.Mutability, a.Returned, unique,
			a.CanonicalValues, a.ReferenceTypes, strings.Join(strings.Fields(a.Description), " "))
		flat(prefix+a.Name+".", a.SubAttributes, into)
	}
}

// The schemas are those of RFC 7643 §8.7.1, of which testdata has the text, but
// for the verified errata and the additions that their comments tell.
func TestCoreSchemasAreTheRFCs(t *testing.T) {
	text, err := os.ReadFile("testdata/rfc7643-8.7.1.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []jsonSchema
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	added := map[string]bool{"addresses.primary": true, "members.display": true}
	for i, s := range []*Schema{UserSchema(), GroupSchema(), EnterpriseUserSchema()} {
		body := AppendSchema(nil, s, "https://example.com/v2")
		var got jsonSchema
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if got.ID != want[i].ID || got.Name != want[i].Name || got.Description != want[i].Description {
			t.Errorf("schema %q %q %q", got.ID, got.Name, got.Description)
		}
		if got.Meta.Location != "https://example.com/v2/Schemas/"+s.ID || got.Meta.ResourceType != "Schema" {
			t.Errorf("meta %+v", got.Meta)
		}
		if strings.Contains(string(body), "null") {
			t.Errorf("null in %s", body)
		}
		gotAttrs, wantAttrs := map[string]string{}, map[string]string{}
		flat("", got.Attributes, gotAttrs)
		flat("", want[i].Attributes, wantAttrs)
		for path, w := range wantAttrs {
			switch {
			case path == "displayName" && s.Name == "Group": // erratum 5368
				w = strings.Replace(w, "string false false", "string false true", 1)
			case path == "groups.$ref": // erratum 8471
				w = strings.Replace(w, "[User Group]", "[Group]", 1)
			}
			if gotAttrs[path] != w {
				t.Errorf("%s %s:\n got %s\nwant %s", s.Name, path, gotAttrs[path], w)
			}
			delete(gotAttrs, path)
		}
		for path := range gotAttrs {
			if !added[path] {
				t.Errorf("%s has %s, which the RFC has not", s.Name, path)
			}
		}
	}
}

func TestResourceTypeNames(t *testing.T) {
	rt := userType(t)
	for name, want := range map[string]string{
		"userName": "userName",
		"USERNAME": "userName",
		"urn:ietf:params:scim:schemas:core:2.0:User:userName":       "userName",
		"URN:IETF:params:scim:schemas:CORE:2.0:user:Name.GivenName": "name.givenName",
		"name.givenname": "name.givenName",
		"manager":        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
		"manager.value":  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName",
		"id":                "id",
		"meta.lastmodified": "meta.lastModified",
		"externalID":        "externalId",
		"urn:ietf:params:scim:schemas:core:2.0:User:id": "id",
		"members":     "",
		"name.":       "",
		"":            "",
		"userName.x":  "",
		"name.name":   "",
		"urn:x:id":    "",
		".":           "",
		"emails.$ref": "",
		"groups.$ref": "groups.$ref",
		"schemas":     "schemas",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName":                    "",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:" + strings.Repeat("x", 300): "",
	} {
		a, ok := rt.Attribute(name)
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q is %v, %v; want %q", name, a, ok, want)
		}
		if again, _ := rt.Attribute(strings.ToUpper(name)); again != a {
			t.Errorf("%q in upper case is another attribute", name)
		}
	}
}

// A plain name belongs to the core where both have it.
func TestExtensionNameBehindCoreName(t *testing.T) {
	rt := thingType(t)
	if got := attribute(t, rt, "name").String(); got != "name" {
		t.Error(got)
	}
	if got := attribute(t, rt, "urn:example:Thing:ext:name").String(); got != "urn:example:Thing:ext:name" {
		t.Error(got)
	}
	if got := attribute(t, rt, "owner").String(); got != "urn:example:Thing:ext:owner" {
		t.Error(got)
	}
}

// Dotted names without URN do not mix the sub-attributes of two attributes.
func TestExtensionSubAttributeBehindCoreName(t *testing.T) {
	complex := func(sub string) *Attribute {
		return &Attribute{Name: "box", Type: Complex, Sub: []*Attribute{{Name: sub}}}
	}
	rt := newType(t, "T", "/T", &Schema{ID: "urn:a", Attributes: []*Attribute{complex("x")}},
		Extension{Schema: &Schema{ID: "urn:b", Attributes: []*Attribute{complex("y")}}})
	if _, ok := rt.Attribute("box.y"); ok {
		t.Error("box.y is found without its URN")
	}
	if a := attribute(t, rt, "urn:b:box.y"); a.Parent() != attribute(t, rt, "urn:b:box") || a.Parent().Schema().ID != "urn:b" {
		t.Error("urn:b:box.y belongs elsewhere")
	}
}

func TestNewResourceTypeRefuses(t *testing.T) {
	schema := func(attrs ...*Attribute) *Schema { return &Schema{ID: "urn:a", Attributes: attrs} }
	for want, s := range map[string]*Schema{
		`schema id "nonsense" is not a URI`:                                   {ID: "nonsense"},
		`schema "urn:a": attribute "ID" is a common attribute`:                schema(&Attribute{Name: "ID"}),
		`schema "urn:a": attribute "B" is given twice`:                        schema(&Attribute{Name: "b"}, &Attribute{Name: "B"}),
		`schema "urn:a": complex attribute "c" has no sub-attributes`:         schema(&Attribute{Name: "c", Type: Complex}),
		`schema "urn:a": attribute name "a.b": character '.' is not allowed`:  schema(&Attribute{Name: "a.b"}),
		`schema "urn:a": attribute without a name`:                            schema(&Attribute{}),
		`schema "urn:a": attribute "d" has sub-attributes but is not complex`: schema(&Attribute{Name: "d", Sub: []*Attribute{{Name: "x"}}}),
		`schema "urn:a": sub-attribute "x" of "e" is complex`:                 schema(&Attribute{Name: "e", Type: Complex, Sub: []*Attribute{{Name: "x", Type: Complex}}}),
		`schema "urn:a": sub-attribute "X" of "f" is given twice`:             schema(&Attribute{Name: "f", Type: Complex, Sub: []*Attribute{{Name: "x"}, {Name: "X"}}}),
	} {
		if _, err := NewResourceType("T", "/T", "", s); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := NewResourceType("T", "/T", "", schema(), Extension{Schema: schema()}); err == nil {
		t.Error("one schema twice is accepted")
	}
}

func TestPrune(t *testing.T) {
	rt := userType(t)
	wanted := map[*Attribute]bool{}
	for _, name := range []string{"userName", "name", "name.givenName", "emails", "active"} {
		wanted[attribute(t, rt, name)] = true
	}
	s := rt.Schema.Prune(func(a *Attribute) bool { return wanted[a] })
	var names []string
	for _, a := range s.Attributes {
		names = append(names, a.Name)
		for _, sub := range a.Sub {
			names = append(names, a.Name+"."+sub.Name)
		}
	}
	if want := []string{"userName", "name", "name.givenName", "active"}; !reflect.DeepEqual(names, want) {
		t.Errorf("pruned to %q, want %q", names, want)
	}
	s.Attributes[0].Mutability = ReadOnly
	s.Attributes[0].Canonical = append(s.Attributes[0].Canonical, "x")
	if a := attribute(t, rt, "userName"); a.Mutability != ReadWrite || len(a.Canonical) > 0 {
		t.Error("a change of the copy shows in the original")
	}
	pruned := newType(t, "User", "/Users", s)
	if _, ok := pruned.Attribute("emails"); ok {
		t.Error("a pruned attribute is still there")
	}
}

func TestAppendResourceType(t *testing.T) {
	got := string(AppendResourceType(nil, userType(t), "https://example.com/v2"))
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"User","name":"User","endpoint":"/Users","description":"User",` +
		`"schema":"urn:ietf:params:scim:schemas:core:2.0:User","schemaExtensions":[{"schema":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","required":false}],` +
		`"meta":{"resourceType":"ResourceType","location":"https://example.com/v2/ResourceTypes/User"}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
