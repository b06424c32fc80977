package connectors

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Normal returns the form of a value that all values equal to it share, and
// false if the rule does not admit the value at all (letters in an integer). Equal
// values of Matching.Loose and Matching.Composes may have several forms.
// Under a rule that this package does not know, a value is its own form.
func (m Matching) Normal(v Value) (Value, bool) {
	switch m.Rule {
	case RuleExact, RuleIgnoreCase, RulePhone, RuleNumeric:
		return Value(m.prepare(string(v))), true
	case RuleInteger:
		return normalInteger(v)
	case RuleBoolean:
		b := Value(strings.ToUpper(string(v)))
		return b, b == "TRUE" || b == "FALSE"
	case RuleTime:
		return normalTime(v)
	case RuleUnknown, RuleOctets, RuleReference, RuleOther:
	}
	return v, true
}

// Equal compares two values by the equality rule.
func (m Matching) Equal(a, b Value) Truth {
	x, ok := m.Normal(a)
	y, ok2 := m.Normal(b)
	switch {
	case !ok || !ok2:
		return Undefined
	case x == y:
		return True
	}
	switch m.Rule {
	case RuleUnknown, RuleReference, RuleOther:
		return Undefined
	case RulePhone:
		if strings.EqualFold(string(x), string(y)) {
			return Undefined // 389-DS ignores case there as RFC 4517 §4.2.29 wants, OpenLDAP does not
		}
	case RuleExact, RuleIgnoreCase, RuleInteger, RuleBoolean, RuleTime, RuleOctets, RuleNumeric:
	}
	return False
}

// Holds reports whether a value is made of the alphabet.
func (a Alphabet) Holds(v Value) bool {
	switch a {
	case ASCII:
		return !strings.ContainsFunc(string(v), func(r rune) bool { return r > unicode.MaxASCII })
	case Printable:
		return v != "" && !strings.ContainsFunc(string(v), func(r rune) bool {
			l := r | 0x20
			return (l < 'a' || l > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("'()+,-./:? =", r)
		})
	case Numeric:
		return v != "" && strings.Trim(string(v), "0123456789 ") == ""
	case AnyText:
	}
	return true
}

// Compare orders two values by the ordering rule. It is false where there is no
// such rule or it does not admit the values.
func (m Matching) Compare(a, b Value) (int, bool) {
	if !m.Ordering {
		return 0, false
	}
	x, ok := m.Normal(a)
	y, ok2 := m.Normal(b)
	if !ok || !ok2 {
		return 0, false
	}
	switch m.Rule {
	case RuleInteger:
		return compareIntegers(string(x), string(y)), true
	case RuleExact, RuleIgnoreCase, RuleTime, RuleOctets, RuleNumeric:
		return strings.Compare(string(x), string(y)), true
	case RuleUnknown, RuleBoolean, RuleReference, RulePhone, RuleOther:
	}
	return 0, false
}

// Like reports whether a value has the parts of s in their order, by the
// substring rule.
func (m Matching) Like(v Value, s Substring) Truth {
	if !m.Substring {
		return Undefined
	}
	switch m.Rule {
	case RuleExact, RuleIgnoreCase, RuleOctets, RulePhone, RuleNumeric:
	case RuleUnknown, RuleInteger, RuleBoolean, RuleTime, RuleReference, RuleOther:
		return Undefined
	}
	rest := m.part(v, whole)
	if s.Initial != "" {
		initial := m.part(s.Initial, first)
		if !strings.HasPrefix(rest, initial) {
			return False
		}
		rest = rest[len(initial):]
	}
	final := ""
	if s.Final != "" {
		final = m.part(s.Final, last)
	}
	for _, a := range s.Any {
		if a == "" {
			continue
		}
		p := m.part(a, middle)
		i := strings.Index(rest, p)
		if i < 0 {
			return False
		}
		rest = rest[i+len(p):]
	}
	return truth(strings.HasSuffix(rest, final))
}

// prepare folds case and squeezes spaces as far as the rule asks for it, and
// takes out what means nothing.
func (m Matching) prepare(s string) string {
	switch m.Rule {
	case RuleIgnoreCase:
		s = fold(s)
	case RulePhone:
		return strings.NewReplacer(" ", "", "-", "").Replace(s)
	case RuleNumeric:
		return strings.ReplaceAll(s, " ", "")
	default:
	}
	if m.Squeezes {
		s = squeeze(s)
	}
	return s
}

// fold maps each letter to the one that stands for all its cases. Bytes that
// are no UTF-8 stay as they are.
func fold(s string) string {
	ascii := true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < utf8.RuneSelf
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(foldRune(r))
		}
		i += n
	}
	return b.String()
}

// foldRune maps a letter to its lower case, if directories agree that it has one:
// those that are tested (OpenLDAP 2.5, 389-DS 2.3, Samba 4.17) fold the Latin, Greek,
// Cyrillic and Armenian letters of old alike, and differ on all others. What is found
// must not depend on who compares, so others are letters of their own: ß and ẞ, the
// long s, ς at the end of a word, the sign for kelvin.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r | 0x20
		}
		return r
	case !unicode.Is(folded, r):
		return r
	}
	if l := unicode.ToLower(r); unicode.Is(folded, l) && unicode.ToUpper(l) == r {
		return l
	}
	return r
}

