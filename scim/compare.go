package scim

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// Equal reports whether a and b are the same value of attr: strings by its
// caseExact, dateTime by instant, binary without regard to padding, complex
// values by all their sub-attributes, multi-valued ones as sets.
func Equal(attr *Attribute, a, b Value) bool {
	if a.kind == KindList || b.kind == KindList {
		return equalSets(attr, a, b)
	}
	return equalOne(attr, a, b)
}

func equalSets(attr *Attribute, a, b Value) bool {
	as, bs := a.Items(), b.Items()
	if len(as) == len(bs) && slices.EqualFunc(as, bs, func(x, y Value) bool { return equalOne(attr, x, y) }) {
		return true
	}
	keys := make(map[string]bool, len(as))
	for _, v := range as {
		keys[string(appendKey(nil, attr, v))] = false
	}
	for _, v := range bs {
		k := appendKey(nil, attr, v)
		if _, ok := keys[string(k)]; !ok {
			return false
		}
		keys[string(k)] = true
	}
	for _, seen := range keys {
		if !seen {
			return false
		}
	}
	return true
}

func equalOne(attr *Attribute, a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case KindString:
		return compareText(attr, Eq, a.Text(), b.Text())
	case KindComplex:
		return slices.EqualFunc(a.Object(), b.Object(), func(x, y Field) bool {
			return x.Attr == y.Attr && Equal(x.Attr, x.Value, y.Value)
		})
	default:
		return identical(a, b)
	}
}

// identical reports whether a and b are the same to the last character, and in
// the same order: whether writing b over a would change nothing at all.
func identical(a, b Value) bool {
	if a.kind != b.kind || a.n != b.n {
		return false
	}
	if a.p == b.p {
		return true
	}
	switch a.kind {
	case KindString:
		return a.Text() == b.Text()
	case KindComplex:
		return slices.EqualFunc(a.Object(), b.Object(), func(x, y Field) bool {
			return x.Attr == y.Attr && identical(x.Value, y.Value)
		})
	case KindList:
		return slices.EqualFunc(a.Items(), b.Items(), identical)
	default:
		return true
	}
}

// Order compares two single values of attr for sorting (RFC 7644 §3.4.2.3):
// strings by the attribute's caseExact, dateTime by instant, false before true.
// Absent comes last.
func Order(attr *Attribute, a, b Value) int {
	switch {
	case a.kind == Absent || b.kind == Absent:
		return cmp.Compare(absentLast(a), absentLast(b))
	case a.kind == KindString && b.kind == KindString:
		return orderText(attr, a.Text(), b.Text())
	case a.kind == KindInteger && b.kind == KindInteger:
		return cmp.Compare(a.Int(), b.Int())
	case a.kind == KindBoolean && b.kind == KindBoolean:
		return cmp.Compare(a.n, b.n)
	default:
		return cmp.Compare(a.Float(), b.Float())
	}
}

func absentLast(v Value) int {
	if v.kind == Absent {
		return 1
	}
	return 0
}

func orderText(attr *Attribute, a, b string) int {
	if attr.Type == DateTime {
		ta, aok := ParseTime(a)
		tb, bok := ParseTime(b)
		if aok && bok {
			return ta.Compare(tb)
		}
	}
	return strings.Compare(attr.compared(a), attr.compared(b))
}

// compareText evaluates an operator on two strings of attr (RFC 7644 §3.4.2.2).
func compareText(attr *Attribute, op Op, v, want string) bool {
	switch op {
	case Eq:
		switch {
		case v == want:
			return true
		case attr.Type == DateTime:
			return orderText(attr, v, want) == 0
		case attr.Type == Binary:
			return strings.TrimRight(v, "=") == strings.TrimRight(want, "=")
		case !attr.CaseExact && EqualFold(v, want):
			return true
		}
		return attr.preparation != unprepared && !(isASCII(v) && isASCII(want)) && attr.compared(v) == attr.compared(want)
	case Gt:
		return orderText(attr, v, want) > 0
	case Ge:
		return orderText(attr, v, want) >= 0
	case Lt:
		return orderText(attr, v, want) < 0
	case Le:
		return orderText(attr, v, want) <= 0
	}
	v, want = attr.compared(v), attr.compared(want)
	switch op {
	case Co:
		return strings.Contains(v, want)
	case Sw:
		return strings.HasPrefix(v, want)
	case Ew:
		return strings.HasSuffix(v, want)
	default:
		return false
	}
}

// appendKey appends a text that two single values of attr share exactly when
// they are Equal, so that large sets are compared by hashing.
func appendKey(dst []byte, attr *Attribute, v Value) []byte {
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case KindString:
		s := v.Text()
		switch {
		case attr.Type == DateTime:
			if t, ok := ParseTime(s); ok {
				s = t.UTC().Format(time.RFC3339Nano)
			}
		case attr.Type == Binary:
			s = strings.TrimRight(s, "=")
		default:
			s = attr.compared(s)
		}
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		return append(dst, s...)
	case KindComplex:
		o := v.Object()
		dst = binary.AppendUvarint(dst, uint64(len(o)))
		for i := range o {
			dst = binary.AppendUvarint(dst, uint64(o[i].Attr.order))
			dst = appendKey(dst, o[i].Attr, o[i].Value)
		}
		return dst
	case KindList:
		keys := make([]string, 0, v.Len())
		for _, e := range v.Items() {
			keys = append(keys, string(appendKey(nil, attr, e)))
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		dst = binary.AppendUvarint(dst, uint64(len(keys)))
		for _, k := range keys {
			dst = append(dst, k...)
		}
		return dst
	default:
		return binary.BigEndian.AppendUint64(dst, v.n)
	}
}
