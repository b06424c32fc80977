package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
	"postern/scim"

	"pgregory.net/rapid"
)

// lawConfig has a rule of every kind.
const lawConfig = `resources:
  User:
    name: CN={displayName}
    map:
      userName: uid
      displayName: displayName
      nickName: { attr: nick, caseExact: true }
      title: { attr: title, codec: { values: { b: Boss, w: Worker, W: Worker } } }
      name.givenName: givenName
      name.familyName: sn
      active: { attr: uac, codec: ad-enabled }
      password: { attr: unicodePwd, codec: ad-password, generate: true }
      emails[type eq "work"].value: { attr: mail, primary: true }
      emails[type eq "home"].value: homeMail
      phoneNumbers[type eq "work"].value: phone
      phoneNumbers[type eq "other"].value: { attr: otherPhone, multiValued: true }
      roles.value: role
      entitlements.value: { attr: ent, codec: { values: { r: Read, R: Read, w: Write } } }
      addresses[type eq "work"].locality: l
      addresses[type eq "work"].streetAddress: street
      x509Certificates.value: cert;binary
      groups: { attr: memberOf, ref: Group, write: never }
      employeeNumber: { attr: employeeNumber, write: create }
      department: department
      manager: { attr: manager, ref: User }
      meta.created: created
      meta.lastModified: modified
      userType: { attr: upn, codec: { suffix: x.org } }
      ims.value: { attr: proxy, codec: proxyAddresses }
      photos.value: { attr: thumb, codec: photo }
      urn:example:Account:neverExpires: { attr: uac, codec: ad-password-never-expires }
      urn:example:Account:smartcard: { attr: uac, codec: ad-smartcard-required }
      urn:example:Account:lockedOut: { attr: lockout, codec: ad-locked-out }
      urn:example:Account:mustChange: { attr: pwdLast, codec: ad-must-change-password }
      urn:example:Account:manages: { attr: manages, codec: boolean-words }
      urn:example:Account:floor: { attr: floor, codec: integer-text }
      urn:example:Account:expires: { attr: expires, codec: ad-account-expires }
      urn:example:Account:lastLogon: { attr: logon, codec: filetime }
      urn:example:Account:sid: { attr: sid, codec: objectSid }
      urn:example:Account:account: { attr: sam, codec: sAMAccountName }
`

// lawMatching is a schema for it: rules of every kind, single and several
// values, with and without regard to spaces.
var lawMatching = map[connectors.Attr]connectors.Matching{
	"uid":            {Rule: connectors.RuleIgnoreCase, Substring: true},
	"displayname":    {Rule: connectors.RuleIgnoreCase, SingleValue: true, Substring: true},
	"nick":           {Rule: connectors.RuleExact, SingleValue: true, Substring: true},
	"title":          {Rule: connectors.RuleExact, SingleValue: true},
	"givenname":      {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true},
	"sn":             {Rule: connectors.RuleExact, Squeezes: true, SingleValue: true, Substring: true},
	"uac":            {Rule: connectors.RuleInteger, SingleValue: true},
	"mail":           {Rule: connectors.RuleIgnoreCase, SingleValue: true, Substring: true},
	"homemail":       {Rule: connectors.RuleIgnoreCase, Substring: true},
	"phone":          {Rule: connectors.RulePhone, Alphabet: connectors.Printable, SingleValue: true, Substring: true},
	"otherphone":     {Rule: connectors.RulePhone, Alphabet: connectors.Printable, Substring: true},
	"role":           {Rule: connectors.RuleExact, Substring: true},
	"ent":            {Rule: connectors.RuleExact},
	"l":              {Rule: connectors.RuleIgnoreCase, Squeezes: true, Alphabet: connectors.ASCII, SingleValue: true, Substring: true},
	"street":         {Rule: connectors.RuleUnknown},
	"cert":           {Rule: connectors.RuleOctets},
	"memberof":       {Rule: connectors.RuleReference},
	"employeenumber": {Rule: connectors.RuleNumeric, SingleValue: true, Substring: true},
	"manager":        {Rule: connectors.RuleReference},
	"created":        {Rule: connectors.RuleTime, SingleValue: true, Ordering: true},
	"upn":            {Rule: connectors.RuleIgnoreCase, SingleValue: true, Substring: true},
	"proxy":          {Rule: connectors.RuleIgnoreCase, Substring: true},
	"thumb":          {Rule: connectors.RuleOctets},
	"lockout":        {Rule: connectors.RuleInteger, SingleValue: true, Ordering: true},
	"pwdlast":        {Rule: connectors.RuleInteger, SingleValue: true, Ordering: true},
	"manages":        {Rule: connectors.RuleIgnoreCase, SingleValue: true},
	"floor":          {Rule: connectors.RuleIgnoreCase, SingleValue: true},
	"expires":        {Rule: connectors.RuleInteger, SingleValue: true, Ordering: true},
	"logon":          {Rule: connectors.RuleInteger, SingleValue: true, Ordering: true},
	"sid":            {Rule: connectors.RuleOctets, SingleValue: true},
	"sam":            {Rule: connectors.RuleIgnoreCase, SingleValue: true, Substring: true},
	"modified":       {Rule: connectors.RuleTime, SingleValue: true, Ordering: true},
}

