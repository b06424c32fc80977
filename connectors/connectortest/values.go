package connectortest

import (
	"slices"
	"strings"
	"testing"

	"postern/connectors"
)

// awkward are values that have been mangled on their way: by filters (RFC 4515),
// by names (RFC 4514), by encodings.
var awkward = []connectors.Value{
	"*", "(", ")", `\`, `*()\`, "a*b", "(cn=*)", `\2a`, `\00`, `C:\new\table`,
	",", "+", `"`, "<", ">", ";", "=", "#", "#leading", "trail#", `a,b+c="d"<e>;f`, `\,`, "cn=x,dc=y",
	"a  b", "'", "%s%n", "&|!", "{}[]", "/a/b", "//", "~", "$", "@", ":",
	"true", "null", "0", "-", "é", "ß", "ẞ", "İ", "ﬁ", "日本語", "😀", "a😀b", "👩‍👩‍👧", "\u202etfel",
	"line\nbreak", "tab\tstop",
}

// spaced are values with spaces that some rules ignore and some names lose.
var spaced = []connectors.Value{" lead", "trail ", " both ", "  two  "}

// values checks that what is written is what is read, whatever it is.
func (s *suite) values(t *testing.T) {
	u := s.user(t)
	now := connectors.Value("")
	for _, v := range slices.Concat(awkward, spaced, []connectors.Value{connectors.Value(strings.Repeat("long ü ", 35) + "end")}) {
		got, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Plain, now, v)}, connectors.Guard{}, s.want)
		if err != nil {
			t.Errorf("write of %q: %v", v, err)
			continue
		}
		s.holds(t, got, s.u.Plain, v)
		s.holds(t, s.read(t, u.Anchor), s.u.Plain, v)
		now = got.Field(s.u.Plain).Values[0]
		if m, _ := rule(s.caps, s.u.Plain); s.caps.Conds.Has(connectors.CondEqual) && m.Equal(v, v) == connectors.True {
			found := s.search(t, s.users, connectors.Query{Where: connectors.Equal{Attr: s.u.Plain, Value: now}})
			if _, ok := found[u.Anchor]; !ok {
				t.Errorf("a search for %q does not find it", v)
			}
		}
	}
	s.apply(t, u.Anchor, swap(s.u.Plain, now, ""))

	all := slices.Clone(awkward)
	m, _ := rule(s.caps, s.u.Multi)
	all = slices.CompactFunc(slices.SortedFunc(slices.Values(all), func(a, b connectors.Value) int {
		x, _ := m.Normal(a)
		y, _ := m.Normal(b)
		return strings.Compare(string(x), string(y))
	}), func(a, b connectors.Value) bool { return m.Equal(a, b) == connectors.True })
	got := s.apply(t, u.Anchor, connectors.Change{Attr: s.u.Multi, Add: all})
	s.holds(t, got, s.u.Multi, all...)
	v := s.user(t, has(s.u.Multi, all...))
	s.holds(t, s.read(t, v.Anchor), s.u.Multi, all...)
	s.holds(t, s.apply(t, v.Anchor, connectors.Change{Attr: s.u.Multi, Delete: all}), s.u.Multi)

	s.mayRefuse(t, s.u.Plain, "nul\x00within", "\x00", " ", "bad\xffutf8")
	if s.u.Binary != "" {
		bytes := make([]byte, 0, 512)
		for i := range 512 {
			bytes = append(bytes, byte(i))
		}
		v := s.user(t, has(s.u.Binary, connectors.Value(bytes)))
		if got := v.Field(s.u.Binary).Values; len(got) != 1 || got[0] != connectors.Value(bytes) {
			t.Errorf("all bytes come back as %q", got)
		}
	}
	if s.u.Long != "" {
		n := s.u.LongLength
		if n == 0 {
			n = 100_000
		}
		long := connectors.Value(strings.Repeat("a very long value, ", n/19+1)[:n-1] + ".")
		v := s.user(t, has(s.u.Long, long))
		s.holds(t, s.read(t, v.Anchor), s.u.Long, long)
	}
}

// mayRefuse writes values that a backend may refuse, but not change.
func (s *suite) mayRefuse(t *testing.T, a connectors.Attr, vs ...connectors.Value) {
	t.Helper()
	for _, v := range vs {
		u := s.user(t)
		got, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(a, "", v)}, connectors.Guard{}, s.want)
		if err != nil {
			fails(t, "an odd value", err, connectors.Invalid)
			s.sameEntry(t, "after a refusal", s.read(t, u.Anchor), u)
			continue
		}
		s.holds(t, got, a, v)
		s.holds(t, s.read(t, u.Anchor), a, v)
	}
}

