package demodir

import "slices"

// Entry is an entry as Load takes it and Company gives it.
type Entry struct {
	DN         string
	Attributes []Attribute
}

// Attribute is one attribute of an Entry with its values.
type Attribute struct {
	Name   string
	Values []string
}

// entry is one state of an entry. Once it is in the tree it never changes: a
// write puts another in its place, so that what a search has found may be read
// without a lock.
type entry struct {
	dn    dn
	attrs []attribute
}

// attribute holds the values of one type and, at the same places, their normal
// forms.
type attribute struct {
	typ    *attributeType
	values []string
	norms  []string
}

// find returns the attribute of this type, nil where the entry has none.
func (e *entry) find(t *attributeType) *attribute {
	for i := range e.attrs {
		if e.attrs[i].typ == t {
			return &e.attrs[i]
		}
	}
	return nil
}

// has holds where the attribute has a value with this normal form.
func (a *attribute) has(norm string) bool { return a != nil && slices.Contains(a.norms, norm) }

// values checks values of one type as they came in and returns them as an
// attribute: names of entries in their shown spelling, everything else as it is.
func (s *schema) values(t *attributeType, raw []string) (attribute, error) {
	a := attribute{t, make([]string, len(raw)), make([]string, len(raw))}
	for i, value := range raw {
		bad := refuse(invalidAttributeSyntax, "%s: value #%d invalid per syntax", t.name(), i)
		switch {
		case value == "" && !t.isReference():
			return a, bad
		case t.isReference(): // the empty name is a name: a group without members holds it
			name, err := s.parseDN(value)
			if err != nil {
				return a, bad
			}
			a.values[i], a.norms[i] = name.text, name.norm
			continue
		case !t.syntax.valid(value), t == s.objectClass && s.class(value) == nil:
			return a, bad
		}
		a.values[i], a.norms[i] = value, t.normal(value)
	}
	seen := newSet(nil, len(raw), len(raw))
	for i, norm := range a.norms {
		if !seen.add(norm) {
			return a, refuse(attributeOrValueExists, "%s: value #%d provided more than once", t.name(), i)
		}
	}
	return a, nil
}

// set tells whether a normal form is among others: by looking at each where
// the questions are few, by a hash where they are many.
type set struct {
	list []string
	hash map[string]struct{}
}

// newSet returns the set of these normal forms, which it does not change, with
// room for more, made for so many questions.
func newSet(norms []string, room, questions int) set {
	if min(len(norms)+room, questions) <= 8 {
		return set{list: slices.Clip(norms)}
	}
	hash := make(map[string]struct{}, len(norms)+room)
	for _, norm := range norms {
		hash[norm] = struct{}{}
	}
	return set{hash: hash}
}

func (s *set) has(norm string) bool {
	if s.hash == nil {
		return slices.Contains(s.list, norm)
	}
	_, found := s.hash[norm]
	return found
}

// add reports whether the normal form was not there before.
func (s *set) add(norm string) bool {
	if s.has(norm) {
		return false
	}
	if s.hash == nil {
		s.list = append(s.list, norm)
	} else {
		s.hash[norm] = struct{}{}
	}
	return true
}

// draft returns a copy of the entry to write the next state into. The values
// are shared: changing an attribute means giving it new slices.
func (e *entry) draft() *entry {
	return &entry{dn: e.dn, attrs: slices.Clone(e.attrs)}
}

// put gives the draft an attribute in place of what it had of that type; an
// attribute without values goes away.
func (e *entry) put(a attribute) {
	at := slices.IndexFunc(e.attrs, func(b attribute) bool { return b.typ == a.typ })
	switch {
	case at >= 0 && len(a.values) > 0:
		e.attrs[at] = a
	case at >= 0:
		e.attrs = slices.Delete(e.attrs, at, at+1)
	case len(a.values) > 0:
		e.attrs = append(e.attrs, a)
	}
}

// addValues adds values to the draft; one that is there already is refused (20).
func (e *entry) addValues(a attribute) error {
	have := e.find(a.typ)
	if have == nil {
		e.put(a)
		return nil
	}
	present := newSet(have.norms, 0, len(a.norms))
	for i, norm := range a.norms {
		if present.has(norm) {
			return refuse(attributeOrValueExists, "modify/add: %s: value #%d already exists", a.typ.name(), i)
		}
	}
	e.put(attribute{a.typ, slices.Concat(have.values, a.values), slices.Concat(have.norms, a.norms)})
	return nil
}

// deleteValues takes values out of the draft, found by the equality rule of
// their type; one that is not there is refused (16). No values means all.
func (e *entry) deleteValues(a attribute) error {
	have := e.find(a.typ)
	if have == nil {
		return refuse(noSuchAttribute, "modify/delete: %s: no such attribute", a.typ.name())
	}
	if len(a.norms) == 0 {
		e.put(attribute{typ: a.typ})
		return nil
	}
	present := newSet(have.norms, 0, len(a.norms))
	for _, norm := range a.norms {
		if !present.has(norm) {
			return refuse(noSuchAttribute, "modify/delete: %s: no such value", a.typ.name())
		}
	}
	gone := newSet(a.norms, 0, len(have.norms))
	left := attribute{typ: a.typ}
	left.values = make([]string, 0, len(have.values))
	left.norms = make([]string, 0, len(have.norms))
	for i, norm := range have.norms {
		if !gone.has(norm) {
			left.values = append(left.values, have.values[i])
			left.norms = append(left.norms, norm)
		}
	}
	e.put(left)
	return nil
}
