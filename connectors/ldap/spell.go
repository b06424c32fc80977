package ldap

import (
	"context"

	"postern/connectors"
)

// Spell implements connectors.Speller: a GUID as Windows writes it, another
// identifier as the directory does.
func (c *collection) Spell(ctx context.Context, a connectors.Anchor) (string, bool) {
	if _, err := c.dir.known(ctx); err != nil {
		return "", false
	}
	form := c.anchor.form
	if form == anchorBytes && form.valid(a) {
		form, a = anchorUUID, swapGUID(a)
	}
	text, ok := form.appendValue(nil, a)
	return string(text), ok
}

// Unspell implements connectors.Speller.
func (c *collection) Unspell(ctx context.Context, text string) (connectors.Anchor, bool) {
	if _, err := c.dir.known(ctx); err != nil {
		return "", false
	}
	if c.anchor.form != anchorBytes {
		return c.anchor.form.anchor(text)
	}
	a, ok := anchorUUID.anchor(text)
	if !ok {
		return "", false
	}
	return swapGUID(a), true
}

// swapGUID turns the bytes of an objectGUID into those in the order in which they
// are written, and back: its first three numbers are little-endian ([MS-DTYP]
// §2.3.4.2).
func swapGUID(a connectors.Anchor) connectors.Anchor {
	b := []byte(a)
	for _, part := range [][]byte{b[0:4], b[4:6], b[6:8]} {
		for i, j := 0, len(part)-1; i < j; i, j = i+1, j-1 {
			part[i], part[j] = part[j], part[i]
		}
	}
	return connectors.Anchor(b)
}
