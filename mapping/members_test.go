package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/connectors"
	"postern/scim"

	"pgregory.net/rapid"
)

const groupConfig = `resources:
  Group:
    name: cn={displayName}
    map:
      displayName: cn
      members: { attr: member, ref: [User, Group] }
`

// What a PATCH does to the members of a group it does to the references, read
// or unread; and unread it is the same as read.
func TestMembersCommute(t *testing.T) {
	mappings, problems := compileText(t, "group.yaml", []byte(groupConfig))
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	m := mappings["Group"]
	members, _ := m.rt.Attribute("members")
	value, _ := m.rt.Attribute("members.value")
	all := append(slices.Clone(people), circles...)
	ids := rapid.SampledFrom([]string{"p1", "p2", "p3", "g1", "g2"})
	idsIn := func(r *scim.Resource) string {
		var out []string
		for _, item := range r.Get(members).Items() {
			out = append(out, item.Object().Get(value).Text())
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	rapid.Check(t, func(t *rapid.T) {
		e := connectors.Entry{Fields: []connectors.Field{{Attr: "cn", Values: []connectors.Value{"Staff"}}}}
		if refs := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 5, func(t connectors.Target) connectors.Anchor { return t.Anchor }).Draw(t, "members"); len(refs) > 0 {
			e.Fields = append(e.Fields, connectors.Field{Attr: "member", Refs: refs})
		}
		var ops []string
		for range rapid.IntRange(1, 3).Draw(t, "operations") {
			var list []string
			for _, id := range rapid.SliceOfN(ids, 1, 3).Draw(t, "ids") {
				list = append(list, `{"value":"`+id+`"}`)
			}
			ops = append(ops, rapid.SampledFrom([]string{
				`{"op":"add","path":"members","value":[` + strings.Join(list, ",") + `]}`,
				`{"op":"remove","path":"members","value":[` + strings.Join(list, ",") + `]}`,
				`{"op":"replace","path":"members","value":[` + strings.Join(list, ",") + `]}`,
				fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, ids.Draw(t, "id")),
				`{"op":"remove","path":"members[type eq \"Group\"]"}`,
				`{"op":"remove","path":"members"}`,
			}).Draw(t, "operation"))
		}
		p, err := scim.DecodePatch(m.rt, []byte(`{"Operations":[`+strings.Join(ops, ",")+`]}`), scim.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		will, err := p.Apply(withTypes(m, m.Project(e, namesOf(e))))
		if err != nil {
			t.Fatal(err)
		}
		check := func(plan Plan, err error) {
			if err != nil {
				t.Fatal(err)
			}
			after, err := carry(e, strictly(e, plan.Changes))
			if err != nil {
				t.Fatalf("%v\n%s", err, plan)
			}
			if got, want := idsIn(m.Project(after, namesOf(after))), idsIn(withTypes(m, will)); got != want {
				t.Fatalf("%s of %v: %s, want %s\n%s", ops, e.Fields, got, want, plan)
			}
		}
		plan, err := m.Plan(e, p, lawRefs)
		check(plan, err)
		needs := m.Needs(p)
		for _, ref := range needs.IDs {
			if _, ok := lawRefs[ref]; !ok {
				t.Fatalf("needs %q", ref)
			}
		}
		if needs.Blind {
			check(m.Plan(connectors.Entry{}, p, lawRefs))
		}
	})
}

// Ids to remove that name nothing are passed over in a time that grows with their
// number, and each is noted once.
func TestManyUnknownMembers(t *testing.T) {
	mappings, problems := compileText(t, "group.yaml", []byte(groupConfig))
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	m := mappings["Group"]
	const n = 60_000
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, `{"value":"00000000-0000-4000-8000-%012d"},`, i)
	}
	p, err := scim.DecodePatch(m.rt, []byte(`{"Operations":[{"op":"remove","path":"members","value":[`+list.String()+`{"value":"p1"}]}]}`), scim.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	plan, err := m.Plan(connectors.Entry{}, p, lawRefs)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("planned in %v", took)
	}
	if err != nil || len(plan.Ignored) != n || len(plan.Changes) != 1 || len(plan.Changes[0].DeleteRefs) != 1 {
		t.Errorf("%d ignored, %d changes: %v", len(plan.Ignored), len(plan.Changes), err)
	}
}

// withTypes gives members that came by id alone the type that they have, as a
// read after the write does.
func withTypes(m *Mapping, r *scim.Resource) *scim.Resource {
	members, _ := m.rt.Attribute("members")
	value, _ := m.rt.Attribute("members.value")
	kind, _ := m.rt.Attribute("members.type")
	var out []scim.Value
	for _, item := range r.Get(members).Items() {
		o := item.Object()
		out = append(out, scim.Obj(o.With(kind, scim.Str(lawRefs[o.Get(value).Text()].Collection))))
	}
	return r.With(members, scim.List(out...))
}

