package mapping

import (
	"strings"
	"testing"

	"postern/scim"

	"pgregory.net/rapid"
)

func TestAccountNameOf(t *testing.T) {
	for s, want := range map[string]string{
		"ann":                         "ann",
		"Ann.Lee@corp.example.com":    "Ann.Lee",
		"twenty.characters.lo@x.org":  "twenty.characters.lo",
		"twenty.characters.lon@x.org": "twenty.characte-" + accountNameOf("twenty.characters.lon@x.org")[16:],
	} {
		if got := accountNameOf(s); got != want {
			t.Errorf("%q becomes %q, want %q", s, got, want)
		}
	}
	// What loses something does not become what another is.
	seen := map[string]string{}
	for _, s := range []string{"ab", "a/b", "a*b", "a b", "a.b", ".ab", "/", "*", "alexander.von.humboldt.1", "alexander.von.humboldt.2"} {
		name := accountNameOf(s)
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q both become %q", other, s, name)
		}
		seen[name] = s
	}
}

// Whatever it is made of, the directory takes the name.
func TestAccountNamesAreTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		name := accountNameOf(s)
		if b, err := (accountName{}).encode(scim.Str(name)); err != nil || string(b) != name || name == "" || strings.Contains(name, " ") {
			t.Fatalf("%q becomes %q: %v", s, name, err)
		}
		if again := accountNameOf(name); again != name {
			t.Fatalf("%q becomes %q, and that %q", s, name, again)
		}
	})
}
