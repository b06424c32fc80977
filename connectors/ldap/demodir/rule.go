package demodir

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// rule is a matching rule (RFC 4512 §4.1.3). Two values are equal when their
// normal forms are the same string.
type rule struct {
	oid    string
	name   string
	syntax string
	// normal returns the normal form of a whole value or of a piece of a
	// substring assertion, and false where it is none of the rule's syntax.
	normal func(value string, p piece) (string, bool)
	// compare orders normal forms; nil where the rule is none for ordering.
	compare func(a, b string) int
	// bits, in the two rules for integers as sets of bits, compares a value
	// with an assertion; nil elsewhere.
	bits func(value, assertion int64) bool
}

// piece says which part of a value a string is: RFC 4518 §2.6.1 keeps the
// spaces at those ends of a substring that may stand inside the value.
type piece int

const (
	whole piece = iota
	initial
	middle
	final
)

func (s *schema) addRules() {
	dn := func(v string, _ piece) (string, bool) {
		d, err := s.parseDN(v)
		return d.norm, err == nil
	}
	add := func(oid, name, syntaxOID string, normal func(string, piece) (string, bool), compare func(a, b string) int) {
		s.rules = append(s.rules, &rule{oid: oid, name: name, syntax: syntaxOID, normal: normal, compare: compare})
	}
	str, ia5, sub := syntaxArc+"15", syntaxArc+"26", syntaxArc+"58"
	add("2.5.13.0", "objectIdentifierMatch", syntaxArc+"38", s.normalOID, nil)
	add("2.5.13.1", "distinguishedNameMatch", syntaxArc+"12", dn, nil)
	add("2.5.13.2", "caseIgnoreMatch", str, normalFolded, nil)
	add("2.5.13.3", "caseIgnoreOrderingMatch", str, normalFolded, strings.Compare)
	add("2.5.13.4", "caseIgnoreSubstringsMatch", sub, normalFolded, nil)
	add("2.5.13.5", "caseExactMatch", str, normalExact, nil)
	add("2.5.13.6", "caseExactOrderingMatch", str, normalExact, strings.Compare)
	add("2.5.13.7", "caseExactSubstringsMatch", sub, normalExact, nil)
	add("2.5.13.11", "caseIgnoreListMatch", syntaxArc+"41", normalFolded, nil)
	add("2.5.13.12", "caseIgnoreListSubstringsMatch", sub, normalFolded, nil)
	add("2.5.13.13", "booleanMatch", syntaxArc+"7", normalIf(func(v string) bool { return v == "TRUE" || v == "FALSE" }), nil)
	add("2.5.13.14", "integerMatch", syntaxArc+"27", normalIf(isInteger), nil)
	add("2.5.13.15", "integerOrderingMatch", syntaxArc+"27", normalIf(isInteger), compareIntegers)
	add("2.5.13.17", "octetStringMatch", syntaxArc+"40", normalIf(func(string) bool { return true }), nil)
	add("2.5.13.20", "telephoneNumberMatch", syntaxArc+"50", normalPhone, nil)
	add("2.5.13.21", "telephoneNumberSubstringsMatch", sub, normalPhone, nil)
	add("2.5.13.27", "generalizedTimeMatch", syntaxArc+"24", normalTime, nil)
	add("2.5.13.28", "generalizedTimeOrderingMatch", syntaxArc+"24", normalTime, strings.Compare)
	add("1.3.6.1.4.1.1466.109.114.1", "caseExactIA5Match", ia5, ascii(normalExact), nil)
	add("1.3.6.1.4.1.1466.109.114.2", "caseIgnoreIA5Match", ia5, ascii(normalFolded), nil)
	add("1.3.6.1.4.1.1466.109.114.3", "caseIgnoreIA5SubstringsMatch", sub, ascii(normalFolded), nil)
	add("1.3.6.1.1.16.2", "UUIDMatch", "1.3.6.1.1.16.1", normalUUID, nil)
	add("1.3.6.1.1.16.3", "UUIDOrderingMatch", "1.3.6.1.1.16.1", normalUUID, strings.Compare)
	add("1.3.6.1.4.1.4203.666.11.2.2", "CSNMatch", "1.3.6.1.4.1.4203.666.11.2.1", normalIf(isCSN), nil)
	add("1.3.6.1.4.1.4203.666.11.2.3", "CSNOrderingMatch", "1.3.6.1.4.1.4203.666.11.2.1", normalIf(isCSN), strings.Compare)
	s.rules = append(s.rules,
		&rule{oid: "1.2.840.113556.1.4.803", name: "integerBitAndMatch", syntax: syntaxArc + "27", normal: normalIf(isInteger),
			bits: func(value, assertion int64) bool { return value&assertion == assertion }},
		&rule{oid: "1.2.840.113556.1.4.804", name: "integerBitOrMatch", syntax: syntaxArc + "27", normal: normalIf(isInteger),
			bits: func(value, assertion int64) bool { return value&assertion != 0 }})
}

