package scim

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodeResource(t *testing.T) {
	rt := userType(t)
	var ignored []string
	opt := DecodeOptions{Dialect: lenient, Ignored: func(name string) { ignored = append(ignored, name) }}
	// The requests of Entra in one: nulls, unknown and misspelt URNs, its own meta.
	r, err := DecodeResource(rt, []byte(`{
		"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group","urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
		"id":"ignored","meta":{"resourceType":"User"},"groups":[{"value":"ignored"}],
		"USERNAME":"bjensen","externalId":"e","displayName":"","addresses":null,"roles":[],
		"name":{"givenName":"Barbara","nick":"B","familyName":null},
		"active":"True","password":"p",
		"emails":[{"value":"a","type":"work","primary":true},{"value":"b"}],
		"x509Certificates":[{"value":"AAE="}],
		"manager":null,
		"unknown":{"a":[1,{"b":null}]},
		"`+strings.ToUpper(enterprise)+`":{"employeeNumber":"7","Manager":{"value":"26","displayName":"ignored"},"odd":1}}`), opt)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"externalId":"e","userName":"bjensen","name":{"givenName":"Barbara"},"active":true,"password":"p",` +
		`"emails":[{"value":"a","type":"work","primary":true},{"value":"b"}],"x509Certificates":[{"value":"AAE="}],"employeeNumber":"7","manager":{"value":"26"}}`
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	wantIgnored := "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group urn:ietf:params:scim:schemas:extension:enterprise:2.0User name.nick unknown " + enterprise + ":odd"
	if got := strings.Join(ignored, " "); got != wantIgnored {
		t.Errorf("ignored\n%s\nwant\n%s", got, wantIgnored)
	}
	if err := Validate(r); err != nil {
		t.Error(err)
	}
}

func TestDecodeResourceRefuses(t *testing.T) {
	rt := userType(t)
	const schemas = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	for _, tt := range []struct {
		body   string
		strict bool
		want   string
	}{
		{``, false, `400 invalidSyntax: body is not valid JSON: unexpected end at byte 0`},
		{`[]`, false, `400 invalidSyntax: body is not a JSON object`},
		{`"x"`, false, `400 invalidSyntax: body is not a JSON object`},
		{`{`, false, `400 invalidSyntax: body is not valid JSON: unexpected end at byte 1`},
		{`{} {}`, false, `400 invalidSyntax: body is not valid JSON: data after the end at byte 3`},
		{`{"userName":"a","USERname":"b"}`, false, `400 invalidSyntax: body is not valid JSON: name "USERname" is given twice at byte 31`},
		{`{"x":{"a":1,"\u0061":2}}`, false, `400 invalidSyntax: body is not valid JSON: name "a" is given twice at byte 23`},
		{"{\"userName\":\"\xff\"}", false, `400 invalidSyntax: body is not valid UTF-8`},
		{`{"userName":"\u0000"}`, false, `400 invalidSyntax: body is not valid JSON: NUL in a string at byte 19`},
		{"{\"userName\":\"\x00\"}", false, `400 invalidSyntax: body is not valid JSON: control character in a string at byte 13`},
		{strings.Repeat(`{"a":`, 10_000), false, `400 invalidSyntax: body is not valid JSON: nested deeper than 64 at byte 320`},
		{strings.Repeat(`[`, 10_000), false, `400 invalidSyntax: body is not a JSON object`},
		{`{"a":` + strings.Repeat(`[`, 10_000), false, `400 invalidSyntax: body is not valid JSON: nested deeper than 64 at byte 68`},
		{`{"userName":5}`, false, `400 invalidValue: attribute "userName" takes a string, not a number`},
		{`{"userName":{}}`, false, `400 invalidValue: attribute "userName" takes a string, not an object`},
		{`{"userName":["a","b"]}`, false, `400 invalidValue: attribute "userName" takes one value, not an array of 2`},
		{`{"userName":[["a"]]}`, false, `400 invalidValue: attribute "userName" takes one value, not an array of 1`},
		{`{"active":"yes"}`, false, `400 invalidValue: attribute "active" takes a boolean, not a string`},
		{`{"active":1}`, false, `400 invalidValue: attribute "active" takes a boolean, not a number`},
		{`{"active":"true",` + schemas + `}`, true, `400 invalidValue: attribute "active" takes a boolean, not a string`},
		{`{"name":"x"}`, false, `400 invalidValue: attribute "name" takes an object, not a string`},
		{`{"name":{"givenName":1}}`, false, `400 invalidValue: attribute "name.givenName" takes a string, not a number`},
		{`{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, false, `400 invalidValue: attribute "emails" has more than one primary value`},
		{`{"emails":[[]]}`, false, ``},
		{`{"emails":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`, false, `400 invalidValue: attribute "emails" takes at most 1000 values`},
		{`{"emails":[["a","b"]]}`, false, `400 invalidValue: attribute "emails" takes one value, not an array of 2`},
		{`{"emails":[{"value":"a"}],` + schemas + `}`, true, ``},
		{`{"emails":["a"],` + schemas + `}`, true, `400 invalidValue: attribute "emails" takes an object, not a string`},
		{`{"nosuch":1,` + schemas + `}`, true, `400 invalidSyntax: unknown attribute or schema "nosuch"`},
		{`{"schemas":["urn:x"]}`, true, `400 invalidSyntax: unknown attribute or schema "urn:x"`},
		{`{"userName":"a"}`, true, `400 invalidSyntax: attribute "schemas" does not name "urn:ietf:params:scim:schemas:core:2.0:User"`},
		{`{"schemas":"urn:x"}`, false, `400 invalidValue: attribute "schemas" takes an array, not a string`},
		{`{"schemas":[1]}`, false, `400 invalidValue: attribute "schemas" takes strings, not a number`},
		{`{"` + enterprise + `":"x"}`, false, `400 invalidValue: schema "` + enterprise + `" takes an object, not a string`},
		{`{"` + enterprise + `":{"manager":5}}`, false, `400 invalidValue: attribute "` + enterprise + `:manager" takes an object, not a number`},
		{`{"manager":"1","` + enterprise + `":{"manager":"2"}}`, false, `400 invalidSyntax: attribute "` + enterprise + `:manager" is given twice`},
		{`{"name":{"givenName":"a"},"name.givenName":"b"}`, false, `400 invalidSyntax: attribute "name.givenName" is given twice`},
		{`{"emails.value":"a"}`, false, `400 invalidPath: attribute "emails.value" is of one of several values`},
		{`{"x509Certificates":[{"value":"?"}]}`, false, `400 invalidValue: attribute "x509Certificates.value" takes base64`},
	} {
		_, err := DecodeResource(rt, []byte(tt.body), DecodeOptions{Dialect: dialectIf(tt.strict)})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%.80s: %v", tt.body, err)
		case tt.want != "" && err == nil:
			t.Errorf("%.80s is accepted", tt.body)
		case err != nil && problem(err) != tt.want:
			t.Errorf("%.80s:\n got %s\nwant %s", tt.body, problem(err), tt.want)
		}
	}
}

// Names that are the same in many places are found fast.
func TestDecodeResourceManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"x":{`)
	for i := range 100_000 {
		b.WriteString(`"` + strings.Repeat("a", i%50) + string(rune('b'+i%20)) + Str("x").String()[1:2] + strings.TrimLeft(Int(int64(i)).String(), "-") + `":1,`)
	}
	body := b.String() + `"A":1,"a":2}}`
	_, err := DecodeResource(userType(t), []byte(body), DecodeOptions{})
	if err == nil || !strings.Contains(err.Error(), `name "a" is given twice`) {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	user, thing := userType(t), thingType(t)
	required := newType(t, "Thing", "/Things", thing.Schema, Extension{Schema: thing.Extensions[0].Schema, Required: true})
	for _, tt := range []struct {
		rt         *ResourceType
		body, want string
	}{
		{user, `{"userName":"a"}`, ``},
		{user, `{"name":{"givenName":"a"}}`, `400 invalidValue: attribute "userName" is required`},
		{user, `{"userName":""}`, `400 invalidValue: attribute "userName" is required`},
		{thing, `{"name":"a"}`, ``},
		{thing, `{"name":"a","maker":{"batch":"1"}}`, `400 invalidValue: attribute "maker.name" is required`},
		{thing, `{"name":"a","urn:example:Thing:ext":{"name":"x"}}`, `400 invalidValue: attribute "urn:example:Thing:ext:owner" is required`},
		{required, `{"name":"a"}`, `400 invalidValue: attribute "urn:example:Thing:ext:owner" is required`},
		{required, `{"name":"a","owner":"o"}`, ``},
	} {
		r, err := DecodeResource(tt.rt, []byte(tt.body), DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		err = Validate(r)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || problem(err) != tt.want) {
			t.Errorf("%s: %v, want %s", tt.body, err, tt.want)
		}
	}
}

// What a client may write comes back from rendering and decoding.
func TestDecodeRenderIdentity(t *testing.T) {
	for _, rt := range []*ResourceType{userType(t), groupType(t), thingType(t)} {
		// Everything is returned and nothing is readOnly.
		open := func(s *Schema) *Schema {
			s = s.Prune(func(*Attribute) bool { return true })
			for _, a := range s.Attributes {
				a.Returned, a.Mutability = ReturnedDefault, ReadWrite
				for _, sub := range a.Sub {
					sub.Returned, sub.Mutability = ReturnedDefault, ReadWrite
				}
			}
			return s
		}
		var ext []Extension
		for _, e := range rt.Extensions {
			ext = append(ext, Extension{Schema: open(e.Schema)})
		}
		rt = newType(t, rt.Name, rt.Endpoint, open(rt.Schema), ext...)
		t.Run(rt.Name, rapid.MakeCheck(func(t *rapid.T) {
			r := drawResource(t, rt).With(rt.ID(), Value{}).With(rt.Meta(), Value{})
			body := AppendJSON(nil, r, RenderOptions{})
			got, err := DecodeResource(rt, body, DecodeOptions{Dialect: Dialect{RefuseUnknown: true}})
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			if !identical(Obj(got.Attrs), Obj(r.Attrs)) {
				t.Fatalf("got\n%s\nwant\n%s", got, r)
			}
		}))
	}
}

// RFC 7644 §3.3 and §3.5.1 with RFC 7643 §2: what a body says comes to.
func TestDecodeResourceReads(t *testing.T) {
	user, group, thing := userType(t), groupType(t), thingType(t)
	const core, ext = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:Thing:ext"
	for _, tt := range []struct {
		rt         *ResourceType
		body, want string // want is the resource, or a problem
	}{
		// 7644 §3.3, §3.5.1 readOnly: any values provided SHALL be ignored.
		{user, `{"id":5,"meta":"x","groups":{"a":[1]},"schemas":[],"userName":"u"}`, `{"userName":"u"}`},
		{user, `{"meta.location":"x","groups.value":"x","` + core + `:id":"x","userName":"u"}`, `{"userName":"u"}`},
		{user, `{"` + enterprise + `":{"manager":{"value":"1","displayName":5}}}`, `{"manager":{"value":"1"}}`},
		{user, `{"` + enterprise + `":{"manager":{"displayName":"x"}}}`, `null`},
		{group, `{"displayName":"g","members":[{"value":"1","display":{}}]}`, `{"displayName":"g","members":[{"value":"1"}]}`},
		{thing, `{"status":[[]],"name":"n"}`, `{"name":"n"}`},
		// Immutable and writeOnly values are taken.
		{thing, `{"serial":"s","seals":["a"],"secret":"x","maker":{"batch":"b"}}`, `{"serial":"s","seals":["a"],"secret":"x","maker":{"batch":"b"}}`},
		// 7643 §2.5: null, an empty array and no attribute are the same.
		{user, `{"title":null,"name":null,"emails":null,"roles":[],"phoneNumbers":[null],"addresses":[{}],"ims":[{"value":null}],"nickName":"","active":null,"` + enterprise + `":null}`, `null`},
		{user, `{"title":[],"name":{},"name.givenName":null,"x509Certificates":"","active":"","` + enterprise + `":{}}`, `null`},
		{thing, `{"count":null,"weight":[],"made":"","blob":null,"on":[null],"tags":[""],"sizes":[null,[]],"parts":[{"marks":[]}]}`, `null`},
		// 7643 §2.1, 7644 §3.10: names in any case, with their URN or without.
		{user, `{"USERNAME":"u","Name":{"GIVENNAME":"g"},"EMAILS":[{"VALUE":"a","Type":"work"}]}`, `{"userName":"u","name":{"givenName":"g"},"emails":[{"value":"a","type":"work"}]}`},
		{user, `{"` + core + `:userName":"u","` + strings.ToUpper(core) + `:name.givenName":"g","` + enterprise + `:manager.value":"1"}`, `{"userName":"u","name":{"givenName":"g"},"manager":{"value":"1"}}`},
		{user, `{"` + core + `":{"userName":"u","emails":[{"value":"a"}]},"` + enterprise + `":{"department":"d"},"` + enterprise + `:division":"v","costCenter":"c"}`,
			`{"userName":"u","emails":[{"value":"a"}],"costCenter":"c","division":"v","department":"d"}`},
		{thing, `{"name":"core","` + ext + `":{"name":"ext"}}`, `{"name":"core","name":"ext"}`},
		{thing, `{"name":"core","` + ext + `:name":"ext","urn:example:Thing:tags":["a"]}`, `{"name":"core","tags":["a"],"name":"ext"}`},
		{user, `{"` + enterprise + `":{"userName":"u","` + enterprise + `:department":"d"}}`, `null`}, // not of the extension
		// The order of names means nothing.
		{user, `{"name.givenName":"g","name":{"familyName":"f"},"NAME.middleName":"m"}`, `{"name":{"familyName":"f","givenName":"g","middleName":"m"}}`},
		{user, `{"name.givenName":"g","name":{"givenName":"f"}}`, `400 invalidSyntax: attribute "name.givenName" is given twice`},
		{user, `{"name":{"givenName":"f"},"` + core + `:name.givenName":"g"}`, `400 invalidSyntax: attribute "name.givenName" is given twice`},
		{user, `{"name":{"givenName":"f"},"` + core + `:name":{"familyName":"g"}}`, `400 invalidSyntax: attribute "name" is given twice`},
		{user, `{"userName":"a","` + core + `:userName":"a"}`, `400 invalidSyntax: attribute "userName" is given twice`},
		{user, `{"userName":"a","` + core + `":{"userName":"a"}}`, `400 invalidSyntax: attribute "userName" is given twice`},
		{user, `{"department":"a","` + enterprise + `":{"department":"a"}}`, `400 invalidSyntax: attribute "` + enterprise + `:department" is given twice`},
		{user, `{"userName":null,"` + core + `:userName":"a"}`, `{"userName":"a"}`}, // null says nothing
		{user, `{"` + enterprise + `":{},"` + strings.ToUpper(enterprise) + `":{}}`, `400 invalidSyntax: body is not valid JSON: name "` + strings.ToUpper(enterprise) + `" is given twice at byte 129`},
		// 7643 §2.3.1
		{user, `{"userName":true}`, `400 invalidValue: attribute "userName" takes a string, not a boolean`},
		{user, `{"userName":"\ud83d\ude00\u00e9\t\/"}`, `{"userName":"😀é\t/"}`},
		// 7643 §2.3.2
		{thing, `{"on":false}`, `{"on":false}`},
		{thing, `{"on":0}`, `400 invalidValue: attribute "on" takes a boolean, not a number`},
		{thing, `{"on":"false"}`, `400 invalidValue: attribute "on" takes a boolean, not a string`},
		// 7643 §2.3.3
		{thing, `{"weight":0.5}`, `{"weight":0.5}`},
		{thing, `{"weight":-1E-2}`, `{"weight":-0.01}`},
		{thing, `{"weight":1e308}`, `{"weight":1e+308}`},
		{thing, `{"weight":1e309}`, `400 invalidValue: attribute "weight": number 1e309 is out of range`},
		{thing, `{"weight":"1"}`, `400 invalidValue: attribute "weight" takes a number, not a string`},
		// 7643 §2.3.4: MUST NOT contain fractional or exponent parts.
		{thing, `{"count":9223372036854775807,"sizes":[-0,0,-9223372036854775808]}`, `{"count":9223372036854775807,"sizes":[0,0,-9223372036854775808]}`},
		{thing, `{"count":9223372036854775808}`, `400 invalidValue: attribute "count" takes an integer of 64 bits, not 9223372036854775808`},
		{thing, `{"count":1.0}`, `400 invalidValue: attribute "count" takes an integer of 64 bits, not 1.0`},
		{thing, `{"count":1e3}`, `400 invalidValue: attribute "count" takes an integer of 64 bits, not 1e3`},
		{thing, `{"sizes":[1,"2"]}`, `400 invalidValue: attribute "sizes" takes an integer, not a string`},
		// 7643 §2.3.5
		{thing, `{"made":"2008-01-23T04:56:22.5-08:00"}`, `{"made":"2008-01-23T04:56:22.5-08:00"}`},
		{thing, `{"made":"2008-01-23"}`, `400 invalidValue: attribute "made" takes a dateTime like 2008-01-23T04:56:22Z`},
		{thing, `{"made":"04:56:22Z"}`, `400 invalidValue: attribute "made" takes a dateTime like 2008-01-23T04:56:22Z`},
		{thing, `{"made":1201064182}`, `400 invalidValue: attribute "made" takes a string, not a number`},
		// 7643 §2.3.6
		{thing, `{"blob":"+/8="}`, `{"blob":"+/8="}`},
		{thing, `{"blob":"-_8"}`, `{"blob":"-_8"}`},
		{thing, `{"blob":"A"}`, `400 invalidValue: attribute "blob" takes base64`},
		{thing, `{"blob":"AA\r\nAA"}`, `400 invalidValue: attribute "blob" takes base64`},
		// 7643 §2.3.8, §2.4
		{thing, `{"parts":[{"primary":true,"value":"a"},{"primary":false},{"value":"b"}]}`, `{"parts":[{"value":"a","primary":true},{"primary":false},{"value":"b"}]}`},
		{thing, `{"parts":[{"primary":true,"value":"a"},{"primary":true}]}`, `400 invalidValue: attribute "parts" has more than one primary value`},
		{thing, `{"parts":{"value":"a"},"tags":"a"}`, `{"tags":["a"],"parts":[{"value":"a"}]}`},
		{thing, `{"parts":["a"]}`, `400 invalidValue: attribute "parts" takes an object, not a string`},
		{thing, `{"maker":{"name":{"x":1}}}`, `400 invalidValue: attribute "maker.name" takes a string, not an object`},
		{thing, `{"maker":{"lines":["a",null,"b"]}}`, `{"maker":{"lines":["a","b"]}}`},
		{thing, `{"tags":{"value":"a"}}`, `400 invalidValue: attribute "tags" takes a string, not an object`},
		{group, `{"members":[{"type":"User"}]}`, `400 invalidValue: attribute "members.value" is required`},
		{group, `{"members":[{"value":""}]}`, `400 invalidValue: attribute "members.value" is required`},
		{group, `{"members":["u1"]}`, `400 invalidValue: attribute "members" takes an object, not a string`},
		{user, `{"manager":{"$ref":"../Users/26"}}`, `400 invalidValue: attribute "` + enterprise + `:manager.value" is required`},
	} {
		r, err := DecodeResource(tt.rt, []byte(tt.body), DecodeOptions{})
		got := ""
		if err != nil {
			got = problem(err)
		} else {
			got = Obj(r.Attrs).String()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.body, got, tt.want)
		}
	}
}

// WriteOnly values are never in an answer, whatever their schema says of their
// return (RFC 7643 §7).
func TestWriteOnlyIsNeverReturned(t *testing.T) {
	rt := newType(t, "Thing", "/Things", &Schema{ID: "urn:x:y", Attributes: []*Attribute{
		{Name: "a", Mutability: WriteOnly}, {Name: "b", Mutability: WriteOnly, Returned: ReturnedAlways},
		{Name: "c", Type: Complex, Sub: []*Attribute{{Name: "d"}, {Name: "e", Mutability: WriteOnly, Returned: ReturnedRequest}}},
	}})
	r := load(t, rt, `{"a":"1","b":"2","c":{"d":"3","e":"4"}}`)
	for _, names := range [][]string{nil, {"a", "b", "c.d", "c.e"}, {"urn:x:y"}, {"c"}} {
		s, err := ParseSelection(rt, names, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendJSON(nil, r, RenderOptions{Selection: s})); strings.ContainsAny(strings.ReplaceAll(got, "urn:x:y", ""), "124") {
			t.Errorf("attributes=%q: %s", names, got)
		}
	}
	if _, err := ParseFilter(rt, `a eq "1"`); err == nil {
		t.Error("a filter can ask for it")
	}
}

// What Entra and Okta put into POST and PUT, and who else may not.
func TestDecodeResourceDialects(t *testing.T) {
	rt := userType(t)
	okta := dialectOf("Okta")
	for _, tt := range []struct {
		d          Dialect
		body, want string
	}{
		{lenient, `{"` + enterprise + `":{"manager":"26"}}`, `{"manager":{"value":"26"}}`},
		{lenient, `{"` + enterprise + `":{"manager":[{"$ref":"../Users/26","value":"26"}]}}`, `{"manager":{"value":"26","$ref":"../Users/26"}}`},
		{lenient, `{"manager":null,"active":"False","emails":["a",{"value":"b","primary":"True"}]}`, `{"active":false,"emails":[{"value":"a"},{"value":"b","primary":true}]}`},
		{lenient, `{"roles":[{"value":"{\"id\":\"1\",\"value\":\"25\",\"displayName\":\"R\"}"},"{\"value\":\"v\",\"primary\":\"True\"}"]}`, `{"roles":[{"value":"25"},{"value":"v","primary":true}]}`},
		{lenient, `{"roles":["{\"value\":\"{\\\"value\\\":\\\"x\\\"}\"}"]}`, `{"roles":[{"value":"{\"value\":\"x\"}"}]}`}, // not a level deeper
		{okta, `{"active":"true","groups":[],"meta":{"resourceType":"User"},"id":"x"}`, `{"active":true}`},
		{okta, `{"manager":"26"}`, `400 invalidValue: attribute "` + enterprise + `:manager" takes an object, not a string`},
		{Dialect{}, `{"manager":"26"}`, `400 invalidValue: attribute "` + enterprise + `:manager" takes an object, not a string`},
		{Dialect{}, `{"manager":[{"value":"26"}]}`, `{"manager":{"value":"26"}}`},
		{Dialect{}, `{"roles":[{"value":"{\"value\":\"25\"}"}]}`, `{"roles":[{"value":"{\"value\":\"25\"}"}]}`},
	} {
		r, err := DecodeResource(rt, []byte(tt.body), DecodeOptions{Dialect: tt.d})
		got := ""
		if err != nil {
			got = problem(err)
		} else {
			got = r.String()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.body, got, tt.want)
		}
	}
}
