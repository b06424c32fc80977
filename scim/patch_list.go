package scim

// few bounds how many elements are compared one by one; beyond it they are
// looked up by hash, so that a patch of a large group stays linear.
const few = 8

// applyList applies an operation to a multi-valued attribute as a whole.
func applyList(op *Operation, was Value) (Value, error) {
	switch attr := op.Path.Attr; op.Op {
	case OpAdd:
		return addElements(attr, was, op.Value)
	case OpReplace:
		return replaceElements(attr, was, op.Value)
	case OpRemoveValues:
		return removeElements(attr, was, op.Value), nil
	default:
		return Value{}, nil
	}
}

// replaceElements returns the elements of want. A reference that is there
// already stays as it is, since its value is all that a client says about it;
// and where only the order would change, which means nothing, all stays.
func replaceElements(attr *Attribute, was, want Value) (Value, error) {
	will, err := addElements(attr, Value{}, want)
	if was.IsAbsent() || err != nil {
		return will, err
	}
	have, out := was.Items(), will.Items()
	var seen identities
	if len(have) > few {
		seen = newIdentities(attr, have, len(have))
	}
	same := 0
	for i, v := range out {
		j, known := seen.find(attr, have, v)
		if !known {
			continue
		}
		if attr.reference() {
			out[i] = have[j]
		}
		if identical(out[i], have[j]) {
			same++
		}
	}
	if same == len(have) && same == len(out) {
		return was, nil
	}
	return will, nil
}

// addElements adds to the elements of attr those that are not there yet. One
// that is there but for some sub-attributes gets these (RFC 7643 §2.4 wants no
// value and type twice), save other values of immutable ones; a reference gets
// nothing, since there is nothing to add to it. The last primary one stays the
// only one. The result is a list of its own unless nothing changes.
func addElements(attr *Attribute, was, add Value) (Value, error) {
	have := was.Items()
	out := append(make([]Value, 0, len(have)+add.Len()), have...)
	var seen identities
	if cap(out) > few {
		seen = newIdentities(attr, have, cap(out))
	}
	changed := false
	for _, v := range add.Items() {
		i, known := seen.find(attr, out, v)
		switch {
		case !known:
			seen.note(i)
			out = append(out, v)
		case attr.Type != Complex || attr.reference():
			continue
		default:
			o := out[i].Object()
			for _, f := range v.Object() {
				if !Equal(f.Attr, o.Get(f.Attr), f.Value) {
					o = o.With(f.Attr, f.Value)
				}
			}
			merged := Obj(o)
			if identical(out[i], merged) {
				continue
			}
			if err := checkImmutableSub(out[i].Object(), o); err != nil {
				return Value{}, err
			}
			out[i] = merged
		}
		changed = true
		if primary(attr, v) {
			demote(attr, out, func(j int) bool { return j == i })
		}
	}
	if !changed {
		return was, nil
	}
	return List(out...), nil
}

// identities finds elements by what makes them the same as another. Without a
// table it compares them one by one.
type identities struct {
	table map[string]int
	key   []byte // of what find looked for last
}

func newIdentities(attr *Attribute, have []Value, size int) identities {
	s := identities{table: make(map[string]int, size)}
	for i, e := range have {
		s.key = appendIdentity(s.key[:0], attr, e)
		if _, known := s.table[string(s.key)]; !known {
			s.table[string(s.key)] = i
		}
	}
	return s
}

// find returns where among the elements v is, or where it comes if it is added.
func (s *identities) find(attr *Attribute, elements []Value, v Value) (int, bool) {
	if s.table != nil {
		s.key = appendIdentity(s.key[:0], attr, v)
		i, known := s.table[string(s.key)]
		if !known {
			i = len(elements)
		}
		return i, known
	}
	for i, e := range elements {
		if sameElement(attr, e, v) {
			return i, true
		}
	}
	return len(elements), false
}

// note enters what find did not find as the element at i.
func (s *identities) note(i int) {
	if s.table != nil {
		s.table[string(s.key)] = i
	}
}

// sameElement reports whether two elements have the same identity.
func sameElement(attr *Attribute, a, b Value) bool {
	x, y := a.Object(), b.Object()
	if attr.value == nil || x == nil || y == nil {
		return Equal(attr, a, b)
	}
	v, w := x.Get(attr.value), y.Get(attr.value)
	switch {
	case v.IsAbsent() || w.IsAbsent():
		return Equal(attr, a, b)
	case !Equal(attr.value, v, w):
		return false
	case attr.kind == nil || attr.reference():
		return true
	default:
		return Equal(attr.kind, x.Get(attr.kind), y.Get(attr.kind))
	}
}

// removeElements takes the listed elements out of attr.
func removeElements(attr *Attribute, was, listed Value) Value {
	have := was.Items()
	if listed.Len() > few && (attr.Type != Complex || attr.reference()) {
		return removeByIdentity(attr, have, listed)
	}
	out := make([]Value, 0, len(have))
	for _, e := range have {
		gone := false
		for _, l := range listed.Items() {
			gone = gone || names(attr, l, e)
		}
		if !gone {
			out = append(out, e)
		}
	}
	return List(out...)
}

func removeByIdentity(attr *Attribute, have []Value, listed Value) Value {
	keys := make(map[string]struct{}, listed.Len())
	var buf []byte
	for _, l := range listed.Items() {
		buf = appendIdentity(buf[:0], attr, l)
		keys[string(buf)] = struct{}{}
	}
	out := make([]Value, 0, len(have))
	for _, e := range have {
		buf = appendIdentity(buf[:0], attr, e)
		if _, gone := keys[string(buf)]; !gone {
			out = append(out, e)
		}
	}
	return List(out...)
}

// names reports whether a listed value names the element e: by its value alone
// where it is a reference, by its value, and its type if it has one, where there
// is a value, and else by all that it says.
func names(attr *Attribute, listed, e Value) bool {
	l, o := listed.Object(), e.Object()
	if l == nil || o == nil {
		return Equal(attr, listed, e)
	}
	if attr.value != nil {
		if v := l.Get(attr.value); !v.IsAbsent() {
			if !Equal(attr.value, v, o.Get(attr.value)) {
				return false
			}
			if attr.reference() || attr.kind == nil {
				return true
			}
			kind := l.Get(attr.kind)
			return kind.IsAbsent() || Equal(attr.kind, kind, o.Get(attr.kind))
		}
	}
	for _, f := range l {
		if !Equal(f.Attr, f.Value, o.Get(f.Attr)) {
			return false
		}
	}
	return true
}
