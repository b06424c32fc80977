package mapping

import (
	"errors"
	"slices"
	"strconv"

	"postern/connectors"
	"postern/scim"
)

// The lock-outs are what a directory does to an account after wrong passwords.
// It can be ended here and not begun. An account stays locked out in these
// attributes after the time of it is over, until the next sign-in.

var errLockedOut = errors.New("an account is locked out by the directory alone")

// ordinary is what states have in common of which a new entry needs nothing.
type ordinary struct{}

func (ordinary) initial(values []connectors.Value, _ bool) []connectors.Value { return values }

func (ordinary) needsPassword() bool { return false }

// adLockedOut is Active Directory's: lockoutTime is neither missing nor 0.
type adLockedOut struct{ ordinary }

func (adLockedOut) read(values []connectors.Value) scim.Value {
	return scim.Bool(slices.ContainsFunc(values, func(v connectors.Value) bool {
		n, err := strconv.ParseInt(string(v), 10, 64)
		return err == nil && n > 0
	}))
}

func (s adLockedOut) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	switch was := s.read(values).Bool(); {
	case on && !was:
		return nil, errLockedOut
	case was && !on:
		return []connectors.Value{"0"}, nil
	}
	return values, nil
}

func (adLockedOut) unseen() bool { return true }

func (adLockedOut) lower(q question, on bool) answer {
	locked := q.atLeast("1", q.matching.Rule == connectors.RuleInteger)
	if on {
		return locked
	}
	return q.not(locked)
}

// ppolicyLockedOut is OpenLDAP's: pwdAccountLockedTime has a time other than that
// which makes the account inactive (ppolicyLocked).
type ppolicyLockedOut struct{ ordinary }

func (ppolicyLockedOut) read(values []connectors.Value) scim.Value {
	return scim.Bool(slices.ContainsFunc(values, func(v connectors.Value) bool { return !isForever(v) }))
}

func (s ppolicyLockedOut) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	if on && !s.read(values).Bool() {
		return nil, errLockedOut
	}
	return slices.DeleteFunc(slices.Clone(values), func(v connectors.Value) bool { return !on && !isForever(v) }), nil
}

func (ppolicyLockedOut) lower(q question, on bool) answer {
	exact := q.matching.Rule == connectors.RuleTime && q.matching.SingleValue
	locked := q.and(q.isPresent(exact), q.not(q.equal(lockedForever, exact)))
	if !exact {
		locked = locked.inexact()
	}
	if on {
		return locked
	}
	return q.not(locked)
}

// dsLockedOut is 389-DS's: there is an accountUnlockTime.
type dsLockedOut struct{ ordinary }

func (dsLockedOut) read(values []connectors.Value) scim.Value { return scim.Bool(len(values) > 0) }

func (s dsLockedOut) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	if on && len(values) == 0 {
		return nil, errLockedOut
	}
	if on {
		return values, nil
	}
	return nil, nil
}

func (dsLockedOut) lower(q question, on bool) answer {
	if on {
		return q.isPresent(true)
	}
	return q.not(q.isPresent(true))
}
