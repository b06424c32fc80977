package rest

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"postern/connectors"
)

// A Kind is how an application writes the values of an attribute.
type Kind uint8

const (
	KindText    Kind = iota // a string
	KindInteger             // a number without a fraction
	KindNumber              // any number
	KindBoolean             // true or false
	KindBit                 // 1 or 0
	KindTime                // a string of a layout
)

// An Attribute is what is declared of one pointer. The zero Attribute is one
// string.
type Attribute struct {
	Kind   Kind
	List   bool   // an array of values
	Layout string // of KindTime, as package time writes layouts
	Join   string // what stands between the values of a List that is one string
	// IgnoreCase says that the application compares without regard to case, in
	// what it finds and in what it holds to be unique.
	IgnoreCase bool
	// Removed is what is written for no value: null, unless Empty says "".
	Empty bool
}

// matching is how values are compared, here and by the calls that find.
func (a Attribute) matching() connectors.Matching {
	m := connectors.Matching{Rule: connectors.RuleExact, Ordering: true, Substring: true, SingleValue: !a.List}
	switch a.Kind {
	case KindInteger:
		m.Rule, m.Substring = connectors.RuleInteger, false
	case KindBoolean, KindBit:
		m.Rule, m.Ordering, m.Substring = connectors.RuleBoolean, false, false
	case KindNumber, KindTime:
		m.Ordering, m.Substring = false, false
	case KindText:
		if a.IgnoreCase {
			m.Rule = connectors.RuleIgnoreCase
		}
	}
	return m
}

// values reads what an object holds. Null, "" and what is itself an object are
// no value.
func (a Attribute) values(v any) []connectors.Value {
	if text, ok := v.(string); ok && a.Join != "" {
		var parts []any
		for part := range strings.SplitSeq(text, a.Join) {
			parts = append(parts, part)
		}
		v = parts
	}
	if list, ok := v.([]any); ok {
		var all []connectors.Value
		for _, item := range list {
			if one, ok := a.value(item); ok {
				all = append(all, one)
			}
		}
		return all
	}
	if one, ok := a.value(v); ok {
		return []connectors.Value{one}
	}
	return nil
}

func (a Attribute) value(v any) (connectors.Value, bool) {
	s, ok := scalar(v)
	if !ok || s == "" {
		return "", false
	}
	switch a.Kind {
	case KindBit:
		switch strings.ToLower(s) {
		case "1", "true":
			return "true", true
		case "0", "false":
			return "false", true
		}
	case KindTime:
		if t, err := time.Parse(a.Layout, s); err == nil {
			return connectors.Value(t.UTC().Format(time.RFC3339Nano)), true
		}
	case KindText, KindInteger, KindNumber, KindBoolean:
	}
	return connectors.Value(s), true
}

// scalar is a single value of JSON as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return plainNumber(v.String()), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// plainNumber writes a whole number in digits alone, as 7 for 7.0 and 7e0.
func plainNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") || len(s) > 40 {
		return s
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 4 {
		return s // an exponent that would make a number of thousands of digits
	}
	if r, ok := new(big.Rat).SetString(s); ok && r.IsInt() {
		return r.Num().String()
	}
	return s
}

// write makes what goes into a body.
func (a Attribute) write(name connectors.Attr, vs []connectors.Value) (any, error) {
	if a.List {
		list := make([]any, len(vs))
		for i, v := range vs {
			one, err := a.one(name, v)
			if err != nil {
				return nil, err
			}
			list[i] = one
		}
		if a.Join != "" {
			return a.join(name, list)
		}
		return list, nil
	}
	switch {
	case len(vs) > 1:
		return nil, invalid(name, "can have one value only")
	case len(vs) == 1:
		return a.one(name, vs[0])
	case a.Empty:
		return "", nil
	}
	return nil, nil
}

// join writes a list as one string.
func (a Attribute) join(name connectors.Attr, list []any) (any, error) {
	parts := make([]string, len(list))
	for i, item := range list {
		if parts[i], _ = scalar(item); strings.Contains(parts[i], a.Join) {
			return nil, invalid(name, "has a value that holds what stands between values")
		}
	}
	return strings.Join(parts, a.Join), nil
}

func (a Attribute) one(name connectors.Attr, v connectors.Value) (any, error) {
	s := string(v)
	switch a.Kind {
	case KindText:
		if !utf8.ValidString(s) {
			return nil, invalid(name, "is not text")
		}
		return s, nil
	case KindInteger:
		if n, ok := (connectors.Matching{Rule: connectors.RuleInteger}).Normal(v); ok {
			return json.Number(n), nil
		}
	case KindNumber:
		if json.Valid([]byte(s)) && strings.Trim(s, "0123456789.eE+-") == "" {
			return json.Number(s), nil
		}
	case KindBoolean, KindBit:
		on := strings.EqualFold(s, "true")
		if !on && !strings.EqualFold(s, "false") {
			break
		}
		if a.Kind == KindBoolean {
			return on, nil
		}
		if on {
			return json.Number("1"), nil
		}
		return json.Number("0"), nil
	case KindTime:
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t.UTC().Format(a.Layout), nil
		}
	}
	return nil, invalid(name, "has a value of another syntax")
}

func invalid(a connectors.Attr, reason string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Invalid, Attr: a, Reason: reason}
}
