package connectortest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
)

// conditions checks what each kind of condition means at its edges, on a corpus
// of its own.
func (s *suite) conditions(t *testing.T) {
	star := s.user(t, has(s.u.Plain, "a*b"), has(s.u.Multi, "one", "two"))
	axb := s.user(t, has(s.u.Plain, "axb"), has(s.u.Multi, "two"))
	bare := s.user(t)
	gone := s.gone(t)
	mine := []connectors.Anchor{star.Anchor, axb.Anchor, bare.Anchor, gone.Anchor}
	all := mine[:3]

	eq := connectors.Equal{Attr: s.u.Plain, Value: "a*b"}
	tests := []struct {
		where connectors.Cond
		want  []connectors.Anchor
	}{
		{nil, all},
		{connectors.All{}, all},
		{connectors.And{}, all},
		{connectors.Or{}, nil},
		{connectors.Not{Cond: connectors.And{}}, nil},
		{connectors.Not{Cond: connectors.Or{}}, all},
		{connectors.Not{Cond: connectors.All{}}, nil},
		{connectors.And{connectors.All{}, connectors.Or{}}, nil},
		{eq, []connectors.Anchor{star.Anchor}},
		{connectors.Equal{Attr: s.u.Plain, Value: "*"}, nil},
		{connectors.Equal{Attr: s.u.Plain, Value: "a*"}, nil},
		{connectors.Equal{Attr: s.u.Plain, Value: ""}, nil},
		{connectors.Equal{Attr: s.u.Multi, Value: "two"}, []connectors.Anchor{star.Anchor, axb.Anchor}},
		{connectors.Not{Cond: eq}, []connectors.Anchor{axb.Anchor, bare.Anchor}},
		{connectors.Not{Cond: connectors.Not{Cond: eq}}, []connectors.Anchor{star.Anchor}},
		{connectors.Not{Cond: connectors.Equal{Attr: s.u.Multi, Value: "one"}}, []connectors.Anchor{axb.Anchor, bare.Anchor}},
		{connectors.Present{Attr: s.u.Plain}, []connectors.Anchor{star.Anchor, axb.Anchor}},
		{connectors.Not{Cond: connectors.Present{Attr: s.u.Multi}}, []connectors.Anchor{bare.Anchor}},
		{connectors.And{eq}, []connectors.Anchor{star.Anchor}},
		{connectors.Or{eq}, []connectors.Anchor{star.Anchor}},
		{connectors.Or{eq, connectors.Equal{Attr: s.u.Plain, Value: "axb"}}, []connectors.Anchor{star.Anchor, axb.Anchor}},
		{connectors.And{eq, connectors.Equal{Attr: s.u.Multi, Value: "one"}, connectors.And{}}, []connectors.Anchor{star.Anchor}},
		{connectors.AnchorIn{}, nil},
		{connectors.AnchorIn(mine), all},
		{connectors.AnchorIn{star.Anchor, gone.Anchor, star.Anchor, "no anchor"}, []connectors.Anchor{star.Anchor}},
		{connectors.And{connectors.AnchorIn(mine), connectors.Present{Attr: s.u.Multi}}, []connectors.Anchor{star.Anchor, axb.Anchor}},
		{connectors.Not{Cond: connectors.AnchorIn{star.Anchor}}, []connectors.Anchor{axb.Anchor, bare.Anchor}},
		{connectors.Not{Cond: connectors.AnchorIn{}}, all},
	}
	if m, _ := rule(s.caps, s.u.Plain); m.Substring {
		part := func(initial connectors.Value, final connectors.Value, anys ...connectors.Value) connectors.Cond {
			return connectors.Substring{Attr: s.u.Plain, Initial: initial, Any: anys, Final: final}
		}
		for _, tc := range []struct {
			where connectors.Cond
			want  []connectors.Anchor
		}{
			{part("", ""), []connectors.Anchor{star.Anchor, axb.Anchor}},
			{part("a", ""), []connectors.Anchor{star.Anchor, axb.Anchor}},
			{part("a*", ""), []connectors.Anchor{star.Anchor}},
			{part("", "*b"), []connectors.Anchor{star.Anchor}},
			{part("", "", "*"), []connectors.Anchor{star.Anchor}},
			{part("", "", "", "x", ""), []connectors.Anchor{axb.Anchor}},
			{part("a", "b", "x"), []connectors.Anchor{axb.Anchor}},
			{part("ax", "xb"), nil},
			{part("", "", "b", "a"), nil},
			{part("axb", "b"), nil},
		} {
			tests = append(tests, tc)
		}
	}
	for _, tc := range tests {
		if !s.caps.Conds.Has(connectors.KindsOf(tc.where)) {
			continue
		}
		found := s.search(t, s.users, connectors.Query{Where: tc.where, Want: s.want})
		for _, a := range mine {
			if _, ok := found[a]; ok != slices.Contains(tc.want, a) {
				t.Errorf("%v: found %v, want %v, of %v", tc.where, ok, !ok,
					[]string{"the one with *", "the one without", "the one without values", "the deleted one"}[slices.Index(mine, a)])
			}
		}
		// A found entry is what a get gives.
		if e, ok := found[star.Anchor]; ok {
			s.sameEntry(t, "a search", e, star)
		}
	}
}

