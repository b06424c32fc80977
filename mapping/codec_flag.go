package mapping

import (
	"errors"
	"strconv"

	"postern/connectors"
	"postern/scim"
)

// adFlag is one bit of Active Directory's userAccountControl ([MS-ADTS] §2.2.16).
// The bit is set and cleared, never toggled, and the other bits stay as they
// are. Several rules may have a bit each.
type adFlag struct {
	mask  int64
	clear bool // it says so by being clear
}

const (
	accountDisable      = 0x2
	passwordNotRequired = 0x20
	normalAccount       = 0x200
	passwordNeverEnds   = 0x10000
	smartcardRequired   = 0x40000
	notDelegated        = 0x100000
)

// adEnabled is Active Directory's switch: an account is on while the bit is clear.
var adEnabled = adFlag{mask: accountDisable, clear: true}

func (f adFlag) read(values []connectors.Value) scim.Value {
	if len(values) == 0 {
		return scim.Value{}
	}
	bits, ok := controlBits(values)
	if !ok {
		return scim.Value{}
	}
	return scim.Bool((bits&f.mask != 0) != f.clear)
}

// write begins with an account that is off where there is none yet.
func (f adFlag) write(on bool, values []connectors.Value) ([]connectors.Value, error) {
	bits := int64(normalAccount | accountDisable)
	if len(values) > 0 {
		var ok bool
		if bits, ok = controlBits(values); !ok {
			return nil, errors.New("the directory holds no account flags that can be changed")
		}
	}
	if on != f.clear {
		bits |= f.mask
	} else {
		bits &^= f.mask
	}
	return []connectors.Value{connectors.Value(strconv.FormatInt(bits, 10))}, nil
}

func (f adFlag) initial(values []connectors.Value, secured bool) []connectors.Value {
	if f.needsPassword() {
		values, _ = f.write(secured, values)
	}
	return values
}

func (f adFlag) needsPassword() bool { return f == adEnabled }

func (f adFlag) lower(q question, on bool) answer {
	rule := q.matching.Rule
	if !q.conds.Has(connectors.CondBits) || rule != connectors.RuleInteger && rule != connectors.RuleExact {
		return unknown
	}
	set := answer{cond: connectors.Bits{Attr: q.attr, Mask: uint32(f.mask)}, exact: true, defined: q.known, present: true}
	if on != f.clear {
		return set
	}
	return q.and(q.isPresent(true), q.not(set))
}

// controlBits reads the flags: 32 bits, which the directory writes with a sign.
func controlBits(values []connectors.Value) (int64, bool) {
	bits, err := strconv.ParseInt(string(values[0]), 10, 32)
	return bits, err == nil && len(values) == 1
}
