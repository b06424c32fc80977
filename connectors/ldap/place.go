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

// specimen is a value with every character that means something in a DN.
const specimen = ` #a,b+c="d";<e>\ `

// parsePlace reads a container of which only the text around its values is known:
// each of them is the specimen.
func parsePlace(text []string) (dn, error) {
	p := connectors.Place{Text: text}
	for range text[1:] {
		p.Values = append(p.Values, specimen)
	}
	return parseDN(p.Fill(escapeValue))
}

// specimens is how often the specimen is in the values of a DN.
func (d dn) specimens() (n int) {
	for _, r := range d {
		for _, a := range r {
			n += strings.Count(a.value, specimen)
		}
	}
	return n
}

// Above returns the DN of a container, given as for CheckPlace, or where it has
// values, of the container that holds all that it can be. It is empty for what
// CheckPlace finds wrong.
func Above(text []string) string {
	d, err := parsePlace(text)
	if err != nil || d.specimens() != len(text)-1 {
		return ""
	}
	for d.specimens() > 0 {
		d = d[1:]
	}
	return d.String()
}

// CheckPlace finds what is wrong with a place below a base, as far as that needs no
// directory: text stands before each value, and after the last.
func CheckPlace(at configs.At[string], text []string, base string, ps *configs.Problems) {
	d, err := parsePlace(text)
	from, sound := normalizeDN(base)
	switch {
	case strings.Trim(strings.Join(text, ""), " ") == "":
		ps.Add(at.Problem("is empty").WithHint("leave it out, and objects lie right in the base"))
	case err != nil || len(d) == 0:
		ps.Add(at.Problem("is not a distinguished name (RFC 4514)").WithHint("as in OU=Sales,%s", base))
	case d.specimens() != len(text)-1:
		ps.Add(at.Problem("what is in braces must be the value of an RDN, or a part of it").WithHint("as in OU={department},%s", base))
	case sound && !within(d.normalize(), from):
		ps.Add(at.Problem("%q does not lie in the base %q", at.Value, base).WithHint("what lies elsewhere is not in the collection; choose a base that is above all places"))
	}
}
