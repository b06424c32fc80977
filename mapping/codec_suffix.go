package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"postern/connectors"
	"postern/scim"
)

// suffix is the codec of userPrincipalName in a domain of one's own: what stands
// before its suffix. Names with another suffix are shown and written whole.
type suffix struct{ domain string }

// at returns the suffix as it is written.
func (c suffix) at() string { return "@" + c.domain }

func (c suffix) decode(v connectors.Value) (scim.Value, bool) {
	name, domain, ok := strings.Cut(string(v), "@")
	if !ok || name == "" || !utf8.ValidString(string(v)) {
		return scim.Value{}, false
	}
	if strings.EqualFold(domain, c.domain) {
		return scim.Str(name), true
	}
	return scim.Str(string(v)), true
}

func (c suffix) encode(v scim.Value) (connectors.Value, error) {
	name, _, ok := strings.Cut(v.Text(), "@")
	if name == "" {
		return "", fmt.Errorf("%s has no name before its suffix", v)
	}
	if ok {
		return connectors.Value(v.Text()), nil
	}
	return connectors.Value(name + c.at()), nil
}

func (suffix) total(connectors.Matching) bool { return false }

func (c suffix) lower(q question) answer {
	v := q.value.Text()
	if usable, _ := q.agrees(v); !usable {
		return unknown
	}
	_, domain, ok := strings.Cut(v, "@")
	switch {
	case q.op == scim.Eq && ok && strings.EqualFold(domain, c.domain):
		return nowhere // it would be shown without
	case q.op == scim.Eq:
		b, err := c.encode(q.value)
		if err != nil {
			return nowhere
		}
		usable, exact := q.agrees(string(b))
		if !usable {
			return unknown // the suffix may be in other letters
		}
		return q.equal(b, exact)
	case q.op == scim.Sw:
		return q.substring(connectors.Substring{Initial: connectors.Value(v)}, v, false)
	case q.op == scim.Co:
		return q.substring(connectors.Substring{Any: []connectors.Value{connectors.Value(v)}}, v, false)
	default:
		return unknown
	}
}
