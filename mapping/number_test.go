package mapping

import (
	"slices"
	"testing"

	"postern/connectors"
	"postern/scim"

	"pgregory.net/rapid"
)

// Every name that an object can have is one of it, and of no other number.
func TestNumbered(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		want string
	}{{"Ann Lee", 1, "Ann Lee"}, {"Ann Lee", 2, "Ann Lee 2"}, {"ann", 2, "ann2"}, {"ann", 10, "ann10"}} {
		if got := numbered(c.name, c.n); got != c.want {
			t.Errorf("%q, %d: %q, want %q", c.name, c.n, got, c.want)
		}
	}
	for _, c := range []struct{ value, name string }{{"Ann Lee2", "Ann Lee"}, {"ann 2", "ann"}, {"ann1", "ann"}, {"ann02", "ann"}, {"anna", "ann"}, {"an", "ann"}, {"ann-2", "ann"}} {
		if isNumbered(c.value, c.name) {
			t.Errorf("%q is taken for %q with a number", c.value, c.name)
		}
	}
	for _, c := range []struct{ value, name string }{{"Ann Lee 2", "ann  lee"}, {"ANN  LEE", " Ann Lee"}, {"ann  lee 12", "Ann Lee"}} {
		if !isNumbered(c.value, c.name) {
			t.Errorf("%q is not taken for %q in another writing", c.value, c.name)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name, n := rapid.StringMatching(`[A-Za-zß0-9 ]{1,8}`).Draw(t, "name"), rapid.IntRange(1, 2000).Draw(t, "n")
		if v := numbered(name, n); !isNumbered(v, name) {
			t.Errorf("%q is not %q with a number", v, name)
		}
	})
}

// A plan for an object that has a number already keeps to the names of that object.
func TestPlanNumbered(t *testing.T) {
	mappings, problems := compileText(t, "number", []byte(`resources:
  User:
    name: { template: "CN={displayName}", collision: number }
    place: OU={department},DC=x
    map: { userName: uid, displayName: displayName, department: departmentNumber }
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := mappings["User"]
	e := connectors.Entry{Fields: []connectors.Field{{Attr: "CN", Values: []connectors.Value{"Ann Lee 2"}}, {Attr: "uid", Values: []connectors.Value{"ann"}},
		{Attr: "displayName", Values: []connectors.Value{"Ann Lee"}}, {Attr: "departmentNumber", Values: []connectors.Value{"A"}}}}
	for _, c := range []struct {
		patch string
		n     int
		want  connectors.Value // "" where there is no such plan
	}{
		{`{"op":"replace","path":"department","value":"B"}`, 1, "Ann Lee"},
		{`{"op":"replace","path":"department","value":"B"}`, 2, ""},
		{`{"op":"replace","path":"department","value":"B"}`, 3, "Ann Lee 3"},
		{`{"op":"replace","path":"displayName","value":"Ann Ray"}`, 1, "Ann Ray"},
		{`{"op":"replace","path":"displayName","value":"Ann Ray"}`, 4, "Ann Ray 4"},
		{`{"op":"replace","value":{"displayName":"Ann Ray","department":"B"}}`, 2, "Ann Ray 2"},
		{`{"op":"replace","path":"userName","value":"anne"}`, 2, ""},
	} {
		p, err := scim.DecodePatch(m.ResourceType(), []byte(`{"Operations":[`+c.patch+`]}`), scim.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := m.Plan(e, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		before := plan.String()
		got, ok := plan.Numbered(e, c.n)
		if ok != (c.want != "") {
			t.Errorf("%s, %d: there is a plan: %v", c.patch, c.n, ok)
			continue
		}
		if plan.String() != before {
			t.Errorf("%s, %d: the plan itself was changed", c.patch, c.n)
		}
		i := slices.IndexFunc(got.Changes, func(c connectors.Change) bool { return c.Attr == "CN" })
		if ok && (i < 0 || !slices.Equal(got.Changes[i].Add, []connectors.Value{c.want}) || !slices.Equal(got.Changes[i].Delete, []connectors.Value{"Ann Lee 2"})) {
			t.Errorf("%s, %d:\n%s", c.patch, c.n, got)
		}
	}
}
