package mapping

import (
	"slices"
	"testing"

	"postern/connectors"
	"postern/scim"
)

func TestPathOf(t *testing.T) {
	m := lawMapping(t)
	for attr, want := range map[connectors.Attr]string{
		"MAIL":   `emails[type eq "work"].value`,
		"cn":     "displayName", // the name is made of it
		"member": "",
	} {
		if got := m.PathOf(attr); got != want {
			t.Errorf("%s is %q, want %q", attr, got, want)
		}
	}
}

func TestAttrsOf(t *testing.T) {
	m := lawMapping(t)
	for name, want := range map[string][]connectors.Attr{
		"emails":         {"mail", "homeMail"},
		"name.givenName": {"sn", "givenName"},
		"manager":        {"manager"},
		"password":       nil,
		"id":             nil,
	} {
		a, ok := m.ResourceType().Attribute(name)
		if !ok {
			t.Fatal(name)
		}
		got := m.AttrsOf(a)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestReferences(t *testing.T) {
	refs := lawMapping(t).References()
	if len(refs) != 2 || !slices.Equal(refs["manager"], []string{"User"}) || !slices.Equal(refs["memberOf"], []string{"Group"}) {
		t.Error(refs)
	}
}

// Only references of which there may be many are left out, and only where the
// client does not want them.
func TestMayOmit(t *testing.T) {
	m := lawMapping(t)
	for _, c := range []struct {
		attr     connectors.Attr
		excluded string
		want     bool
	}{
		{"memberOf", "groups", true},
		{"memberOf", "emails", false},
		{"mail", "emails", false},
		{"manager", "manager", false},
		{"CN", "displayName", false},
	} {
		s, err := scim.ParseSelection(m.ResourceType(), nil, []string{c.excluded})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.MayOmit(c.attr, s); got != c.want {
			t.Errorf("%s without %s: %v", c.attr, c.excluded, got)
		}
	}
}
