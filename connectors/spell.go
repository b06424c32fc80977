package connectors

import "context"

// A Speller is a connector whose anchors have a text that administrators know
// them by, such as that of a GUID. The anchors of others are text as they stand.
type Speller interface {
	// Spell returns the text, or false where the form is not known since the
	// backend does not answer.
	Spell(ctx context.Context, a Anchor) (text string, ok bool)
	// Unspell returns the anchor that a text stands for, or false.
	Unspell(ctx context.Context, text string) (a Anchor, ok bool)
}
