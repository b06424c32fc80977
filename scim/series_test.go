package scim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// A series is rendered, in pieces or as a whole, as the list of all that it
// makes, and is the same value.
func TestSeries(t *testing.T) {
	rt := groupType(t)
	members, _ := rt.Attribute("members")
	sub := func(name string) *Attribute { a, _ := rt.Attribute("members." + name); return a }
	value, ref := sub("value"), sub("$ref")
	element := func(i int, fields []Field, text []byte) ([]Field, []byte) {
		text = fmt.Appendf(text, "Users/%d", i)
		return append(fields, Field{Attr: value, Value: Str(fmt.Sprint(i))}, Field{Attr: ref, Value: Cut(text)}), text
	}
	resource := func(v Value) *Resource {
		return &Resource{Type: rt, Attrs: NewObject(Field{Attr: rt.ID(), Value: Str("g")}, Field{Attr: members, Value: v})}
	}
	for _, n := range []int{0, 1, 300, 5000} {
		var list []Value
		for i := range n {
			fields, _ := element(i, nil, nil)
			list = append(list, Obj(fields))
		}
		whole, made := resource(List(list...)), resource(Series(n, element))
		for _, s := range []string{"", "members.value", "members.display", "id"} {
			selection, err := ParseSelection(rt, []string{s}, nil)
			if err != nil {
				t.Fatal(err)
			}
			o := RenderOptions{Selection: selection, BaseURL: "https://example.com/scim/v2"}
			want := string(AppendJSON([]byte("before"), whole, o))
			if got := string(AppendJSON([]byte("before"), made, o)); got != want {
				t.Fatalf("%d elements, %q selected: %.200s, want %.200s", n, s, got, want)
			}
			var sent bytes.Buffer
			longest := 0
			o.Flush = func(dst []byte) []byte {
				longest = max(longest, len(dst))
				sent.Write(dst[:len(dst)-1])
				return append(dst[:0], dst[len(dst)-1])
			}
			sent.Write(AppendJSON([]byte("before"), made, o))
			if sent.String() != want {
				t.Fatalf("%d elements, %q selected, in pieces: %.200s, want %.200s", n, s, sent.String(), want)
			}
			if long := len(want) > flushed+1000; long != (longest > 0) || longest > flushed+1000 {
				t.Errorf("%d elements, %q selected, %d bytes: the longest piece has %d", n, s, len(want), longest)
			}
		}
		if got, want := made.Get(members), whole.Get(members); !Equal(members, got, want) || got.Len() != n || got.String() != want.String() {
			t.Errorf("%d elements are not the list of them", n)
		}
	}
	if items := Series(3, element).Items(); strings.Join([]string{items[0].String(), items[2].String()}, "") != `{"value":"0","$ref":"Users/0"}{"value":"2","$ref":"Users/2"}` {
		t.Error("the elements of a series are not what it makes:", items)
	}
}
