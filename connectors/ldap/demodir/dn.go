package demodir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// dn is a distinguished name, in the spelling that is shown and in the form in
// which two equal names are the same string.
type dn struct {
	rdns []rdn
	text string
	norm string
}

// rdn is a relative distinguished name: one or more pairs of type and value,
// sorted by type.
type rdn struct {
	pairs []pair
	text  string
	norm  string
}

type pair struct {
	typ   *attributeType
	value string
	norm  string
}

// parseDN reads a distinguished name in the form of RFC 4514. Like OpenLDAP it
// takes only types that the schema knows, and each type once in an RDN.
func (s *schema) parseDN(text string) (dn, error) {
	if !utf8.ValidString(text) {
		return dn{}, errors.New("invalid DN: not UTF-8") // ParseDN would put other characters in
	}
	parsed, err := ldap.ParseDN(text)
	if err != nil {
		return dn{}, fmt.Errorf("invalid DN: %w", err)
	}
	rdns := make([]rdn, len(parsed.RDNs))
	for i, r := range parsed.RDNs {
		if rdns[i], err = s.newRDN(r); err != nil {
			return dn{}, err
		}
	}
	return joinDN(rdns), nil
}

func (s *schema) newRDN(parsed *ldap.RelativeDN) (rdn, error) {
	var r rdn
	for _, a := range parsed.Attributes {
		t := s.attribute(a.Type)
		if t == nil {
			return rdn{}, fmt.Errorf("invalid DN: undefined attribute type %q", a.Type)
		}
		if a.Value == "" || t.equality == nil || !t.syntax.valid(a.Value) {
			return rdn{}, fmt.Errorf("invalid DN: value of %q is invalid per syntax", a.Type)
		}
		r.pairs = append(r.pairs, pair{t, a.Value, t.normal(a.Value)})
	}
	slices.SortFunc(r.pairs, func(a, b pair) int { return strings.Compare(a.typ.key, b.typ.key) })
	var text, norm strings.Builder
	for i, p := range r.pairs {
		if i > 0 {
			if p.typ == r.pairs[i-1].typ {
				return rdn{}, fmt.Errorf("invalid DN: %q stands twice in one RDN", p.typ.name())
			}
			text.WriteByte('+')
			norm.WriteByte('+')
		}
		text.WriteString(p.typ.name() + "=")
		writeDNValue(&text, p.value)
		norm.WriteString(p.typ.key + "=")
		writeDNValue(&norm, p.norm)
	}
	r.text, r.norm = text.String(), norm.String()
	return r, nil
}

// joinDN returns the name that these RDNs make.
func joinDN(rdns []rdn) dn {
	texts, norms := make([]string, len(rdns)), make([]string, len(rdns))
	for i, r := range rdns {
		texts[i], norms[i] = r.text, r.norm
	}
	return dn{rdns, strings.Join(texts, ","), strings.Join(norms, ",")}
}

// under returns the name that the RDN has below a parent, in the parent's spelling.
func (r rdn) under(parent dn) dn {
	return joinDN(append([]rdn{r}, parent.rdns...))
}

// parent returns the name above; the name of no RDN has none, and is its own.
func (d dn) parent() dn {
	if len(d.rdns) == 0 {
		return d
	}
	return joinDN(d.rdns[1:])
}

// rdnPairs returns the pairs of the first RDN.
func (d dn) rdnPairs() []pair {
	if len(d.rdns) == 0 {
		return nil
	}
	return d.rdns[0].pairs
}

// isUnder holds where the name is the other or lies below it.
func (d dn) isUnder(other dn) bool {
	above := len(d.rdns) - len(other.rdns)
	if above < 0 {
		return false
	}
	for i, r := range other.rdns {
		if d.rdns[above+i].norm != r.norm {
			return false
		}
	}
	return true
}

// writeDNValue escapes a value as RFC 4514 §2.4 says, in the hexadecimal form
// that OpenLDAP prefers; characters beyond ASCII stand for themselves, octets
// that are no characters do not.
func writeDNValue(b *strings.Builder, value string) {
	const hex = "0123456789ABCDEF"
	binary := !utf8.ValidString(value)
	for i := range len(value) {
		c := value[i]
		switch {
		case c == ' ' && i != 0 && i != len(value)-1, c == '#' && i != 0:
			b.WriteByte(c)
		case c <= ' ' || c == 0x7f || binary && c > 0x7f || strings.IndexByte(`"#+,;<=>\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
}
