package scim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func bulkBody(ops ...string) []byte {
	return []byte(`{"schemas":["` + bulkRequestURN + `"],"Operations":[` + strings.Join(ops, ",") + `]}`)
}

// post is a creation of a group with the given bulkIds as members.
func post(bulkID string, members ...string) string {
	var ms []string
	for _, m := range members {
		ms = append(ms, fmt.Sprintf(`{"type":"Group","value":"bulkId:%s"}`, m))
	}
	return fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":%q,"data":{"displayName":%[1]q,"members":[%s]}}`, bulkID, strings.Join(ms, ","))
}

func TestBulkSteps(t *testing.T) {
	for _, tt := range []struct {
		name string
		ops  []string
		want string
	}{
		{"as they come", []string{post("a"), post("b", "a"), `{"method":"DELETE","path":"/Groups/1"}`}, "0 1 2"},
		{"named before it is made", []string{post("a", "b", "c"), post("b", "c"), post("c")}, "2 1 0"},
		{"two that name each other", []string{post("a", "b"), post("b", "a")}, "1-a 0 1+"},
		{"three in a ring", []string{post("a", "b"), post("b", "c"), post("c", "a")}, "2-a 1 0 2+"},
		{"one that names itself", []string{post("a", "a")}, "0-a 0+"},
		{"two rings", []string{post("a", "b", "a"), post("b", "a")}, "1-a 0-a 1+ 0+"},
		{"nobody has made it", []string{post("a", "nosuch")}, "0"},
		{"in a path", []string{`{"method":"PATCH","path":"/Groups/bulkId:a","data":{"Operations":[]}}`, post("a")}, "1 0"},
		{"in the filter of a path", []string{`{"method":"PATCH","path":"/Groups/1","data":[{"op":"remove","path":"members[value eq \"bulkId:a\" or value eq \"bulkId:b\"]"}]}`, post("b"), post("a")}, "2 1 0"},
	} {
		b, err := DecodeBulk(bulkBody(tt.ops...), 10, Dialect{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, s := range b.Steps() {
			text := fmt.Sprint(s.Index)
			if s.Complete {
				text += "+"
			}
			for _, left := range s.Left {
				text += "-" + left
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// Whatever refers to whatever: every operation is carried out once, after all
// that it names but what it leaves out, and what was left out is put in once, when
// it is there.
func TestBulkStepsLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "operations")
		names := make([][]string, n)
		ops := make([]string, n)
		for i := range ops {
			for range rapid.IntRange(0, 3).Draw(t, "references") {
				names[i] = append(names[i], fmt.Sprint(rapid.IntRange(0, n-1).Draw(t, "to")))
			}
			ops[i] = post(fmt.Sprint(i), names[i]...)
		}
		b, err := DecodeBulk(bulkBody(ops...), n, Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		made, open := map[string]bool{}, map[int]bool{}
		for _, s := range b.Steps() {
			self := fmt.Sprint(s.Index)
			if s.Complete != open[s.Index] || !s.Complete && made[self] {
				t.Fatalf("operation %d is carried out twice, or completed without need", s.Index)
			}
			for _, name := range names[s.Index] {
				if !made[name] && !slices.Contains(s.Left, name) {
					t.Fatalf("operation %d names %s before it is made: %v", s.Index, name, b.Steps())
				}
			}
			made[self], open[s.Index] = true, len(s.Left) > 0
		}
		for i := range n {
			if !made[fmt.Sprint(i)] || open[i] {
				t.Fatalf("operation %d is not done: %v", i, b.Steps())
			}
		}
	})
}

func TestDecodeBulkRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{`:                                      `400 invalidSyntax: body is not valid JSON: unexpected end at byte 1`,
		`{}`:                                     `400 invalidSyntax: attribute "Operations" is not an array of operations`,
		`{"Operations":[]}`:                      `400 invalidSyntax: attribute "Operations" is empty`,
		`{"Operations":[1]}`:                     `400 invalidSyntax: attribute "Operations" has a number where an operation is expected`,
		`{"Operations":[{},{},{}]}`:              `413 : the request has 3 operations, more than the limit of 2 (maxOperations)`,
		`{"failOnErrors":0,"Operations":[{}]}`:   `400 invalidValue: attribute "failOnErrors" takes an integer from 1 on`,
		`{"failOnErrors":"1","Operations":[{}]}`: `400 invalidValue: attribute "failOnErrors" takes an integer from 1 on`,
		`{"failOnErrors":1.5,"Operations":[{}]}`: `400 invalidValue: attribute "failOnErrors" takes an integer from 1 on`,
		`{"Operations":[{"bulkId":"a"},{"bulkId":"a"}]}`:                              `400 invalidValue: bulkId "a" is given twice`,
		`{"Operations":[{"method":1}]}`:                                               `400 invalidSyntax: attribute "method" of an operation takes a string, not a number`,
		`{"Operations":[{"method":"GET","path":"/Users/1"}]}`:                         `op: 400 invalidSyntax: method "GET" is not POST, PUT, PATCH or DELETE`,
		`{"Operations":[{"method":"POST","data":{}}]}`:                                `op: 400 invalidSyntax: the operation has no path`,
		`{"Operations":[{"method":"POST","path":"/Users/1","data":{}}]}`:              `op: 400 invalidSyntax: path "/Users/1" of a POST is not that of a resource type, such as /Users`,
		`{"Operations":[{"method":"PUT","path":"/Users","data":{}}]}`:                 `op: 400 invalidSyntax: path "/Users" of a PUT names no resource, as /Users/<id> does`,
		`{"Operations":[{"method":"PUT","path":"/Users/1/2","data":{}}]}`:             `op: 404 : there is no endpoint "/Users/1/2"`,
		`{"Operations":[{"method":"PATCH","path":"/Users/1"}]}`:                       `op: 400 invalidSyntax: the operation has no data`,
		`{"Operations":[{"method":"POST","path":"Users","data":[]}]}`:                 `op: 400 invalidSyntax: the data of the operation is an array, not an object`,
		`{"Operations":[{"method":"delete","path":"/Users/1","data":null,"odd":[]}]}`: ``,
	} {
		b, err := DecodeBulk([]byte(body), 2, Dialect{})
		got := ""
		switch {
		case err != nil:
			got = problem(err)
		case b.Operations[0].Err != nil:
			got = "op: " + problem(b.Operations[0].Err)
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
}

// Data is decoded with the ids in place of the bulkIds; a reference whose
// resource is yet to be made is left out, and nothing else.
func TestBulkData(t *testing.T) {
	b, err := DecodeBulk(bulkBody(post("g", "u", "later"),
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":[{"op":"add","path":"members","value":[{"value":"bulkId:u"}]},{"op":"remove","path":"members[value eq \"bulkId:u\"].display"}]}`,
		`{"method":"POST","path":"/Groups","data":{"displayName":"bulkId:u","members":[{"value":"bulkId:later"}]}}`), 10, Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	ids := func(name string) (string, bool) {
		return map[string]string{"u": "id-u", "g": "id-g"}[name], name != "later"
	}
	opt := DecodeOptions{BulkID: ids}
	r, err := b.Operations[0].Resource(groupType(t), opt)
	if want := `{"displayName":"g","members":[{"value":"id-u","type":"Group"}]}`; err != nil || r.String() != want {
		t.Errorf("got %v, %v, want %s", r, err, want)
	}
	if got := b.Operations[1].Target(ids); got != "id-g" {
		t.Errorf("the target is %s", got)
	}
	if r, err = b.Operations[2].Resource(groupType(t), opt); err != nil || r.String() != `{"displayName":"bulkId:u"}` {
		t.Errorf("got %v, %v", r, err)
	}
	if got := ReferencesOf(r).String(); got != "" {
		t.Errorf("references of a group without members: %s", got)
	}
	_, err = b.Operations[1].Patch(groupType(t), opt)
	if want := `400 mutability: attribute "members.display" is readOnly`; err == nil || problem(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