func lawMapping(t testing.TB) *Mapping {
	t.Helper()
	mappings, problems := compileText(t, "law.yaml", []byte(lawConfig))
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	return mappings["User"]
}

var (
	words   = rapid.SampledFrom([]string{"a", "A", "b", "ab", "a b", " a", "a  b", "Ä", "ä", "ſ", "1", "-", "1-2"})
	phones  = rapid.SampledFrom([]string{"1", "2", "12", "1-2", "a", "\xff"})
	times   = rapid.SampledFrom([]string{"20240102030405Z", "20240102030405.0Z", "20240102030405.5Z", "202401020304+0100"})
	flags   = rapid.SampledFrom([]string{"512", "514", "66048", "66050", "262656", "-2147483136", "328194"})
	upns    = rapid.SampledFrom([]string{"a@x.org", "A@X.ORG", "ab@x.org", "a@y.org", "b@x.org.uk", "a", "@x.org"})
	instant = rapid.SampledFrom([]string{"0", "1", "132537600000000000", "132537600000000001", "9223372036854775807", "-5", "2650467743999999999", "2650467744000000000"})
	locks   = rapid.SampledFrom([]string{"0", "1", "132537600000000000"})
	spoken  = rapid.SampledFrom([]string{"Ja", "nein", "TRUE", "0", "perhaps"})
	numbers = rapid.SampledFrom([]string{"7", "007", "1.234", "1 234", "-1,234,567", "12.34", "x"})
	sids    = rapid.SampledFrom([]string{"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00", "\x01\x00\x00\x00\x00\x00\x00\x05", "\x01\x02"})
	inboxes = rapid.SampledFrom([][]connectors.Value{nil, {"SMTP:a"}, {"SMTP:a", "smtp:b"}, {"smtp:a", "SMTP:b"}, {"SMTP:ab", "X500:/o=a", "smtp:b", "smtp:a b"}, {"SIP:a"}})
	images  = rapid.SampledFrom([]string{"GIF89a\x01", "\x89PNG\x0d\x0a\x1a\x0a", "\xff\xd8\xff\xe0", "no picture"})
	grants  = rapid.SampledFrom([]connectors.Value{"r", "R", "w", "x"})
	titles  = rapid.SampledFrom([]string{"b", "w", "W", "x"})
	octets  = rapid.SampledFrom([]string{"\x00", "\x01\xff", "abc"})
	people  = []connectors.Target{{Collection: "User", Anchor: "p1"}, {Collection: "User", Anchor: "p2"}, {Collection: "User", Anchor: "p3"}}
	circles = []connectors.Target{{Collection: "Group", Anchor: "g1"}, {Collection: "Group", Anchor: "g2"}}
)

