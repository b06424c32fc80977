package scim

import (
	"math"
	"strconv"
	"unsafe"
)

// A Kind is what a Value holds. DateTime, Binary and Reference values are held
// as strings in their JSON form.
type Kind uint8

const (
	Absent Kind = iota // no value: null, [], "" and a missing attribute are all this (RFC 7643 §2.5)
	KindString
	KindBoolean
	KindInteger
	KindDecimal
	KindComplex
	KindList // of a multi-valued attribute; never empty
)

// A Value is the value of an attribute: one of a closed set of kinds. The zero
// Value is Absent. Values are immutable; what would change one makes a new one.
// Values are compared by Equal, never by ==.
type Value struct {
	_    [0]func() // not comparable: p points at the text, the elements or the fields
	n    uint64    // boolean, int64 or float64 bits; else the length of what p points at
	p    unsafe.Pointer
	kind Kind
	// series says of a list that p points at what makes the elements.
	series bool
}

// Str returns a string value; the empty string is no value, so that a backend
// that can not hold it (LDAP) and one that can give the same answers.
func Str(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{kind: KindString, n: uint64(len(s)), p: unsafe.Pointer(unsafe.StringData(s))}
}

// Bool returns a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBoolean, n: 1}
	}
	return Value{kind: KindBoolean}
}

// Int returns an integer value.
func Int(i int64) Value { return Value{kind: KindInteger, n: uint64(i)} }

// Dec returns a decimal value; what JSON can not express (NaN, infinities) is
// no value.
func Dec(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{kind: KindDecimal, n: math.Float64bits(f)}
}

// Obj returns a complex value; an object without fields is no value.
func Obj(o Object) Value {
	if len(o) == 0 {
		return Value{}
	}
	return Value{kind: KindComplex, n: uint64(len(o)), p: unsafe.Pointer(unsafe.SliceData(o))}
}

// List returns the value of a multi-valued attribute. Absent elements are left
// out, and a list without elements is no value. The caller gives vs away.
func List(vs ...Value) Value {
	n := 0
	for i := range vs {
		if vs[i].kind != Absent {
			if n != i {
				vs[n] = vs[i]
			}
			n++
		}
	}
	if n == 0 {
		return Value{}
	}
	return Value{kind: KindList, n: uint64(n), p: unsafe.Pointer(unsafe.SliceData(vs))}
}

// Kind returns what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsAbsent reports whether v holds nothing.
func (v Value) IsAbsent() bool { return v.kind == Absent }

// Text returns the text of a string value, and "" for every other kind.
func (v Value) Text() string {
	if v.kind != KindString {
		return ""
	}
	return unsafe.String((*byte)(v.p), int(v.n))
}

// Bool returns a boolean value, and false for every other kind.
func (v Value) Bool() bool { return v.kind == KindBoolean && v.n != 0 }

// Int returns an integer value, and 0 for every other kind.
func (v Value) Int() int64 {
	if v.kind != KindInteger {
		return 0
	}
	return int64(v.n)
}

// Float returns the number of a decimal or integer value, and 0 for every
// other kind.
func (v Value) Float() float64 {
	switch v.kind {
	case KindDecimal:
		return math.Float64frombits(v.n)
	case KindInteger:
		return float64(int64(v.n))
	default:
		return 0
	}
}

// Items returns the elements of a list; a single value gives itself, and
// Absent gives none. The elements must not be changed.
func (v Value) Items() []Value {
	switch v.kind {
	case Absent:
		return nil
	case KindList:
		if v.series {
			return (*series)(v.p).all(int(v.n))
		}
		return unsafe.Slice((*Value)(v.p), int(v.n))
	default:
		return []Value{v}
	}
}

// Len returns the number of elements that Items gives.
func (v Value) Len() int {
	switch v.kind {
	case Absent:
		return 0
	case KindList:
		return int(v.n)
	default:
		return 1
	}
}

// Object returns the fields of a complex value, and none for every other kind.
func (v Value) Object() Object {
	if v.kind != KindComplex {
		return nil
	}
	return unsafe.Slice((*Field)(v.p), int(v.n))
}

// String returns v as JSON, for messages and tests.
func (v Value) String() string {
	switch v.kind {
	case Absent:
		return "null"
	case KindInteger:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return string(appendValue(nil, v))
	}
}
