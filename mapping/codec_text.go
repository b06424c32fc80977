package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"postern/connectors"
	"postern/scim"
)

// text is the codec of strings: the same characters on both sides. Bytes that
// are not UTF-8 are hidden, since JSON can not carry them.
type text struct{}

func (text) decode(v connectors.Value) (scim.Value, bool) {
	return scim.Str(string(v)), utf8.ValidString(string(v))
}

func (text) encode(v scim.Value) (connectors.Value, error) {
	return connectors.Value(v.Text()), nil
}

// total relies on the syntaxes of these rules being UTF-8 (RFC 4517 §3.3).
func (text) total(m connectors.Matching) bool {
	switch m.Rule {
	case connectors.RuleExact, connectors.RuleIgnoreCase, connectors.RuleInteger, connectors.RuleBoolean, connectors.RuleTime:
		return true
	default:
		return false
	}
}

func (text) lower(q question) answer {
	if q.leaf.Type == scim.DateTime || q.leaf.Type == scim.Binary {
		return unknown // compared as instants and bytes, not as the text that is stored
	}
	v := q.value.Text()
	usable, exact := q.agreesOnLetters(v)
	if !usable {
		return unknown
	}
	exact = exact && q.m.spaces(q.leaf, q.lowering.matching) == insignificant(q.matching)
	switch q.op {
	case scim.Eq:
		return q.equal(connectors.Value(v), exact)
	case scim.Co:
		return q.substring(connectors.Substring{Any: []connectors.Value{connectors.Value(v)}}, v, exact)
	case scim.Sw:
		return q.substring(connectors.Substring{Initial: connectors.Value(v)}, v, exact)
	case scim.Ew:
		return q.substring(connectors.Substring{Final: connectors.Value(v)}, v, exact)
	default:
		return unknown // collations differ
	}
}

// agrees says whether the backend finds every value that SCIM finds equal to v
// (usable), and no other (exact).
func (q question) agrees(v string) (usable, exact bool) {
	usable, exact = q.agreesOnLetters(v)
	return usable, exact && !wide(q.matching) && insignificant(q.matching) == scim.AllSpaces
}

// wide reports whether a rule finds values equal that differ in more than case.
func wide(m connectors.Matching) bool { return m.Squeezes || m.Loose || m.Composes }

// agreesOnLetters is agrees but for spaces. Whatever the rule, values that are
// byte for byte alike are equal by it (RFC 4517 §4.1), if it is asked at all: a value
// that is not of the attribute's syntax makes a condition Undefined.
func (q question) agreesOnLetters(v string) (usable, exact bool) {
	if !q.matching.Alphabet.Holds(connectors.Value(v)) {
		return false, false
	}
	caseless := !hasCase(v)
	exact = !q.matching.Loose && !q.matching.Composes
	switch q.matching.Rule {
	case connectors.RuleExact, connectors.RuleOctets:
		usable = q.leaf.CaseExact || caseless
		return usable, usable && exact
	case connectors.RuleIgnoreCase:
		return true, exact && isASCII(v) && (!q.leaf.CaseExact || caseless)
	case connectors.RulePhone, connectors.RuleNumeric:
		usable = (q.leaf.CaseExact || caseless) && strings.Trim(v, " -") != ""
		return usable, usable && exact && caseless
	case connectors.RuleOther:
		return false, false // it may want its questions in a form of their own
	default:
		return q.leaf.CaseExact || caseless, false
	}
}

// substring asks for a part of a value. Where the rule squeezes spaces, servers
// differ in what they make of a part that begins or ends with one (RFC 4518
// §2.6.1), so such a part is not asked for.
func (q question) substring(c connectors.Substring, v string, exact bool) answer {
	if !q.matching.Substring || !q.conds.Has(connectors.CondSubstring) {
		return unknown
	}
	if strings.ContainsFunc(v, isDigraph) {
		return unknown
	}
	if q.matching.Squeezes && (v[0] == ' ' || v[len(v)-1] == ' ' || q.matching.Loose && strings.Contains(v, "  ")) {
		return unknown
	}
	switch q.matching.Rule {
	case connectors.RuleExact, connectors.RuleIgnoreCase, connectors.RuleOctets, connectors.RulePhone, connectors.RuleNumeric:
	default:
		return unknown
	}
	c.Attr = q.attr
	return answer{cond: c, exact: exact, defined: q.known, present: true}
}

// isDigraph reports whether a rune is one of DŽ, LJ, NJ and DZ in one, of which
// 389-DS finds no part, though it finds the whole.
func isDigraph(r rune) bool { return 0x1c4 <= r && r <= 0x1cc || 0x1f1 <= r && r <= 0x1f3 }

// hasCase reports whether some other text differs from s in case alone.
func hasCase(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.SimpleFold(r) != r })
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