// strictly turns changes of sets into the strict ones that they are of an entry.
func strictly(e connectors.Entry, changes []connectors.Change) []connectors.Change {
	var out []connectors.Change
	for _, c := range changes {
		if c.Lenient {
			had := e.Field(c.Attr).Refs
			c.AddRefs = slices.DeleteFunc(slices.Clone(c.AddRefs), func(t connectors.Target) bool { return slices.Contains(had, t) })
			c.DeleteRefs = slices.DeleteFunc(slices.Clone(c.DeleteRefs), func(t connectors.Target) bool { return !slices.Contains(had, t) })
		}
		if !c.Empty() {
			out = append(out, c)
		}
	}
	return out
}

// FuzzCompile: no configuration makes Compile panic, and a mapping that it makes
// can be read with.
func FuzzCompile(f *testing.F) {
	f.Add("name: uid={userName}\nmap: { userName: uid }\n")
	f.Add("name: cn={name.givenName}x\nmap:\n  userName: { attr: uid, default: \"{displayName}\" }\n  displayName: { attr: dn, default: \"{userName}\" }\n")
	f.Add("map:\n  emails[type eq \"work\" and primary eq true].value: { attr: mail, multiValued: true }\n  emails: mail2\n  userName: /login\n")
	f.Add("map:\n  groups: { attr: memberOf, ref: [Group, X] }\n  manager.value: { attr: m, ref: User }\n  active: { attr: a, codec: { values: { a: true } } }\n")
	rt := fullType(f, "User")
	f.Fuzz(func(t *testing.T, s string) {
		spec, problems := decodeText("fuzz.yaml", []byte(s))
		m, ps := Compile(spec, rt)
		if problems.Add(ps...); m == nil {
			if !problems.HasErrors() {
				t.Fatal("no mapping and no problem")
			}
			return
		}
		e := connectors.Entry{}
		for _, a := range m.Attrs() {
			e.Fields = append(e.Fields, connectors.Field{Attr: a, Values: []connectors.Value{"1", "TRUE"}})
		}
		r := m.Project(e, nil)
		m.Fingerprint(e)
		if plan, err := m.PlanReplace(e, r, nil); err == nil && len(plan.Changes) > 0 && !overlaps(m) {
			t.Fatalf("writing what was read\n%s", plan)
		}
		if _, err := m.Create(r, nil); err != nil {
			t.Skip(err)
		}
	})
}

// overlaps reports whether a reference and a value are read from one attribute,
// or a default may be written.
func overlaps(m *Mapping) bool {
	return slices.ContainsFunc(m.rules, func(r *rule) bool { return len(r.refs) > 0 || r.fallback != nil })
}

// Many references are shown as few are: those that have no id are left out.
func TestManyReferences(t *testing.T) {
	mappings, problems := compileText(t, "group.yaml", []byte(groupConfig))
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	m := mappings["Group"]
	for _, n := range []int{seriesFrom - 1, seriesFrom, seriesFrom + 1, 4 * seriesFrom} {
		for _, hidden := range []int{0, 3, 1} { // one in so many
			var refs []connectors.Target
			ids := make([]string, n)
			var want []string
			for i := range n {
				kind := []string{"User", "Group"}[i%2]
				refs = append(refs, connectors.Target{Collection: kind, Anchor: connectors.Anchor(fmt.Sprint("anchor ", i))})
				if hidden > 0 && i%hidden == 0 {
					continue
				}
				ids[i] = fmt.Sprint("id", i)
				want = append(want, fmt.Sprintf(`{"value":"id%d","$ref":"%ss/id%d","type":"%s"}`, i, kind, i, kind))
			}
			e := connectors.Entry{Fields: []connectors.Field{{Attr: "member", Refs: refs}}}
			r := m.Project(e, Names{"member": ids})
			members, _ := m.rt.Attribute("members")
			list := "null"
			if len(want) > 0 {
				list = "[" + strings.Join(want, ",") + "]"
			}
			if got := r.Get(members).String(); got != list {
				t.Errorf("%d references, 1 of %d hidden: %.200s, want %.200s", n, hidden, got, list)
			}
			text := string(scim.AppendJSON(nil, r, scim.RenderOptions{}))
			if len(want) > 0 && !strings.Contains(text, `"members":`+list) || len(want) == 0 && strings.Contains(text, "members") {
				t.Errorf("%d references, 1 of %d hidden, rendered: %.200s, want %.200s", n, hidden, text, list)
			}
		}
	}
}
