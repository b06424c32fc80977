package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func newType(t testing.TB, name, endpoint string, core *Schema, ext ...Extension) *ResourceType {
	t.Helper()
	rt, err := NewResourceType(name, endpoint, name, core, ext...)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func userType(t testing.TB) *ResourceType {
	t.Helper()
	return newType(t, "User", "/Users", UserSchema(), Extension{Schema: EnterpriseUserSchema()})
}

func groupType(t testing.TB) *ResourceType {
	t.Helper()
	return newType(t, "Group", "/Groups", GroupSchema())
}

// thingType has an attribute of each data type and characteristic.
func thingType(t testing.TB) *ResourceType {
	t.Helper()
	core := &Schema{ID: "urn:example:Thing", Name: "Thing", Attributes: []*Attribute{
		{Name: "name", Required: true},
		{Name: "code", CaseExact: true},
		{Name: "count", Type: Integer},
		{Name: "weight", Type: Decimal},
		{Name: "made", Type: DateTime},
		{Name: "blob", Type: Binary},
		{Name: "on", Type: Boolean},
		{Name: "link", Type: Reference, ReferenceTypes: []string{"external"}},
		{Name: "tags", MultiValued: true},
		{Name: "sizes", Type: Integer, MultiValued: true},
		{Name: "serial", Mutability: Immutable},
		{Name: "seals", Mutability: Immutable, MultiValued: true},
		{Name: "secret", Mutability: WriteOnly, Returned: ReturnedNever},
		{Name: "status", Mutability: ReadOnly},
		{Name: "notes", Returned: ReturnedRequest},
		{Name: "label", Returned: ReturnedAlways},
		{Name: "maker", Type: Complex, Sub: []*Attribute{
			{Name: "name", Required: true}, {Name: "batch", Mutability: Immutable}, {Name: "lines", MultiValued: true},
		}},
		{Name: "parts", Type: Complex, MultiValued: true, Sub: []*Attribute{
			{Name: "value"}, {Name: "type"}, {Name: "qty", Type: Integer}, {Name: "made", Type: DateTime},
			{Name: "fixed", Mutability: Immutable}, {Name: "primary", Type: Boolean}, {Name: "marks", MultiValued: true},
		}},
	}}
	ext := &Schema{ID: "urn:example:Thing:ext", Name: "ext", Attributes: []*Attribute{
		{Name: "owner", Required: true}, {Name: "name"},
	}}
	return newType(t, "Thing", "/Things", core, Extension{Schema: ext})
}

// load makes a resource of JSON as AppendJSON renders it, readOnly attributes
// included. It is written apart from the decoder on purpose.
func load(t testing.TB, rt *ResourceType, text string) *Resource {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	r := &Resource{Type: rt}
	for k, x := range m {
		if _, ok := rt.schema(k); ok {
			for name, x := range x.(map[string]any) {
				a, ok := rt.Attribute(k + ":" + name)
				if !ok {
					t.Fatalf("unknown attribute %q", name)
				}
				r = r.With(a, loadValue(t, a, x))
			}
			continue
		}
		a, ok := rt.Attribute(k)
		if !ok {
			t.Fatalf("unknown attribute %q", k)
		}
		r = r.With(a, loadValue(t, a, x))
	}
	return r
}

func loadValue(t testing.TB, a *Attribute, x any) Value {
	t.Helper()
	switch x := x.(type) {
	case string:
		return Str(x)
	case bool:
		return Bool(x)
	case float64:
		if a.Type == Integer {
			return Int(int64(x))
		}
		return Dec(x)
	case []any:
		var vs []Value
		for _, e := range x {
			vs = append(vs, loadValue(t, a, e))
		}
		return List(vs...)
	case map[string]any:
		var fields []Field
		for k, e := range x {
			sub, ok := a.SubAttribute(k)
			if !ok {
				t.Fatalf("unknown sub-attribute %q of %q", k, a)
			}
			fields = append(fields, Field{sub, loadValue(t, sub, e)})
		}
		return Obj(NewObject(fields...))
	default:
		t.Fatalf("unexpected %T", x)
		return Value{}
	}
}

// render returns the resource's whole JSON.
func render(r *Resource) string { return string(AppendJSON(nil, r, RenderOptions{})) }

// problem returns an error as tests write it: status, scimType and detail.
func problem(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("not a scim.Error: %v", err)
	}
	return fmt.Sprintf("%d %s: %s", e.Status, e.ScimType, e.Detail)
}

