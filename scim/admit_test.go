package scim

import "testing"

func TestURIReference(t *testing.T) {
	for s, want := range map[string]bool{
		"https://example.com/a?b=c#d": true, "Users/26": true, "/x": true, "?q": true, "#f": true, "//host": true,
		"urn:example:a:b": true, "mailto:a@example.com": true, "http://[::1]:80/": true, "a%20b": true, "http://user@h/": true,
		"a b": false, "a\tb": false, "a\n": false, "\x7f": false, "a<b": false, "a\"b": false, "a\\b": false, "a^b": false, "a|b": false, "a`b": false, "{a}": false,
		"é": false, "%": false, "%2": false, "%zz": false, "a#b#c": false, "[": false, "http://h/[x]": false, "http://[::1": false, "1:2": false, "http://h:x/": false,
	} {
		if got := isURIReference(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

// closedType has closed attributes at every place where a value can stand.
func closedType(t *testing.T) *ResourceType {
	colours := []string{"Red", "green"}
	return newType(t, "Thing", "/Things", &Schema{ID: "urn:example:Closed", Name: "Closed", Attributes: []*Attribute{
		{Name: "colour", Canonical: colours, Closed: true},
		{Name: "exact", Canonical: colours, Closed: true, CaseExact: true},
		{Name: "open", Canonical: colours},
		{Name: "colours", MultiValued: true, Canonical: colours, Closed: true},
		{Name: "parts", Type: Complex, MultiValued: true, Sub: []*Attribute{{Name: "value"}, {Name: "type", Canonical: colours, Closed: true}}},
		{Name: "link", Type: Reference},
	}})
}

// A value that a closed attribute does not admit is refused wherever it stands,
// and so is a reference that is no URI.
func TestClosed(t *testing.T) {
	rt := closedType(t)
	const takes = `400 invalidValue: attribute "colour" takes "Red", "green", not "blue"`
	for _, c := range []struct{ attr, value, want string }{
		{"colour", `"Red"`, ""},
		{"colour", `"rED"`, ""},
		{"colour", `""`, ""},
		{"colour", `null`, ""},
		{"colour", `"blue"`, takes},
		{"colour", `["blue"]`, takes},
		{"exact", `"Red"`, ""},
		{"exact", `"red"`, `400 invalidValue: attribute "exact" takes "Red", "green", not "red"`},
		{"open", `"blue"`, ""},
		{"colours", `["red","GREEN"]`, ""},
		{"colours", `["red","blue"]`, `400 invalidValue: attribute "colours" takes "Red", "green", not "blue"`},
		{"parts", `[{"value":"v","type":"red"}]`, ""},
		{"parts", `[{"value":"v","type":"blue"}]`, `400 invalidValue: attribute "parts.type" takes "Red", "green", not "blue"`},
		{"link", `"Users/1"`, ""},
		{"link", `"a b"`, `400 invalidValue: attribute "link" takes a URI`},
	} {
		for name, decode := range map[string]func() error{
			"resource": func() error {
				_, err := DecodeResource(rt, []byte(`{"`+c.attr+`":`+c.value+`}`), DecodeOptions{})
				return err
			},
			"patch": func() error {
				_, err := DecodePatch(rt, []byte(`{"Operations":[{"op":"add","path":"`+c.attr+`","value":`+c.value+`}]}`), DecodeOptions{})
				return err
			},
			"patch without path": func() error {
				_, err := DecodePatch(rt, []byte(`{"Operations":[{"op":"replace","value":{"`+c.attr+`":`+c.value+`}}]}`), DecodeOptions{})
				return err
			},
		} {
			err := decode()
			if c.want == "" && err != nil || c.want != "" && (err == nil || problem(err) != c.want) {
				t.Errorf("%s %s %s: %v, want %s", name, c.attr, c.value, err, c.want)
			}
		}
	}
}

// An element that is made of a path's filter is held to the same values.
func TestClosedInAPath(t *testing.T) {
	rt := closedType(t)
	for _, c := range []struct{ path, want string }{
		{`parts[type eq \"red\"].value`, ""},
		{`parts[type eq \"blue\"].value`, `400 invalidValue: attribute "parts.type" takes "Red", "green", not "blue"`},
	} {
		p, err := DecodePatch(rt, []byte(`{"Operations":[{"op":"add","path":"`+c.path+`","value":"v"}]}`), DecodeOptions{})
		if err == nil {
			_, err = p.Apply(&Resource{Type: rt})
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || problem(err) != c.want) {
			t.Errorf("%s: %v, want %s", c.path, err, c.want)
		}
	}
}

// A schema that several types use in part is shown once, as what holds for all.
func TestSchemasOfSeveralTypes(t *testing.T) {
	shared := func(attrs ...*Attribute) Extension {
		return Extension{Schema: &Schema{ID: "urn:example:shared", Name: "Shared", Attributes: attrs}}
	}
	core := func(id string) *Schema { return &Schema{ID: id, Name: id, Attributes: []*Attribute{{Name: "name"}}} }
	a := newType(t, "A", "/As", core("urn:example:A"), shared(
		&Attribute{Name: "x", Required: true, Canonical: []string{"a", "b"}, Uniqueness: UniqueServer},
		&Attribute{Name: "c", Type: Complex, Sub: []*Attribute{{Name: "one"}}}))
	b := newType(t, "B", "/Bs", core("urn:example:B"), shared(
		&Attribute{Name: "x", Canonical: []string{"b", "c"}, Mutability: ReadOnly},
		&Attribute{Name: "c", Type: Complex, Sub: []*Attribute{{Name: "two"}}},
		&Attribute{Name: "y"}))
	var got string
	all := Schemas([]*ResourceType{a, b})
	for _, s := range all {
		got += s.ID + " "
	}
	if got != "urn:example:A urn:example:shared urn:example:B " {
		t.Errorf("schemas: %s", got)
	}
	const want = `[{"name":"x","type":"string","multiValued":false,"required":false,"canonicalValues":["a","b","c"],"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"},` +
		`{"name":"c","type":"complex","multiValued":false,"required":false,"mutability":"readWrite","returned":"default","subAttributes":[` +
		`{"name":"one","type":"string","multiValued":false,"required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"},` +
		`{"name":"two","type":"string","multiValued":false,"required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}]},` +
		`{"name":"y","type":"string","multiValued":false,"required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}]`
	if text := string(appendAttributes(nil, all[1].Attributes)); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if x := attribute(t, a, "x"); !x.Required || len(x.Canonical) != 2 {
		t.Errorf("the type's own attribute was changed: %+v", x)
	}
}
