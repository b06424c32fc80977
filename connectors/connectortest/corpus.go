package connectortest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"postern/connectors"
)

// The pools are small, so that values meet. They keep to what the rules of
// RFC 4517 settle: no letters beyond ASCII that differ in case or composition
// alone, and an order only among letters and digits.
var (
	plainPool = []connectors.Value{
		"Alpha", "alpha", "ALPHA BETA", "alpha  beta", "beta", "Gamma Delta", "gamma", "b2", "B10",
		"Émile", "Łódź", "日本", "x😀y", `a*b`, `a(b)c\d`, "#1, +2", " lead", "trail ",
	}
	orderedPool = []connectors.Value{"alpha", "Alpha", "BETA", "beta2", "gamma10", "Zeta", "delta"}
	multiPool   = []connectors.Value{"one", "Two", "three 3", "fo*ur", `fi\ve`, "s(i)x", "7", "ünf", "😀"}
	exactPool   = []connectors.Value{"Case", "case", "CASE", "other"}
	integerPool = []connectors.Value{"0", "1", "2", "7", "42", "-3", "100", "65536", "2147483647"}
	boolPool    = []connectors.Value{"TRUE", "FALSE"}
	timePool    = []connectors.Value{
		"20200101000000.0Z", "20240229120000.0Z", "20240229120001.0Z", "19991231235959.0Z", "20380119031407.0Z",
	}
	bytesPool = []connectors.Value{"\x00\xff\x10", "bytes", "\x00", "*)("}
)

// A corpus is a set of users with random values, and a source of conditions on
// them.
type corpus struct {
	caps    connectors.Capabilities
	rng     *rand.Rand
	entries map[connectors.Anchor]connectors.Entry
	attrs   []subject
	anchors []connectors.Anchor // with some of no object
	targets []connectors.Target // with some of no object
	ref     connectors.Attr
}

// A subject is an attribute that conditions can be made of.
type subject struct {
	attr     connectors.Attr
	pool     []connectors.Value
	multi    bool
	ordered  bool // the order of the pool's values is settled
	matching connectors.Matching
}

func (s *suite) corpus(t *testing.T) *corpus {
	t.Helper()
	gone := s.gone(t)
	c := &corpus{
		caps: s.caps, rng: s.rng, ref: s.u.Ref,
		entries: make(map[connectors.Anchor]connectors.Entry),
		anchors: []connectors.Anchor{gone.Anchor, "no anchor"},
		targets: []connectors.Target{s.toUser(gone)},
	}
	for _, a := range []subject{
		{attr: s.u.Plain, pool: plainPool},
		{attr: s.u.Other, pool: orderedPool, ordered: true},
		{attr: s.u.Multi, pool: multiPool, multi: true},
		{attr: s.u.Exact, pool: exactPool},
		{attr: s.u.Integer, pool: integerPool, ordered: true},
		{attr: s.u.Boolean, pool: boolPool},
		{attr: s.u.Time, pool: timePool, ordered: true},
		{attr: s.u.Binary, pool: bytesPool},
	} {
		if a.attr == "" {
			continue
		}
		var known bool
		if a.matching, known = rule(s.caps, a.attr); known {
			c.attrs = append(c.attrs, a)
		}
	}
	for range 40 {
		var fields []connectors.Field
		for _, a := range c.attrs {
			if f := c.field(a); !f.Empty() {
				fields = append(fields, f)
			}
		}
		if s.u.Ref != "" && c.rng.IntN(2) == 0 && len(c.targets) > 1 {
			fields = append(fields, connectors.Field{Attr: s.u.Ref, Refs: c.targets[len(c.targets)-1:]})
		}
		e := s.user(t, fields...)
		// Read again, because the evaluator works on what is stored.
		c.entries[e.Anchor] = s.read(t, e.Anchor)
		c.anchors = append(c.anchors, e.Anchor)
		c.targets = append(c.targets, s.toUser(e))
	}
	return c
}

