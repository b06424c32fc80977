package connectors

import (
	"slices"
	"strconv"
	"strings"
)

// A Truth is the value of a condition on one entry. LDAP has three of them
// (RFC 4511 §4.5.1.7): a search returns the entries whose condition is True,
// and neither a condition that is Undefined nor its negation is.
type Truth uint8

// The values are ordered, so that And is the least, Or the greatest and Not the
// reflection of what they are made of.
const (
	False Truth = iota
	Undefined
	True
)

func (t Truth) String() string {
	return [...]string{"false", "undefined", "true"}[min(t, True)]
}

// Match evaluates a condition on an entry: the reference that every driver's
// Search is held against. The entry must hold all attributes that the condition
// names. A nil condition is All.
//
// The schema is Capabilities.Matching. With a nil schema every attribute is
// known and compares byte for byte, in order and by parts. With any other, an
// attribute that it lacks is unknown, and what is asked of it Undefined, as is
// what its rules can not answer: an order where there is none, a number that is
// none, the question for a value that is not of the attribute's alphabet, and the inequality of
// values under a rule that this package does not know (RuleOther, RuleReference,
// RuleUnknown). Nothing is True of an attribute that is Unsearchable.
//
// Case is folded where directories agree on it (see foldRune). The normalisation of RFC 4518 §2.3 (composed against
// decomposed letters) is left out: servers differ on it (Matching.Composes).
func Match(c Cond, e Entry, schema map[Attr]Matching) Truth {
	switch c := c.(type) {
	case nil, All:
		return True
	case And:
		t := True
		for _, p := range c {
			if t = min(t, Match(p, e, schema)); t == False {
				break
			}
		}
		return t
	case Or:
		t := False
		for _, p := range c {
			if t = max(t, Match(p, e, schema)); t == True {
				break
			}
		}
		return t
	case Not:
		return True - Match(c.Cond, e, schema)
	case AnchorIn:
		return truth(slices.Contains(c, e.Anchor))
	case Equal:
		return some(c.Attr, e, schema, func(m Matching, v Value) Truth {
			if !m.Alphabet.Holds(c.Value) {
				return Undefined
			}
			return m.Equal(v, c.Value)
		})
	case Present:
		return matchPresent(c, e, schema)
	case RefTo:
		return matchRefTo(c, e, schema)
	case Substring:
		return some(c.Attr, e, schema, func(m Matching, v Value) Truth { return m.Like(v, c) })
	case AtLeast:
		return some(c.Attr, e, schema, func(m Matching, v Value) Truth {
			n, ok := m.Compare(v, c.Value)
			return decided(n >= 0, ok)
		})
	case AtMost:
		return some(c.Attr, e, schema, func(m Matching, v Value) Truth {
			n, ok := m.Compare(v, c.Value)
			return decided(n <= 0, ok)
		})
	case Bits:
		return some(c.Attr, e, schema, func(m Matching, v Value) Truth { return m.bits(v, c.Mask) })
	}
	return Undefined
}

// some returns what holds of some value of the attribute: the greatest truth
// among its values, False if it has none.
func some(a Attr, e Entry, schema map[Attr]Matching, holds func(Matching, Value) Truth) Truth {
	m, known := lookUp(schema, a)
	if !known {
		return Undefined
	}
	t := False
	for _, v := range fieldFold(e, a, schema).Values {
		if t = max(t, holds(m, v)); t == True {
			break
		}
	}
	return t
}

func matchPresent(c Present, e Entry, schema map[Attr]Matching) Truth {
	if _, known := lookUp(schema, c.Attr); !known {
		return Undefined
	}
	return truth(!fieldFold(e, c.Attr, schema).Empty())
}

func matchRefTo(c RefTo, e Entry, schema map[Attr]Matching) Truth {
	if _, known := lookUp(schema, c.Attr); !known {
		return Undefined
	}
	return truth(slices.Contains(fieldFold(e, c.Attr, schema).Refs, c.Target))
}

// fieldFold returns the field of that name. Where there is a schema, names are
// those of LDAP and case does not count in them (RFC 4512 §2.5).
func fieldFold(e Entry, a Attr, schema map[Attr]Matching) Field {
	f := e.Field(a)
	if schema == nil || !f.Empty() {
		return f
	}
	for _, f := range e.Fields {
		if strings.EqualFold(string(f.Attr), string(a)) {
			return f
		}
	}
	return f
}

// lookUp returns the matching of an attribute and whether it is known. Options
// such as ";binary" are no part of the schema (RFC 4512 §2.5.2).
func lookUp(schema map[Attr]Matching, a Attr) (Matching, bool) {
	if schema == nil {
		return Matching{Rule: RuleExact, Ordering: true, Substring: true}, true
	}
	name, _, _ := strings.Cut(strings.ToLower(string(a)), ";")
	m, ok := schema[Attr(name)]
	return m, ok && !m.Unsearchable
}

func (m Matching) bits(v Value, mask uint32) Truth {
	if m.Rule != RuleInteger && m.Rule != RuleExact {
		return Undefined
	}
	// AD's integers are signed and 32 or 64 bits wide; the low 32 are tested.
	n, err := strconv.ParseInt(string(v), 10, 64)
	return decided(uint32(n)&mask == mask, err == nil)
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

func decided(b, ok bool) Truth {
	if !ok {
		return Undefined
	}
	return truth(b)
}

// KindsOf returns every kind of condition that c is made of, so that a driver
// can refuse what it did not declare.
func KindsOf(c Cond) CondKind {
	if c == nil {
		return CondAll
	}
	kinds := c.Kind()
	switch c := c.(type) {
	case And:
		for _, p := range c {
			kinds |= KindsOf(p)
		}
	case Or:
		for _, p := range c {
			kinds |= KindsOf(p)
		}
	case Not:
		kinds |= KindsOf(c.Cond)
	}
	return kinds
}

// AttrsOf returns the attributes that a condition names, each once.
func AttrsOf(c Cond) []Attr { return appendAttrs(nil, c) }

func appendAttrs(to []Attr, c Cond) []Attr {
	one := func(a Attr) []Attr {
		if slices.Contains(to, a) {
			return to
		}
		return append(to, a)
	}
	switch c := c.(type) {
	case And:
		for _, p := range c {
			to = appendAttrs(to, p)
		}
	case Or:
		for _, p := range c {
			to = appendAttrs(to, p)
		}
	case Not:
		to = appendAttrs(to, c.Cond)
	case Equal:
		to = one(c.Attr)
	case Present:
		to = one(c.Attr)
	case Substring:
		to = one(c.Attr)
	case AtLeast:
		to = one(c.Attr)
	case AtMost:
		to = one(c.Attr)
	case Bits:
		to = one(c.Attr)
	case RefTo:
		to = one(c.Attr)
	}
	return to
}
