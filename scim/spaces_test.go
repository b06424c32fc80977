package scim

import "testing"

func TestSpaces(t *testing.T) {
	attr := &Attribute{Type: String}
	for _, tc := range []struct {
		spaces Spaces
		op     Op
		v      string
		want   string
		holds  bool
	}{
		{AllSpaces, Eq, "a  b", "a b", false},
		{SqueezedSpaces, Eq, "a  b ", " A B", true},
		{SqueezedSpaces, Eq, "a b", "ab", false},
		{SqueezedSpaces, Eq, "  ", " ", true},
		{SqueezedSpaces, Eq, "  ", "a", false},
		{SqueezedSpaces, Eq, "a\tb", "a b", false},
		{SqueezedSpaces, Sw, " lead", "lead", true},
		{SqueezedSpaces, Sw, " lead", " lead", true},
		{SqueezedSpaces, Sw, "in  side", "in s", true},
		{SqueezedSpaces, Ew, "trail ", "rail", true},
		{SqueezedSpaces, Ew, "trail ", "l ", true},
		{SqueezedSpaces, Co, "in side", "n  s", true},
		{SqueezedSpaces, Co, "inside", " ", false},
		{SqueezedSpaces, Gt, " b", "a", true},
		{NoSpaces, Eq, "12 34", "1234", true},
		{NoSpaces, Eq, "12-34", "1234", false},
		{NoSpaces, Eq, " ", "", false},
		{NoSpacesHyphens, Eq, "+1 555-01", "+155501", true},
		{NoSpacesHyphens, Eq, "EXT 5", "ext5", true},
		{NoSpacesHyphens, Eq, "-", " ", false},
		{NoSpacesHyphens, Sw, "+1 555", "+15", true},
		{NoSpacesHyphens, Co, "1-2", "-", true},
		{NoSpacesHyphens, Co, "12", "-", false},
		{NoSpacesHyphens, Le, "1-2", "12", true},
	} {
		if got := tc.spaces.compare(attr, tc.op, tc.v, tc.want); got != tc.holds {
			t.Errorf("%d: %q %v %q is %v", tc.spaces, tc.v, tc.op, tc.want, got)
		}
	}
	text := &Attribute{Type: String}
	r := &Resource{Type: userType(t), Attrs: NewObject(Field{Attr: text, Value: Str("a  b")})}
	f := Compare{Path: AttrPath{Attr: text}, Op: Eq, Value: Str("a b")}
	if Match(f, r) || !(Evaluation{Spaces: func(a *Attribute) Spaces { return map[*Attribute]Spaces{text: SqueezedSpaces}[a] }}).Match(f, r) {
		t.Error("the evaluation does not ask which spaces mean something")
	}
}