// rule returns a matching rule by its name or object identifier, nil where there is none.
func (s *schema) rule(name string) *rule {
	for _, r := range s.rules {
		if r.oid == name || strings.EqualFold(r.name, name) {
			return r
		}
	}
	return nil
}

func normalIf(valid func(string) bool) func(string, piece) (string, bool) {
	return func(v string, _ piece) (string, bool) { return v, valid(v) }
}

func ascii(normal func(string, piece) (string, bool)) func(string, piece) (string, bool) {
	return func(v string, p piece) (string, bool) {
		if !isASCII(v) {
			return "", false
		}
		return normal(v, p)
	}
}

// normalOID makes the name of an object class and its object identifier one. A
// name that the schema does not know is nothing that could be compared.
func (s *schema) normalOID(v string, _ piece) (string, bool) {
	if class := s.class(v); class != nil {
		return class.key, true
	}
	return v, v != "" && strings.Trim(v, "0123456789.") == ""
}

// normalPhone leaves spaces and hyphens out (RFC 4518 §2.6.3).
func normalPhone(v string, _ piece) (string, bool) {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return -1
		case 'A' <= r && r <= 'Z':
			return r | 0x20
		}
		return r
	}, v), isPrintable(v)
}

func normalTime(v string, _ piece) (string, bool) {
	t, ok := parseTime(v)
	return t.Format("20060102150405.000000000Z"), ok
}

func normalUUID(v string, _ piece) (string, bool) { return strings.ToLower(v), isUUID(v) }

// normalFolded and normalExact prepare a string as RFC 4518 §2 says, with and
// without folding the case.
func normalFolded(v string, p piece) (string, bool) { return prepare(v, p, true) }
func normalExact(v string, p piece) (string, bool)  { return prepare(v, p, false) }

func prepare(v string, p piece, fold bool) (string, bool) {
	if prepared(v, fold) {
		return v, true
	}
	if !utf8.ValidString(v) {
		return "", false
	}
	v = norm.NFKC.String(strings.Map(mapped, v))
	if fold {
		v = norm.NFKC.String(strings.Map(foldRune, v))
	}
	var out strings.Builder
	out.Grow(len(v))
	space := p == whole || p == initial
	for i := range len(v) {
		if v[i] != ' ' || !space {
			out.WriteByte(v[i])
		}
		space = v[i] == ' '
	}
	s := out.String()
	if space && (p == whole || p == final) {
		s = strings.TrimSuffix(s, " ")
	}
	if s == "" {
		return " ", true
	}
	return s, true
}

// foldRune folds one character to one, as OpenLDAP does: all that differ only by
// case become the lower case of the first of them, save two that it leaves alone.
func foldRune(r rune) rune {
	if r == 'ẞ' || r == 'ς' {
		return r
	}
	first := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		first = min(first, next)
	}
	return unicode.ToLower(first)
}

// mapped is the step of RFC 4518 §2.2: what separates is a space, and controls,
// soft hyphens and what has no width are nothing.
func mapped(r rune) rune {
	switch {
	case '\t' <= r && r <= '\r', r == 0x85, r == 0xa0, r == 0x1680, 0x2000 <= r && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return ' '
	case r < ' ', 0x7f <= r && r < 0xa0, r == 0xad, 0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2060 <= r && r <= 0x2063, r == 0xfeff:
		return -1
	}
	return r
}

// prepared holds for the strings, most of them, that are their own normal form.
func prepared(v string, fold bool) bool {
	space := true
	for i := range len(v) {
		c := v[i]
		switch {
		case c < ' ' || c >= 0x7f, fold && 'A' <= c && c <= 'Z', c == ' ' && space:
			return false
		}
		space = c == ' '
	}
	return !space
}

// compareIntegers orders integers of any length by value.
func compareIntegers(a, b string) int {
	negative := strings.HasPrefix(a, "-")
	if negative != strings.HasPrefix(b, "-") {
		if negative {
			return -1
		}
		return 1
	}
	if negative {
		a, b = b, a
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