// field returns random values of an attribute, often none.
func (c *corpus) field(a subject) connectors.Field {
	f := connectors.Field{Attr: a.attr}
	n := c.rng.IntN(4)
	if !a.multi {
		n = min(n, 1)
	}
	for range n {
		v := pick(c.rng, a.pool)
		twice := false
		for _, w := range f.Values {
			twice = twice || a.matching.Equal(v, w) == connectors.True
		}
		if !twice {
			f.Values = append(f.Values, v)
		}
	}
	return f
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// cond returns a random condition of declared kinds whose answer is settled.
func (c *corpus) cond(depth int) connectors.Cond {
	for range 1000 {
		if where := c.anyCond(depth); where != nil && c.caps.Conds.Has(connectors.KindsOf(where)) {
			return where
		}
	}
	return connectors.All{}
}

// anyCond returns a condition of any kind, or nil where the choice made none.
func (c *corpus) anyCond(depth int) connectors.Cond {
	a := pick(c.rng, c.attrs)
	decides := a.matching.Equal(a.pool[0], a.pool[1]) != connectors.Undefined
	kinds := 9
	if depth > 0 {
		kinds = 15
	}
	switch c.rng.IntN(kinds) {
	case 0:
		return connectors.All{}
	case 1:
		return connectors.Present{Attr: a.attr}
	case 2, 3:
		if decides {
			return connectors.Equal{Attr: a.attr, Value: c.value(a)}
		}
	case 4:
		if a.matching.Substring && decides {
			return c.substring(a)
		}
	case 5:
		if a.matching.Ordering && a.ordered && decides {
			if c.rng.IntN(2) == 0 {
				return connectors.AtLeast{Attr: a.attr, Value: c.value(a)}
			}
			return connectors.AtMost{Attr: a.attr, Value: c.value(a)}
		}
	case 6:
		if a.matching.Rule == connectors.RuleInteger {
			return connectors.Bits{Attr: a.attr, Mask: 1<<c.rng.IntN(8) | 1<<c.rng.IntN(3)}
		}
	case 7:
		if c.ref != "" {
			return connectors.RefTo{Attr: c.ref, Target: pick(c.rng, c.targets)}
		}
	case 8:
		in := make(connectors.AnchorIn, c.rng.IntN(10))
		for i := range in {
			in[i] = pick(c.rng, c.anchors)
		}
		return in
	case 9, 10:
		return connectors.And(c.parts(depth))
	case 11, 12:
		return connectors.Or(c.parts(depth))
	case 13, 14:
		return connectors.Not{Cond: c.cond(depth - 1)}
	}
	return nil
}

func (c *corpus) parts(depth int) []connectors.Cond {
	parts := make([]connectors.Cond, c.rng.IntN(4))
	for i := range parts {
		parts[i] = c.cond(depth - 1)
	}
	return parts
}

// value returns a value to ask for: one of the pool, in another case, of
// another spelling, or one that nobody has.
func (c *corpus) value(a subject) connectors.Value {
	v := pick(c.rng, a.pool)
	switch a.matching.Rule {
	case connectors.RuleIgnoreCase, connectors.RuleExact:
		switch c.rng.IntN(5) {
		case 0:
			return swapASCII(v)
		case 1:
			if a.matching.Squeezes {
				return connectors.Value(strings.ReplaceAll(string(v), " ", "  "))
			}
		case 2:
			return v + "z"
		}
	case connectors.RuleTime:
		if t, err := time.Parse("20060102150405Z", string(v)); err == nil && c.rng.IntN(4) == 0 {
			return connectors.Value(t.Add(time.Second).Format("20060102150405.0Z"))
		}
	case connectors.RuleInteger:
		if c.rng.IntN(4) == 0 {
			return connectors.Value(fmt.Sprint(c.rng.IntN(200) - 100))
		}
	default:
	}
	return v
}

// swapASCII turns the case of the letters of ASCII.
func swapASCII(v connectors.Value) connectors.Value {
	return connectors.Value(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, string(v)))
}

// substring cuts parts out of a value. Spaces at the ends of parts, on which
// servers differ, are left out.
func (c *corpus) substring(a subject) connectors.Cond {
	runes := []rune(strings.TrimSpace(string(c.value(a))))
	cut := func() connectors.Value {
		if len(runes) == 0 {
			return ""
		}
		n := c.rng.IntN(min(len(runes), 3) + 1)
		part := runes[:n]
		runes = runes[n:]
		return connectors.Value(strings.TrimSpace(string(part)))
	}
	s := connectors.Substring{Attr: a.attr}
	switch c.rng.IntN(3) {
	case 0:
		s.Initial = cut()
	case 1:
		cut()
	case 2:
		s.Initial = cut()
		cut()
	}
	if c.rng.IntN(2) == 0 {
		s.Any = append(s.Any, cut(), cut())
	}
	if c.rng.IntN(3) == 0 {
		s.Final = connectors.Value(strings.TrimSpace(string(runes)))
	}
	return s
}

// describe prints a field for a failure.
func describe(f connectors.Field) string {
	if len(f.Refs) > 0 {
		return fmt.Sprintf("%s → %d; ", f.Attr, len(f.Refs))
	}
	return fmt.Sprintf("%s %q; ", f.Attr, f.Values)
}
