package ldap

import (
	"strings"
	"testing"

	"postern/configs"
	"postern/connectors"

	"pgregory.net/rapid"
)

const placeBase = "OU=Staff,DC=example,DC=com"

// TestCheckPlace tells containers that a value can only be a part of from others.
func TestCheckPlace(t *testing.T) {
	for _, c := range []struct {
		text  []string
		ok    bool
		above string
	}{
		{[]string{placeBase}, true, placeBase},
		{[]string{"OU=", "," + placeBase}, true, placeBase},
		{[]string{"OU=a ", " b,OU=c," + placeBase}, true, "OU=c," + placeBase},
		{[]string{"OU=", ",OU=c+l=", "," + placeBase}, true, placeBase},
		{[]string{`OU="`, `",` + placeBase}, true, placeBase},
		{[]string{`OU=a\\`, "," + placeBase}, true, placeBase},
		{[]string{`OU=a\`, "," + placeBase}, false, ""},
		{[]string{`OU=a\4`, "," + placeBase}, false, ""},
		{[]string{"OU=#", "," + placeBase}, false, ""},
		{[]string{"", "=a," + placeBase}, false, ""},
		{[]string{"OU=a", placeBase}, false, "DC=example,DC=com"},
		{[]string{"", "," + placeBase}, false, ""},
		{[]string{"OU=a,OU=Other,DC=example,DC=com"}, false, "OU=a,OU=Other,DC=example,DC=com"},
		{[]string{"OU=a,OU=", ",DC=example,DC=com"}, false, "DC=example,DC=com"},
	} {
		var ps configs.Problems
		CheckPlace(configs.At[string]{Value: strings.Join(c.text, "{x}")}, c.text, placeBase, &ps)
		if ok := len(ps) == 0; ok != c.ok {
			t.Errorf("%q is right: %v, %v", c.text, ok, ps)
		}
		if above := Above(c.text); above != c.above {
			t.Errorf("above %q is %q, want %q", c.text, above, c.above)
		}
	}
}

// TestPlaceEscapes holds that whatever is set into a container that was found right,
// it is one RDN below the same others, and has that value.
func TestPlaceEscapes(t *testing.T) {
	c, err := newCollection(nil, Collection{Base: placeBase})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.SampledFrom([][]string{{"OU=", "," + placeBase}, {"OU=a ", " b," + placeBase}, {`ou="`, `",` + placeBase}, {"cn=", "+l=c," + placeBase}}).Draw(t, "around")
		if Above(around) != placeBase {
			t.Fatalf("%q is no place", around)
		}
		value := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune(` #,+="\\;<>a4`)), 1, 8, -1)).Filter(func(s string) bool { return s != "" }).Draw(t, "value")
		d, err := c.container(connectors.Place{Text: around, Values: []connectors.Value{connectors.Value(value)}})
		if err != nil {
			t.Fatal(err)
		}
		if len(d) != 4 || d[1:].normalize() != c.baseNorm || !strings.Contains(d[0][0].value, value) {
			t.Fatalf("%q in %q is %q", value, around, d)
		}
	})
}
