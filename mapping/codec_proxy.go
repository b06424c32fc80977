package mapping

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"postern/connectors"
	"postern/scim"
)

// proxyAddresses is the codec of Exchange's e-mail addresses: those behind
// "smtp:", of which the primary one has it in capitals. Addresses of other kinds
// (X500:, SIP:, …) are hidden and left alone. Case means nothing in an address
// here, and says which is the primary in what stands before it.
type proxyAddresses struct{}

const (
	primaryAddress = "SMTP:"
	otherAddress   = "smtp:"
)

func (proxyAddresses) decode(v connectors.Value) (scim.Value, bool) {
	kind, address, ok := strings.Cut(string(v), ":")
	return scim.Str(address), ok && strings.EqualFold(kind, "smtp") && address != "" && utf8.ValidString(address)
}

func (proxyAddresses) encode(v scim.Value) (connectors.Value, error) {
	if strings.Contains(v.Text(), ":") {
		return "", errors.New("an e-mail address has no colon")
	}
	return connectors.Value(otherAddress + v.Text()), nil
}

func (proxyAddresses) total(connectors.Matching) bool { return false }

func (c proxyAddresses) lower(q question) answer {
	v := q.value.Text()
	usable, exact := q.agrees(v)
	if !usable {
		return unknown
	}
	// Both spellings, if the backend tells them apart.
	either := func(ask func(prefix string) answer) answer {
		if q.matching.Rule == connectors.RuleIgnoreCase {
			return ask(otherAddress)
		}
		return q.or(ask(primaryAddress), ask(otherAddress)).inexact() // "Smtp:" would be one too
	}
	switch q.op {
	case scim.Eq:
		if q.matching.Rule != connectors.RuleIgnoreCase {
			return unknown
		}
		return q.equal(connectors.Value(otherAddress+v), exact)
	case scim.Sw:
		return either(func(prefix string) answer {
			return q.substring(connectors.Substring{Initial: connectors.Value(prefix + v)}, v, false)
		})
	case scim.Co:
		return q.substring(connectors.Substring{Any: []connectors.Value{connectors.Value(v)}}, v, false)
	case scim.Ew:
		return q.substring(connectors.Substring{Final: connectors.Value(v)}, v, false)
	default:
		return unknown
	}
}

// isPrimary reports whether a stored value is a primary address.
func isPrimary(v connectors.Value) bool { return strings.HasPrefix(string(v), primaryAddress) }

// hasPrimary reports whether the values say which is primary: it is the first in
// the order of their bytes then, which has capitals before small letters.
func (r *rule) hasPrimary(e *connectors.Entry) bool {
	f := fieldAt(e, r.attr, r.slot)
	return f != nil && slices.ContainsFunc(f.Values, func(v connectors.Value) bool {
		_, ok := r.codec.decode(v)
		return ok && isPrimary(v)
	})
}

// addresses plans a rule whose values say which of them is primary. What the
// client marks is; else what was and stays; else, if there was one or no address
// at all, the first. Another primary changes both values in one step.
func (pl *planner) addresses(r *rule, items []scim.Object) {
	values := pl.stored(r)
	var wants []string // addresses, each once
	marked := -1
	for _, o := range items {
		text := o.Get(r.leaf).Text()
		i := slices.IndexFunc(wants, func(w string) bool { return strings.EqualFold(w, text) })
		if i < 0 {
			i = len(wants)
			wants = append(wants, text)
		}
		if o.Get(r.element.primaryAt).Bool() {
			if marked >= 0 && marked != i {
				pl.fail(scim.InvalidValue("%s: only one can be primary", r.path))
				return
			}
			marked = i
		}
	}
	has := func(w string, only func(connectors.Value) bool) int {
		return slices.IndexFunc(values, func(v connectors.Value) bool {
			a, ok := r.codec.decode(v)
			return ok && strings.EqualFold(a.Text(), w) && (only == nil || only(v))
		})
	}
	if marked < 0 {
		marked = slices.IndexFunc(wants, func(w string) bool { return has(w, isPrimary) >= 0 })
	}
	if marked < 0 && (r.hasPrimary(pl.e) || !slices.ContainsFunc(values, func(v connectors.Value) bool { _, ok := r.codec.decode(v); return ok })) {
		marked = 0 // of none that were there, or of those that are left
	}
	c := connectors.Change{Attr: r.attr}
	kept := make([]bool, len(values))
	for i, w := range wants {
		primary := i == marked
		at := has(w, func(v connectors.Value) bool { return isPrimary(v) == primary })
		if at < 0 {
			b, ok := pl.encode(r, scim.Str(w))
			if !ok {
				return
			}
			if old := has(w, nil); old >= 0 { // its letters stay
				_, address, _ := strings.Cut(string(values[old]), ":")
				b = connectors.Value(otherAddress + address)
			}
			if primary {
				b = connectors.Value(primaryAddress + string(b)[len(otherAddress):])
			}
			c.Add = append(c.Add, b)
			continue
		}
		for j, v := range values { // the same in other letters stays too
			if a, ok := r.codec.decode(v); ok && strings.EqualFold(a.Text(), w) && (primary || !isPrimary(v)) {
				kept[j] = true
			}
		}
	}
	shown := false
	for i, v := range values {
		if _, ok := r.codec.decode(v); ok {
			shown = true
			if !kept[i] {
				c.Delete = append(c.Delete, v)
			}
		}
	}
	if !c.Empty() && pl.may(r, shown, len(wants) == 0) && pl.whole(r) {
		pl.change(r, c)
	}
}