// folded has the letters whose case means nothing, beyond ASCII, with some that have none.
var folded = &unicode.RangeTable{LatinOffset: 2, R16: []unicode.Range16{
	{Lo: 0xc0, Hi: 0xde, Stride: 1}, {Lo: 0xe0, Hi: 0xff, Stride: 1},
	{Lo: 0x100, Hi: 0x17e, Stride: 1},
	{Lo: 0x386, Hi: 0x3ce, Stride: 1},
	{Lo: 0x401, Hi: 0x40c, Stride: 1}, {Lo: 0x40e, Hi: 0x44f, Stride: 1}, {Lo: 0x451, Hi: 0x45c, Stride: 1}, {Lo: 0x45e, Hi: 0x45f, Stride: 1},
	{Lo: 0x531, Hi: 0x556, Stride: 1}, {Lo: 0x561, Hi: 0x586, Stride: 1},
	{Lo: 0x1e00, Hi: 0x1e95, Stride: 1}, {Lo: 0x1ea0, Hi: 0x1ef9, Stride: 1},
}}

// squeeze removes leading and trailing spaces and makes every other run of them
// one. A value of nothing but spaces is one space. Other blanks are letters like
// any: no directory does with them what RFC 4518 §2.2 says.
func squeeze(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c != ' ' || i > 0 && i < len(s)-1 && s[i+1] != ' '
	}
	if plain {
		return s
	}
	t := strings.Join(strings.FieldsFunc(s, isSpace), " ")
	if t == "" && s != "" {
		return " "
	}
	return t
}

func isSpace(r rune) bool { return r == ' ' }

// A place is where a part stands in a substring assertion.
type place uint8

const (
	whole place = iota // the value itself
	first
	middle
	last
)

// part prepares one part of a substring assertion, or the value it is held
// against, after RFC 4518 §2.6.1: in between, a run of spaces is two; at an end
// of the value, exactly one; at an end of a part that lies within the value,
// one if there was any.
func (m Matching) part(v Value, at place) string {
	s := string(v)
	switch m.Rule {
	case RuleIgnoreCase:
		s = fold(s)
	case RulePhone, RuleNumeric:
		return m.prepare(s)
	default:
	}
	if !m.Squeezes || m.Rule == RuleOctets {
		return s
	}
	words := strings.FieldsFunc(s, isSpace)
	if len(words) == 0 {
		return " "
	}
	t := strings.Join(words, "  ")
	if at == whole || at == first || s[0] == ' ' {
		t = " " + t
	}
	if at == whole || at == last || s[len(s)-1] == ' ' {
		t += " "
	}
	return t
}

// normalInteger takes away what two spellings of one number may differ in.
// Integers of LDAP are unbounded (RFC 4517 §3.3.16).
func normalInteger(v Value) (Value, bool) {
	digits, negative := strings.CutPrefix(string(v), "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return v, false
	}
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return "0", true
	case negative:
		return Value("-" + digits), true
	}
	return Value(digits), true
}

// compareIntegers orders two numbers in their normal form.
func compareIntegers(a, b string) int {
	x, xNegative := strings.CutPrefix(a, "-")
	y, yNegative := strings.CutPrefix(b, "-")
	if xNegative != yNegative {
		if xNegative {
			return -1
		}
		return 1
	}
	n := len(x) - len(y)
	if n == 0 {
		n = strings.Compare(x, y)
	}
	if xNegative {
		n = -n
	}
	return n
}

// normalTime reads a generalizedTime (RFC 4517 §3.3.13: minutes, seconds and a
// fraction of the last part given are optional, the zone is not) and writes the
// instant in one form whose order is that of time.
func normalTime(v Value) (Value, bool) {
	i := strings.IndexFunc(string(v), func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		return v, false
	}
	digits, rest := string(v[:i]), string(v[i:])
	layout, unit := "2006010215", time.Hour
	switch len(digits) {
	case 10:
	case 12:
		layout, unit = layout+"04", time.Minute
	case 14:
		layout, unit = layout+"0405", time.Second
	default:
		return v, false
	}
	t, err := time.Parse(layout, digits)
	if err != nil {
		return v, false
	}
	if rest[0] == '.' || rest[0] == ',' {
		n := len(rest) - len(strings.TrimLeft(rest[1:], "0123456789")) - 1
		fraction := rest[1 : 1+n]
		if n == 0 {
			return v, false
		}
		t, rest = t.Add(portion(unit, fraction)), rest[1+n:]
	}
	offset, ok := zone(rest)
	if !ok {
		return v, false
	}
	return Value(t.Add(-offset).UTC().Format("20060102150405.000000000")), true
}

// portion returns a decimal fraction of a unit, to the nanosecond.
func portion(unit time.Duration, fraction string) time.Duration {
	var d time.Duration
	for _, c := range fraction {
		unit /= 10
		d += unit * time.Duration(c-'0')
	}
	return d
}

// zone reads "Z", "+hh" or "+hhmm".
func zone(s string) (time.Duration, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 3 && len(s) != 5 || s[0] != '+' && s[0] != '-' || strings.Trim(s[1:], "0123456789") != "" {
		return 0, false
	}
	hours := time.Duration(s[1]-'0')*10 + time.Duration(s[2]-'0')
	var minutes time.Duration
	if len(s) == 5 {
		minutes = time.Duration(s[3]-'0')*10 + time.Duration(s[4]-'0')
	}
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	d := hours*time.Hour + minutes*time.Minute
	if s[0] == '-' {
		d = -d
	}
	return d, true
}