// names checks values that name an object, in all that is done by name.
func (s *suite) names(t *testing.T) {
	u := s.user(t)
	g := s.group(t)
	now := u.Field(s.u.Naming).Values[0]
	for _, tail := range []connectors.Value{
		`*`, `()`, `\`, `,`, `+`, `"`, `<>`, `;`, `=`, `#`, "😀", "é", `a,b+c="d"<e>;f\`, " x", "  x", "日本", "/", "\\2a",
	} {
		lead := connectors.Value("#")
		if tail == "#" {
			lead = " " // quoted too (RFC 4514 §2.4); how it is stored is the backend's affair
		}
		for _, name := range []connectors.Value{s.name() + tail, lead + s.name() + tail} {
			if s.u.Refuses != nil && s.u.Refuses(name) {
				s.refused(t, u, name)
				continue
			}
			s.lifeUnder(t, g, name)
			got, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Naming, now, name)}, connectors.Guard{}, s.want)
			if err != nil {
				t.Errorf("rename from %q to %q: %v", now, name, err)
				continue
			}
			s.sameName(t, "renamed", got, name)
			now = got.Field(s.u.Naming).Values[0]
		}
	}
}

// lifeUnder makes, finds and deletes a user of that name.
func (s *suite) lifeUnder(t *testing.T, g connectors.Entry, name connectors.Value) {
	t.Helper()
	e, err := s.users.Create(t.Context(), s.u.Draft(name), s.want)
	if err != nil {
		t.Errorf("create %q: %v", name, err)
		return
	}
	s.discard(t, s.users, e.Anchor)
	s.sameName(t, "created", e, name)
	s.sameName(t, "read", s.read(t, e.Anchor), name)
	if found := s.named(t, s.users, s.u.Naming, name); !slices.Equal(found, []connectors.Anchor{e.Anchor}) {
		t.Errorf("a search for %q finds %x", name, found)
	}
	_, err = s.users.Create(t.Context(), s.u.Draft(name), nil)
	fails(t, "a second "+string(name), err, connectors.Exists)
	s.member(t, g, s.toUser(e))
	if err := s.users.Delete(t.Context(), e.Anchor, connectors.Guard{}); err != nil {
		t.Errorf("delete %q: %v", name, err)
	}
}

// refused checks that a name that the backend does not take is refused by all
// that would give it.
func (s *suite) refused(t *testing.T, u connectors.Entry, name connectors.Value) {
	t.Helper()
	before := s.read(t, u.Anchor)
	_, err := s.users.Create(t.Context(), s.u.Draft(name), s.want)
	fails(t, "create "+string(name), err, connectors.Invalid)
	now := before.Field(s.u.Naming).Values[0]
	_, err = s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Naming, now, name)}, connectors.Guard{}, s.want)
	fails(t, "rename to "+string(name), err, connectors.Invalid)
	s.sameEntry(t, "after that", s.read(t, u.Anchor), before)
	if found := s.named(t, s.users, s.u.Naming, name); len(found) > 0 {
		t.Errorf("%q was refused and belongs to %x", name, found)
	}
}

// member puts a target into a group and takes it out again.
func (s *suite) member(t *testing.T, g connectors.Entry, m connectors.Target) {
	t.Helper()
	got, err := s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, AddRefs: []connectors.Target{m}}}, connectors.Guard{}, s.groupWant())
	if err != nil {
		t.Errorf("add a member: %v", err)
		return
	}
	refersTo(t, "the group", got.Field(s.g.Ref).Refs, m)
	got, err = s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, DeleteRefs: []connectors.Target{m}}}, connectors.Guard{}, s.groupWant())
	if err != nil {
		t.Errorf("take a member out: %v", err)
		return
	}
	refersTo(t, "the group", got.Field(s.g.Ref).Refs)
}

// sameName compares names by the rule, and always without regard to spaces at
// their ends, which a name may lose.
func (s *suite) sameName(t *testing.T, what string, e connectors.Entry, want connectors.Value) {
	t.Helper()
	m, _ := rule(s.caps, s.u.Naming)
	trim := func(vs ...connectors.Value) []connectors.Value {
		var to []connectors.Value
		for _, v := range vs {
			to = append(to, connectors.Value(strings.Trim(string(v), " ")))
		}
		return to
	}
	if got := e.Field(s.u.Naming).Values; !sameValues(m, trim(got...), trim(want)) {
		t.Errorf("%s: the name is %q, want %q", what, got, want)
	}
}

// secret checks an attribute that is written unseen.
func (s *suite) secret(t *testing.T) {
	if s.u.Secret == "" {
		t.Skip("the harness names no attribute that can be written and not read")
	}
	u := s.make(t, s.users, set(s.u.Draft(s.name()), has(s.u.Secret, s.u.Secrets[0])), s.want)
	for _, v := range []connectors.Value{s.u.Secrets[1], s.u.Secrets[0]} {
		_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{
			{Attr: s.u.Secret, Replace: true, Add: []connectors.Value{v}},
			{Attr: s.u.Multi, Lenient: true, Add: []connectors.Value{"with it"}},
		}, connectors.Guard{}, s.want)
		if err != nil {
			t.Fatal(err)
		}
	}
	s.holds(t, s.read(t, u.Anchor), s.u.Multi, "with it")
}
