package scim

import (
	"encoding/binary"
	"math"
)

// A SortKey is what the resources of one type are sorted by (RFC 7644
// §3.4.2.3). By the zero SortKey no resource has a value.
type SortKey struct {
	path AttrPath
	fold bool // texts are compared without regard to case
}

// ParseSortKey reads the parameter sortBy for the resource types that are
// searched; the keys are in their order. A type that lacks the attribute has the
// zero key. A complex attribute stands for its sub-attribute value. Where none
// of the types has the attribute, or it can not be read, there is nothing to
// sort by: an error, since an answer in some other order would not show it.
func ParseSortKey(sortBy string, rts ...*ResourceType) ([]SortKey, error) {
	keys := make([]SortKey, len(rts))
	known, fold := false, false
	for i, rt := range rts {
		a, ok := rt.Attribute(sortBy)
		if !ok {
			continue
		}
		path := pathOf(a)
		if a.Type == Complex {
			if a.value == nil {
				return nil, InvalidValue("sortBy: complex attribute %q needs a sub-attribute", a)
			}
			path.Sub = a.value
		}
		for _, a := range []*Attribute{path.Attr, path.Sub} {
			if a != nil && a.Returned == ReturnedNever {
				return nil, InvalidValue("sortBy: attribute %q can not be sorted by", a)
			}
		}
		known, fold = true, fold || !path.target().CaseExact
		keys[i].path = path
	}
	if !known {
		return nil, InvalidValue("sortBy: unknown attribute %.200q", sortBy)
	}
	for i := range keys {
		keys[i].fold = fold // one order for all types
	}
	return keys, nil
}

// IsZero reports whether there is nothing to sort by.
func (k SortKey) IsZero() bool { return k.path.Attr == nil }

// String returns the path that is sorted by, or "".
func (k SortKey) String() string {
	if k.IsZero() {
		return ""
	}
	return k.path.String()
}

// Attributes returns the attribute whose values are sorted by, and the
// sub-attribute if there is one.
func (k SortKey) Attributes() []*Attribute {
	switch {
	case k.IsZero():
		return nil
	case k.path.Sub == nil:
		return []*Attribute{k.path.Attr}
	}
	return []*Attribute{k.path.Attr, k.path.Sub}
}

// Value returns what a resource is sorted by, or Absent: of several values that
// of the primary element, else the first.
func (k SortKey) Value(r *Resource) Value {
	if k.IsZero() {
		return Value{}
	}
	v := r.Get(k.path.Attr)
	switch {
	case k.path.Sub == nil:
		return firstOf(v)
	case v.kind != KindList:
		return firstOf(v.Object().Get(k.path.Sub))
	}
	var first Value
	for _, e := range v.Items() {
		of := firstOf(e.Object().Get(k.path.Sub))
		if p := k.path.Attr.primary; p != nil && e.Object().Get(p).Bool() && !of.IsAbsent() {
			return of
		}
		if first.IsAbsent() {
			first = of
		}
	}
	return first
}

func firstOf(v Value) Value {
	if v.kind == KindList {
		return v.Items()[0]
	}
	return v
}

// The kinds of sort texts, in their order. Values of one attribute are of one
// kind; those of attributes of one name in several types need not be.
const (
	sortBoolean = 1 + iota
	sortInteger
	sortDecimal
	sortTime
	sortText
)

// Text returns a text that stands for the resource in the order: texts compare
// byte by byte as Order compares the values. The text of a resource without a
// value is empty.
func (k SortKey) Text(r *Resource) string {
	v := k.Value(r)
	switch v.kind {
	case Absent:
		return ""
	case KindBoolean:
		return string([]byte{sortBoolean, byte(v.n)})
	case KindString:
		return k.text(v.Text())
	}
	if k.path.target().Type == Integer {
		return sortNumber(sortInteger, v.n^1<<63)
	}
	f := v.Float() + 0 // one zero
	n := math.Float64bits(f)
	if f < 0 {
		n = ^n
	} else {
		n ^= 1 << 63
	}
	return sortNumber(sortDecimal, n)
}

func sortNumber(kind byte, n uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{kind}, n))
}

func (k SortKey) text(s string) string {
	if k.path.target().Type == DateTime {
		if t, ok := ParseTime(s); ok {
			b := binary.BigEndian.AppendUint64([]byte{sortTime}, uint64(t.Unix())^1<<63)
			return string(binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond())))
		}
	}
	s = k.path.target().prepare(s)
	if k.fold {
		s = fold(s)
	}
	return string(rune(sortText)) + s
}