func attribute(t testing.TB, rt *ResourceType, name string) *Attribute {
	t.Helper()
	a, ok := rt.Attribute(name)
	if !ok {
		t.Fatalf("no attribute %q", name)
	}
	return a
}

// drawText draws a string that is likely to equal another one but for case, and
// at times has what needs an escape.
func drawText(t *rapid.T) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"a", "A", "b", "work", "Work", "home", "ab", "aB", "ß", "é", "É", "x\"y", "back\\slash", "\u2028", "😀", " lead", "null", "true", "1"}),
		rapid.StringN(1, 6, 12),
	).Filter(func(s string) bool {
		for _, r := range s {
			if r == 0 || r == '\uFFFD' {
				return false
			}
		}
		return s != ""
	}).Draw(t, "text")
}

// drawSingle draws a single value of an attribute.
func drawSingle(t *rapid.T, a *Attribute) Value {
	switch a.Type {
	case Boolean:
		return Bool(rapid.Bool().Draw(t, "bool"))
	case Integer:
		return Int(rapid.SampledFrom([]int64{0, 1, -1, 2, 1 << 60, -1 << 60}).Draw(t, "int"))
	case Decimal:
		return Dec(rapid.SampledFrom([]float64{0, 1, 1.5, -2.25, 1e30, 1e-9}).Draw(t, "dec"))
	case DateTime:
		return Str(rapid.SampledFrom([]string{"2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2025-12-31T23:59:59.5Z", "2026-01-02T03:04:05"}).Draw(t, "time"))
	case Binary:
		return Str(rapid.SampledFrom([]string{"AAE=", "AAE", "AAEC", "-_8"}).Draw(t, "binary"))
	case Reference:
		return Str(rapid.SampledFrom([]string{"a", "A", "Users/2819", "https://example.com/%C3%A9?q=1#x", "urn:example:a", "//[::1]/"}).Draw(t, "uri"))
	case Complex:
		var fields []Field
		for _, s := range a.Sub {
			if rapid.Bool().Draw(t, s.Name) {
				fields = append(fields, Field{s, drawValue(t, s)})
			}
		}
		return Obj(NewObject(fields...))
	default:
		return Str(a.prepare(drawText(t)))
	}
}

func drawValue(t *rapid.T, a *Attribute) Value {
	if !a.MultiValued {
		v := drawSingle(t, a)
		if a.reference() && v.Object().Get(a.value).IsAbsent() {
			return Value{}
		}
		return v
	}
	vs := make([]Value, rapid.IntRange(0, 4).Draw(t, "n"))
	primaries := 0
	for i := range vs {
		vs[i] = drawSingle(t, a)
		if primary(a, vs[i]) {
			if primaries++; primaries > 1 {
				vs[i] = Obj(vs[i].Object().With(a.primary, Value{}))
			}
		}
		if a.reference() && vs[i].Object().Get(a.value).IsAbsent() {
			vs[i] = Value{}
		}
	}
	return List(vs...)
}

// drawResource draws a resource with any of its attributes.
func drawResource(t *rapid.T, rt *ResourceType) *Resource {
	r := &Resource{Type: rt}
	for _, a := range rt.Attributes() {
		if a != rt.Schemas() && rapid.Bool().Draw(t, a.Name) {
			r = r.With(a, drawValue(t, a))
		}
	}
	return r
}
