package idstore

import (
	"fmt"
	"testing"
)

func TestReword(t *testing.T) {
	bytes, text := Anchor{Backend: `a "b"`, Key: "\xff\x01"}, Anchor{Backend: "c", Key: "ff01"}
	sentence := fmt.Sprintf("the link to %s went, the link to %s came: changed since", bytes.words(), text.words())
	var asked []Anchor
	got := Reword(sentence, func(a Anchor) (string, bool) {
		asked = append(asked, a)
		return "two-bytes", true
	})
	want := `the link to two-bytes of backend "a \"b\"" went, the link to "ff01" of backend "c" came: changed since`
	if got != want || len(asked) != 1 || asked[0] != bytes {
		t.Errorf("%s\nwant %s\nasked for %q", got, want, asked)
	}
	if got := Reword(sentence, func(Anchor) (string, bool) { return "", false }); got != sentence {
		t.Errorf("what can not be spelled became %s", got)
	}
}