// stored draws an entry. A single entry has at most one value where the rule is
// for one, so that nothing of it is hidden.
func stored(t *rapid.T, m *Mapping, single bool) connectors.Entry {
	e := connectors.Entry{Anchor: "me", Stamp: "s"}
	add := func(attr connectors.Attr, from *rapid.Generator[string], most int) {
		if many := m.manyOf(attr); single && !many {
			most = min(most, 1)
		}
		values := rapid.SliceOfNDistinct(from, 0, most, strings.ToLower).Draw(t, string(attr))
		if len(values) > 0 {
			f := connectors.Field{Attr: attr}
			for _, v := range values {
				f.Values = append(f.Values, connectors.Value(v))
			}
			e.Fields = append(e.Fields, f)
		}
	}
	refs := func(attr connectors.Attr, from []connectors.Target, most int) {
		ts := rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, most, func(t connectors.Target) connectors.Anchor { return t.Anchor }).Draw(t, string(attr))
		if len(ts) > 0 {
			e.Fields = append(e.Fields, connectors.Field{Attr: attr, Refs: ts})
		}
	}
	name := words.Draw(t, "displayName")
	e.Fields = append(e.Fields,
		connectors.Field{Attr: "uid", Values: []connectors.Value{"me"}},
		connectors.Field{Attr: "displayName", Values: []connectors.Value{connectors.Value(name)}},
		connectors.Field{Attr: "CN", Values: []connectors.Value{connectors.Value(name)}},
		connectors.Field{Attr: "uac", Values: []connectors.Value{connectors.Value(flags.Draw(t, "uac"))}})
	add("nick", words, 1)
	add("title", titles, 1)
	add("givenName", words, 3)
	add("sn", words, 1)
	add("mail", words, 1)
	add("homeMail", words, 2)
	add("phone", phones, 1)
	add("otherPhone", phones, 3)
	add("role", words, 3)
	if ents := rapid.SliceOfNDistinct(grants, 0, 3, rapid.ID).Draw(t, "ent"); len(ents) > 0 {
		e.Fields = append(e.Fields, connectors.Field{Attr: "ent", Values: ents})
	}
	add("l", words, 1)
	add("street", words, 2)
	add("cert;binary", octets, 2)
	refs("memberOf", circles, 2)
	add("employeeNumber", words, 1)
	add("department", words, 1)
	most := 2
	if single {
		most = 1
	}
	refs("manager", people, most)
	add("created", times, 1)
	add("modified", times, 1)
	add("upn", upns, 1)
	if values := inboxes.Draw(t, "proxy"); len(values) > 0 {
		e.Fields = append(e.Fields, connectors.Field{Attr: "proxy", Values: values})
	}
	add("thumb", images, 2)
	add("lockout", locks, 1)
	add("pwdLast", locks, 1)
	add("manages", spoken, 1)
	add("floor", numbers, 1)
	add("expires", instant, 1)
	add("logon", instant, 1)
	add("sid", sids, 1)
	add("sam", words, 1)
	e.Fields = append(e.Fields, connectors.Field{Attr: "hidden", Values: []connectors.Value{"x"}})
	return e
}

func (m *Mapping) manyOf(a connectors.Attr) bool {
	return slices.ContainsFunc(m.rules, func(r *rule) bool { return r.attr == a && r.multi })
}

var lawRefs = Refs{"p1": {Target: people[0]}, "p2": {Target: people[1]}, "p3": {Target: people[2]}, "g1": {Target: circles[0]}, "g2": {Target: circles[1]}}

// namesOf calls every target by its anchor.
func namesOf(e connectors.Entry) Names {
	names := make(Names)
	for _, f := range e.Fields {
		for _, t := range f.Refs {
			names[f.Attr] = append(names[f.Attr], string(t.Anchor))
		}
	}
	return names
}

// wanted draws a resource that the mapping can hold: that of another entry, with
// what can not be written as it is in was.
func wanted(t *rapid.T, m *Mapping, was *scim.Resource) *scim.Resource {
	other := stored(t, m, true)
	r := m.Project(other, namesOf(other))
	for _, name := range []string{"groups", "employeeNumber", "meta", "urn:example:Account:lockedOut"} {
		a, _ := m.rt.Attribute(name)
		r = r.With(a, was.Get(a))
	}
	return r
}

