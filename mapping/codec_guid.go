package mapping

import (
	"encoding/hex"
	"fmt"

	"postern/connectors"
	"postern/scim"
)

// objectGUID is the codec of Active Directory's identifiers: 16 bytes of which
// the first three groups are little-endian, against the usual text in lower
// case.
type objectGUID struct{}

// guidBytes gives for each byte of the text which stored byte it is.
var guidBytes = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

func (objectGUID) decode(v connectors.Value) (scim.Value, bool) {
	if len(v) != 16 {
		return scim.Value{}, false
	}
	var ordered [16]byte
	for i, from := range guidBytes {
		ordered[i] = v[from]
	}
	var s [36]byte
	hex.Encode(s[0:8], ordered[0:4])
	hex.Encode(s[9:13], ordered[4:6])
	hex.Encode(s[14:18], ordered[6:8])
	hex.Encode(s[19:23], ordered[8:10])
	hex.Encode(s[24:36], ordered[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return scim.Str(string(s[:])), true
}

func (objectGUID) encode(v scim.Value) (connectors.Value, error) {
	s := v.Text()
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", fmt.Errorf("%s is no GUID", v)
	}
	ordered, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	if err != nil {
		return "", fmt.Errorf("%s is no GUID", v)
	}
	var stored [16]byte
	for i, to := range guidBytes {
		stored[to] = ordered[i]
	}
	return connectors.Value(stored[:]), nil
}

func (objectGUID) total(connectors.Matching) bool { return false }

func (c objectGUID) lower(q question) answer {
	if q.op != scim.Eq {
		return unknown
	}
	v, err := c.encode(q.value)
	if err != nil {
		return nowhere // nothing decodes to this
	}
	canonical, _ := c.decode(v)
	octets := q.matching.Rule == connectors.RuleOctets || q.matching.Rule == connectors.RuleExact
	return q.equal(v, octets && (!q.leaf.CaseExact || same(canonical, q.value)))
}
