package idstore

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
)

// maxKeyText is the longest text that a key holds as it is; the hash of a longer one stands for it. Keys so stay far
// below what any driver can hold, and rows are many to a page.
const maxKeyText = 255

// maxText bounds an anchor's key, an externalId and the name of an intent, in bytes: more is a mistake or an attack.
const maxText = 1 << 16

// appendOrdered appends n so that the bytes sort as the numbers do: how many bytes follow, then those, big-endian.
func appendOrdered(b []byte, n uint64) []byte {
	size := (bits.Len64(n) + 7) / 8
	b = append(b, byte(size))
	for shift := (size - 1) * 8; shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// ordered reads the whole of b as appendOrdered wrote it.
func ordered(b []byte) (uint64, bool) {
	if len(b) == 0 || int(b[0]) != len(b)-1 || len(b) > 9 {
		return 0, false
	}
	var n uint64
	for _, c := range b[1:] {
		n = n<<8 | uint64(c)
	}
	return n, true
}

// appendKeyText appends s, or its hash where it is long.
func appendKeyText(b []byte, s string) []byte {
	if len(s) <= maxKeyText {
		return appendText(b, s)
	}
	sum := sha256.Sum256([]byte(s))
	return append(append(b, formHash), sum[:]...)
}

func appendEntityKey(b []byte, e EntityID) []byte {
	return appendOrdered(b, uint64(e))
}

// marker is the value of a row that says everything in its key.
var marker = []byte{1}

func checkText(what, s string) error {
	if len(s) > maxText {
		return fmt.Errorf("%s of %d bytes, the limit is %d: %w", what, len(s), maxText, ErrInvalid)
	}
	return nil
}

// check tells whether a store can hold the anchor.
func (a Anchor) check() error {
	if a.Backend == "" || a.Key == "" {
		return fmt.Errorf("an anchor needs a backend and a key: %w", ErrInvalid)
	}
	return checkText("the key of an anchor", a.Key)
}
