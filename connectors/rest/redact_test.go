package rest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzUnnumbered holds that JSON says the same without its numbered characters, and
// that no letter of it is written as a number any more.
func FuzzUnnumbered(f *testing.F) {
	for _, s := range []string{`{"a":"\u0041\/\u00e9\ud83d\ude00"}`, `"\\u0041"`, `"\u0022\u005c"`, `"\ud800"`, `"\u001b\u2028"`, `"a\\\/b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || strings.Contains(text, "&#") {
			return
		}
		plain := unnumbered(text)
		if err := json.Unmarshal([]byte(plain), &after); err != nil {
			t.Fatalf("%q becomes %q: %v", text, plain, err)
		}
		b, _ := json.Marshal(before)
		a, _ := json.Marshal(after)
		if !bytes.Equal(a, b) {
			t.Errorf("%q becomes %q", text, plain)
		}
		if strings.Contains(strings.ReplaceAll(plain, `\\`, ""), `\u004`) {
			t.Errorf("%q still has a letter as a number: %q", text, plain)
		}
	})
}
