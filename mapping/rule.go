package mapping

import (
	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// access says when a rule may be written.
type access uint8

const (
	writeAlways access = iota
	writeCreate        // when the object is made, or once where there is no value yet
	writeNever
)

// A rule is a compiled line of the map: the lens between one SCIM attribute
// (leaf, within property) and one backend attribute.
type rule struct {
	pos  configs.Pos
	path string // as messages name it
	attr connectors.Attr
	slot int // where attr is in the mapping's list of attributes, -1 if it is not read

	property *property
	element  *element        // of a multi-valued complex attribute
	leaf     *scim.Attribute // what holds the value: the attribute or its sub-attribute

	codec     codec
	state     state    // instead of codec
	refs      []string // instead of codec: the resource types that may be named
	endpoints []string // of refs: "Users/"
	multi     bool     // each backend value is a value of its own
	write     access
	lenient   bool // a forbidden write is ignored
	unread    bool
	volatile  bool // changes by itself: not part of a version
	fallback  fallback
	generate  bool // a password is made where there would be none
}

// A shape says how a property's values lie in the rules.
type shape uint8

const (
	shapeSimple     shape = iota // one rule, one value
	shapeList                    // one rule, several simple values
	shapeComplex                 // one rule for each sub-attribute
	shapeElements                // several elements, each with rules
	shapeReference               // one reference
	shapeReferences              // several references
)

// A property is a SCIM attribute with all that is mapped to it.
type property struct {
	attr     *scim.Attribute
	shape    shape
	rules    []*rule
	elements []*element // of shapeElements

	// Sub-attributes of a reference; typ is nil where the schema has none, and
	// display where the rule has none.
	value, ref, typ, display *scim.Attribute
}

// An element is one element of a multi-valued complex attribute, or with multi
// all that one backend attribute holds: those to which the same constants
// belong.
type element struct {
	constants []scim.Field // without primary
	primary   bool
	primaryAt *scim.Attribute // the sub-attribute, if the schema has it
	multi     bool
	rules     []*rule
	slots     []slot // constants and rules in the order of the schema
}

// A slot is one field of an element: a constant, or what a rule reads.
type slot struct {
	attr     *scim.Attribute
	rule     *rule
	constant scim.Value
}

// of returns the rule's value in a resource: for an element, that of the first
// that belongs to it.
func (r *rule) of(res *scim.Resource) scim.Value {
	v := res.Get(r.property.attr)
	switch r.property.shape {
	case shapeSimple, shapeList:
		return v
	case shapeComplex, shapeReference, shapeReferences:
		return v.Object().Get(r.leaf)
	case shapeElements:
		items, owners := v.Items(), make([]int, v.Len())
		r.property.assign(items, owners, nil)
		for i, owner := range owners {
			if owner >= 0 && r.property.elements[owner] == r.element {
				return items[i].Object().Get(r.leaf)
			}
		}
	}
	return scim.Value{}
}

// shown returns the one value of a field that a rule for single values shows:
// the least of those that decode, so that it is the same at every read.
func (r *rule) shown(values []connectors.Value) (stored connectors.Value, v scim.Value) {
	for _, candidate := range values {
		if stored != "" && candidate >= stored {
			continue
		}
		if decoded, ok := r.codec.decode(candidate); ok {
			stored, v = candidate, decoded
		}
	}
	return stored, v
}

// read returns the rule's single value in an entry.
func (r *rule) read(e *connectors.Entry) scim.Value {
	if r.unread {
		return scim.Value{}
	}
	var values []connectors.Value
	if f := fieldAt(e, r.attr, r.slot); f != nil {
		values = f.Values
	}
	if r.state != nil {
		return r.state.read(values)
	}
	_, v := r.shown(values)
	return v
}

// fieldAt finds an attribute in an entry, or nil. at is its place in the list
// that was asked for: connectors mostly answer in that order, with gaps.
func fieldAt(e *connectors.Entry, a connectors.Attr, at int) *connectors.Field {
	start := min(at, len(e.Fields)-1)
	for i := start; i >= 0; i-- {
		if e.Fields[i].Attr == a {
			return &e.Fields[i]
		}
	}
	for i := max(start+1, 0); i < len(e.Fields); i++ {
		if e.Fields[i].Attr == a {
			return &e.Fields[i]
		}
	}
	return nil
}
