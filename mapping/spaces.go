package mapping

import (
	"slices"

	"postern/connectors"
	"postern/scim"
)

// Evaluation returns how filters on resources of this mapping are evaluated, so that
// they find what a backend with these capabilities would: which spaces mean something
// is a matter of its schema, which case does of the SCIM attribute.
func (m *Mapping) Evaluation(baseURL string, c connectors.Capabilities) scim.Evaluation {
	spaces := make(map[*scim.Attribute]scim.Spaces)
	for _, r := range m.rules {
		if s := m.spaces(r.leaf, c.Matching); s != scim.AllSpaces {
			spaces[r.leaf] = s
		}
	}
	ev := scim.Evaluation{BaseURL: baseURL}
	if len(spaces) > 0 {
		ev.Spaces = func(a *scim.Attribute) scim.Spaces { return spaces[a] }
	}
	return ev
}

// spaces says which spaces mean nothing in the values of a SCIM attribute: those that
// mean nothing in any of the backend attributes that it is mapped to. Text under
// another codec than that of plain text is not the backend's.
func (m *Mapping) spaces(leaf *scim.Attribute, matching map[connectors.Attr]connectors.Matching) scim.Spaces {
	l := lowering{matching: matching}
	var all []scim.Spaces
	for _, r := range m.rules {
		if r.leaf != leaf {
			continue
		}
		if _, plain := r.codec.(text); !plain {
			return scim.AllSpaces
		}
		known, _ := l.match(r.attr)
		if s := insignificant(known); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) != 1 {
		return scim.AllSpaces
	}
	return all[0]
}

// insignificant says which spaces mean nothing to a backend.
func insignificant(m connectors.Matching) scim.Spaces {
	switch m.Rule {
	case connectors.RuleExact, connectors.RuleIgnoreCase:
		if m.Squeezes && !m.Loose {
			return scim.SqueezedSpaces
		}
	case connectors.RuleNumeric:
		return scim.NoSpaces
	case connectors.RulePhone:
		return scim.NoSpacesHyphens
	default:
	}
	return scim.AllSpaces
}
