package scim

import (
	"cmp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSortTextOrders holds the texts that lists are sorted by against Order, for
// every attribute there is.
func TestSortTextOrders(t *testing.T) {
	for _, rt := range []*ResourceType{userType(t), thingType(t)} {
		t.Run(rt.Name, rapid.MakeCheck(func(t *rapid.T) {
			a := rapid.SampledFrom(rt.Attributes()).Filter(func(a *Attribute) bool {
				return a.Returned != ReturnedNever && (a.Type != Complex || a.value != nil && a.value.Returned != ReturnedNever)
			}).Draw(t, "attr")
			keys, err := ParseSortKey(a.String(), rt)
			if err != nil {
				t.Fatal(err)
			}
			k := keys[0]
			x, y := drawResource(t, rt), drawResource(t, rt)
			vx, vy := k.Value(x), k.Value(y)
			want := 0
			if !vx.IsAbsent() && !vy.IsAbsent() {
				want = Order(k.path.target(), vx, vy)
			}
			if tx, ty := k.Text(x), k.Text(y); (tx == "") != vx.IsAbsent() || tx != "" && ty != "" && cmp.Compare(tx, ty) != want {
				t.Fatalf("%s: %s and %s sort as %q and %q, want %d", k, vx, vy, tx, ty, want)
			}
		}))
	}
}

func TestSortValue(t *testing.T) {
	rt := userType(t)
	r := load(t, rt, `{"id":"1","userName":"B","name":{"familyName":"F"},"emails":[{"value":"x@a","type":"home"},{"value":"y@a","primary":true}],
		"phoneNumbers":[{"type":"work"},{"value":"7","type":"home"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"9"}},"meta":{"created":"2024-01-02T03:04:05Z"}}`)
	for by, want := range map[string]string{
		"userName": `"B"`, "USERNAME": `"B"`, "name.familyName": `"F"`, "name.givenName": "null", "title": "null",
		"emails": `"y@a"`, "emails.value": `"y@a"`, "emails.type": `"home"`, "emails.primary": "true", "phoneNumbers": `"7"`,
		"manager": `"9"`, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value": `"9"`,
		"meta.created": `"2024-01-02T03:04:05Z"`, "id": `"1"`, "groups": "null", "schemas": `"urn:ietf:params:scim:schemas:core:2.0:User"`,
	} {
		keys, err := ParseSortKey(by, rt)
		if err != nil {
			t.Errorf("%s: %v", by, err)
			continue
		}
		if got := keys[0].Value(r).String(); got != want {
			t.Errorf("%s sorts by %s, want %s", by, got, want)
		}
	}
	for by, names := range map[string]string{"name": "sub-attribute", "meta": "sub-attribute", "password": "password", "nosuch": "nosuch", "emails.nosuch": "nosuch", "": "unknown"} {
		if _, err := ParseSortKey(by, rt); err == nil || !strings.Contains(problem(err), names) {
			t.Errorf("sortBy %q: %v, want an error naming %q", by, err, names)
		}
	}
}

// TestSortOverTypes sorts by an attribute that one type lacks, and by one whose
// case counts in one of the types alone.
func TestSortOverTypes(t *testing.T) {
	user, group := userType(t), groupType(t)
	keys, err := ParseSortKey("userName", user, group)
	if err != nil {
		t.Fatal(err)
	}
	if g := load(t, group, `{"displayName":"x"}`); keys[0].IsZero() || !keys[1].IsZero() || keys[1].Text(g) != "" {
		t.Errorf("keys %v", keys)
	}
	if _, err := ParseSortKey("userName", group); err == nil {
		t.Error("groups are sorted by userName")
	}
	thing := newType(t, "Thing", "/Things", &Schema{ID: "urn:x:Thing", Attributes: []*Attribute{{Name: "displayName", CaseExact: true}}})
	if keys, err = ParseSortKey("displayName", thing, user); err != nil {
		t.Fatal(err)
	}
	if x, y := keys[0].Text(load(t, thing, `{"displayName":"A"}`)), keys[1].Text(load(t, user, `{"displayName":"a"}`)); x != y {
		t.Errorf("case counts: %q, %q", x, y)
	}
	if keys, err = ParseSortKey("displayName", thing); err != nil || keys[0].Text(load(t, thing, `{"displayName":"A"}`)) == keys[0].Text(load(t, thing, `{"displayName":"a"}`)) {
		t.Errorf("case does not count: %v", err)
	}
}
