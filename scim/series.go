package scim

import (
	"sync"
	"unsafe"
)

// An Element makes the i-th element of a series: it appends the element's
// sub-attributes to fields, and what text it has to make for that to text, and
// returns both. Values that are cut from text are made by Cut.
type Element func(i int, fields []Field, text []byte) ([]Field, []byte)

// series is a long list whose elements are made when they are asked for, so
// that an answer with very many need not hold them.
type series struct {
	element Element
	once    sync.Once
	items   []Value
}

// Series returns the value of a multi-valued attribute of n complex elements,
// none of them absent, that are made one at a time when they are rendered. To
// everything else it is the same as List of all of them, which are made once
// then. The element function must give the same at each call, and may be called
// from many goroutines.
func Series(n int, element Element) Value {
	if n == 0 {
		return Value{}
	}
	return Value{kind: KindList, series: true, n: uint64(n), p: unsafe.Pointer(&series{element: element})}
}

// all makes the elements, and holds them from then on.
func (s *series) all(n int) []Value {
	s.once.Do(func() {
		s.items = make([]Value, n)
		for i := range s.items {
			fields, _ := s.element(i, nil, nil)
			s.items[i] = Obj(fields)
		}
	})
	return s.items
}

// each makes the elements one after the other. Each is valid until the next is
// made.
func (v Value) each(yield func(Value) bool) {
	if !v.series {
		for _, item := range v.Items() {
			if !yield(item) {
				return
			}
		}
		return
	}
	s := (*series)(v.p)
	var fields []Field
	var text []byte
	for i := range int(v.n) {
		fields, text = s.element(i, fields[:0], text[:0])
		if !yield(Obj(fields)) {
			return
		}
	}
}

// Cut returns the string value of a text that an Element has made: it is valid
// for as long as the text is.
func Cut(text []byte) Value { return Str(unsafe.String(unsafe.SliceData(text), len(text))) }
