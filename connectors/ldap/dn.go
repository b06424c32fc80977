package ldap

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

var errDN = errors.New("not a distinguished name")

// A dn is a parsed distinguished name, the most specific RDN first.
type dn []rdn

// An rdn is a relative distinguished name: mostly one attribute and value.
type rdn []ava

// An ava is an attribute type and value. A value in the hexadecimal form (RFC
// 4514 §2.4) is kept as it is written, with raw set.
type ava struct {
	attr, value string
	raw         bool
}

// parseDN reads the string form of RFC 4514 §3. It also takes what older
// programs write (RFC 2253 §4): spaces round separators, semicolons and quotes.
func parseDN(s string) (dn, error) {
	if strings.Trim(s, " ") == "" {
		return nil, nil
	}
	var d dn
	for {
		var r rdn
		for {
			a, rest, err := parseAVA(s)
			if err != nil {
				return nil, err
			}
			r, s = append(r, a), rest
			if s == "" || s[0] != '+' {
				break
			}
			s = s[1:]
		}
		d = append(d, r)
		if s == "" {
			return d, nil
		}
		s = s[1:] // a comma or semicolon
	}
}

// parseAVA reads up to a separator, which stays in rest.
func parseAVA(s string) (a ava, rest string, err error) {
	name, value, ok := strings.Cut(s, "=")
	name = strings.Trim(name, " ")
	if !ok || !isDescriptor(name) {
		return ava{}, "", errDN
	}
	a.attr = name
	value = strings.TrimLeft(value, " ")
	switch {
	case value == "":
		return a, "", nil
	case value[0] == '#':
		end := strings.IndexAny(value, ",;+")
		if end < 0 {
			end = len(value)
		}
		a.value, a.raw, rest = strings.Trim(value[:end], " "), true, value[end:]
		if len(a.value) < 3 || len(a.value)%2 == 0 || strings.Trim(a.value[1:], "0123456789abcdefABCDEF") != "" {
			return ava{}, "", errDN
		}
		return a, rest, nil
	case value[0] == '"':
		a.value, rest, err = parseQuoted(value[1:])
	default:
		a.value, rest, err = parseEscaped(value)
	}
	if err != nil || !utf8.ValidString(a.attr) {
		return ava{}, "", errDN
	}
	return a, rest, nil
}

// parseEscaped reads a value up to an unescaped separator. Trailing spaces that
// are not escaped do not belong to it.
func parseEscaped(s string) (value, rest string, err error) {
	end := strings.IndexAny(s, `\,;+"`)
	if end < 0 {
		return strings.TrimRight(s, " "), "", nil
	}
	if s[end] == ',' || s[end] == '+' || s[end] == ';' {
		return strings.TrimRight(s[:end], " "), s[end:], nil
	}
	var b strings.Builder
	keep := 0 // up to where the value has no removable trailing space
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ',', ';', '+':
			return b.String()[:keep], s[i:], nil
		case '"':
			return "", "", errDN
		case '\\':
			c, n, ok := unescape(s[i+1:])
			if !ok {
				return "", "", errDN
			}
			b.WriteByte(c)
			keep = b.Len()
			i += n
		case ' ':
			b.WriteByte(c)
		default:
			b.WriteByte(c)
			keep = b.Len()
		}
	}
	return b.String()[:keep], "", nil
}

func parseQuoted(s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			rest = strings.TrimLeft(s[i+1:], " ")
			if rest != "" && !strings.ContainsRune(",;+", rune(rest[0])) {
				return "", "", errDN
			}
			return b.String(), rest, nil
		case '\\':
			c, n, ok := unescape(s[i+1:])
			if !ok {
				return "", "", errDN
			}
			b.WriteByte(c)
			i += n
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", errDN
}

// unescape reads what follows a backslash: two hexadecimal digits, or a
// special character.
func unescape(s string) (c byte, n int, ok bool) {
	if s == "" {
		return 0, 0, false
	}
	if len(s) >= 2 {
		hi, lo := unhex(s[0]), unhex(s[1])
		if hi >= 0 && lo >= 0 {
			return byte(hi<<4 | lo), 2, true
		}
	}
	if strings.IndexByte(` "#+,;<=>\`, s[0]) < 0 {
		return 0, 0, false
	}
	return s[0], 1, true
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isDescriptor reports whether s can be an attribute type: a short name or a
// dotted number (RFC 4512 §1.4).
func isDescriptor(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '-' || s[i] == '.') {
			return false
		}
	}
	return true
}

// String returns the DN in the form of RFC 4514.
func (d dn) String() string {
	var b strings.Builder
	for i, r := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, a := range r {
			if j > 0 {
				b.WriteByte('+')
			}
			b.WriteString(a.attr + "=")
			if a.raw {
				b.WriteString(a.value)
			} else {
				b.WriteString(escapeValue(a.value))
			}
		}
	}
	return b.String()
}

// escapeValue escapes a value for a DN (RFC 4514 §2.4). Control characters and
// what is not UTF-8 go as hexadecimal pairs.
func escapeValue(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n == 1, c < ' ', c == 0x7f:
			const hex = "0123456789abcdef"
			b.Write([]byte{'\\', hex[s[i]>>4], hex[s[i]&15]})
		case strings.ContainsRune(`"+,;<>\`, c),
			c == '#' && i == 0,
			c == ' ' && (i == 0 || i == len(s)-1),
			c == '=': // RFC 4514 does not demand it, Samba does
			b.WriteByte('\\')
			b.WriteByte(s[i])
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// normalize returns a form that is equal for DNs which differ in case, in
// spaces and in escaping only: what caseIgnoreMatch sees as one. It is close
// to distinguishedNameMatch, not the same: types are not resolved to OIDs.
func (d dn) normalize() string {
	var b strings.Builder
	for i, r := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		parts := make([]string, len(r))
		for j, a := range r {
			value := strings.ToLower(a.value)
			if !a.raw {
				value = escapeValue(strings.Join(strings.Fields(value), " "))
			}
			parts[j] = strings.ToLower(a.attr) + "=" + value
		}
		slices.Sort(parts)
		b.WriteString(strings.Join(parts, "+"))
	}
	return b.String()
}

// normalizeDN returns the normal form of a DN, or false if it is none.
func normalizeDN(s string) (string, bool) {
	d, err := parseDN(s)
	if err != nil {
		return "", false
	}
	return d.normalize(), true
}

// within reports whether the normal form d is base or below it.
func within(d, base string) bool {
	return base == "" || d == base || len(d) > len(base) && d[len(d)-len(base)-1] == ',' &&
		strings.HasSuffix(d, base) && !escapedAt(d, len(d)-len(base)-1)
}

// escapedAt reports whether the character at i follows an odd number of
// backslashes.
func escapedAt(s string, i int) bool {
	n := 0
	for i > 0 && s[i-1] == '\\' {
		i--
		n++
	}
	return n%2 == 1
}

// commonBase returns the longest DN that all bases are within.
func commonBase(bases []dn) dn {
	if len(bases) == 0 {
		return nil
	}
	common := bases[0]
	for _, b := range bases[1:] {
		n := 0
		for n < len(common) && n < len(b) &&
			(dn{common[len(common)-1-n]}).normalize() == (dn{b[len(b)-1-n]}).normalize() {
			n++
		}
		common = common[len(common)-n:]
	}
	return common
}
