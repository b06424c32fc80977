package scim

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write what patches give into testdata/patch")

// The files of testdata/patch have a resource ("user", "group" or "thing"), for
// the cases after it. A case is "NAME/patch", which is a list of operations or a
// whole body, and "NAME/want", which is the outcome: the attributes that changed,
// "same" for the very resource that went in, or an error. The beginning of a
// name may say in which dialect (dialectOf).
func TestPatchGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/patch/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	types := map[string]*ResourceType{"user": userType(t), "group": groupType(t), "thing": thingType(t)}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r *Resource
		var got string
		for i, f := range archive.Files {
			if rt, ok := types[f.Name]; ok {
				r = load(t, rt, string(f.Data))
				continue
			}
			name, part, _ := strings.Cut(f.Name, "/")
			switch part {
			case "patch":
				got = patchOutcome(t, r, name, f.Data)
			case "want":
				if *update {
					archive.Files[i].Data = []byte(got + "\n")
				} else if want := strings.TrimSpace(string(f.Data)); got != want {
					t.Errorf("%s: %s:\n got %s\nwant %s", filepath.Base(file), name, got, want)
				}
			default:
				t.Errorf("%s: unknown section %q", file, f.Name)
			}
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func patchOutcome(t *testing.T, r *Resource, name string, body []byte) string {
	t.Helper()
	if !bytes.HasPrefix(body, []byte(`{"schemas"`)) {
		body = []byte(`{"schemas":["` + patchOpURN + `"],"Operations":[` + string(body) + `]}`)
	}
	before := render(r)
	opt := DecodeOptions{ID: r.ID(), Dialect: dialectOf(name)}
	p, err := DecodePatch(r.Type, body, opt)
	if err != nil {
		return "decode " + problem(err)
	}
	out, err := p.Apply(r)
	if after := render(r); after != before {
		t.Errorf("%s: the resource itself was changed to %s", name, after)
	}
	switch {
	case err != nil:
		return "apply " + problem(err)
	case out == r:
		return "same"
	}
	var changes []string
	for _, a := range r.Type.Attributes() {
		if now := out.Get(a); !identical(r.Get(a), now) {
			changes = append(changes, a.String()+" = "+now.String())
		}
	}
	return strings.Join(changes, "\n")
}

func TestDecodePatchIgnores(t *testing.T) {
	rt := userType(t)
	var ignored []string
	opt := DecodeOptions{ID: "1", Ignored: func(name string) { ignored = append(ignored, name) }}
	p, err := DecodePatch(rt, []byte(`{"Operations":[{"op":"Replace","value":{"id":"1","nosuch":1,"userName":"u","schemas":[],"meta":{},"`+
		enterprise+`":{"odd":1},"urn:x:y":{"z":1},"name":{"nick":"n","givenName":"g"}}}]}`), opt)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(ignored, " "), "nosuch "+enterprise+":odd urn:x:y name.nick"; got != want {
		t.Errorf("ignored %s, want %s", got, want)
	}
	if got, want := p.String(), "replace userName; replace name"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A reference to what is yet to be made is not null: it takes nothing away.
func TestDecodePatchLeavesOut(t *testing.T) {
	for rt, op := range map[*ResourceType]string{
		userType(t):  `{"op":"replace","path":"manager","value":"bulkId:x"},{"op":"add","path":"manager","value":{"value":"bulkId:x"}}`,
		groupType(t): `{"op":"replace","path":"members","value":[{"value":"bulkId:x"}]}`,
	} {
		opt := DecodeOptions{Dialect: lenient, BulkID: func(string) (string, bool) { return "", false }}
		p, err := DecodePatch(rt, []byte(`{"Operations":[`+op+`]}`), opt)
		if err != nil || len(p.Ops) > 0 {
			t.Errorf("%s is %q: %v", op, p, err)
		}
	}
}

func TestPatchTouches(t *testing.T) {
	rt := groupType(t)
	p, err := DecodePatch(rt, []byte(`{"Operations":[{"op":"add","path":"members","value":[{"value":"u1"}]},{"op":"remove","path":"members[value eq \"u2\" or value eq \"u3\"]"}]}`), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Touches(attribute(t, rt, "members")) || p.Touches(attribute(t, rt, "displayName")) {
		t.Error("touches what it does not, or the reverse")
	}
	if got, want := p.String(), "add members (1); remove values members (2)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// drawOperation draws an operation as a request has it.
func drawOperation(t *rapid.T, rt *ResourceType) Operation {
	a := rapid.SampledFrom(rt.Attributes()).Filter(func(a *Attribute) bool { return a.Mutability != ReadOnly }).Draw(t, "target")
	op := Operation{Op: rapid.SampledFrom([]OpKind{OpAdd, OpReplace, OpRemove, OpRemoveValues}).Draw(t, "op"), Path: Path{Attr: a}}
	if a.Type == Complex {
		if a.MultiValued && rapid.Bool().Draw(t, "filtered") {
			op.Path.Filter = drawFilterOf(t, 1, func() Filter {
				return drawTerm(t, AttrPath{Attr: rapid.SampledFrom(a.Sub).Draw(t, "sub")})
			})
		}
		if rapid.Bool().Draw(t, "dotted") {
			op.Path.Sub = rapid.SampledFrom(a.Sub).Draw(t, "sub")
			if op.Path.Sub.Mutability == ReadOnly {
				op.Path.Sub = nil
			}
		}
	}
	if op.Op == OpRemoveValues && (!op.Path.target().MultiValued || op.Path.Filter != nil && op.Path.Sub == nil) {
		op.Op = OpRemove
	}
	switch {
	case op.Op == OpRemove:
	case op.Path.Filter != nil && op.Path.Sub == nil:
		op.Value = drawSingle(t, a)
	default:
		op.Value = drawValue(t, op.Path.target())
	}
	if op.Value.IsAbsent() {
		op.Op = OpRemove
	}
	return op
}

// Whatever a patch does, the resource that went in stays as it was, what comes
// out holds the invariants of an object, and nothing panics.
func TestApplyIsPure(t *testing.T) {
	for _, rt := range []*ResourceType{userType(t), groupType(t), thingType(t)} {
		t.Run(rt.Name, rapid.MakeCheck(func(t *rapid.T) {
			r := drawResource(t, rt)
			before := r.String()
			var p Patch
			for range rapid.IntRange(1, 5).Draw(t, "n") {
				p.Ops = append(p.Ops, drawOperation(t, rt))
			}
			p.dialect = dialectIf(rapid.Bool().Draw(t, "strict"))
			ops := p.Ops[0].Value.String()
			out, err := p.Apply(r)
			if after := r.String(); after != before {
				t.Fatalf("%s changed its input from\n%s\nto\n%s", p, before, after)
			}
			if p.Ops[0].Value.String() != ops {
				t.Fatalf("%s changed itself", p)
			}
			if err != nil {
				return
			}
			checkObject(t, out.Attrs)
			again, err := p.Apply(r)
			if err != nil || again.String() != out.String() {
				t.Fatalf("%s gives another outcome the second time: %v, %v", p, again, err)
			}
			for _, a := range rt.Attributes() {
				if !p.Touches(a) && !identical(r.Get(a), out.Get(a)) && a != rt.Schemas() {
					t.Fatalf("%s changes %q", p, a)
				}
			}
		}))
	}
}

// String is for comparisons: the resource with all that it has.
func (r *Resource) String() string { return string(appendValue(nil, Obj(r.Attrs))) }

// checkObject holds an object against the invariants of Object and Value.
func checkObject(t interface {
	Helper()
	Fatalf(string, ...any)
}, o Object) {
	t.Helper()
	for i, f := range o {
		if i > 0 && o[i-1].Attr.order >= f.Attr.order {
			t.Fatalf("field %q is out of order", f.Attr)
		}
		if f.Value.IsAbsent() {
			t.Fatalf("field %q is absent", f.Attr)
		}
		if f.Attr.MultiValued != (f.Value.Kind() == KindList) {
			t.Fatalf("field %q has kind %d", f.Attr, f.Value.Kind())
		}
		primaries := 0
		for _, v := range f.Value.Items() {
			if v.IsAbsent() || v.Kind() == KindList {
				t.Fatalf("element of %q has kind %d", f.Attr, v.Kind())
			}
			if primary(f.Attr, v) {
				primaries++
			}
			checkObject(t, v.Object())
		}
		if primaries > 1 {
			t.Fatalf("%q has %d primary elements", f.Attr, primaries)
		}
	}
}

// What Elementwise tells comes to the same as Apply, on any elements that are
// there.
func TestElementwiseAgreesWithApply(t *testing.T) {
	group, thing := groupType(t), thingType(t)
	for _, attr := range []*Attribute{attribute(t, group, "members"), attribute(t, thing, "tags"), attribute(t, thing, "sizes")} {
		rt := group
		if attr.schema.ID != group.Schema.ID {
			rt = thing
		}
		t.Run(attr.Name, rapid.MakeCheck(func(t *rapid.T) {
			ids := rapid.SampledFrom([]string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9", "U1"})
			element := func() Value {
				switch attr.Type {
				case Integer:
					return Int(rapid.Int64Range(0, 9).Draw(t, "id"))
				case Complex:
					o := Object{{attr.value, Str(ids.Draw(t, "id"))}}
					if rapid.Bool().Draw(t, "typed") {
						o = o.With(attr.kind, Str("User"))
					}
					return Obj(o)
				default:
					return Str(ids.Draw(t, "id"))
				}
			}
			list := func() Value {
				vs := make([]Value, rapid.IntRange(1, 12).Draw(t, "n"))
				for i := range vs {
					vs[i] = element()
				}
				return List(vs...)
			}
			r := &Resource{Type: rt}
			if rapid.Bool().Draw(t, "populated") {
				have, _ := addElements(attr, Value{}, list())
				r = r.With(attr, have)
			}
			var p Patch
			for range rapid.IntRange(1, 5).Draw(t, "ops") {
				p.Ops = append(p.Ops, Operation{rapid.SampledFrom([]OpKind{OpAdd, OpRemoveValues}).Draw(t, "op"), Path{Attr: attr}, list()})
			}
			add, remove, ok := p.Elementwise(attr)
			if !ok {
				t.Fatal("not elementwise")
			}
			out, err := p.Apply(r)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			key := func(v Value) string { return string(appendIdentity(nil, attr, v)) }
			for _, v := range r.Get(attr).Items() {
				want[key(v)] = true
			}
			for _, v := range remove {
				delete(want, key(v))
			}
			for _, v := range add {
				want[key(v)] = true
			}
			got := out.Get(attr).Items()
			for _, v := range got {
				if !want[key(v)] {
					t.Fatalf("%s is there and should not be", v)
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%d elements, want %d", len(got), len(want))
			}
			for _, v := range add {
				for _, w := range remove {
					if key(v) == key(w) {
						t.Fatalf("%s is added and removed", v)
					}
				}
			}
		}))
	}
}

// Many operations on single members are one walk, and many others are refused.
func TestDecodePatchCondenses(t *testing.T) {
	rt := groupType(t)
	r := load(t, rt, `{"displayName":"g","members":[{"value":"u0"},{"value":"u1"},{"value":"keep"}]}`)
	var ops []string
	for i := range 5_000 {
		id := "u" + strconv.Itoa(i)
		ops = append(ops, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`, `{"op":"replace","path":"displayName","value":"`+id+`"}`)
		if i%2 == 0 {
			ops = append(ops, `{"op":"remove","path":"members[value eq \"`+id+`\"]"}`)
		}
	}
	all := `{"Operations":[` + strings.Join(ops, ",") + `]}`
	if _, err := DecodePatch(rt, []byte(all), DecodeOptions{}); err == nil || !strings.HasPrefix(problem(err), "413 : a PATCH has at most 1000 operations") {
		t.Errorf("too many operations: %v", err)
	}
	members := `{"Operations":[` + strings.Join(slices.DeleteFunc(ops, func(op string) bool { return strings.Contains(op, "replace") }), ",") + `]}`
	p, err := DecodePatch(rt, []byte(members), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.String(), "remove values members (2500); add members (2500)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	out, err := p.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	got := out.Get(attribute(t, rt, "members"))
	if got.Len() != 2_501 || got.Items()[0].String() != `{"value":"u1"}` || got.Items()[1].String() != `{"value":"keep"}` {
		t.Errorf("%d members, of which the first are %s", got.Len(), got.Items()[:2])
	}
}

func TestElementwiseNot(t *testing.T) {
	group, user := groupType(t), userType(t)
	for ops, attr := range map[string]*Attribute{
		`{"op":"remove","path":"members"}`:                                                       attribute(t, group, "members"),
		`{"op":"replace","path":"members","value":[{"value":"u"}]}`:                              attribute(t, group, "members"),
		`{"op":"replace","path":"members","value":[]}`:                                           attribute(t, group, "members"),
		`{"op":"remove","path":"members[type eq \"User\"]"}`:                                     attribute(t, group, "members"),
		`{"op":"remove","path":"members[value eq \"u\" and type eq \"User\"]"}`:                  attribute(t, group, "members"),
		`{"op":"add","path":"members","value":[{"value":"u"}]},{"op":"remove","path":"members"}`: attribute(t, group, "members"),
		`{"op":"add","path":"emails","value":[{"value":"u"}]}`:                                   attribute(t, user, "emails"),
		`{"op":"add","path":"userName","value":"u"}`:                                             attribute(t, user, "userName"),
	} {
		rt := group
		if attr.schema.ID == user.Schema.ID {
			rt = user
		}
		p, err := DecodePatch(rt, []byte(`{"Operations":[`+ops+`]}`), DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := p.Elementwise(attr); ok {
			t.Errorf("%s is elementwise", ops)
		}
	}
}
