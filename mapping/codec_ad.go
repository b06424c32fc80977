package mapping

import (
	"errors"
	"strconv"
	"unicode/utf16"

	"postern/connectors"
	"postern/scim"
)

// adEnabled is Active Directory's switch: an account is on while the bit
// ACCOUNTDISABLE (2) of userAccountControl is clear. The bit is set and cleared,
// never toggled, and the other bits stay as they are.
type adEnabled struct{}

const (
	accountDisable = 0x2
	normalAccount  = 0x200
)

func (adEnabled) read(values []connectors.Value) scim.Value {
	if len(values) == 0 {
		return scim.Value{}
	}
	bits, ok := controlBits(values)
	if !ok {
		return scim.Value{}
	}
	return scim.Bool(bits&accountDisable == 0)
}

func (adEnabled) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	bits := int64(normalAccount)
	if len(values) > 0 {
		var ok bool
		if bits, ok = controlBits(values); !ok {
			return nil, errors.New("the directory holds no account flags that can be changed")
		}
	}
	if on {
		bits &^= accountDisable
	} else {
		bits |= accountDisable
	}
	return []connectors.Value{connectors.Value(strconv.FormatInt(bits, 10))}, nil
}

func (s adEnabled) initial(secured bool) []connectors.Value {
	values, _ := s.write(secured, nil)
	return values
}

func (adEnabled) needsPassword() bool { return true }

func (adEnabled) lower(q question, on bool) answer {
	rule := q.matching.Rule
	if !q.conds.Has(connectors.CondBits) || rule != connectors.RuleInteger && rule != connectors.RuleExact {
		return unknown
	}
	off := answer{cond: connectors.Bits{Attr: q.attr, Mask: accountDisable}, exact: true, defined: q.known, present: true}
	if !on {
		return off
	}
	return q.and(q.isPresent(true), q.not(off))
}

func controlBits(values []connectors.Value) (int64, bool) {
	bits, err := strconv.ParseInt(string(values[0]), 10, 32)
	return bits, err == nil && len(values) == 1
}

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
