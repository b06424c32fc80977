package ldap

import (
	"fmt"
	"strconv"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// The tags of a Filter (RFC 4511 §4.5.1.7).
const (
	filterAnd        = 0xa0
	filterOr         = 0xa1
	filterNot        = 0xa2
	filterEqual      = 0xa3
	filterSubstrings = 0xa4
	filterAtLeast    = 0xa5
	filterAtMost     = 0xa6
	filterPresent    = 0x87
	filterExtensible = 0xa9

	substringInitial = 0x80
	substringAny     = 0x81
	substringFinal   = 0x82

	extensibleRule  = 0x81
	extensibleType  = 0x82
	extensibleValue = 0x83

	bitAnd = "1.2.840.113556.1.4.803" // [MS-ADTS] §3.1.1.3.4.4.1
)

// compileFilter encodes an administrator's filter (RFC 4515).
func compileFilter(s string) ([]byte, error) {
	if s == "" {
		s = "(objectClass=*)"
	}
	p, err := goldap.CompileFilter(s)
	if err != nil {
		return nil, fmt.Errorf("filter %q: %w", s, err)
	}
	return p.Bytes(), nil
}

// A filterWriter encodes conditions on the entries of one collection.
type filterWriter struct {
	facts  *facts
	anchor anchorField
	// places has every target in the condition that exists.
	places map[connectors.Target]place
	// memberOf is the attribute that also stands for the primary group, or "".
	memberOf connectors.Attr
}

// append encodes a condition. Values are length-prefixed bytes: there is
// nothing to escape, and nothing that could be read as syntax.
func (w *filterWriter) append(b []byte, c connectors.Cond) ([]byte, error) {
	return w.appendCond(b, c, false)
}

// appendCond encodes a condition or its negation. A negation is carried inward
// to the comparisons, which is sound in LDAP's three-valued logic too (RFC 4511
// §4.5.1.7): 389-DS finds nothing for (!(|…)) as a part of another (|…).
func (w *filterWriter) appendCond(b []byte, c connectors.Cond, negated bool) ([]byte, error) {
	if c == nil {
		c = connectors.All{}
	}
	if !w.facts.conds.Has(c.Kind()) {
		return b, unsupported("the directory can not be asked that")
	}
	switch c := c.(type) {
	case connectors.And:
		return w.appendSet(b, c, !negated, negated)
	case connectors.Or:
		return w.appendSet(b, c, negated, negated)
	case connectors.Not:
		return w.appendCond(b, c.Cond, !negated)
	case connectors.AnchorIn:
		parts := make([]connectors.Cond, len(c))
		for i, a := range c {
			parts[i] = anchorIs(a)
		}
		return w.appendSet(b, parts, negated, negated)
	}
	if !negated {
		return w.appendLeaf(b, c)
	}
	b, m := wire.Begin(b, filterNot)
	b, err := w.appendLeaf(b, c)
	return wire.End(b, m), err
}

// anchorIs is one of the anchors of an AnchorIn.
type anchorIs connectors.Anchor

func (anchorIs) Kind() connectors.CondKind { return connectors.CondAnchorIn }
func (a anchorIs) String() string          { return connectors.AnchorIn{connectors.Anchor(a)}.String() }

// appendSet encodes that all parts hold, or that one does.
func (w *filterWriter) appendSet(b []byte, parts []connectors.Cond, all, negated bool) ([]byte, error) {
	if len(parts) == 0 {
		if all {
			return appendEverything(b), nil
		}
		return appendNothing(b), nil
	}
	tag := byte(filterOr)
	if all {
		tag = filterAnd
	}
	b, m := wire.Begin(b, tag)
	for _, p := range parts {
		var err error
		if b, err = w.appendCond(b, p, negated); err != nil {
			return b, err
		}
	}
	return wire.End(b, m), nil
}

// appendLeaf encodes a condition without parts.
func (w *filterWriter) appendLeaf(b []byte, c connectors.Cond) ([]byte, error) {
	switch c := c.(type) {
	case connectors.All:
		return appendEverything(b), nil
	case connectors.Equal:
		return appendItem(b, filterEqual, c.Attr, c.Value), nil
	case connectors.AtLeast:
		return appendItem(b, filterAtLeast, c.Attr, c.Value), nil
	case connectors.AtMost:
		return appendItem(b, filterAtMost, c.Attr, c.Value), nil
	case connectors.Present:
		return appendPresent(b, c.Attr), nil
	case connectors.Substring:
		return appendSubstring(b, c), nil
	case connectors.Bits:
		b, m := wire.Begin(b, filterExtensible)
		b = wire.AppendString(b, extensibleRule, bitAnd)
		b = wire.AppendString(b, extensibleType, c.Attr)
		b = wire.AppendString(b, extensibleValue, strconv.FormatUint(uint64(c.Mask), 10))
		return wire.End(b, m), nil
	case connectors.RefTo:
		p, ok := w.places[c.Target]
		if !ok {
			return appendNothing(b), nil
		}
		rid, known := relativeID(p.sid)
		if w.memberOf == "" || c.Attr != w.memberOf || !known {
			return appendItem(b, filterEqual, c.Attr, connectors.Value(p.dn)), nil
		}
		b, or := wire.Begin(b, filterOr)
		b = appendItem(b, filterEqual, c.Attr, connectors.Value(p.dn))
		return wire.End(appendItem(b, filterEqual, attrPrimaryGroup, rid), or), nil
	case anchorIs:
		return w.anchor.appendIs(b, connectors.Anchor(c)), nil
	default:
		return b, unsupported("the directory can not be asked that")
	}
}

// appendItem encodes a comparison. An entry never has the empty value.
func appendItem(b []byte, tag byte, attr connectors.Attr, value connectors.Value) []byte {
	if value == "" {
		return appendNothing(b)
	}
	b, m := wire.Begin(b, tag)
	b = wire.AppendString(b, wire.TagOctetString, attr)
	b = wire.AppendString(b, wire.TagOctetString, value)
	return wire.End(b, m)
}

func appendPresent(b []byte, attr connectors.Attr) []byte {
	return wire.AppendString(b, filterPresent, attr)
}

// appendEverything encodes a filter that is true for every entry.
func appendEverything(b []byte) []byte { return appendPresent(b, "objectClass") }

// appendNothing encodes a filter that is false for every entry. The empty Or of
// RFC 4526 would be that, but 389-DS refuses it.
func appendNothing(b []byte) []byte {
	b, m := wire.Begin(b, filterNot)
	return wire.End(appendEverything(b), m)
}

func appendSubstring(b []byte, c connectors.Substring) []byte {
	b, m := wire.Begin(b, filterSubstrings)
	b = wire.AppendString(b, wire.TagOctetString, c.Attr)
	b, list := wire.Begin(b, wire.TagSequence)
	if c.Initial != "" {
		b = wire.AppendString(b, substringInitial, c.Initial)
	}
	for _, v := range c.Any {
		if v != "" {
			b = wire.AppendString(b, substringAny, v)
		}
	}
	if c.Final != "" {
		b = wire.AppendString(b, substringFinal, c.Final)
	}
	if len(b) == list { // nothing is asked but that there is a value
		return appendPresent(b[:m-2], c.Attr)
	}
	return wire.End(wire.End(b, list), m)
}

// targets collects the references that a condition names.
func targets(c connectors.Cond, ts []connectors.Target) []connectors.Target {
	switch c := c.(type) {
	case connectors.And:
		for _, p := range c {
			ts = targets(p, ts)
		}
	case connectors.Or:
		for _, p := range c {
			ts = targets(p, ts)
		}
	case connectors.Not:
		ts = targets(c.Cond, ts)
	case connectors.RefTo:
		ts = append(ts, c.Target)
	}
	return ts
}

// An anchorField is a collection's anchor attribute.
type anchorField struct {
	attr connectors.Attr
	form anchorForm
}

// appendIs encodes that an entry has the anchor.
func (f anchorField) appendIs(b []byte, a connectors.Anchor) []byte {
	b, m := wire.Begin(b, filterEqual)
	b = wire.AppendString(b, wire.TagOctetString, f.attr)
	b, v := wire.Begin(b, wire.TagOctetString)
	b, ok := f.form.appendValue(b, a)
	if !ok {
		return appendNothing(b[:m-2])
	}
	return wire.End(wire.End(b, v), m)
}

// appendAny encodes that an entry has one of the anchors.
func (f anchorField) appendAny(b []byte, as []connectors.Anchor) []byte {
	if len(as) == 0 {
		return appendNothing(b)
	}
	b, m := wire.Begin(b, filterOr)
	for _, a := range as {
		b = f.appendIs(b, a)
	}
	return wire.End(b, m)
}