// carry carries changes out as strictly as a directory does.
func carry(e connectors.Entry, changes []connectors.Change) (connectors.Entry, error) {
	out := connectors.Entry{Anchor: e.Anchor, Stamp: e.Stamp}
	touched := make(map[string]bool)
	for _, f := range e.Fields {
		out.Fields = append(out.Fields, connectors.Field{Attr: f.Attr, Values: slices.Clone(f.Values), Refs: slices.Clone(f.Refs)})
	}
	for _, c := range changes {
		if touched[fold(c.Attr)] {
			return out, fmt.Errorf("%s is changed twice", c.Attr)
		}
		touched[fold(c.Attr)] = true
		if c.Empty() {
			return out, fmt.Errorf("the change of %s is empty", c.Attr)
		}
		i := slices.IndexFunc(out.Fields, func(f connectors.Field) bool { return f.Attr == c.Attr })
		if i < 0 {
			out.Fields = append(out.Fields, connectors.Field{Attr: c.Attr})
			i = len(out.Fields) - 1
		}
		f := &out.Fields[i]
		if c.Replace {
			f.Values = slices.Clone(c.Add)
			continue
		}
		var err error
		if f.Values, err = exchange(f.Values, c.Delete, c.Add, func(v connectors.Value) bool { return v != "" }); err == nil {
			f.Refs, err = exchange(f.Refs, c.DeleteRefs, c.AddRefs, func(connectors.Target) bool { return true })
		}
		if err != nil {
			return out, fmt.Errorf("%s: %w", c.Attr, err)
		}
	}
	out.Fields = slices.DeleteFunc(out.Fields, func(f connectors.Field) bool { return f.Empty() })
	return out, nil
}

func exchange[T comparable](have, del, add []T, valid func(T) bool) ([]T, error) {
	for _, v := range del {
		i := slices.Index(have, v)
		if i < 0 {
			return nil, fmt.Errorf("%v is taken away and not there", v)
		}
		have = slices.Delete(have, i, i+1)
	}
	for _, v := range add {
		if slices.Contains(have, v) || !valid(v) {
			return nil, fmt.Errorf("%v can not be added", v)
		}
		have = append(have, v)
	}
	return have, nil
}

func show(r *scim.Resource) string { return string(scim.AppendJSON(nil, r, scim.RenderOptions{})) }

// What was written reads back, and writing it again changes nothing.
func TestWrittenReadsBack(t *testing.T) {
	m := lawMapping(t)
	rapid.Check(t, func(t *rapid.T) {
		e := stored(t, m, true)
		r := wanted(t, m, m.Project(e, namesOf(e)))
		plan, err := m.PlanReplace(e, r, lawRefs)
		if err != nil {
			t.Fatal(err)
		}
		after, err := carry(e, plan.Changes)
		if err != nil {
			t.Fatalf("%v\n%s", err, plan)
		}
		got := m.Project(after, namesOf(after))
		if !sameResource(got, r) {
			t.Fatalf("wrote %s\n read %s\n%s", show(r), show(got), plan)
		}
		if again, err := m.PlanReplace(after, r, lawRefs); err != nil || len(again.Changes) > 0 {
			t.Fatalf("the second time: %v\n%s", err, again)
		}
		if name := after.Field("CN").Values; !slices.Equal(name, after.Field("displayName").Values) {
			t.Fatalf("named %q", name)
		}
	})
}

// sameResource compares written texts; the order of elements means nothing, and
// of a reference its id says all.
func sameResource(a, b *scim.Resource) bool {
	a, b = bare(a), bare(b)
	for _, attr := range a.Type.Attributes() {
		x, y := a.Get(attr).Items(), b.Get(attr).Items()
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !slices.ContainsFunc(y, func(v scim.Value) bool { return v.String() == x[i].String() }) {
				return false
			}
		}
	}
	return true
}

func bare(r *scim.Resource) *scim.Resource {
	manager, _ := r.Type.Attribute("manager")
	value, _ := r.Type.Attribute("manager.value")
	v := r.Get(manager).Object().Get(value)
	return r.With(manager, scim.Obj(scim.NewObject(scim.Field{Attr: value, Value: v})))
}

