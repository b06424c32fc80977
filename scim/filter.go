package scim

import "slices"

// A Filter is a parsed filter (RFC 7644 §3.4.2.2). It is a closed sum: And, Or,
// Not, Compare, Present and ValuePath.
//
// Within a ValuePath the paths of Compare and Present have the sub-attribute
// itself as Attr and no Sub: they are about one element.
type Filter interface {
	// String returns the filter in its canonical form; ParseFilter reads it
	// back to an equal filter.
	String() string

	// appendTo appends the filter as it stands within the brackets of an
	// attribute, or outside of any. Grouped, an or stands in parentheses.
	appendTo(dst []byte, grouped bool, within *Attribute) []byte
}

// And holds when all of its filters hold.
type And []Filter

// Or holds when at least one of its filters holds.
type Or []Filter

// Not holds when its filter does not.
type Not struct{ Filter Filter }

// Compare holds when at least one value of the attribute compares with Value as
// Op says. Ne is the negation of Eq, so it also holds where there is no value.
// Value is never Absent and has the attribute's type.
type Compare struct {
	Path  AttrPath
	Op    Op
	Value Value
}

// Present holds when the attribute has a value (operator pr).
type Present struct{ Path AttrPath }

// ValuePath holds when one element of the complex attribute satisfies Filter.
type ValuePath struct {
	Attr   *Attribute
	Filter Filter
}

// An Op is a comparison operator.
type Op uint8

// The comparison operators of RFC 7644 §3.4.2.2.
const (
	Eq Op = iota // equal
	Ne           // not equal
	Co           // contains
	Sw           // starts with
	Ew           // ends with
	Gt           // greater than
	Ge           // greater than or equal to
	Lt           // less than
	Le           // less than or equal to
)

var opNames = [...]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}

// String returns the operator as a filter has it.
func (op Op) String() string { return opNames[op] }

// AttributesOf returns every attribute and sub-attribute that a filter names.
func AttributesOf(f Filter) []*Attribute { return appendAttributesOf(nil, f) }

func appendAttributesOf(to []*Attribute, f Filter) []*Attribute {
	one := func(attrs ...*Attribute) {
		for _, a := range attrs {
			if a != nil && !slices.Contains(to, a) {
				to = append(to, a)
			}
		}
	}
	switch f := f.(type) {
	case And:
		for _, g := range f {
			to = appendAttributesOf(to, g)
		}
	case Or:
		for _, g := range f {
			to = appendAttributesOf(to, g)
		}
	case Not:
		to = appendAttributesOf(to, f.Filter)
	case Compare:
		one(f.Path.Attr, f.Path.Sub)
	case Present:
		one(f.Path.Attr, f.Path.Sub)
	case ValuePath:
		one(f.Attr)
		to = appendAttributesOf(to, f.Filter)
	}
	return to
}
