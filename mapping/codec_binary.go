package mapping

import (
	"encoding/base64"
	"errors"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// base64Binary is the codec of bytes (RFC 7643 §2.3.6), whose text is in base64
// with padding; on the way in the URL-safe alphabet and missing padding are
// taken too (RFC 4648 §4 and §5).
type base64Binary struct{}

func (base64Binary) decode(v connectors.Value) (scim.Value, bool) {
	return scim.Str(base64.StdEncoding.EncodeToString([]byte(v))), true
}

func (base64Binary) encode(v scim.Value) (connectors.Value, error) {
	s := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(v.Text()), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("the value is not base64")
	}
	return connectors.Value(b), nil
}

func (base64Binary) total(connectors.Matching) bool { return true }

func (c base64Binary) lower(q question) answer {
	v, err := c.encode(q.value)
	if err != nil || q.op != scim.Eq {
		return unknown
	}
	switch q.matching.Rule {
	case connectors.RuleOctets, connectors.RuleExact:
		// Base64 is compared as text in SCIM: exact if it is the text we show,
		// and case matters.
		canonical, _ := c.decode(v)
		if !same(canonical, q.value) {
			return unknown
		}
		if !q.leaf.CaseExact && q.leaf.Type != scim.Binary {
			return unknown
		}
		return q.equal(v, false)
	default:
		return unknown // such as certificateExactMatch, which asks in a form of its own
	}
}
