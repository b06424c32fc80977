package mapping

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/bits"

	"postern/connectors"
)

// A Fingerprint stands for all that the backend holds for a resource: the same
// for the same state, from a read, a list or a write, after a restart and on
// another replica. It is a hash of the stored values, not of the resource.
type Fingerprint struct{ sum [sha256.Size]byte }

// versioned is an attribute that fingerprints cover.
type versioned struct {
	attr connectors.Attr
	slot int
}

// Fingerprint returns the fingerprint of an entry that was read with all of
// Attrs (see Covers). It is over the stored values of the attributes that are
// mapped and can be read, sorted by name, the values of each as a set, and over
// the mapping itself. Left out are attributes that change by themselves
// (meta.lastModified) and those that the backend computes of other objects
// (groups). ok is false when an attribute was read only in part.
func (m *Mapping) Fingerprint(e connectors.Entry) (fp Fingerprint, ok bool) {
	var room [1024]byte
	b := append(room[:0], m.digest[:]...)
	for i := range m.versioned {
		v := &m.versioned[i]
		f := fieldAt(&e, v.attr, v.slot)
		if f == nil || f.Empty() && !f.Partial {
			continue
		}
		if f.Partial {
			return Fingerprint{}, false
		}
		b = appendText(b, string(v.attr))
		b = binary.AppendUvarint(b, uint64(len(f.Values)))
		if len(f.Values) == 1 {
			b = appendText(b, string(f.Values[0]))
		} else if len(f.Values) > 1 {
			var s sum
			var one [256]byte
			for _, value := range f.Values {
				s.add(append(one[:0], value...))
			}
			b = s.appendTo(b)
		}
		b = binary.AppendUvarint(b, uint64(len(f.Refs)))
		if len(f.Refs) > 0 {
			var s sum
			var one [256]byte
			for j := range f.Refs {
				s.add(append(appendText(one[:0], f.Refs[j].Collection), f.Refs[j].Anchor...))
			}
			b = s.appendTo(b)
		}
	}
	return Fingerprint{sum: sha256.Sum256(b)}, true
}

// With returns the fingerprint of the resource with a client's externalId,
// which is not the backend's.
func (f Fingerprint) With(externalID string) Fingerprint {
	var room [256]byte
	return Fingerprint{sum: sha256.Sum256(append(append(room[:0], f.sum[:]...), externalID...))}
}

// String returns the fingerprint cut to 128 bits, as 22 characters that an
// entity tag may hold.
func (f Fingerprint) String() string { return base64.RawURLEncoding.EncodeToString(f.sum[:16]) }

// A sum is the sum of hashes modulo 2²⁵⁶: a hash of a set, whatever the order.
type sum [4]uint64

func (s *sum) add(b []byte) {
	h := sha256.Sum256(b)
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
}

func (s *sum) appendTo(b []byte) []byte {
	for _, word := range s {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Guard returns the condition, of at most the given level, that the entry is
// still what it was when it was read: its stamp, or the values that its
// fingerprint was made of, and which attributes had none.
func (m *Mapping) Guard(level connectors.GuardLevel, e connectors.Entry) connectors.Guard {
	if level >= connectors.GuardEntry {
		if e.Stamp != "" {
			return connectors.Guard{Level: connectors.GuardEntry, Stamp: e.Stamp}
		}
		level = connectors.GuardValues
	}
	g := connectors.Guard{Level: level}
	if level != connectors.GuardTouched { // where there is no guard, a driver compares what it is told
		for i := range m.versioned {
			v := &m.versioned[i]
			if f := fieldAt(&e, v.attr, v.slot); f != nil {
				g.Read = append(g.Read, *f)
			} else {
				g.Read = append(g.Read, connectors.Field{Attr: v.attr})
			}
		}
	}
	return g
}
