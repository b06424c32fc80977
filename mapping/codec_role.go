package mapping

import (
	"slices"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// roleLock is the switch of 389-DS where an account is off by a role, of which
// the server makes a nsAccountLock that no one has written: nsRoleDN names the
// role. Other roles stay.
type roleLock struct {
	ordinary
	role string // a DN
}

// is compares DNs as far as two ways of writing one differ in practice: case, and
// spaces about the commas.
func (s roleLock) is(v connectors.Value) bool {
	return strings.EqualFold(tidyDN(string(v)), tidyDN(s.role))
}

func tidyDN(dn string) string {
	parts := strings.Split(dn, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ",")
}

func (s roleLock) read(values []connectors.Value) scim.Value {
	return scim.Bool(!slices.ContainsFunc(values, s.is))
}

func (s roleLock) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	if on {
		return slices.DeleteFunc(slices.Clone(values), s.is), nil
	}
	if slices.ContainsFunc(values, s.is) {
		return values, nil
	}
	return append(slices.Clone(values), connectors.Value(s.role)), nil
}

func (s roleLock) lower(q question, on bool) answer {
	off := q.equal(connectors.Value(s.role), q.matching.Rule == connectors.RuleReference)
	if on {
		return q.not(off)
	}
	return off
}
