package connectors

import (
	"fmt"
	"strings"
)

// A Cond is a condition on entries, the closed set of what a connector may be
// asked to search by. All values are in the backend's own form. String prints a
// condition for logs and for `explain`; it is not a syntax of any backend.
type Cond interface {
	fmt.Stringer
	Kind() CondKind
}

// A CondKind is one kind of condition, or a set of them.
type CondKind uint32

const (
	CondAll CondKind = 1 << iota
	CondAnd
	CondOr
	CondNot
	CondEqual
	CondPresent
	CondSubstring
	CondAtLeast
	CondAtMost
	CondBits
	CondRefTo
	CondAnchorIn

	// AllConds is every kind there is.
	AllConds = CondAnchorIn<<1 - 1
)

// Has reports whether every kind of k is in the set.
func (s CondKind) Has(k CondKind) bool { return s&k == k }

// All holds for every entry of the collection.
type All struct{}

// And holds where every part holds; with no parts, everywhere.
type And []Cond

// Or holds where some part holds; with no parts, nowhere.
type Or []Cond

// Not holds where its part does not. It may only be asked over attributes that
// the backend knows (Capabilities.Matching) and that it lets us read, because
// LDAP's negation is three-valued (RFC 4511 §4.5.1.7).
type Not struct{ Cond Cond }

// Equal holds where some value of the attribute is equal by its matching rule.
type Equal struct {
	Attr  Attr
	Value Value
}

// Present holds where the attribute has a value.
type Present struct{ Attr Attr }

// Substring holds where some value starts with Initial, has each of Any in that
// order after it, and ends with Final. Empty parts ask for nothing.
type Substring struct {
	Attr    Attr
	Initial Value
	Any     []Value
	Final   Value
}

// AtLeast holds where some value is equal or greater by the ordering rule.
type AtLeast struct {
	Attr  Attr
	Value Value
}

// AtMost holds where some value is equal or less by the ordering rule.
type AtMost struct {
	Attr  Attr
	Value Value
}

// Bits holds where the attribute is an integer with all bits of Mask set.
type Bits struct {
	Attr Attr
	Mask uint32
}

// RefTo holds where the reference attribute names the target.
type RefTo struct {
	Attr   Attr
	Target Target
}

// AnchorIn holds for the entries with these anchors; anchors that name nothing
// in the collection are passed over.
type AnchorIn []Anchor

func (All) Kind() CondKind       { return CondAll }
func (And) Kind() CondKind       { return CondAnd }
func (Or) Kind() CondKind        { return CondOr }
func (Not) Kind() CondKind       { return CondNot }
func (Equal) Kind() CondKind     { return CondEqual }
func (Present) Kind() CondKind   { return CondPresent }
func (Substring) Kind() CondKind { return CondSubstring }
func (AtLeast) Kind() CondKind   { return CondAtLeast }
func (AtMost) Kind() CondKind    { return CondAtMost }
func (Bits) Kind() CondKind      { return CondBits }
func (RefTo) Kind() CondKind     { return CondRefTo }
func (AnchorIn) Kind() CondKind  { return CondAnchorIn }

func (All) String() string       { return "all" }
func (c And) String() string     { return join("and", c) }
func (c Or) String() string      { return join("or", c) }
func (c Not) String() string     { return "(not " + c.Cond.String() + ")" }
func (c Equal) String() string   { return fmt.Sprintf("(%s = %q)", c.Attr, c.Value) }
func (c Present) String() string { return fmt.Sprintf("(%s present)", c.Attr) }
func (c AtLeast) String() string { return fmt.Sprintf("(%s >= %q)", c.Attr, c.Value) }
func (c AtMost) String() string  { return fmt.Sprintf("(%s <= %q)", c.Attr, c.Value) }
func (c Bits) String() string    { return fmt.Sprintf("(%s has bits %#x)", c.Attr, c.Mask) }
func (c Substring) String() string {
	return fmt.Sprintf("(%s like %q %q %q)", c.Attr, c.Initial, c.Any, c.Final)
}
func (c RefTo) String() string {
	return fmt.Sprintf("(%s names %s %x)", c.Attr, c.Target.Collection, string(c.Target.Anchor))
}
func (c AnchorIn) String() string { return fmt.Sprintf("(one of %d anchors)", len(c)) }

func join(op string, cs []Cond) string {
	var b strings.Builder
	b.WriteString("(" + op)
	for _, c := range cs {
		b.WriteString(" " + c.String())
	}
	return b.String() + ")"
}
