package ldap

import (
	"fmt"
	"strings"

	"postern/configs"
	"postern/connectors"
)

// container returns the DN of a place in the collection. Its values are escaped as
// those of a DN (RFC 4514 §2.4).
func (c *collection) container(p connectors.Place) (dn, error) {
	name := p.Fill(escapeValue)
	d, err := parseDN(name)
	if err == nil && !within(d.normalize(), c.baseNorm) {
		err = fmt.Errorf("it is not in the base %q", c.Base)
	}
	if err != nil || len(d) == 0 {
		return nil, &connectors.Error{Kind: connectors.Internal, Err: fmt.Errorf("place %q: %w", name, err)}
	}
	return d, nil
}

// specimens are values with every character that means something in a DN, and at
// each end one that means nothing, or is escaped.
var specimens = []string{` #a,b+c="d";<e>\ `, `g,h=i`, `,`}

// parsePlace reads a container of which only the text around its values is known.
// fixed is how many of its RDNs, counted from the end, have none of them. It is false
// where a value could be anything but a part of an RDN's value.
func parsePlace(text []string) (d dn, fixed int, ok bool) {
	for i, specimen := range specimens {
		p := connectors.Place{Text: text}
		for range text[1:] {
			p.Values = append(p.Values, connectors.Value(specimen))
		}
		one, err := parseDN(p.Fill(escapeValue))
		if err != nil || len(one) == 0 || i > 0 && len(one) != len(d) {
			return nil, 0, false
		}
		found := 0
		fixed = len(one)
		for at, r := range one {
			for _, a := range r {
				if n := strings.Count(a.value, specimen); n > 0 {
					found, fixed = found+n, len(one)-at-1
				}
			}
		}
		if d = one; found < len(text)-1 {
			return nil, 0, false
		}
	}
	return d, fixed, true
}

// Above returns the DN of a container, given as for CheckPlace, or where it has
// values, of the container that holds all that it can be. It is empty for what
// CheckPlace finds wrong.
func Above(text []string) string {
	d, fixed, ok := parsePlace(text)
	if !ok {
		return ""
	}
	return d[len(d)-fixed:].String()
}

// CheckPlace finds what is wrong with a place below a base, as far as that needs no
// directory: text stands before each value, and after the last.
func CheckPlace(at configs.At[string], text []string, base string, ps *configs.Problems) {
	from, sound := normalizeDN(base)
	d, _, ok := parsePlace(text)
	switch {
	case strings.Trim(at.Value, " ") == "": // that is told
	case !ok && len(text) > 1:
		ps.Add(at.Problem("is not a distinguished name (RFC 4514) whose values in braces are the value of an RDN, or a part of it").WithHint("as in OU={department},%s", base))
	case !ok:
		ps.Add(at.Problem("is not a distinguished name (RFC 4514)").WithHint("as in OU=Sales,%s", base))
	case sound && !within(d.normalize(), from):
		ps.Add(at.Problem("%q does not lie in the base %q", at.Value, base).WithHint("what lies elsewhere is not in the collection; choose a base that is above all places"))
	}
}
