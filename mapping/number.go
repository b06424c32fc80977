package mapping

import (
	"slices"
	"strconv"
	"strings"

	"postern/connectors"
)

// What becomes of a new name that another object has already.
const (
	collisionError  = "error"
	collisionNumber = "number"
)

// Numbers reports whether an object whose name is taken gets one with a number.
func (m *Mapping) Numbers() bool { return m.naming != nil && m.naming.numbers }

// NamedBy returns the attribute that names objects, or "".
func (m *Mapping) NamedBy() connectors.Attr {
	if m.naming == nil {
		return ""
	}
	return m.naming.attr
}

// numbered is the n-th of the names that an object can have, counted from 1, which
// is the name itself: "Ann Lee", "Ann Lee 2", "Ann Lee 3"; "ann", "ann2", "ann3".
func numbered(name string, n int) string {
	if n <= 1 {
		return name
	}
	switch name = strings.TrimSpace(name); {
	case strings.Contains(name, " "):
		return name + " " + strconv.Itoa(n)
	default:
		return name + strconv.Itoa(n)
	}
}

// isNumbered reports whether a value is one of the names that an object of this
// name can have. A backend may keep another writing of it, in case and in spaces.
func isNumbered(value, name string) bool {
	value, name = strings.Join(strings.Fields(value), " "), strings.Join(strings.Fields(name), " ")
	if len(value) < len(name) || !strings.EqualFold(value[:len(name)], name) {
		return false
	}
	n, err := strconv.Atoi(strings.TrimPrefix(value[len(name):], " "))
	return value[len(name):] == "" || err == nil && n > 1 && strings.EqualFold(numbered(name, n), value)
}

// Numbered returns the draft with the n-th value that an attribute can have, as the
// value that the draft has is the first; false where a value that is taken is an error.
func (d Draft) Numbered(a connectors.Attr, n int) (Draft, bool) {
	number := numbered
	if i := slices.IndexFunc(d.m.derived, func(o derived) bool { return fold(o.attr) == fold(a) }); i >= 0 && d.m.derived[i].numbers {
		if d.m.derived[i].account {
			number = numberedAccount
		}
	} else if !d.m.Numbers() || fold(d.m.naming.attr) != fold(a) {
		return d, false
	}
	d.Fields = slices.Clone(d.Fields)
	for i, f := range d.Fields {
		if fold(f.Attr) == fold(a) && len(f.Values) > 0 {
			d.Fields[i].Values = []connectors.Value{connectors.Value(number(string(f.Values[0]), n))}
			return d, true
		}
	}
	return d, false
}

// Renames reports whether the plan gives the object another name, or another place.
func (p Plan) Renames() bool {
	return slices.ContainsFunc(p.Changes, func(c connectors.Change) bool {
		return c.Place != nil || p.m.naming != nil && p.m.naming.attr != "" && c.Attr == p.m.naming.attr
	})
}

// Numbered returns the plan with the n-th of the names that the object can have
// once it is carried out; false if it has that one, or the name does not change.
func (p Plan) Numbered(e connectors.Entry, n int) (Plan, bool) {
	named := p.m.naming
	if !p.Renames() || p.name == "" {
		return p, false
	}
	name := connectors.Value(numbered(p.name, n))
	p.Changes = slices.Clone(p.Changes)
	for i, c := range p.Changes {
		if c.Attr != named.attr || c.Place != nil {
			continue
		}
		if slices.Contains(c.Delete, name) {
			return p, false
		}
		p.Changes[i].Add = []connectors.Value{name}
		return p, true
	}
	var values []connectors.Value
	if f := fieldAt(&e, named.attr, named.slot); f != nil {
		values = f.Values
	}
	i := slices.IndexFunc(values, func(v connectors.Value) bool { return isNumbered(string(v), p.name) })
	if i < 0 || slices.Contains(values, name) {
		return p, false
	}
	p.Changes = append(p.Changes, connectors.Change{Attr: named.attr, Delete: values[i : i+1 : i+1], Add: []connectors.Value{name}})
	p.from = append(slices.Clone(p.from), named.pos)
	return p, true
}
