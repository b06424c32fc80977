package ldap

import (
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
)

// filterNames returns the attributes that an administrator's filter names, each
// once, without those that are written as numbers.
func filterNames(s string) []connectors.Attr {
	if s == "" {
		return nil
	}
	p, err := goldap.CompileFilter(s)
	if err != nil {
		return nil // who opens the collection is told
	}
	var names []connectors.Attr
	var walk func(*ber.Packet)
	walk = func(p *ber.Packet) {
		name := ""
		switch p.Tag {
		case goldap.FilterAnd, goldap.FilterOr, goldap.FilterNot:
			for _, part := range p.Children {
				walk(part)
			}
		case goldap.FilterPresent:
			name = p.Data.String()
		case goldap.FilterExtensibleMatch:
			for _, part := range p.Children {
				if part.Tag == goldap.MatchingRuleAssertionType {
					name = part.Data.String()
				}
			}
		default:
			name = p.Children[0].Data.String()
		}
		if name != "" && strings.Trim(name, "0123456789.") != "" && !slices.Contains(names, connectors.Attr(name)) {
			names = append(names, connectors.Attr(name))
		}
	}
	walk(p)
	return names
}
