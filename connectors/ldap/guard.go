package ldap

import (
	"context"
	"slices"
	"strings"

	"postern/connectors"
)

// guardRefs bounds the references of one attribute that a guard names. Of more,
// only those that the request itself touches are guarded.
const guardRefs = 1000

// guardBytes bounds the values of one attribute that a guard names. They go to
// the server twice, and more might be longer than it takes.
const guardBytes = 256 << 10

// addGuard makes the Modify fail if a value in the guard is not there any more:
// each is deleted and added again, in the one atomic request. Active Directory,
// OpenLDAP and 389-DS all answer noSuchAttribute then (53 for a member in
// Active Directory). Equality is the attribute's rule, which may not see case.
func (w *rewrite) addGuard(ctx context.Context) error {
	var refs []connectors.Target
	for _, field := range w.guard.Read {
		if w.guards(field) {
			refs = append(refs, field.Refs...)
		}
	}
	names, missing := w.rememberedNames(refs)
	if len(missing) > 0 {
		found, err := w.c.dir.locate(ctx, w.f, missing)
		if err != nil {
			return err
		}
		for t, p := range found {
			names[t] = w.nameOf(t, p.dn)
		}
	}
	for _, field := range w.guard.Read {
		if field.Empty() && !field.Partial {
			w.guardAbsence(field.Attr)
			continue
		}
		if at := w.inName(field.Attr); at != nil {
			if !slices.ContainsFunc(field.Values, func(v connectors.Value) bool { return sameName(string(v), at.value) }) {
				return &connectors.Error{Kind: connectors.GuardFailed, Attr: field.Attr, Reason: "the entry has changed", Err: errStale}
			}
			w.byName = true
			continue
		}
		if !w.guards(field) {
			continue
		}
		values := distinct(field.Values)
		for _, t := range field.Refs {
			name, ok := names[t]
			if !ok {
				return &connectors.Error{Kind: connectors.GuardFailed, Attr: field.Attr, Reason: "the entry has changed", Err: errStale}
			}
			values = append(values, connectors.Value(name))
		}
		w.guardValues(field.Attr, values, len(field.Refs) > 0)
	}
	return nil
}

// guards reports whether a field can be guarded by its values: what the server
// writes itself can not be deleted, and the name is guarded by the DN.
func (w *rewrite) guards(field connectors.Field) bool {
	return !field.Partial && !field.Empty() && len(field.Refs) <= guardRefs && valuesLength(field.Values) <= guardBytes &&
		!w.f.readOnly(field.Attr) && w.f.comparable(field.Attr) && w.inName(field.Attr) == nil
}

// guardValues adds values to the modification of the attribute, or a new one.
func (w *rewrite) guardValues(attr connectors.Attr, values []connectors.Value, refs bool) {
	i := slices.IndexFunc(w.mods, func(m modification) bool { return sameAttr(string(m.attr), attr) })
	if i < 0 {
		w.mods = append(w.mods, modification{attr: attr, del: values, add: values, refs: refs})
		return
	}
	m := &w.mods[i]
	if m.replace {
		return
	}
	var keep []connectors.Value
	for _, v := range values {
		if !slices.Contains(m.del, v) {
			m.del = append(m.del, v)
			if !slices.Contains(m.add, v) {
				keep = append(keep, v)
			}
		}
	}
	m.add = append(m.add, keep...)
}

// placeholderValue is put into an attribute and taken out again to find that it
// had no value: text of one character, which every text may be.
const placeholderValue = connectors.Value("-")

// guardAbsence makes the Modify fail if an attribute has a value by now. LDAP has
// no change that does so. But where the changes are checked in their order, one
// value can be added to an attribute for one value, and deleted again, only if
// there is no other. That is for text; unique names are let alone, since the
// value would have to be unique.
func (w *rewrite) guardAbsence(attr connectors.Attr) {
	name := connectors.Attr(strings.ToLower(string(attr)))
	m := w.f.schema.matching[name]
	if !w.f.ordered || !m.SingleValue || m.Rule != connectors.RuleIgnoreCase || w.f.readOnly(attr) ||
		name == "userprincipalname" || name == "samaccountname" || w.inName(attr) != nil ||
		slices.ContainsFunc(w.mods, func(m modification) bool { return sameAttr(string(m.attr), attr) }) {
		return
	}
	w.mods = append(w.mods, modification{attr: attr, absent: true})
}

// dropAbsences takes out what guardAbsence put in, and reports whether there was
// any: a server may refuse the value that it makes use of.
func (w *rewrite) dropAbsences() bool {
	before := len(w.mods)
	w.mods = slices.DeleteFunc(w.mods, func(m modification) bool { return m.absent })
	return len(w.mods) < before
}

// rememberedNames returns the names of targets that are in the cache. A name
// that is out of date makes the guard fail, and never hold wrongly.
func (w *rewrite) rememberedNames(ts []connectors.Target) (names map[connectors.Target]string, missing []connectors.Target) {
	names = make(map[connectors.Target]string, len(ts))
	for _, t := range ts {
		if c, ok := w.c.dir.collections[t.Collection]; ok && c.byGUID(w.f) {
			names[t] = guidDN(t.Anchor)
		} else if r := w.c.dir.cache.place(t); r != nil {
			names[t] = r.dn
		} else {
			missing = append(missing, t)
		}
	}
	return names, missing
}

// compareHere takes the modifications of attributes whose values the server can
// not compare (OpenLDAP's jpegPhoto has no equality rule, and a value can not be
// deleted without): the old values are compared here, and the new ones replace
// them. With the assertion control the entry must then still be as it was read.
func (w *rewrite) compareHere(ctx context.Context) error {
	var attrs []connectors.Attr
	for _, m := range w.mods {
		if !m.replace && len(m.del) > 0 && !w.f.comparable(m.attr) {
			attrs = append(attrs, m.attr)
		}
	}
	if len(attrs) == 0 {
		return nil
	}
	e, err := w.c.get(ctx, w.f, w.self.Anchor, attrs)
	if err != nil {
		return err
	}
	if w.asserts() && w.guard.Level < connectors.GuardEntry && w.f.stamp != "" {
		w.guard.Level, w.guard.Stamp = connectors.GuardEntry, e.Stamp
	}
	for i := range w.mods {
		m := &w.mods[i]
		if !slices.Contains(attrs, m.attr) {
			continue
		}
		now := e.Field(m.attr).Values
		for _, v := range m.del {
			if !m.lenient && !slices.Contains(now, v) {
				return &connectors.Error{Kind: connectors.GuardFailed, Attr: m.attr, Reason: "the entry has changed", Err: errStale}
			}
		}
		now = slices.DeleteFunc(slices.Clone(now), func(v connectors.Value) bool { return slices.Contains(m.del, v) })
		*m = modification{attr: m.attr, add: distinct(append(now, m.add...)), replace: true, was: e.Field(m.attr).Values}
	}
	return nil
}
