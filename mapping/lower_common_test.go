package mapping

import (
	"testing"

	"postern/connectors"
	"postern/scim"
)

// TestLowerDecides has filters that need not be asked of a backend, or only in a
// part: what another resource type defines has no value here, and what the
// gateway keeps is answered by it.
func TestLowerDecides(t *testing.T) {
	m := lawMapping(t)
	look := Lookup{Anchors: func(c scim.Compare) ([]connectors.Anchor, bool) {
		return []connectors.Anchor{connectors.Anchor(c.Value.Text())}, true
	}}
	for filter, want := range map[string]string{
		`members.value eq "x"`:                      "(or)",
		`members.value ne "x"`:                      "all",
		`members pr`:                                "(or)",
		`not (members pr)`:                          "all",
		`members[value eq "x"]`:                     "(or)",
		`members pr and userName pr`:                "(or)",
		`not (members[value eq "x"])`:               "all",
		`meta.resourceType eq "Group"`:              "(or)",
		`meta pr`:                                   "all",
		`meta.location pr`:                          "all",
		`schemas eq "` + m.rt.Schema.ID + `"`:       "all",
		`schemas eq "urn:x"`:                        "(or)",
		`id eq "1"`:                                 "(one of 1 anchors)",
		`id eq "1" or id eq "2" or id eq "3"`:       "(one of 3 anchors)",
		`externalId eq "1"`:                         "(one of 1 anchors)",
		`meta.location eq "https://a.b/Users/1"`:    "(one of 1 anchors)",
		`members.value eq "x" or not (title pr)`:    "", // as the second alone
		`not (schemas eq "urn:x") or members pr`:    "all",
		`members pr or meta.resourceType eq "x"`:    "(or)",
		`id ne "1" and meta.resourceType eq "x"`:    "(or)",
		`meta.location ne "1" and not (schemas pr)`: "(or)",
	} {
		f, err := scim.Dialect{}.ParseFilter(m.rt, filter, otherType)
		if err != nil {
			t.Fatal(err)
		}
		cond, exact, err := m.Lower(f, connectors.Capabilities{Conds: connectors.AllConds, Matching: lawMatching}, look)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			f, _ := scim.ParseFilter(m.rt, `not (title pr)`)
			alone, _, _ := m.Lower(f, connectors.Capabilities{Conds: connectors.AllConds, Matching: lawMatching}, look)
			want, exact = alone.String(), true
		}
		if cond.String() != want || !exact {
			t.Errorf("%s: %s, exact %v; want %s", filter, cond, exact, want)
		}
	}
}
