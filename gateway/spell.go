package gateway

import (
	"context"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"postern/connectors"
	"postern/idstore"
)

// rawAnchor begins the text of an anchor in hexadecimal.
const rawAnchor = "hex:"

// Spell returns the text of the anchor of an object of a resource type, as
// administrators know it. ok is false where the backend would have to be asked for
// the form and does not answer; then, as for a backend that is not served, it is
// SpellAlone's.
func (g *Gateway) Spell(ctx context.Context, kind string, a idstore.Anchor) (text string, ok bool) {
	if t, served := g.targets[kind]; served && t.Backend == a.Backend {
		if s, speller := connectors.As[connectors.Speller](t.Connector); speller {
			if text, ok := s.Spell(ctx, connectors.Anchor(a.Key)); ok {
				return text, true
			}
			return SpellAlone(a), false
		}
	}
	return SpellAlone(a), true
}

// SpellAlone returns an anchor as printable text, as it stands or in hexadecimal
// digits, without asking a backend. Unspell reads that too.
func SpellAlone(a idstore.Anchor) string {
	if utf8.ValidString(a.Key) && strings.IndexFunc(a.Key, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 && !strings.HasPrefix(a.Key, rawAnchor) {
		return a.Key
	}
	return rawAnchor + hex.EncodeToString([]byte(a.Key))
}

// Unspell returns the anchor in the backend of a resource type that a text stands
// for, or false where it can not be one.
func (g *Gateway) Unspell(ctx context.Context, kind, text string) (idstore.Anchor, bool) {
	t, ok := g.targets[kind]
	if !ok || text == "" {
		return idstore.Anchor{}, false
	}
	if digits, raw := strings.CutPrefix(text, rawAnchor); raw {
		b, err := hex.DecodeString(digits)
		return t.anchor(connectors.Anchor(b)), err == nil && len(b) > 0
	}
	a := connectors.Anchor(text)
	if s, ok := connectors.As[connectors.Speller](t.Connector); ok {
		if a, ok = s.Unspell(ctx, text); !ok {
			return idstore.Anchor{}, false
		}
	}
	return t.anchor(a), true
}
