package mapping

import (
	"testing"
	"unicode"

	"postern/connectors"
	"postern/scim"
)

// Case means the same on both sides.
func TestCaseIsFoldedAlike(t *testing.T) {
	m := connectors.Matching{Rule: connectors.RuleIgnoreCase}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		for f := unicode.SimpleFold(r); f > r; f = unicode.SimpleFold(f) {
			here, there := scim.EqualFold(string(r), string(f)), m.Equal(connectors.Value(r), connectors.Value(f)) == connectors.True
			if here != there {
				t.Fatalf("%U and %U: SCIM %v, connectors %v", r, f, here, there)
			}
		}
	}
}
