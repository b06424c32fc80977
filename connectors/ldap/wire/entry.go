package wire

import (
	"fmt"
	"iter"
)

// An Entry is a SearchResultEntry, read in place (RFC 4511 §4.5.2). All strings
// it gives are parts of one received message and keep that alive.
type Entry struct {
	DN         string
	attributes string
}

// ParseEntry reads one of Reply.Entries and checks it whole.
func ParseEntry(message string) (Entry, error) {
	r := NewReader(message)
	content := r.Read(opSearchEntry)
	if r.Err() != nil {
		return Entry{}, fmt.Errorf("search result entry: %w", r.Err())
	}
	return parseEntry(content)
}

func parseEntry(content string) (Entry, error) {
	r := NewReader(content)
	e := Entry{DN: r.Read(TagOctetString), attributes: r.Read(TagSequence)}
	err := r.Err()
	if err == nil {
		err = e.check()
	}
	if err != nil {
		return Entry{}, fmt.Errorf("search result entry: %w", err)
	}
	return e, nil
}

// Size is about how many bytes the entry has in its message.
func (e Entry) Size() int { return len(e.DN) + len(e.attributes) }

// check walks every value once, so that nothing read later can be malformed.
func (e Entry) check() error {
	r := NewReader(e.attributes)
	for r.More() {
		attr := r.Sub(TagSequence)
		attr.Read(TagOctetString)
		values := attr.Sub(TagSet)
		for values.More() {
			values.Read(TagOctetString)
		}
		if values.Err() != nil {
			return values.Err()
		}
	}
	return r.Err()
}

// Attributes gives each attribute description with its values.
func (e Entry) Attributes() iter.Seq2[string, Values] {
	return func(yield func(string, Values) bool) {
		r := NewReader(e.attributes)
		for r.More() {
			attr := r.Sub(TagSequence)
			name := attr.Read(TagOctetString)
			if !yield(name, Values(attr.Read(TagSet))) {
				return
			}
		}
	}
}

// Values are the values of one attribute of an entry, encoded.
type Values string

// Len counts the values.
func (v Values) Len() int {
	n := 0
	for range v.All() {
		n++
	}
	return n
}

// First returns the first value, or "".
func (v Values) First() string {
	for s := range v.All() {
		return s
	}
	return ""
}

// All gives the values in the order in which they came.
func (v Values) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		r := NewReader(string(v))
		for r.More() {
			if !yield(r.Read(TagOctetString)) {
				return
			}
		}
	}
}
