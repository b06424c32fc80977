package idstore

import (
	"encoding/hex"
	"regexp"
	"strconv"
)

// hexWords is how words names an object whose anchor is no text.
var hexWords = regexp.MustCompile(`\b((?:[0-9a-f]{2})+) of backend ("(?:[^"\\]|\\.)*")`)

// Reword writes the objects that an error of this package names in hexadecimal as spell does, which knows how administrators know
// them; where it returns false they stay as they are.
func Reword(sentence string, spell func(Anchor) (string, bool)) string {
	return hexWords.ReplaceAllStringFunc(sentence, func(words string) string {
		parts := hexWords.FindStringSubmatch(words)
		key, err := hex.DecodeString(parts[1])
		if err != nil {
			return words
		}
		backend, err := strconv.Unquote(parts[2])
		if err != nil {
			return words
		}
		text, ok := spell(Anchor{Backend: backend, Key: string(key)})
		if !ok {
			return words
		}
		return text + " of backend " + parts[2]
	})
}
