package mapping

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// objectSID is the codec of Active Directory's security identifiers ([MS-DTYP]
// §2.4.2): their bytes, against the text that begins with S-1.
type objectSID struct{}

const (
	sidHead     = 8 // bytes: the revision, the count of parts, the authority
	sidParts    = 15
	shortestHex = 1 << 32 // an authority from here on is written in hexadecimal
)

func (objectSID) decode(v connectors.Value) (scim.Value, bool) {
	if len(v) < sidHead || v[0] != 1 || v[1] > sidParts || len(v) != sidHead+4*int(v[1]) {
		return scim.Value{}, false
	}
	var authority [8]byte
	copy(authority[2:], v[2:sidHead])
	b := []byte("S-1-")
	if n := binary.BigEndian.Uint64(authority[:]); n < shortestHex {
		b = strconv.AppendUint(b, n, 10)
	} else {
		b = fmt.Appendf(b, "0x%012X", n)
	}
	for rest := []byte(v[sidHead:]); len(rest) > 0; rest = rest[4:] {
		b = append(b, '-')
		b = strconv.AppendUint(b, uint64(binary.LittleEndian.Uint32(rest)), 10)
	}
	return scim.Str(string(b)), true
}

func (objectSID) encode(v scim.Value) (connectors.Value, error) {
	wrong := fmt.Errorf("%s is no security identifier", v)
	parts := strings.Split(strings.ToUpper(v.Text()), "-")
	if len(parts) < 3 || len(parts) > 3+sidParts || parts[0] != "S" || parts[1] != "1" {
		return "", wrong
	}
	text, base, bits := parts[2], 10, 32
	if hex, ok := strings.CutPrefix(text, "0X"); ok {
		text, base, bits = hex, 16, 48
	}
	authority, err := strconv.ParseUint(text, base, bits)
	if err != nil {
		return "", wrong
	}
	b := binary.BigEndian.AppendUint64(nil, authority)
	b[0], b[1] = 1, byte(len(parts)-3)
	for _, p := range parts[3:] {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return "", wrong
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return connectors.Value(b), nil
}

func (objectSID) total(connectors.Matching) bool { return false }

func (c objectSID) lower(q question) answer {
	if q.op != scim.Eq {
		return unknown
	}
	v, err := c.encode(q.value)
	if err != nil {
		return nowhere // nothing decodes to this
	}
	canonical, _ := c.decode(v)
	octets := q.matching.Rule == connectors.RuleOctets || q.matching.Rule == connectors.RuleExact
	if q.leaf.CaseExact && !same(canonical, q.value) {
		return nowhere
	}
	return q.equal(v, octets)
}
