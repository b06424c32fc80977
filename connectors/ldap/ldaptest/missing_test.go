package ldaptest

import (
	"strings"
	"testing"

	"postern/connectors/servertest"
)

func TestMissing(t *testing.T) {
	if got := Missing("novell"); !strings.Contains(got, `"novell"`) {
		t.Errorf("of an unknown kind: %q", got)
	}
	for _, k := range Kinds() {
		if m := Missing(k); m != "" && servertest.Required() {
			t.Errorf("%s: %s", k, m)
		}
		r := k.Requirement()
		if len(r.Programs) == 0 || len(r.Packages) == 0 {
			t.Errorf("nothing is required for %s", k)
		}
	}
}
