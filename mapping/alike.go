package mapping

import (
	"slices"

	"postern/connectors"
)

// Under returns the plan for an entry as the backend's rules have it: a value that is
// to be added is left out where the backend finds it equal to one that stays, or to
// one that is added before it. It would refuse the whole, and has the value already,
// though not by the letter. The name of the object is left to the backend.
func (p Plan) Under(c connectors.Capabilities, e connectors.Entry) Plan {
	changes, from := p.Changes[:0:0], p.from[:0:0]
	for i, ch := range p.Changes {
		var stays []connectors.Value
		if f := fieldAt(&e, ch.Attr, -1); f != nil && !ch.Replace {
			for _, v := range f.Values {
				if !slices.Contains(ch.Delete, v) {
					stays = append(stays, v)
				}
			}
		}
		if n := p.m.naming; n == nil || n.attr != ch.Attr {
			ch.Add = unlike(c, ch.Attr, ch.Add, stays)
		}
		if ch.Empty() {
			continue
		}
		changes = append(changes, ch)
		if i < len(p.from) {
			from = append(from, p.from[i])
		}
	}
	p.Changes, p.from = changes, from
	return p
}

// Under returns the draft without values that the backend finds equal to others of
// the same attribute.
func (d Draft) Under(c connectors.Capabilities) Draft {
	d.Fields = slices.Clone(d.Fields)
	for i := range d.Fields {
		d.Fields[i].Values = unlike(c, d.Fields[i].Attr, d.Fields[i].Values, nil)
	}
	return d
}

// unlike returns the values that are equal neither to others before them nor to those
// that are there.
func unlike(c connectors.Capabilities, a connectors.Attr, values, there []connectors.Value) []connectors.Value {
	if len(values)+len(there) < 2 || len(values) == 0 {
		return values
	}
	l := lowering{matching: c.Matching}
	m, known := l.match(a)
	if !known {
		return values
	}
	if m.Loose { // equal for certain, whatever the server
		m.Squeezes = false
	}
	seen := make(map[connectors.Value]bool, len(values)+len(there))
	form := func(v connectors.Value) connectors.Value {
		n, ok := m.Normal(v)
		if !ok {
			return v
		}
		return n
	}
	for _, v := range there {
		seen[form(v)] = true
	}
	var kept []connectors.Value
	for _, v := range values {
		if n := form(v); !seen[n] {
			seen[n] = true
			kept = append(kept, v)
		}
	}
	return kept
}
