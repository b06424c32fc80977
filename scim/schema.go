package scim

import (
	"strings"
)

// A Type is an attribute's data type (RFC 7643 §2.3).
type Type uint8

const (
	String Type = iota
	Boolean
	Decimal
	Integer
	DateTime
	Binary
	Reference
	Complex
)

var typeNames = [...]string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}

// String returns the type as a schema has it.
func (t Type) String() string { return typeNames[t] }

// A Mutability says when a client may write an attribute (RFC 7643 §7).
type Mutability uint8

const (
	ReadWrite Mutability = iota
	ReadOnly
	Immutable
	WriteOnly
)

var mutabilityNames = [...]string{"readWrite", "readOnly", "immutable", "writeOnly"}

// String returns the mutability as a schema has it.
func (m Mutability) String() string { return mutabilityNames[m] }

// A Returned says when an attribute is in a response (RFC 7643 §7).
type Returned uint8

const (
	ReturnedDefault Returned = iota
	ReturnedAlways
	ReturnedNever
	ReturnedRequest
)

var returnedNames = [...]string{"default", "always", "never", "request"}

// String returns the characteristic as a schema has it.
func (r Returned) String() string { return returnedNames[r] }

// A Uniqueness says among what a value is unique (RFC 7643 §7).
type Uniqueness uint8

const (
	UniqueNone Uniqueness = iota
	UniqueServer
	UniqueGlobal
)

var uniquenessNames = [...]string{"none", "server", "global"}

// String returns the uniqueness as a schema has it.
func (u Uniqueness) String() string { return uniquenessNames[u] }

// An Attribute is the definition of one attribute or sub-attribute with all its
// characteristics (RFC 7643 §2.2 and §7). Attributes are compared by pointer:
// a resource type has exactly one Attribute for each name, and once it belongs
// to a resource type it must not be changed.
type Attribute struct {
	Name           string
	Type           Type
	MultiValued    bool
	Description    string
	Required       bool
	Canonical      []string // canonicalValues
	Closed         bool     // no value but the canonical ones is taken from a client
	CaseExact      bool
	Mutability     Mutability
	Returned       Returned
	Uniqueness     Uniqueness
	ReferenceTypes []string
	Sub            []*Attribute // subAttributes of a complex attribute

	parent *Attribute
	schema *Schema
	links
}

// links is what a resource type works out once about each of its attributes.
type links struct {
	order       int    // position within the resource type, which orders the fields of an Object
	key         string // the name as a JSON object key: quoted, with its colon
	relative    bool   // whether a value may be a URI relative to the base URL
	preparation preparation
	// The sub-attributes that RFC 7643 §2.4 gives a meaning, where there are any.
	value, kind, primary, ref *Attribute
}

// Parent returns the complex attribute that a sub-attribute belongs to, or nil.
func (a *Attribute) Parent() *Attribute { return a.parent }

// Schema returns the schema that defines the attribute, or nil for the common
// attributes (RFC 7643 §3.1).
func (a *Attribute) Schema() *Schema { return a.schema }

// SubAttribute finds a sub-attribute by its name in any case.
func (a *Attribute) SubAttribute(name string) (*Attribute, bool) {
	for _, s := range a.Sub {
		if len(s.Name) == len(name) && strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return nil, false
}

// String returns the attribute's canonical path: name.givenName, and with the
// URN in front for an attribute of an extension (RFC 7644 §3.10).
func (a *Attribute) String() string { return string(a.appendPath(nil)) }

func (a *Attribute) appendPath(dst []byte) []byte {
	if a.parent != nil {
		dst = append(a.parent.appendPath(dst), '.')
	} else if a.schema != nil && a.schema.extension {
		dst = append(append(dst, a.schema.ID...), ':')
	}
	return append(dst, a.Name...)
}

// reference reports whether the attribute's elements refer to other resources
// by id, so that an element is known by its value sub-attribute alone.
func (a *Attribute) reference() bool { return a.value != nil && a.ref != nil }

func (a *Attribute) clone(keep func(*Attribute) bool) *Attribute {
	c := *a
	c.parent, c.schema, c.links = nil, nil, links{}
	c.Canonical = append([]string(nil), a.Canonical...)
	c.ReferenceTypes = append([]string(nil), a.ReferenceTypes...)
	c.Sub = nil
	for _, s := range a.Sub {
		if keep(s) {
			c.Sub = append(c.Sub, s.clone(keep))
		}
	}
	return &c
}

// A Schema is a set of attributes under a URN (RFC 7643 §7).
type Schema struct {
	ID          string // the URN
	Name        string
	Description string
	Attributes  []*Attribute

	extension bool // whether its names carry the URN
}

// Prune returns a copy that has only the attributes and sub-attributes for which
// keep holds; keep is called with those of s. A complex attribute that is left
// without sub-attributes goes too. The copy belongs to no resource type, so its
// characteristics may be changed before it is given to NewResourceType.
func (s *Schema) Prune(keep func(*Attribute) bool) *Schema {
	out := &Schema{ID: s.ID, Name: s.Name, Description: s.Description}
	for _, a := range s.Attributes {
		if !keep(a) {
			continue
		}
		c := a.clone(keep)
		if len(c.Sub) == 0 && len(a.Sub) > 0 {
			continue
		}
		out.Attributes = append(out.Attributes, c)
	}
	return out
}

// Attribute finds an attribute of the schema by its dotted name, without URN, in
// any case.
func (s *Schema) Attribute(name string) (*Attribute, bool) {
	name, sub, dotted := strings.Cut(name, ".")
	for _, a := range s.Attributes {
		if strings.EqualFold(a.Name, name) {
			if dotted {
				return a.SubAttribute(sub)
			}
			return a, true
		}
	}
	return nil, false
}
