package scim

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// The bits of a fuzzed number choose the dialect, and those above them the
// resource type.
const (
	bitsLenient = 0x00f
	bitsStrict  = 0x1e0
	bitsGroup   = 1 << 9
	bitsThing   = 2 << 9
)

func dialectOfBits(bits uint16) Dialect {
	on := func(i int) bool { return bits>>i&1 != 0 }
	return Dialect{
		TextBooleans: on(0), TextValues: on(1), BareStrings: on(2), CreateTargets: on(3), AddReferences: on(4),
		RefuseUnknown: on(5), RequirePath: on(6), ReplaceWhole: on(7), TargetParts: on(8),
	}
}

// fuzzResources returns a resource of each type for the bits to choose from.
func fuzzResources(tb testing.TB) func(bits uint16) *Resource {
	user := load(tb, userType(tb), `{"id":"1","userName":"b","name":{"givenName":"g"},"title":"t","groups":[{"value":"g"}],"active":true,
		"emails":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}],"`+enterprise+`":{"manager":{"value":"26","displayName":"B"}}}`)
	group := load(tb, groupType(tb), `{"id":"1","displayName":"g","members":[{"value":"u1","$ref":"Users/u1","type":"User"},{"value":"u2"},{"value":"g1","type":"Group"}]}`)
	thing := load(tb, thingType(tb), `{"id":"1","name":"n","serial":"s","seals":["a","b"],"tags":["a","b"],"sizes":[1,2],"status":"x","maker":{"name":"m","batch":"1","lines":["x"]},
		"parts":[{"value":"p","type":"x","fixed":"f","qty":1,"marks":["1"]},{"value":"q","made":"2026-01-02T03:04:05Z"}],"urn:example:Thing:ext":{"owner":"o"}}`)
	all := [...]*Resource{user, group, thing}
	return func(bits uint16) *Resource { return all[int(bits>>9)%len(all)] }
}

