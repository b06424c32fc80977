package mapping

import (
	"slices"
	"strings"
	"time"

	"postern/connectors"
	"postern/scim"
)

// dsAccountLock is 389-DS's switch: an account is off while nsAccountLock is
// true. Without the attribute it is on.
type dsAccountLock struct{ ordinary }

func (dsAccountLock) read(values []connectors.Value) scim.Value {
	return scim.Bool(!slices.ContainsFunc(values, isTrue))
}

func isTrue(v connectors.Value) bool { return strings.EqualFold(string(v), "true") }

func (dsAccountLock) write(on bool, _ []connectors.Value) ([]connectors.Value, error) {
	if on {
		return nil, nil
	}
	return []connectors.Value{"true"}, nil
}

// lower relies on the server comparing the attribute without regard to case
// whatever its schema says, as 389-DS does.
func (dsAccountLock) lower(q question, on bool) answer {
	v := connectors.Value("true")
	if q.matching.Rule == connectors.RuleBoolean {
		v = "TRUE"
	}
	off := q.equal(v, true)
	if on {
		return q.not(off)
	}
	return off
}

// ppolicyLocked is the switch of OpenLDAP's password policy: an account is off
// while pwdAccountLockedTime is 000001010000Z, which no time unlocks. Any other
// time is a lock-out after wrong passwords, which does not make it inactive.
type ppolicyLocked struct{ ordinary }

const lockedForever = connectors.Value("000001010000Z")

func (ppolicyLocked) read(values []connectors.Value) scim.Value {
	return scim.Bool(!slices.ContainsFunc(values, isForever))
}

func isForever(v connectors.Value) bool {
	t, ok := parseGeneralizedTime(string(v))
	return ok && t.Equal(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
}

// write leaves a lock-out alone where there is room for one time alone only if
// the account is not made inactive.
func (ppolicyLocked) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	if on {
		return slices.DeleteFunc(slices.Clone(values), isForever), nil
	}
	return []connectors.Value{lockedForever}, nil
}

func (ppolicyLocked) lower(q question, on bool) answer {
	off := q.equal(lockedForever, q.matching.Rule == connectors.RuleTime)
	if on {
		return q.not(off)
	}
	return off
}
