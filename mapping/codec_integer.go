package mapping

import (
	"fmt"
	"math"
	"strconv"

	"postern/connectors"
	"postern/scim"
)

// integer is the codec of LDAP's Integer syntax (RFC 4517 §3.3.16), as far as 64
// bits go. Only the canonical form decodes: no plus sign, no leading zero.
type integer struct{}

func (integer) decode(v connectors.Value) (scim.Value, bool) {
	i, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || strconv.FormatInt(i, 10) != string(v) {
		return scim.Value{}, false
	}
	return scim.Int(i), true
}

func (integer) encode(v scim.Value) (connectors.Value, error) {
	if v.Kind() != scim.KindInteger {
		return "", fmt.Errorf("%s is no integer", v)
	}
	return connectors.Value(strconv.FormatInt(v.Int(), 10)), nil
}

func (integer) total(connectors.Matching) bool { return false }

func (c integer) lower(q question) answer {
	if q.value.Kind() != scim.KindInteger {
		return unknown
	}
	n := q.value.Int()
	v, _ := c.encode(q.value)
	if q.op == scim.Eq {
		switch q.matching.Rule {
		case connectors.RuleInteger:
			return q.equal(v, true)
		case connectors.RuleExact, connectors.RuleIgnoreCase, connectors.RuleOctets:
			return q.equal(v, !wide(q.matching))
		default:
			return q.equal(v, false)
		}
	}
	if q.matching.Rule != connectors.RuleInteger {
		return unknown
	}
	switch q.op {
	case scim.Ge:
		return q.atLeast(v, true)
	case scim.Le:
		return q.atMost(v, true)
	case scim.Gt:
		if n == math.MaxInt64 {
			return nowhere
		}
		v, _ = c.encode(scim.Int(n + 1))
		return q.atLeast(v, true)
	case scim.Lt:
		if n == math.MinInt64 {
			return nowhere
		}
		v, _ = c.encode(scim.Int(n - 1))
		return q.atMost(v, true)
	default:
		return unknown
	}
}
