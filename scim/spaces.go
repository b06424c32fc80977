package scim

import "strings"

// Spaces says which spaces mean nothing when the values of an attribute are compared.
// RFC 7643 leaves that to the service provider; a directory has a rule for it in its
// schema (RFC 4517 §4.2). A space is U+0020.
type Spaces uint8

const (
	AllSpaces       Spaces = iota // every one means something
	SqueezedSpaces                // none at the ends, and several are as one
	NoSpaces                      // none does
	NoSpacesHyphens               // neither spaces nor hyphens do, as in telephone numbers
)

// Form returns the text that all which are equal to it share, but for case: itself
// where nothing would be left of it.
func (s Spaces) Form(text string) string {
	if s == SqueezedSpaces {
		if trimmed := strings.Trim(text, " "); trimmed != "" {
			text = trimmed
		}
	}
	return s.part(text)
}

// part returns a part of a text in the form that parts of Form have.
func (s Spaces) part(text string) string {
	form := text
	switch s {
	case SqueezedSpaces:
		if !strings.Contains(text, "  ") {
			return text
		}
		var b strings.Builder
		for i := range len(text) {
			if text[i] != ' ' || i == 0 || text[i-1] != ' ' {
				b.WriteByte(text[i])
			}
		}
		return b.String()
	case NoSpaces:
		form = strings.ReplaceAll(text, " ", "")
	case NoSpacesHyphens:
		form = strings.NewReplacer(" ", "", "-", "").Replace(text)
	case AllSpaces:
	}
	if form == "" {
		return text
	}
	return form
}

// compare evaluates an operator on two strings of attr. A part is looked for as it
// is, too: it may be of spaces that mean nothing.
func (s Spaces) compare(attr *Attribute, op Op, v, want string) bool {
	switch op {
	case Co, Sw, Ew:
		return compareText(attr, op, v, want) || compareText(attr, op, s.Form(v), s.part(want))
	default:
		return compareText(attr, op, s.Form(v), s.Form(want))
	}
}
