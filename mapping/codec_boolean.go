package mapping

import (
	"strings"

	"postern/connectors"
	"postern/scim"
)

// boolean is the codec of LDAP's Boolean syntax, TRUE and FALSE (RFC 4517
// §3.3.3), read without regard to case; with not set it is the other way round.
type boolean struct{ not bool }

func (b boolean) decode(v connectors.Value) (scim.Value, bool) {
	switch {
	case strings.EqualFold(string(v), "TRUE"):
		return scim.Bool(!b.not), true
	case strings.EqualFold(string(v), "FALSE"):
		return scim.Bool(b.not), true
	}
	return scim.Value{}, false
}

func (b boolean) encode(v scim.Value) (connectors.Value, error) {
	if v.Bool() != b.not {
		return "TRUE", nil
	}
	return "FALSE", nil
}

func (boolean) total(m connectors.Matching) bool { return m.Rule == connectors.RuleBoolean }

func (b boolean) lower(q question) answer {
	if q.op != scim.Eq {
		return unknown
	}
	v, _ := b.encode(q.value)
	switch q.matching.Rule {
	case connectors.RuleBoolean:
		return q.equal(v, true)
	case connectors.RuleIgnoreCase:
		return q.equal(v, !wide(q.matching))
	default:
		return unknown // "true" is stored somewhere
	}
}
