package scim

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

func FuzzFilter(f *testing.F) {
	rt := userType(f)
	for _, s := range []string{
		`userName eq "bjensen"`, `title pr and userType eq "Employee" or not (active eq true)`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"]`,
		`emails[type eq "work"].value ne "x"`, `meta.lastModified gt "2011-05-13T04:42:34Z"`, `externalId eq x`, `manager eq null`,
		enterprise + `:employeeNumber sw "\u0041\ud83d\ude00"`, `((((id pr))))`, `x509Certificates.value eq "AAE"`,
	} {
		f.Add(s)
	}
	r := load(f, rt, `{"id":"1","userName":"b","emails":[{"value":"a","type":"work"}],"active":true}`)
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := ParseFilter(rt, s)
		if err != nil {
			if got := problem(err); len(got) < 18 || got[:18] != "400 invalidFilter:" {
				t.Fatalf("%q: %v", s, got)
			}
			return
		}
		again, err := ParseFilter(rt, filter.String())
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
		if Match(filter, r) == Match(Not{filter}, r) {
			t.Fatalf("%q is its own negation", s)
		}
	})
}

func FuzzPath(f *testing.F) {
	rt := userType(f)
	for _, s := range []string{`members`, `name.familyName`, `addresses[type eq "work"]`, `emails[value eq "x" or type pr].display`, enterprise + `:manager.value`, `emails["]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(rt, s)
		if err != nil {
			return
		}
		again, err := ParsePath(rt, p.String())
		if err != nil && len(p.String()) > maxFilterLength {
			return
		}
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q is printed as %q and parsed as %q: %v", s, p, again, err)
		}
	})
}

func FuzzPatch(f *testing.F) {
	rt := userType(f)
	files, err := filepath.Glob("testdata/patch/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range archive.Files {
			if filepath.Base(section.Name) == "patch" {
				f.Add([]byte(`{"Operations":[`+string(section.Data)+`]}`), false)
			}
		}
	}
	r := load(f, rt, `{"id":"1","userName":"b","name":{"givenName":"g"},"title":"t",
		"emails":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}],"`+enterprise+`":{"manager":{"value":"26"}}}`)
	before := r.String()
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		p, err := DecodePatch(rt, body, DecodeOptions{ID: "1", Dialect: dialectIf(strict)})
		if err != nil {
			_ = problem(err)
			return
		}
		for _, op := range p.Ops {
			if (op.Op == OpRemove) != op.Value.IsAbsent() {
				t.Fatalf("%s has value %s", op, op.Value)
			}
		}
		out, err := p.Apply(r)
		if r.String() != before {
			t.Fatalf("%s changed its input", p)
		}
		if err == nil {
			AppendJSON(nil, out, RenderOptions{})
			if out.ID() != "1" || out.Get(attribute(t, rt, "userName")).IsAbsent() {
				t.Fatalf("%s gives %s", p, out)
			}
		}
	})
}

func FuzzResource(f *testing.F) {
	rt := userType(f)
	f.Add([]byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b","emails":[{"value":"a","primary":true}],"active":"True"}`), false)
	f.Add([]byte(`{"userName":"\ud83d\ude00","roles":["{\"value\":\"x\"}"],"x":[1.5e3,null,{"a":{}}],"`+enterprise+`":{"manager":"1"}}`), false)
	f.Add([]byte(`{"name.givenName":"a","name.familyName":"b","id":5,"x509Certificates":"AAE="}`), true)
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		checkJSON(t, body)
		r, err := DecodeResource(rt, body, DecodeOptions{Dialect: dialectIf(strict)})
		if err != nil {
			return
		}
		_ = Validate(r)
		text := AppendJSON(nil, r, RenderOptions{})
		again, err := DecodeResource(rt, text, DecodeOptions{Dialect: Dialect{RefuseUnknown: true}})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		password := attribute(t, rt, "password")
		if !identical(Obj(r.With(password, Value{}).Attrs), Obj(again.Attrs)) {
			t.Fatalf("%s comes back as %s", r, again)
		}
	})
}
