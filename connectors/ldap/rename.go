package ldap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postern/connectors"
)

// inName returns the attribute's part in the entry's RDN, or nil.
func (w *rewrite) inName(attr connectors.Attr) *ava {
	d, err := parseDN(w.place.dn)
	if err != nil || len(d) == 0 {
		return nil
	}
	if at := w.inRDN(d[0], attr); at >= 0 {
		return &d[0][at]
	}
	return nil
}

func (w *rewrite) inRDN(r rdn, attr connectors.Attr) int {
	name := w.f.schema.canonical(string(attr))
	return slices.IndexFunc(r, func(a ava) bool { return w.f.schema.canonical(a.attr) == name })
}

// planRename takes a change of the value that names the entry out of the
// modifications: a Modify can not do that (RFC 4511 §4.6), a ModifyDN can. It also
// puts the entry into the container where it is to lie, if it is to lie elsewhere.
func (w *rewrite) planRename() error {
	d, err := parseDN(w.place.dn)
	if err != nil || len(d) == 0 {
		return &connectors.Error{Kind: connectors.Internal, Err: errDN}
	}
	name := slices.Clone(d[0])
	for i := range w.mods {
		m := &w.mods[i]
		at := w.inRDN(d[0], m.attr)
		if at < 0 {
			continue
		}
		switch {
		case m.replace:
			if len(m.add) == 0 {
				return unnamed(m.attr)
			}
			name[at].takes(string(m.add[0]))
			*m = modification{attr: m.attr, add: m.add[1:]}
		default:
			if err := w.splitName(&name[at], m); err != nil {
				return err
			}
		}
	}
	container := d[1:]
	if w.into != nil && w.into.normalize() != container.normalize() {
		container = w.into
	}
	if to := append(dn{name}, container...); to.String() != d.String() {
		w.rename, w.former = to, d
	}
	return nil
}

// takes gives the part of a name another value.
func (a *ava) takes(value string) {
	if a.value != value || a.raw {
		*a = ava{attr: a.attr, value: value}
	}
}

// splitName divides a modification of the naming attribute into the rename and
// what is left for the Modify. Values that do not name the entry stay there.
func (w *rewrite) splitName(name *ava, m *modification) error {
	old := name.value
	gone := slices.IndexFunc(m.del, func(v connectors.Value) bool { return sameName(string(v), old) })
	if gone < 0 {
		if single := w.f.schema.matching[connectors.Attr(strings.ToLower(string(m.attr)))].SingleValue; len(m.del) > 0 && (single || w.f.guidDN) {
			// The entry was renamed since the caller read it.
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: m.attr, Reason: "the entry has changed", Err: errStale}
		}
		return nil
	}
	if len(m.add) == 0 {
		return unnamed(m.attr)
	}
	next := max(slices.IndexFunc(m.add, func(v connectors.Value) bool { return string(v) == old }), 0)
	name.takes(string(m.add[next]))
	m.del = slices.Delete(slices.Clone(m.del), gone, gone+1)
	m.add = slices.Delete(slices.Clone(m.add), next, next+1)
	return nil
}

func unnamed(attr connectors.Attr) *connectors.Error {
	return &connectors.Error{Kind: connectors.Invalid, Attr: attr, Reason: "the attribute names the object and must have a value"}
}

// sameName reports whether two values of a naming attribute are one to the
// server: case and spaces do not count.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// renameAndModify renames the entry, then modifies it. The assertion goes with
// the rename; on servers without one the guard's values are compared by a Modify
// that changes nothing, right before, if there is no other. If the Modify is
// refused, the entry gets its old name back. Another client may see the new
// name for that moment, and if the gateway dies in between, it stays.
func (w *rewrite) renameAndModify(ctx context.Context) (connectors.Entry, error) {
	onlyGuard := w.guard.Level == connectors.GuardValues && !slices.ContainsFunc(w.mods, func(m modification) bool {
		return m.replace || !slices.Equal(m.del, m.add)
	})
	if onlyGuard && len(w.mods) > 0 {
		if _, err := w.modify(ctx); err != nil {
			return connectors.Entry{}, err
		}
		w.mods = nil
	}
	w.loose = w.loose || len(w.c.References) > 0 // whatever refers, or is referred to
	m := move{w: w, from: w.former, to: w.rename}
	res, err := m.carryOut(ctx)
	if err != nil {
		return connectors.Entry{}, err
	}
	w.place = place{dn: m.to.String()}
	if len(w.mods) == 0 {
		return w.outcome(ctx, res)
	}
	// The stamp has changed by our own hand; the old values in the changes still
	// guard what is written.
	if w.guard.Level == connectors.GuardEntry {
		w.guard = connectors.Guard{Level: connectors.GuardTouched}
	}
	e, err := w.modify(ctx)
	if err == nil || connectors.KindOf(err) == connectors.Timeout {
		return e, err
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	w.guard = connectors.Guard{}
	if _, back := (move{w: w, from: m.to, to: m.from}).carryOut(undo); back != nil {
		return connectors.Entry{}, w.halfDone(err, back)
	}
	return connectors.Entry{}, err
}

// halfDone reports a rename that could be neither completed nor taken back.
func (w *rewrite) halfDone(err, back error) *connectors.Error {
	w.c.dir.log.Error().Err(back).Str("dn", w.place.dn).Msg("an entry could not be given its old name back")
	return &connectors.Error{Kind: connectors.Timeout, Reason: "only a part was written", Err: errors.Join(err, back)}
}

// forgetNames drops what the cache knows of names that have changed hands.
func (w *rewrite) forgetNames(names ...string) {
	w.c.dir.cache.forgetObject(w.self)
	for _, n := range names {
		w.c.dir.cache.forget(n)
		if key, ok := normalizeDN(n); ok {
			w.c.dir.cache.forget(key)
		}
	}
}
