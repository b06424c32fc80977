package mapping

import (
	"strings"
	"testing"

	"postern/connectors"
	"postern/scim"
)

// TestGenerate makes accounts without a password from the client: each gets one
// of its own that the usual policies take, and is on.
func TestGenerate(t *testing.T) {
	m := lawMapping(t)
	r, err := scim.DecodeResource(m.ResourceType(), []byte(`{"userName":"x","displayName":"x","active":true}`), scim.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[connectors.Value]bool{}
	for range 20 {
		d, err := m.Create(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := d.Field("unicodePwd")
		if len(f.Values) != 1 || seen[f.Values[0]] {
			t.Fatalf("made %q", f.Values)
		}
		seen[f.Values[0]] = true
		text := strings.ReplaceAll(string(f.Values[0]), "\x00", "")
		for _, kind := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "-"} {
			if !strings.ContainsAny(text, kind) || len(text) < 24 {
				t.Errorf("%q has none of %q or is short", text, kind)
			}
		}
		if got := d.Field("uac").Values; len(got) != 1 || got[0] != "512" {
			t.Errorf("userAccountControl is %q", got)
		}
	}
	plan, err := m.PlanReplace(connectors.Entry{Fields: []connectors.Field{{Attr: "uac", Values: []connectors.Value{"512"}}}}, r, nil)
	if err != nil || strings.Contains(plan.String(), "unicodePwd") {
		t.Errorf("a PUT makes a password: %v\n%s", err, plan)
	}
}
