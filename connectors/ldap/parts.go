package ldap

import (
	"context"
	"errors"
	"slices"

	"postern/connectors"
)

// parts cuts the modifications where one Modify would be longer than the server
// takes (dialect.longest): values of reference attributes are dealt out, what is
// added before what is deleted, and all else comes with the last. There is one
// part where all fits, or where a guard has to hold for the whole.
func (w *rewrite) parts() [][]modification {
	if w.guard.Level != connectors.GuardNone || length(w.mods) <= w.f.longest {
		return [][]modification{w.mods}
	}
	var adding, deleting, others []modification
	for _, m := range w.mods {
		if !m.refs || m.replace || m.absent || slices.ContainsFunc(m.del, set(m.add)) { // what goes and comes back is one step
			others = append(others, m)
			continue
		}
		add, del := m, m
		add.del, del.add = nil, nil
		adding, deleting = append(adding, add), append(deleting, del)
	}
	var parts [][]modification
	left := 0
	for _, m := range append(adding, deleting...) {
		values := append(slices.Clone(m.add), m.del...) // one of them is empty
		for len(values) > 0 {
			if left <= 0 {
				parts, left = append(parts, nil), w.f.longest
			}
			n := 0
			for n < len(values) && left > 0 {
				left -= valueLength(values[n])
				n++
			}
			part := m
			if part.add = values[:n:n]; len(m.del) > 0 {
				part.add, part.del = nil, values[:n:n]
			}
			last := len(parts) - 1
			parts[last] = append(parts[last], part)
			values = values[n:]
		}
	}
	if len(others) > 0 {
		parts = append(parts, others)
	}
	return parts
}

// set tells whether a value is among others.
func set(values []connectors.Value) func(connectors.Value) bool {
	among := make(map[connectors.Value]bool, len(values))
	for _, v := range values {
		among[v] = true
	}
	return func(v connectors.Value) bool { return among[v] }
}

// length is about how long a Modify with these modifications is.
func length(mods []modification) int {
	n := 0
	for _, m := range mods {
		n += valuesLength(m.del) + valuesLength(m.add)
	}
	return n
}

func valuesLength(values []connectors.Value) int {
	n := 0
	for _, v := range values {
		n += valueLength(v)
	}
	return n
}

// valueLength counts a value with its header.
func valueLength(v connectors.Value) int { return len(v) + 4 }

// modifyParts sends one Modify after the other. If one is refused, what those
// before it did is undone, so that all is written or nothing.
func (w *rewrite) modifyParts(ctx context.Context, parts [][]modification) (e connectors.Entry, err error) {
	for i := range parts {
		one := *w
		one.mods, one.exact, one.want = parts[i], true, nil
		if i == len(parts)-1 {
			one.want = w.want
		}
		if e, err = one.modify(ctx); err != nil {
			if connectors.KindOf(err) == connectors.Timeout { // it may yet be carried out
				return connectors.Entry{}, err
			}
			if failed := w.undo(context.WithoutCancel(ctx), parts[:i]); failed != nil {
				return connectors.Entry{}, halfMade(errors.Join(err, failed))
			}
			return connectors.Entry{}, err
		}
		parts[i] = one.mods // without what there was no need to change
	}
	return e, nil
}

// undo takes back what parts have done, the last first.
func (w *rewrite) undo(ctx context.Context, parts [][]modification) error {
	for i := range parts {
		one := *w
		one.mods, one.want = nil, nil
		for _, m := range parts[len(parts)-1-i] {
			one.mods = append(one.mods, modification{attr: m.attr, del: m.add, add: m.del, lenient: true, refs: true})
		}
		if len(one.mods) == 0 {
			continue
		}
		if _, err := one.modify(ctx); err != nil {
			return err
		}
	}
	return nil
}
