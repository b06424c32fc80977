package mapping

import (
	"fmt"
	"math"
	"strconv"

	"postern/connectors"
	"postern/scim"
)

// decimal is the codec of numbers, stored in their shortest form. LDAP has no
// syntax for them, so a backend can not compare them.
type decimal struct{}

func (decimal) decode(v connectors.Value) (scim.Value, bool) {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return scim.Value{}, false
	}
	return scim.Dec(f), true
}

func (decimal) encode(v scim.Value) (connectors.Value, error) {
	switch v.Kind() {
	case scim.KindDecimal, scim.KindInteger:
		return connectors.Value(strconv.FormatFloat(v.Float(), 'g', -1, 64)), nil
	}
	return "", fmt.Errorf("%s is no number", v)
}

func (decimal) total(connectors.Matching) bool { return false }

func (decimal) lower(question) answer { return unknown }
