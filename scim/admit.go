package scim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Admits refuses a value of a closed attribute that is not one of its canonical
// ones, compared by its caseExact. RFC 7643 §7 calls canonical values suggested:
// those of the standard schemas are, and those of a schema that is declared to be
// closed are all that there are.
func (a *Attribute) Admits(text string) error {
	if !a.Closed || text == "" || slices.ContainsFunc(a.Canonical, func(c string) bool { return c == text || !a.CaseExact && strings.EqualFold(c, text) }) {
		return nil
	}
	known := make([]string, len(a.Canonical))
	for i, c := range a.Canonical {
		known[i] = strconv.Quote(c)
	}
	return InvalidValue("attribute %q takes %s, not %.100q", a, strings.Join(known, ", "), text)
}

// isURIReference reports whether s is a URI or a relative reference (RFC 3986
// §4.1): what RFC 7643 §2.3.7 wants a reference to be.
func isURIReference(s string) bool {
	brackets := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		case c == '[' || c == ']':
			brackets++
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', strings.IndexByte("-._~:/?#@!$&'()*+,;=", c) >= 0:
		default:
			return false
		}
	}
	u, err := url.Parse(s)
	if err != nil || strings.Contains(u.Fragment, "#") {
		return false
	}
	return brackets == strings.Count(u.Host, "[")+strings.Count(u.Host, "]") // only an IP literal has them
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}
