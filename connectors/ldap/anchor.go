package ldap

import (
	"encoding/hex"
	"strings"

	"postern/connectors"
)

// An anchorForm says how the values of an anchor attribute become anchors. The
// three identifiers that servers make are held as their 16 bytes, so that the
// spelling does not matter: objectGUID is them, entryUUID (RFC 4530) and
// nsUniqueId write them in hexadecimal with dashes. Any other attribute's value
// is the anchor as it stands.
type anchorForm uint8

const (
	anchorText  anchorForm = iota
	anchorBytes            // 16 raw bytes
	anchorUUID             // 8-4-4-4-12 digits
	anchorNS               // 8-8-8-8 digits
)

const anchorSize = 16

func anchorFormOf(attr string) anchorForm {
	switch strings.ToLower(attr) {
	case "objectguid":
		return anchorBytes
	case "entryuuid":
		return anchorUUID
	case "nsuniqueid":
		return anchorNS
	default:
		return anchorText
	}
}

// anchor returns the anchor that a server's value stands for, or false if the
// value is not of the form. It is no part of the message that the value is in.
func (f anchorForm) anchor(value string) (connectors.Anchor, bool) {
	switch f {
	case anchorText:
		return connectors.Anchor(strings.Clone(value)), value != ""
	case anchorBytes:
		return connectors.Anchor(strings.Clone(value)), len(value) == anchorSize
	}
	var b [anchorSize]byte
	n := 0 // digits
	for i := range len(value) {
		if value[i] == '-' {
			continue
		}
		d := unhex(value[i])
		if d < 0 || n == 2*anchorSize {
			return "", false
		}
		b[n/2] = b[n/2]<<4 | byte(d)
		n++
	}
	return connectors.Anchor(b[:]), n == 2*anchorSize
}

// valid reports whether an anchor can be one of this form's.
func (f anchorForm) valid(a connectors.Anchor) bool {
	return len(a) == anchorSize || f == anchorText && a != ""
}

// appendValue appends the value that the server has for an anchor. ok is false
// for an anchor that is not valid.
func (f anchorForm) appendValue(b []byte, a connectors.Anchor) (value []byte, ok bool) {
	if !f.valid(a) {
		return b, false
	}
	if f == anchorText || f == anchorBytes {
		return append(b, a...), true
	}
	const digits = "0123456789abcdef"
	for i := range len(a) {
		dash := i == 4 || i == 6 || i == 8 || i == 10
		if f == anchorNS {
			dash = i == 4 || i == 8 || i == 12
		}
		if dash {
			b = append(b, '-')
		}
		b = append(b, digits[a[i]>>4], digits[a[i]&15])
	}
	return b, true
}

// guidDN returns the form of a DN that names an Active Directory object by its
// GUID, wherever it is ([MS-ADTS] §3.1.1.3.1.2.4).
func guidDN(a connectors.Anchor) string {
	return "<GUID=" + hex.EncodeToString([]byte(a)) + ">"
}

// splitExtendedDN takes an extended DN apart: "<GUID=…>;<SID=…>;CN=…" with the
// GUID's bytes in hexadecimal. guid is "" where the DN is not extended.
func splitExtendedDN(s string) (guid, plain string) {
	for strings.HasPrefix(s, "<") {
		end := strings.Index(s, ">;")
		if end < 0 {
			return guid, ""
		}
		if g, ok := strings.CutPrefix(s[:end], "<GUID="); ok {
			guid = g
		}
		s = s[end+2:]
	}
	return guid, s
}
