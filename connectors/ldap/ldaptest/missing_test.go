package ldaptest

import (
	"slices"
	"strings"
	"testing"
)

func TestAbsent(t *testing.T) {
	r := requirement{programs: []string{"sh", "no-such-program"}, files: []string{"/", "/no/such/file"}}
	if got, want := r.absent(), []string{"no-such-program", "/no/such/file"}; !slices.Equal(got, want) {
		t.Errorf("absent is %q, want %q", got, want)
	}
}

func TestMissing(t *testing.T) {
	if got := Missing("novell"); !strings.Contains(got, `"novell"`) {
		t.Errorf("of an unknown kind: %q", got)
	}
	for _, k := range Kinds() {
		if m := Missing(k); m != "" && Required() {
			t.Errorf("%s: %s", k, m)
		}
		r := k.requirement()
		if len(r.programs) == 0 || len(r.packages) == 0 {
			t.Errorf("nothing is required for %s", k)
		}
	}
}
