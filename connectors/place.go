package connectors

import (
	"errors"
	"strings"
)

// ErrNoContainer is in the chain of the Invalid of a write that would put an object
// where there is no container.
var ErrNoContainer = errors.New("there is no such container")

// A Place is where an object lies among others: a container, in the backend's own
// notation (in LDAP a DN), with values set into it that the driver escapes, so that no
// value can name another container than the text around it means. The zero Place is
// where a driver puts an object of which nothing else is said.
type Place struct {
	// Text stands before each of the values and after the last: there is one more of
	// it than of Values.
	Text   []string
	Values []Value
}

// PlaceOf returns the place that the text alone names.
func PlaceOf(text string) Place { return Place{Text: []string{text}} }

// IsZero reports whether the place says nothing.
func (p Place) IsZero() bool { return len(p.Text) == 0 }

// Fill returns the notation with every value as escape writes it.
func (p Place) Fill(escape func(string) string) string {
	var b strings.Builder
	for i, text := range p.Text {
		b.WriteString(text)
		if i < len(p.Values) {
			b.WriteString(escape(string(p.Values[i])))
		}
	}
	return b.String()
}

// String shows the place to people: nothing is escaped in it.
func (p Place) String() string { return p.Fill(func(s string) string { return s }) }
