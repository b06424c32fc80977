package ldaptest

import (
	"strings"
	"testing"
)

func TestInstallOfWhatIsHere(t *testing.T) {
	for _, k := range Kinds() {
		if m := Missing(k); m != "" {
			t.Skip(m)
		}
	}
	var out strings.Builder
	if err := Install(t.Context(), &out); err != nil || out.Len() > 0 {
		t.Errorf("it answered %v and wrote %q, want nothing of either", err, out.String())
	}
}

func TestInstallOfUnknown(t *testing.T) {
	var out strings.Builder
	if err := Install(t.Context(), &out, "novell"); err == nil || out.Len() > 0 {
		t.Errorf("it answered %v and wrote %q, want an error alone", err, out.String())
	}
}
