package connectortest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
)

// rule returns how a connector compares an attribute, and whether it knows it.
func rule(caps connectors.Capabilities, a connectors.Attr) (connectors.Matching, bool) {
	if caps.Matching == nil {
		return connectors.Matching{Rule: connectors.RuleExact, Ordering: true, Substring: true}, true
	}
	m, ok := caps.Matching[connectors.Attr(strings.ToLower(string(a)))]
	return m, ok
}

// sameValues reports whether two lists hold values that are equal by the rule,
// in any order.
func sameValues(m connectors.Matching, a, b []connectors.Value) bool {
	return slices.Equal(normal(m, a), normal(m, b))
}

func normal(m connectors.Matching, vs []connectors.Value) []connectors.Value {
	ns := make([]connectors.Value, 0, len(vs))
	for _, v := range vs {
		n, _ := m.Normal(v)
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

func sameTargets(a, b []connectors.Target) bool {
	order := func(x, y connectors.Target) int {
		if n := strings.Compare(x.Collection, y.Collection); n != 0 {
			return n
		}
		return strings.Compare(string(x.Anchor), string(y.Anchor))
	}
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// holds checks the values of one attribute; none is an absent attribute.
func (s *suite) holds(t *testing.T, e connectors.Entry, a connectors.Attr, want ...connectors.Value) {
	t.Helper()
	n := 0
	for _, f := range e.Fields {
		if f.Attr == a {
			n++
		}
	}
	m, _ := rule(s.caps, a)
	got := e.Field(a).Values
	switch {
	case len(want) == 0 && n > 0:
		t.Errorf("%s is there with %q, want it absent", a, got)
	case n > 1:
		t.Errorf("%s is there %d times", a, n)
	case !sameValues(m, got, want):
		t.Errorf("%s is %q, want %q", a, got, want)
	}
}

// refersTo checks the targets of a reference attribute.
func refersTo(t *testing.T, what string, got []connectors.Target, want ...connectors.Target) {
	t.Helper()
	if !sameTargets(got, want) {
		t.Errorf("%s: %d references %x, want %d: %x", what, len(got), got, len(want), want)
	}
}

// sameEntry checks that two readings of an object agree.
func (s *suite) sameEntry(t *testing.T, what string, got, want connectors.Entry) {
	t.Helper()
	if got.Anchor != want.Anchor {
		t.Errorf("%s: anchor %x, want %x", what, string(got.Anchor), string(want.Anchor))
	}
	if got.Stamp != want.Stamp {
		t.Errorf("%s: stamp %q, want %q", what, got.Stamp, want.Stamp)
	}
	for _, d := range differences(got, want) {
		t.Errorf("%s: %s", what, d)
	}
}

func differences(got, want connectors.Entry) []string {
	var ds []string
	byBytes := connectors.Matching{Rule: connectors.RuleOctets}
	for _, f := range want.Fields {
		g := got.Field(f.Attr)
		if !sameValues(byBytes, g.Values, f.Values) || !sameTargets(g.Refs, f.Refs) {
			ds = append(ds, fmt.Sprintf("%s is %q %x, want %q %x", f.Attr, g.Values, g.Refs, f.Values, f.Refs))
		}
	}
	for _, g := range got.Fields {
		if !slices.ContainsFunc(want.Fields, func(f connectors.Field) bool { return f.Attr == g.Attr }) {
			ds = append(ds, fmt.Sprintf("%s is there with %q %x", g.Attr, g.Values, g.Refs))
		}
	}
	return ds
}

// classified reports whether an error is what a connector may return.
func classified(err error) bool {
	_, ok := errors.AsType[*connectors.Error](err)
	return ok
}
