package mapping

import (
	"reflect"
	"testing"

	"postern/connectors"
)

func TestPlanUnder(t *testing.T) {
	can := connectors.Capabilities{Matching: map[connectors.Attr]connectors.Matching{
		"text": {Rule: connectors.RuleIgnoreCase, Squeezes: true}, "loose": {Rule: connectors.RuleIgnoreCase, Squeezes: true, Loose: true},
		"phone": {Rule: connectors.RulePhone, Alphabet: connectors.Printable}, "cn": {Rule: connectors.RuleIgnoreCase}, "none": {},
	}}
	values := func(vs ...connectors.Value) []connectors.Value { return vs }
	for _, tc := range []struct {
		attr        connectors.Attr
		there       []connectors.Value
		delete, add []connectors.Value
		want        []connectors.Value // what is added
	}{
		{"Text", values("a  b"), nil, values("A B", "c", " C "), values("c")},
		{"text", values("a  b"), values("a  b"), values("A B"), values("A B")},
		{"loose", values("a  b", "x"), nil, values("A B", "X"), values("A B")},
		{"phone", values("+1 555"), nil, values("+1555", "+1556"), values("+1556")},
		{"phone", nil, nil, values("+1 555", "+1-555"), values("+1 555")},
		{"none", values("a"), nil, values("a", "A"), values("A")},
		{"stray", values("a"), nil, values("a", "A"), values("a", "A")},
		{"cn", values("b", "a"), values("b"), values("A"), values("A")},
	} {
		p := Plan{m: &Mapping{naming: &naming{attr: "cn"}}, Changes: []connectors.Change{{Attr: tc.attr, Delete: tc.delete, Add: tc.add}}}
		e := connectors.Entry{Fields: []connectors.Field{{Attr: tc.attr, Values: tc.there}}}
		var got []connectors.Value
		for _, c := range p.Under(can, e).Changes {
			got = c.Add
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s %q: of %q there is added %q, want %q", tc.attr, tc.there, tc.add, got, tc.want)
		}
	}
	same := Plan{m: &Mapping{}, Changes: []connectors.Change{{Attr: "text", Add: values("A")}, {Attr: "text", Replace: true}}}
	if got := same.Under(can, connectors.Entry{Fields: []connectors.Field{{Attr: "text", Values: values("a")}}}); len(got.Changes) != 1 || !got.Changes[0].Replace {
		t.Errorf("%+v", got.Changes)
	}
	d := Draft{Draft: connectors.Draft{Fields: []connectors.Field{{Attr: "text", Values: values("a", "A", "b")}}}}
	if got := d.Under(can).Fields[0].Values; !reflect.DeepEqual(got, values("a", "b")) || len(d.Fields[0].Values) != 3 {
		t.Errorf("the draft has %q", got)
	}
}
