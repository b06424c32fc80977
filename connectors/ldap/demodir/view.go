package demodir

import "slices"

// selection says which attributes of an entry are asked for (RFC 4511 §4.5.1.8,
// RFC 3673 for "+").
type selection struct {
	user        bool
	operational bool
	types       []*attributeType
	hidden      *attributeType // what the client may not read
}

// selection returns what a list of attribute descriptions asks for. An empty
// one asks for the user attributes, "1.1" for none; unknown ones for nothing.
func (w vocabulary) selection(names []string) selection {
	s := selection{user: len(names) == 0}
	if !w.trusted {
		s.hidden = w.schema.userPassword
	}
	for _, name := range names {
		switch name {
		case "*":
			s.user = true
		case "+":
			s.operational = true
		default:
			if t := w.attribute(name); t != nil {
				s.types = append(s.types, t)
			}
		}
	}
	return s
}

func (s *selection) has(t *attributeType) bool {
	if t == s.hidden {
		return false
	}
	return t.operational && s.operational || !t.operational && s.user || slices.Contains(s.types, t)
}

// view is what a client gets to see of an entry. It can be written out after
// the lock is given back.
type view struct {
	entry        *entry
	selection    *selection
	computed     []attribute // what is not kept in the entry
	dereferenced []reference
}

// reference is one value of a dereferenced attribute; attrs is nil where the
// entry it names is not there or has nothing of what is asked.
type reference struct {
	by    *attributeType
	name  string
	attrs []attribute
}

// see returns a view of a node. The lock is held.
func (d *Directory) see(n *node, s *selection) view {
	v := view{entry: n.entry, selection: s}
	if s.operational || len(s.types) > 0 {
		for _, t := range []*attributeType{d.schema.memberOf, d.schema.entryDN, d.schema.hasSubordinates, d.schema.subschema} {
			if !s.has(t) {
				continue
			}
			if a := d.attribute(n, t); a != nil {
				v.computed = append(v.computed, *a)
			}
		}
	}
	return v
}

// dereference adds to a view what the dereference control asks for.
func (d *Directory) dereference(v *view, n *node, list []dereference) {
	for _, asked := range list {
		names := d.attribute(n, asked.by)
		if names == nil {
			continue
		}
		for i, name := range names.values {
			ref := reference{by: asked.by, name: name}
			if target := d.byDN[names.norms[i]]; target != nil {
				ref.attrs = d.dereferenced(target, asked.types)
			}
			v.dereferenced = append(v.dereferenced, ref)
		}
	}
}

// dereferenced returns the attributes of these types that a node keeps, and
// memberOf: as in OpenLDAP, not those made up while an entry is sent.
func (d *Directory) dereferenced(n *node, types []*attributeType) []attribute {
	var out []attribute
	for _, t := range types {
		a := n.entry.find(t)
		if t == d.schema.memberOf {
			a = d.groups(n)
		}
		if a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// write appends the view as a SearchResultEntry (RFC 4511 §4.5.2).
func (v *view) write(e *encoder, typesOnly bool) {
	body := e.begin(responseEntry)
	e.text(tagString, v.entry.dn.text)
	list := e.begin(tagSequence)
	for i := range v.entry.attrs {
		if a := &v.entry.attrs[i]; v.selection.has(a.typ) {
			a.write(e, typesOnly)
		}
	}
	for i := range v.computed {
		v.computed[i].write(e, typesOnly)
	}
	e.end(list)
	e.end(body)
}

func (a *attribute) write(e *encoder, typesOnly bool) {
	start := e.begin(tagSequence)
	e.text(tagString, a.typ.name())
	if typesOnly {
		e.texts(tagSet, nil)
	} else {
		e.texts(tagSet, a.values)
	}
	e.end(start)
}

// writeDereferenced appends the response control of the dereference control, in
// the list of controls of an entry.
func (v *view) writeDereferenced(e *encoder) {
	control := e.begin(tagSequence)
	e.text(tagString, controlDereference)
	value := e.begin(tagString)
	results := e.begin(tagSequence)
	for _, ref := range v.dereferenced {
		result := e.begin(tagSequence)
		e.text(tagString, ref.by.name())
		e.text(tagString, ref.name)
		if ref.attrs != nil {
			attrs := e.begin(0xa0)
			for i := range ref.attrs {
				ref.attrs[i].write(e, false)
			}
			e.end(attrs)
		}
		e.end(result)
	}
	e.end(results)
	e.end(value)
	e.end(control)
}