// Writing what was read plans nothing, however strange the entry is, with PUT
// and with PATCH of every attribute.
func TestReadWritesNothing(t *testing.T) {
	m := lawMapping(t)
	rapid.Check(t, func(t *rapid.T) {
		e := stored(t, m, false)
		r := m.Project(e, namesOf(e))
		plan, err := m.PlanReplace(e, r, lawRefs)
		if err != nil || len(plan.Changes) > 0 || len(plan.Ignored) > 0 {
			t.Fatalf("PUT: %v\n%s", err, plan)
		}
		var p scim.Patch
		for _, f := range r.Attrs {
			if f.Attr.Mutability != scim.ReadOnly {
				op := rapid.SampledFrom([]scim.OpKind{scim.OpAdd, scim.OpReplace}).Draw(t, "op")
				p.Ops = append(p.Ops, scim.Operation{Op: op, Path: scim.Path{Attr: f.Attr}, Value: f.Value})
			}
		}
		if plan, err = m.Plan(e, p, lawRefs); err != nil || len(plan.Changes) > 0 || len(plan.Ignored) > 0 {
			t.Fatalf("PATCH: %v\n%s", err, plan)
		}
	})
}

// A PATCH does in the backend what it does to the resource, and leaves alone
// what it does not touch and what the mapping does not show.
func TestPatchCommutes(t *testing.T) {
	m := lawMapping(t)
	rapid.Check(t, func(t *rapid.T) {
		e := stored(t, m, rapid.Bool().Draw(t, "single"))
		was := m.Project(e, namesOf(e))
		p := patch(t, m)
		plan, err := m.Plan(e, p, lawRefs)
		will, applyErr := p.Apply(was)
		if (err != nil) != (applyErr != nil) {
			t.Fatalf("%s: planned with %v, applied with %v", p, err, applyErr)
		}
		if err != nil {
			var refused *scim.Error
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			return
		}
		after, err := carry(e, plan.Changes)
		if err != nil {
			t.Fatalf("%s: %v\n%s", p, err, plan)
		}
		got := m.Project(after, namesOf(after))
		if single := !hides(m, e); single && len(plan.Ignored) == 0 && !sameResource(got, will) {
			t.Fatalf("%s\n of %s\nwant %s\n got %s\n%s", p, show(was), show(will), show(got), plan)
		}
		for _, f := range e.Fields {
			touched := slices.ContainsFunc(m.rules, func(r *rule) bool { return r.attr == f.Attr && p.Touches(r.property.attr) }) || f.Attr == "CN"
			if g := after.Field(f.Attr); !touched && (!slices.Equal(f.Values, g.Values) || !slices.Equal(f.Refs, g.Refs)) {
				t.Fatalf("%s changed %s\n%s", p, f.Attr, plan)
			}
			if shown := m.manyOf(f.Attr); !shown && len(f.Values) > 1 && len(after.Field(f.Attr).Values) < len(f.Values)-1 {
				t.Fatalf("%s took hidden values of %s\n%s", p, f.Attr, plan)
			}
		}
		if again, err := m.Plan(after, p, lawRefs); err == nil && !hides(m, e) && idempotent(p) && len(again.Changes) > 0 {
			t.Fatalf("%s a second time\n%s", p, again)
		}
	})
}

// hides reports whether a rule for one value has several, or values that mean
// nothing to it.
func hides(m *Mapping, e connectors.Entry) bool {
	for _, r := range m.rules {
		f := e.Field(r.attr)
		if !r.multi && len(f.Values)+len(f.Refs) > 1 {
			return true
		}
		for _, v := range f.Values {
			if r.codec != nil {
				if _, ok := r.codec.decode(v); !ok {
					return true
				}
			}
		}
	}
	return false
}

func idempotent(p scim.Patch) bool { return len(p.Ops) == 1 && p.Ops[0].Op != scim.OpRemove }