// conditionsRandom holds the declared conditions against the reference
// evaluator.
func (s *suite) conditionsRandom(t *testing.T) {
	c := s.corpus(t)
	t.Logf("%d entries, conditions %b", len(c.entries), s.caps.Conds)
	matched := 0
	for range 250 {
		where := c.cond(3)
		found := s.search(t, s.users, connectors.Query{Where: where})
		if c.disagreement(where, found) != "" {
			where = s.smallest(t, c, where)
			t.Fatalf("%v\n%s", where, c.disagreement(where, s.search(t, s.users, connectors.Query{Where: where})))
		}
		for a := range c.entries {
			if _, ok := found[a]; ok {
				matched++
			}
		}
	}
	if matched == 0 {
		t.Error("no condition matched anything: the corpus proves nothing")
	}
}

// disagreement compares a search with the evaluator and tells of the first few
// entries on which they differ.
func (c *corpus) disagreement(where connectors.Cond, found map[connectors.Anchor]connectors.Entry) string {
	var b strings.Builder
	wrong := 0
	for _, a := range slices.Sorted(maps.Keys(c.entries)) {
		e := c.entries[a]
		_, got := found[a]
		want := connectors.Match(where, e, c.caps.Matching)
		if got == (want == connectors.True) {
			continue
		}
		if wrong++; wrong > 3 {
			continue
		}
		fmt.Fprintf(&b, "found %v, but it is %v of: ", got, want)
		for _, f := range e.Fields {
			b.WriteString(describe(f))
		}
		b.WriteString("\n")
	}
	if wrong > 3 {
		fmt.Fprintf(&b, "and wrong of %d more of %d\n", wrong-3, len(c.entries))
	}
	return b.String()
}

// smallest returns a part of the condition that is wrong by itself, if there is
// one.
func (s *suite) smallest(t *testing.T, c *corpus, where connectors.Cond) connectors.Cond {
	t.Helper()
	var parts []connectors.Cond
	switch w := where.(type) {
	case connectors.And:
		parts = w
	case connectors.Or:
		parts = w
	case connectors.Not:
		parts = []connectors.Cond{w.Cond}
	}
	for _, p := range parts {
		if c.disagreement(p, s.search(t, s.users, connectors.Query{Where: p})) != "" {
			return s.smallest(t, c, p)
		}
	}
	return where
}

// conditionsUndeclared checks that a driver says what it can not do, instead of
// giving a wrong list.
func (s *suite) conditionsUndeclared(t *testing.T) {
	u := s.user(t, has(s.u.Plain, "a"))
	for _, c := range []connectors.Cond{
		connectors.And{connectors.All{}}, connectors.Or{connectors.All{}}, connectors.Not{Cond: connectors.All{}},
		connectors.Equal{Attr: s.u.Plain, Value: "a"}, connectors.Present{Attr: s.u.Plain},
		connectors.Substring{Attr: s.u.Plain, Initial: "a"},
		connectors.AtLeast{Attr: s.u.Plain, Value: "a"}, connectors.AtMost{Attr: s.u.Plain, Value: "a"},
		connectors.Bits{Attr: s.u.Plain, Mask: 1},
		connectors.RefTo{Attr: s.u.Plain, Target: s.toUser(u)},
		connectors.AnchorIn{u.Anchor},
	} {
		if s.caps.Conds.Has(c.Kind()) {
			continue
		}
		for _, where := range []connectors.Cond{c, connectors.And{connectors.All{}, c}, connectors.Or{c}, connectors.Not{Cond: c}} {
			n := 0
			var failed error
			for _, err := range s.users.Search(t.Context(), connectors.Query{Where: where}) {
				n++
				failed = err
			}
			fails(t, where.String(), failed, connectors.Unsupported)
			if n != 1 {
				t.Errorf("%v: %d answers", where, n)
			}
		}
	}
}
