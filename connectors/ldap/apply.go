package ldap

import (
	"context"
	"slices"
	"time"

	"postern/connectors"
)

// attempts bounds how often a write is tried anew after the server refused it
// for a reason that the connector can do something about.
const attempts = 4

// A modification is what one Modify does to one attribute.
type modification struct {
	attr     connectors.Attr
	del, add []connectors.Value
	replace  bool
	lenient  bool
	refs     bool
	gone     []connectors.Target // the references among del
	absent   bool                // nothing but the guard that there is no value
	was      []connectors.Value  // of replace, where it is known: the values until now
}

func (m modification) empty() bool { return !m.replace && !m.absent && len(m.del)+len(m.add) == 0 }

// A rewrite is one Apply under way.
type rewrite struct {
	c     *collection
	f     *facts
	self  connectors.Target
	place place
	mods  []modification
	guard connectors.Guard
	want  []connectors.Attr
	// rename, if not nil, is the DN that the entry gets first, former the one it
	// has until then.
	rename, former dn
	// into, if not nil, is the container that the entry is to lie in.
	into dn
	// password, if it has an attribute, is set last, by an operation of its own.
	password modification
	// loose is an assertion that tells nothing of other entries: see
	// appendAssertion.
	loose bool
	// exact has the server refuse what is done already, so that it is known what a
	// write has changed.
	exact bool
	// byName writes under the DN also where a GUID would do: the name is guarded.
	byName bool
}

// Apply implements connectors.Connector. All changes go in one Modify, which is
// atomic (RFC 4511 §4.6). A change of the naming attribute is a ModifyDN before
// it, which is taken back if the Modify is refused.
func (c *collection) Apply(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (connectors.Entry, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return connectors.Entry{}, failure(err, true)
	}
	if g.Level > f.answers.Guard {
		return connectors.Entry{}, unsupported("the directory can not make the write conditional on that")
	}
	cs = slices.DeleteFunc(slices.Clone(cs), connectors.Change.Empty)
	if len(cs) == 0 {
		return c.get(ctx, f, a, want)
	}
	w := &rewrite{c: c, f: f, self: connectors.Target{Collection: c.Name, Anchor: a}, want: want}
	for try := 1; ; try++ {
		w.guard = g
		if err := w.prepare(ctx, cs, try > 1); err != nil {
			return connectors.Entry{}, err
		}
		e, err := w.carryOut(ctx)
		if err == nil {
			return w.thenPassword(ctx, e)
		}
		if !w.misplaced(err) {
			return e, err
		}
		if try == attempts {
			return e, elsewhere(err)
		}
		c.dir.cache.forgetObject(w.self)
	}
}

// misplaced reports whether a write may have failed because the entry is not, or
// no longer, under the DN that it was written under. Nothing has been written
// then, and it is looked up again: only the look says that it is gone.
func (w *rewrite) misplaced(err error) bool {
	k := connectors.KindOf(err)
	return k == connectors.NotFound || k == connectors.GuardFailed && w.place.cached
}

// elsewhere makes of a write that never found the entry where it had just been
// one that others overtook.
func elsewhere(err error) error {
	if connectors.KindOf(err) != connectors.NotFound {
		return err
	}
	return &connectors.Error{Kind: connectors.GuardFailed, Reason: "the entry is being renamed by others", Err: err}
}

// prepare finds the entry and what the changes refer to, and turns the changes
// and the guard into modifications.
func (w *rewrite) prepare(ctx context.Context, cs []connectors.Change, fresh bool) error {
	var refs []connectors.Target
	for _, ch := range cs {
		refs = append(append(refs, ch.DeleteRefs...), ch.AddRefs...)
	}
	w.loose = slices.ContainsFunc(refs, func(t connectors.Target) bool { return t.Collection == w.c.Name })
	names, err := w.find(ctx, refs, fresh)
	if err != nil {
		return err
	}
	w.mods, w.rename, w.into, w.byName = nil, nil, nil, false
	for _, ch := range cs {
		if ch.Place != nil {
			if w.into, err = w.c.container(*ch.Place); err != nil {
				return err
			}
			continue
		}
		if err := w.c.dir.passwordInClear(ch.Attr); err != nil {
			return err
		}
		m, err := w.modification(ch, names)
		if err != nil {
			return err
		}
		w.mods = append(w.mods, m)
	}
	w.takePassword()
	if w.guard.Level == connectors.GuardValues {
		if err := w.addGuard(ctx); err != nil {
			return err
		}
	}
	if err := w.compareHere(ctx); err != nil {
		return err
	}
	return w.planRename()
}

// find sets the entry's place and returns the names of targets. Both come from
// one search, unless the place is known well enough and there are no targets.
func (w *rewrite) find(ctx context.Context, refs []connectors.Target, fresh bool) (map[connectors.Target]string, error) {
	if len(refs) == 0 && !fresh {
		if r := w.c.dir.cache.place(w.self); r != nil && r.dn != "" && r.read > 0 &&
			(w.asserts() && !w.loose || time.Since(time.Unix(0, r.read)) < freshFor) {
			w.place = place{dn: r.dn, cached: true}
			return nil, nil
		}
	}
	places, err := w.c.dir.locate(ctx, w.f, append(slices.Clone(refs), w.self))
	if err != nil {
		return nil, err
	}
	var ok bool
	if w.place, ok = places[w.self]; !ok {
		return nil, w.c.absent()
	}
	names := make(map[connectors.Target]string, len(places))
	for t, p := range places {
		names[t] = w.nameOf(t, p.dn)
	}
	return names, nil
}

// nameOf returns how a target is written: in Active Directory by its GUID,
// which no rename can make wrong.
func (w *rewrite) nameOf(t connectors.Target, name string) string {
	if c := w.c.dir.collections[t.Collection]; c.byGUID(w.f) {
		return guidDN(t.Anchor)
	}
	return name
}

// asserts reports whether writes carry an assertion that this is still the
// entry that was meant.
func (w *rewrite) asserts() bool { return w.f.assert }

func (w *rewrite) modification(ch connectors.Change, names map[connectors.Target]string) (modification, error) {
	m := modification{attr: ch.Attr, replace: ch.Replace, lenient: ch.Lenient}
	m.del, m.add = distinct(ch.Delete), distinct(ch.Add)
	if len(ch.DeleteRefs)+len(ch.AddRefs) == 0 {
		return m, nil
	}
	m.refs, m.gone = true, ch.DeleteRefs
	add, err := referenceValues(ch.Attr, ch.AddRefs, names)
	if err != nil {
		return m, err
	}
	m.add = append(m.add, add...)
	gone := make(map[connectors.Value]bool, len(m.del)+len(ch.DeleteRefs))
	for _, v := range m.del {
		gone[v] = true
	}
	for _, t := range ch.DeleteRefs {
		name, ok := names[t]
		switch {
		case ok && !gone[connectors.Value(name)]:
			gone[connectors.Value(name)] = true
			m.del = append(m.del, connectors.Value(name))
		case !ok && !ch.Lenient:
			return m, &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "the reference names no object", Err: errNamesNothing}
		}
	}
	return m, nil
}

// distinct returns the values without the empty one, each once: Samba stores a
// member that is added twice in one request twice.
func distinct(vs []connectors.Value) []connectors.Value {
	out := make([]connectors.Value, 0, len(vs))
	seen := map[connectors.Value]bool{}
	for _, v := range vs {
		if v != "" && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
