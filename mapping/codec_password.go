package mapping

import (
	"unicode/utf16"

	"postern/connectors"
	"postern/scim"
)

// adPassword is the form in which unicodePwd is written: the password in double
// quotes, in UTF-16, little-endian. It is never read.
type adPassword struct{}

func (adPassword) decode(connectors.Value) (scim.Value, bool) { return scim.Value{}, false }

func (adPassword) encode(v scim.Value) (connectors.Value, error) {
	units := utf16.Encode([]rune(`"` + v.Text() + `"`))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = append(b, byte(u), byte(u>>8))
	}
	return connectors.Value(b), nil
}

func (adPassword) total(connectors.Matching) bool { return false }

func (adPassword) lower(question) answer { return unknown }

// mustChange says that the owner must choose another password at the next
// sign-in: pwdLastSet is 0. Written are 0 and -1, of which the directory makes
// the present time ([MS-ADTS] §3.1.1.8.1).
type mustChange struct{ ordinary }

func (mustChange) read(values []connectors.Value) scim.Value {
	return scim.Bool(len(values) == 1 && values[0] == "0")
}

func (s mustChange) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	switch {
	case on:
		return []connectors.Value{"0"}, nil
	case s.read(values).Bool():
		return []connectors.Value{"-1"}, nil
	}
	return values, nil
}

func (mustChange) unseen() bool { return true }

func (mustChange) lower(q question, on bool) answer {
	zero := q.equal("0", q.matching.Rule == connectors.RuleInteger)
	if on {
		return zero
	}
	return q.not(zero)
}