// checkProblem holds an error against what a parser may answer.
func checkProblem(t *testing.T, err error, types ...string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Detail == "" || len(e.Detail) > 4<<10 || !slices.Contains(types, e.ScimType) || e.ScimType != "" && e.Status != 400 {
		t.Fatalf("%v (%+v)", err, e)
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "bjensen"`, `title pr and userType eq "Employee" or not (active eq true)`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"]`,
		`emails[type eq "work"].value ne "x"`, `meta.lastModified gt "2011-05-13T04:42:34Z"`, `externalId eq x`, `manager eq null`,
		enterprise + `:employeeNumber sw "\u0041\ud83d\ude00"`, `((((id pr))))`, `x509Certificates.value eq "AAE"`,
		`externalId eq x and active eq "True" or nickName eq ""`,
	} {
		f.Add(s, uint16(0))
		f.Add(s, uint16(bitsLenient))
	}
	f.Add(`members[value eq "u1"].type ne "User"`, uint16(bitsGroup))
	f.Add(`tags[value eq "A"] and sizes eq 1 and parts[qty gt 0 or made le "2026-01-02T24:00:00Z"] and weight lt 1.5e3`, uint16(bitsThing))
	resources := fuzzResources(f)
	f.Fuzz(func(t *testing.T, s string, bits uint16) {
		r := resources(bits)
		filter, err := dialectOfBits(bits).ParseFilter(r.Type, s)
		if err != nil {
			checkProblem(t, err, TypeInvalidFilter)
			return
		}
		if n := terms(filter); n > len(s) {
			t.Fatalf("%q has %d terms", s, n)
		}
		if Match(filter, r) == Match(Not{filter}, r) {
			t.Fatalf("%q is its own negation", s)
		}
		// What is printed is of the RFC's grammar, whatever was read.
		again, err := ParseFilter(r.Type, filter.String())
		if err != nil {
			// Printing writes names out, so it can pass the bound on the length.
			if len(filter.String()) > maxFilterLength {
				return
			}
			t.Fatalf("%q is printed as %q: %v", s, filter, err)
		}
		if shape(again) != shape(filter) {
			t.Fatalf("%q is %s, and printed and parsed again %s", s, filter, again)
		}
		if Match(again, r) != Match(filter, r) {
			t.Fatalf("%q matches other than %q", filter, again)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{`members`, `name.familyName`, `addresses[type eq "work"]`, `emails[value eq "x" or type pr].display`, enterprise + `:manager.value`, `emails["]`} {
		f.Add(s, uint16(0))
	}
	f.Add(`emails[type eq work and primary eq "True"].value`, uint16(bitsLenient))
	f.Add(`members[not (value eq "u1")].type`, uint16(bitsGroup))
	f.Add(`urn:example:Thing:parts[made gt "2026-01-02T03:04:05Z" and marks eq "1"].qty`, uint16(bitsThing))
	resources := fuzzResources(f)
	f.Fuzz(func(t *testing.T, s string, bits uint16) {
		rt := resources(bits).Type
		p, err := dialectOfBits(bits).ParsePath(rt, s)
		if err != nil {
			checkProblem(t, err, TypeInvalidPath, TypeInvalidFilter)
			return
		}
		checkPath(t, rt, p)
	})
}

// checkPath prints a path and reads it again.
func checkPath(t *testing.T, rt *ResourceType, p Path) {
	t.Helper()
	again, err := ParsePath(rt, p.String())
	switch {
	case err != nil && len(p.String()) > maxFilterLength:
	case err != nil:
		t.Fatalf("path %q: %v", p, err)
	case again.Attr != p.Attr || again.Sub != p.Sub || (again.Filter == nil) != (p.Filter == nil) || p.Filter != nil && shape(again.Filter) != shape(p.Filter):
		t.Fatalf("path %q is read as %q", p, again)
	case p.Attr == nil || p.Sub != nil && p.Sub.Parent() != p.Attr || p.Filter != nil && !p.Attr.MultiValued:
		t.Fatalf("path %q is not one", p)
	}
}

func FuzzPatch(f *testing.F) {
	files, err := filepath.Glob("testdata/patch/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	types := map[string]uint16{"user": 0, "group": bitsGroup, "thing": bitsThing}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var bits uint16
		for _, section := range archive.Files {
			if b, ok := types[section.Name]; ok {
				bits = b
			}
			name, part, _ := strings.Cut(section.Name, "/")
			if part != "patch" {
				continue
			}
			body := `{"Operations":[` + string(section.Data) + `]}`
			switch dialectOf(name) {
			case strict:
				f.Add([]byte(body), bits|bitsStrict)
			default:
				f.Add([]byte(body), bits|bitsLenient)
			}
		}
	}
	resources := fuzzResources(f)
	f.Fuzz(func(t *testing.T, body []byte, bits uint16) {
		r := resources(bits)
		p, err := DecodePatch(r.Type, body, DecodeOptions{ID: "1", Dialect: dialectOfBits(bits)})
		if err != nil {
			checkProblem(t, err, TypeInvalidSyntax, TypeInvalidPath, TypeInvalidFilter, TypeInvalidValue, TypeMutability, TypeNoTarget, "")
			return
		}
		values := 0
		for _, op := range p.Ops {
			if (op.Op == OpRemove) != op.Value.IsAbsent() {
				t.Fatalf("%s has value %s", op, op.Value)
			}
			if op.Path.Attr.Mutability == ReadOnly || op.Path.target().Mutability == ReadOnly {
				t.Fatalf("%s is about what is readOnly", op)
			}
			checkPath(t, r.Type, op.Path)
			values += op.Value.Len()
		}
		if values > len(body) || len(p.Ops) > maxOperations {
			t.Fatalf("%d operations with %d values of %d bytes", len(p.Ops), values, len(body))
		}
		before := r.String()
		out, err := p.Apply(r)
		if r.String() != before {
			t.Fatalf("%s changed its input", p)
		}
		again, errAgain := p.Apply(r)
		if (err == nil) != (errAgain == nil) || err == nil && again.String() != out.String() {
			t.Fatalf("%s gives another outcome the second time: %v, %v", p, errAgain, again)
		}
		if err != nil {
			checkProblem(t, err, TypeInvalidValue, TypeMutability, TypeNoTarget, "")
			return
		}
		checkObject(t, out.Attrs)
		for _, a := range r.Type.Attributes() {
			was, will := r.Get(a), out.Get(a)
			switch {
			case a == r.Type.Schemas():
			case (a.Mutability == ReadOnly || !p.Touches(a)) && !identical(was, will),
				a.Mutability == Immutable && !was.IsAbsent() && !identical(was, will),
				a.Required && a.schema != nil && !a.schema.extension && will.IsAbsent():
				t.Fatalf("%s makes %s of %s", p, will, was)
			}
		}
		text := AppendJSON(nil, out, RenderOptions{})
		checkJSON(t, text)
		if _, err := DecodeResource(r.Type, text, DecodeOptions{Dialect: strict}); err != nil {
			t.Fatalf("%s gives %s: %v", p, text, err)
		}
	})
}

func FuzzResource(f *testing.F) {
	f.Add([]byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b","emails":[{"value":"a","primary":true}],"active":"True"}`), uint16(bitsLenient))
	f.Add([]byte(`{"userName":"\ud83d\ude00","roles":["{\"value\":\"x\"}"],"x":[1.5e3,null,{"a":{}}],"`+enterprise+`":{"manager":"1"}}`), uint16(bitsLenient))
	f.Add([]byte(`{"name.givenName":"a","name.familyName":"b","id":5,"x509Certificates":"AAE="}`), uint16(bitsStrict))
	f.Add([]byte(`{"name.givenName":"a","name":{"familyName":"b"},"`+enterprise+`:manager.value":"1"}`), uint16(0))
	f.Add([]byte(`{"displayName":"g","members":[{"value":"u1","$ref":"../Users/u1"},{"value":"u2","type":"User","display":"x"}]}`), uint16(bitsGroup))
	f.Add([]byte(`{"name":"n","count":-0,"weight":1e-7,"made":"2008-01-23T24:00:00","blob":"-_8","tags":"a","sizes":[9223372036854775807],"parts":[{"value":"p","primary":true,"marks":["1"]}],"urn:example:Thing:ext":{"owner":"o"}}`), uint16(bitsThing))
	resources := fuzzResources(f)
	f.Fuzz(func(t *testing.T, body []byte, bits uint16) {
		rt := resources(bits).Type
		r, err := DecodeResource(rt, body, DecodeOptions{Dialect: dialectOfBits(bits)})
		if err != nil {
			checkProblem(t, err, TypeInvalidSyntax, TypeInvalidValue, TypeInvalidPath, "")
			return
		}
		checkObject(t, r.Attrs)
		if err := Validate(r); err != nil {
			checkProblem(t, err, TypeInvalidValue)
		}
		shown := r
		for _, a := range rt.Attributes() {
			v := r.Get(a)
			if a != rt.Schemas() && a.Mutability == ReadOnly && !v.IsAbsent() {
				t.Fatalf("readOnly attribute %q is %s", a, v)
			}
			if a.Returned == ReturnedNever || a.Returned == ReturnedRequest {
				shown = shown.With(a, Value{})
			}
		}
		text := AppendJSON(nil, r, RenderOptions{})
		again, err := DecodeResource(rt, text, DecodeOptions{Dialect: strict})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !identical(Obj(shown.Attrs), Obj(again.Attrs)) {
			t.Fatalf("%s comes back as %s", shown, again)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, ` {"a":[1,-0.5e+9,null,true,false,"\ud83d\ude00\n"]}`, `{"a":{"b":{}},"A":1}`, `{"\u0000":"\udc00"}`, `{"a":1,}`, "{\"a\":\"\xff\"}", `{"a":01}`, `[{}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkJSON(t, body)
		doc, err := parseJSON(body)
		if err != nil {
			checkProblem(t, err, TypeInvalidSyntax, "")
			return
		}
		if len(doc.nodes) > len(body) || doc.members+doc.elements > len(body) {
			t.Fatalf("%d nodes of %d bytes", len(doc.nodes), len(body))
		}
		for i := range doc.nodes {
			n := &doc.nodes[i]
			if int(n.end) <= i || int(n.end) > len(doc.nodes) {
				t.Fatalf("node %d ends at %d of %d", i, n.end, len(doc.nodes))
			}
			if n.kind != '"' {
				continue
			}
			r := jsonReader{s: string(appendString(nil, n.text))}
			if text, err := r.text(); err != nil || text != n.text || r.pos != len(r.s) {
				t.Fatalf("%q is written as %s: %q, %v", n.text, r.s, text, err)
			}
		}
	})
}

func FuzzPrecondition(f *testing.F) {
	for _, s := range []string{`*`, `W/"v1"`, `"a,b" , W/"v1"`, ` "" `, `,`, `W/`, `"v1"x`} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, match, noneMatch string) {
		p, err := ParsePrecondition([]string{match}, []string{noneMatch})
		if err != nil {
			checkProblem(t, err, TypeInvalidSyntax)
			return
		}
		for _, c := range []condition{p.match, p.noneMatch} {
			if c.any == (len(c.versions) > 0) {
				t.Fatalf("%q, %q: %+v", match, noneMatch, p)
			}
			// Each version holds for itself, and printed it is read as itself.
			for _, v := range c.versions {
				again, err := ParsePrecondition([]string{v.String()}, nil)
				if err != nil || again.Check(v, true) != OK || again.Check(v+"x", true) != Failed {
					t.Fatalf("%q of %q, %q: %v", v, match, noneMatch, err)
				}
			}
		}
		if p.Check("v1", false) != Failed {
			t.Fatalf("%q holds of a resource that is not there", match)
		}
	})
}
