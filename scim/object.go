package scim

// An Object is the value of a complex attribute, or a resource's attributes:
// fields in the order of the schema, each attribute at most once, none absent.
type Object []Field

// A Field is one attribute of an Object with its value.
type Field struct {
	Attr  *Attribute
	Value Value
}

// NewObject returns the object with the given fields, which may be in any order;
// absent values are left out, and of two fields with one attribute the later
// holds. The caller gives fields away.
func NewObject(fields ...Field) Object {
	for i := 1; i < len(fields); i++ {
		for j := i; j > 0 && fields[j].Attr.order < fields[j-1].Attr.order; j-- {
			fields[j], fields[j-1] = fields[j-1], fields[j]
		}
	}
	out := fields[:0]
	for i, f := range fields {
		if i+1 < len(fields) && fields[i+1].Attr == f.Attr || f.Value.IsAbsent() {
			continue
		}
		out = append(out, f)
	}
	return Object(out)
}

// Get returns the value of attr, or Absent.
func (o Object) Get(attr *Attribute) Value {
	for i := range o {
		if o[i].Attr == attr {
			return o[i].Value
		}
	}
	return Value{}
}

// With returns a copy of o in which attr has the value v; Absent removes it.
func (o Object) With(attr *Attribute, v Value) Object {
	i := 0
	for i < len(o) && o[i].Attr.order < attr.order {
		i++
	}
	found := i < len(o) && o[i].Attr == attr
	if v.IsAbsent() && !found {
		return o
	}
	out := make(Object, 0, len(o)+1)
	out = append(out, o[:i]...)
	if !v.IsAbsent() {
		out = append(out, Field{attr, v})
	}
	if found {
		i++
	}
	return append(out, o[i:]...)
}
