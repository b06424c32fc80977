package scim

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParsePath(t *testing.T) {
	user, group := userType(t), groupType(t)
	for _, tt := range []struct {
		rt       *ResourceType
		in, want string
	}{
		// The examples of RFC 7644 §3.5.2, figure 8, but for the last, which names a
		// sub-attribute that members have not.
		{group, `members`, `members`},
		{user, `name.familyName`, `name.familyName`},
		{user, `addresses[type eq "work"]`, `addresses[type eq "work"]`},
		{group, `members[value eq "2819c223-7f76-453a-919d-413861904646"]`, `members[value eq "2819c223-7f76-453a-919d-413861904646"]`},
		{group, "members[value eq\n\"2819c223\"].display", `members[value eq "2819c223"].display`},

		{user, ` URN:ietf:params:scim:schemas:core:2.0:User:Emails[TYPE EQ "a" or (value pr)].VALUE `, `emails[type eq "a" or value pr].value`},
		{user, `manager`, enterprise + `:manager`},
		{user, `manager.value`, enterprise + `:manager.value`},
		{user, `emails.value`, `emails.value`},
		{user, `emails[value co "]"].type`, `emails[value co "]"].type`},
		{user, `externalID`, `externalId`},
	} {
		p, err := ParsePath(tt.rt, tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
		} else if p.String() != tt.want {
			t.Errorf("%q is %s, want %s", tt.in, p, tt.want)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	rt := userType(t)
	for in, want := range map[string]string{
		``:                            `400 invalidPath: unknown attribute "" in path`,
		`nosuch`:                      `400 invalidPath: unknown attribute "nosuch" in path`,
		`name.nosuch`:                 `400 invalidPath: unknown attribute "name.nosuch" in path`,
		`emails[type eq "a"].nosuch`:  `400 invalidPath: unknown sub-attribute "nosuch" of "emails" in path`,
		`emails[type eq "a"].`:        `400 invalidPath: unknown sub-attribute "" of "emails" in path`,
		`emails[type eq "a"] x`:       `400 invalidPath: unexpected "x" after the value filter in path`,
		`emails[type eq "a"`:          `400 invalidFilter: bracket is not closed at position 18 of the filter`,
		`emails[nosuch eq "a"]`:       `400 invalidFilter: unknown sub-attribute "nosuch" of "emails" in filter`,
		`emails.type[value eq "a"]`:   `400 invalidPath: attribute "emails.type" in path has no elements to filter`,
		`userName[value eq "a"]`:      `400 invalidPath: attribute "userName" in path has no elements to filter`,
		`[type eq "a"]`:               `400 invalidPath: unknown attribute "" in path`,
		`emails[0]`:                   `400 invalidFilter: unknown sub-attribute "0" of "emails" in filter`,
		`emails[type eq "a"].value.x`: `400 invalidPath: unknown sub-attribute "value.x" of "emails" in path`,
		enterprise:                    `400 invalidPath: unknown attribute "` + enterprise + `" in path`,
	} {
		if p, err := ParsePath(rt, in); err == nil {
			t.Errorf("%q is accepted as %s", in, p)
		} else if got := problem(err); got != want {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestPathPrintsAndParses(t *testing.T) {
	for _, rt := range []*ResourceType{userType(t), groupType(t), thingType(t)} {
		t.Run(rt.Name, rapid.MakeCheck(func(t *rapid.T) {
			p := drawOperation(t, rt).Path
			again, err := ParsePath(rt, p.String())
			if err != nil {
				t.Fatal(err)
			}
			same := again.Attr == p.Attr && again.Sub == p.Sub && (again.Filter == nil) == (p.Filter == nil)
			if !same || p.Filter != nil && shape(again.Filter) != shape(p.Filter) {
				t.Fatalf("%s is %s", p, again)
			}
		}))
	}
}