// patch draws one or two operations.
func patch(t *rapid.T, m *Mapping) scim.Patch {
	var ops []string
	word := func() string { return fmt.Sprintf("%q", words.Draw(t, "value")) }
	person := func() string {
		return fmt.Sprintf("%q", rapid.SampledFrom([]string{"p1", "p2", "p3"}).Draw(t, "person"))
	}
	for range rapid.IntRange(1, 2).Draw(t, "operations") {
		op := rapid.SampledFrom([]string{"add", "replace"}).Draw(t, "op")
		target := rapid.SampledFrom([]func() string{
			func() string { return `"op":"` + op + `","path":"displayName","value":` + word() },
			func() string { return `"op":"` + op + `","path":"nickName","value":` + word() },
			func() string { return `"op":"remove","path":"nickName"` },
			func() string { return `"op":"` + op + `","path":"name.givenName","value":` + word() },
			func() string { return `"op":"` + op + `","path":"name","value":{"familyName":` + word() + `}` },
			func() string { return `"op":"remove","path":"name"` },
			func() string {
				return `"op":"` + op + `","path":"active","value":` + fmt.Sprint(rapid.Bool().Draw(t, "on"))
			},
			func() string {
				return `"op":"` + op + `","path":"urn:example:Account:neverExpires","value":` + fmt.Sprint(rapid.Bool().Draw(t, "on"))
			},
			func() string {
				return `"op":"` + op + `","path":"urn:example:Account:mustChange","value":` + fmt.Sprint(rapid.Bool().Draw(t, "on"))
			},
			func() string {
				return `"op":"` + op + `","path":"urn:example:Account:expires","value":"2021-0` + rapid.SampledFrom([]string{"1", "2"}).Draw(t, "month") + `-01T00:00:00Z"`
			},
			func() string { return `"op":"remove","path":"urn:example:Account:expires"` },
			func() string {
				return `"op":"` + op + `","path":"userType","value":"` + rapid.SampledFrom([]string{"a", "c", "c@y.org"}).Draw(t, "name") + `"`
			},
			func() string {
				return `"op":"` + op + `","path":"title","value":"` + rapid.SampledFrom([]string{"Boss", "Worker"}).Draw(t, "title") + `"`
			},
			func() string {
				return `"op":"` + op + `","path":"emails[type eq \"home\"].value","value":` + word()
			},
			func() string {
				return `"op":"replace","path":"emails","value":[{"type":"work","primary":true,"value":` + word() + `}]`
			},
			func() string { return `"op":"remove","path":"emails[type eq \"home\"]"` },
			func() string {
				return `"op":"add","path":"phoneNumbers","value":[{"type":"other","value":` + word() + `}]`
			},
			func() string { return `"op":"remove","path":"phoneNumbers[value eq \"1\"]"` },
			func() string { return `"op":"` + op + `","path":"roles","value":[{"value":` + word() + `}]` },
			func() string { return `"op":"remove","path":"roles","value":[{"value":` + word() + `}]` },
			func() string { return `"op":"remove","path":"roles"` },
			func() string { return `"op":"remove","path":"entitlements[value eq \"Read\"]"` },
			func() string { return `"op":"` + op + `","path":"entitlements","value":[{"value":"Write"}]` },
			func() string {
				return `"op":"` + op + `","path":"addresses[type eq \"work\"].locality","value":` + word()
			},
			func() string { return `"op":"remove","path":"addresses"` },
			func() string { return `"op":"` + op + `","path":"manager","value":{"value":` + person() + `}` },
			func() string { return `"op":"remove","path":"manager"` },
		}).Draw(t, "target")
		ops = append(ops, "{"+target()+"}")
	}
	p, err := scim.DecodePatch(m.rt, []byte(`{"Operations":[`+strings.Join(ops, ",")+`]}`), scim.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A created object reads back as what was asked for.
func TestCreatedReadsBack(t *testing.T) {
	m := lawMapping(t)
	rapid.Check(t, func(t *rapid.T) {
		other := stored(t, m, true)
		r := m.Project(other, namesOf(other))
		locked, _ := m.rt.Attribute("urn:example:Account:lockedOut")
		r = r.With(locked, scim.Bool(false))
		d, err := m.Create(r, lawRefs)
		if err != nil {
			t.Fatal(err)
		}
		e := connectors.Entry{Fields: d.Fields}
		got := m.Project(e, namesOf(e))
		for _, name := range []string{"groups", "meta"} {
			a, _ := m.rt.Attribute(name)
			r = r.With(a, scim.Value{})
		}
		if !sameResource(got, r) {
			t.Fatalf("made %s\nread %s\nof %s", show(r), show(got), draftText(d))
		}
		if !slices.Equal(d.Field(d.Name).Values, d.Field("displayName").Values) {
			t.Fatalf("named by %q", d.Field(d.Name).Values)
		}
	})
}
