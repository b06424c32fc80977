package mapping

import (
	"maps"
	"slices"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// codec finds how values are translated and whether that fits the type.
func (c *compiler) codec(l *line) {
	s := l.spec
	if len(s.Refs) > 0 {
		if s.Codec.Set {
			c.add(s.Codec.Problem("a reference has no codec"))
		}
		for _, ref := range s.Refs {
			if _, ok := c.spec.Resources[ref.Value]; !ok && c.spec.Resources != nil {
				known := slices.Sorted(maps.Keys(c.spec.Resources))
				c.add(ref.Problem("there is no resource %q", ref.Value).Near(ref.Value, known))
			}
		}
		return
	}
	if refersToResources(l.path.Attr) && l.leaf.Name == "value" {
		c.add(wantsRef(s, l.path.Attr))
		return
	}
	l.codecName = s.Codec.Or(plainCodec(l.leaf.Type, l.attr))
	if l.codecName == tableName {
		c.table(l)
		return
	}
	var fits []scim.Type
	switch {
	case l.codecName == suffixName && s.Suffix.Set:
		l.codec, fits = suffix{domain: strings.TrimPrefix(s.Suffix.Value, "@")}, []scim.Type{scim.String}
		if strings.Contains(l.codec.(suffix).domain, "@") {
			c.add(s.Suffix.Problem("%q is not the name of a domain", s.Suffix.Value))
		}
	case l.codecName == roleName && s.Role.Set:
		l.state, fits = roleLock{role: s.Role.Value}, []scim.Type{scim.Boolean}
	default:
		l.codec, l.state, fits = codecNamed(l.codecName)
	}
	switch {
	case fits == nil:
		if s.Codec.Value != "" {
			c.add(s.Codec.Problem("there is no codec %q", l.codecName).Near(l.codecName, codecNames))
		}
	case !slices.Contains(fits, l.leaf.Type):
		c.add(s.Codec.Problem("the codec %s does not fit %s, which is of the type %s", l.codecName, s.Path.Value, typeName(l.leaf.Type)))
	case l.codecName == "proxyAddresses" && (!l.multi || subAttribute(l.path.Attr, "primary") == nil):
		c.add(s.Codec.Problem("the codec %s fits elements of which one is primary", l.codecName).WithHint("as in emails.value"))
	case l.codecName == "proxyAddresses":
		l.primary = true // its values say which is
	case l.state != nil && (l.multi || l.path.Attr.MultiValued):
		c.add(s.Codec.Problem("the codec %s does not fit a multi-valued attribute", l.codecName))
	}
}

// table reads a codec that is a table of values.
func (c *compiler) table(l *line) {
	var t table
	for _, row := range l.spec.Values {
		v, err := typed(l.leaf.Type, row.Scim.Value)
		switch {
		case err != nil:
			c.add(row.Scim.Problem("%v", err))
		case row.Backend.Value == "" || v.IsAbsent():
			c.add(row.Backend.Problem("the empty value stands for nothing"))
		case l.leaf.Admits(v.Text()) != nil:
			c.add(row.Scim.Problem("%s is not among the canonicalValues of %s", v, l.leaf))
		default:
			t = append(t, tableRow{backend: connectors.Value(row.Backend.Value), scim: v})
		}
	}
	if len(l.spec.Values) == 0 {
		c.add(l.spec.Codec.Problem("a table of values needs at least one").WithHint("as in { values: { \"1\": true, \"3\": false } }"))
	}
	l.codec = t
}
