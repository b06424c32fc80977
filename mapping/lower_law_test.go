package mapping

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"postern/connectors"
	"postern/scim"

	"pgregory.net/rapid"
)

// A condition holds wherever its filter holds, and if it is exact nowhere else,
// by the reference evaluator of conditions, with whatever kinds of conditions
// and definitions of attributes there are.
func TestLowerIsSound(t *testing.T) {
	m := lawMapping(t)
	rapid.Check(t, func(t *rapid.T) {
		caps := connectors.Capabilities{Conds: connectors.AllConds, Matching: maps.Clone(lawMatching)}
		for range rapid.IntRange(0, 2).Draw(t, "missing kinds") {
			caps.Conds &^= 1 << rapid.IntRange(1, 11).Draw(t, "kind")
		}
		for range rapid.IntRange(0, 3).Draw(t, "other rules") {
			a := rapid.SampledFrom(slices.Sorted(maps.Keys(lawMatching))).Draw(t, "attribute")
			one := caps.Matching[a]
			change := rapid.SampledFrom([]func(){
				func() { one.Rule = connectors.RuleOther }, func() { one.Rule = connectors.RuleUnknown }, func() { one.Unsearchable = true },
				func() { one.Loose = true }, func() { one.Composes = true }, func() { one.Squeezes = !one.Squeezes },
				func() { one.Alphabet = connectors.ASCII }, func() { one.Alphabet = connectors.Printable }, func() { one.Substring = false },
			})
			change.Draw(t, "change")()
			caps.Matching[a] = one
		}
		if rapid.IntRange(0, 9).Draw(t, "schema") == 0 {
			caps.Matching = nil
		}
		look := Lookup{Refs: lawRefs, Anchors: func(c scim.Compare) ([]connectors.Anchor, bool) {
			if want := map[bool]string{false: "1", true: "Users/1"}[c.Path.Sub != nil]; c.Value.Text() == want {
				return []connectors.Anchor{"me"}, true
			}
			return nil, c.Path.Attr != m.rt.ExternalID()
		}}
		entries := make([]connectors.Entry, 10)
		for i := range entries {
			entries[i] = stored(t, m, false)
		}
		for range 10 {
			f := filter(t, m, 3)
			cond, exact, err := m.Lower(f, caps, look)
			if err != nil {
				t.Fatal(err)
			}
			if missing := connectors.KindsOf(cond) &^ (caps.Conds | connectors.CondAll); missing != 0 && !isNever(cond) {
				t.Fatalf("%s uses what there is not: %s", f, cond)
			}
			for _, e := range entries {
				r := m.Project(e, namesOf(e)).With(m.rt.ID(), scim.Str("1"))
				r = r.With(m.rt.Meta(), withType(m, r.Get(m.rt.Meta())))
				if r.Get(m.rt.ExternalID()).IsAbsent() {
					r = r.With(m.rt.ExternalID(), scim.Str("1"))
				}
				holds := m.Evaluation("", caps).Match(f, r)
				found := connectors.Match(cond, e, caps.Matching) == connectors.True
				if holds && !found || exact && found && !holds {
					t.Fatalf("%s\n%s exact %v\non %s: filter %v, condition %v\n%v", f, cond, exact, show(r), holds, found, e.Fields)
				}
			}
		}
	})
}

// isNever reports whether a condition holds nowhere, which needs no server.
func isNever(c connectors.Cond) bool {
	or, ok := c.(connectors.Or)
	return ok && len(or) == 0
}

func withType(m *Mapping, meta scim.Value) scim.Value {
	kind, _ := m.rt.Attribute("meta.resourceType")
	location, _ := m.rt.Attribute("meta.location")
	return scim.Obj(meta.Object().With(kind, scim.Str("User")).With(location, scim.Str("Users/1")))
}

func filter(t *rapid.T, m *Mapping, depth int) scim.Filter {
	text := filterText(t, depth)
	f, err := scim.Dialect{}.ParseFilter(m.rt, text, otherType)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// otherType is searched at the same time, and has attributes that users lack.
var otherType = func() *scim.ResourceType {
	rt, err := scim.NewResourceType("Group", "/Groups", "Group", scim.GroupSchema())
	if err != nil {
		panic(err)
	}
	return rt
}()

func filterText(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(t, "shape") {
		case 0:
			return filterText(t, depth-1) + " and " + filterText(t, depth-1)
		case 1:
			return "(" + filterText(t, depth-1) + " or " + filterText(t, depth-1) + ")"
		case 2:
			return "not (" + filterText(t, depth-1) + ")"
		}
	}
	text := func(paths ...string) string {
		path := rapid.SampledFrom(paths).Draw(t, "path")
		if rapid.IntRange(0, 4).Draw(t, "pr") == 0 {
			return path + " pr"
		}
		op := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "le"}).Draw(t, "op")
		return fmt.Sprintf("%s %s %q", path, op, words.Draw(t, "value"))
	}
	equal := func(path string, values ...string) string {
		op := rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "op")
		return path + " " + op + " " + rapid.SampledFrom(values).Draw(t, "value")
	}
	instants := func(path string) string {
		op := rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(t, "op")
		at := rapid.SampledFrom([]string{"2020-12-30T00:00:00Z", "2020-12-30T00:00:00.0000001Z", "2020-12-30T00:00:00.00000015Z", "1601-01-01T00:00:00.0000001Z", "9999-12-31T23:59:59.9999999Z", "1500-01-01T00:00:00Z"}).Draw(t, "time")
		return path + " " + op + ` "` + at + `"`
	}
	const account = "urn:example:Account:"
	switch rapid.IntRange(0, 18).Draw(t, "leaf") {
	case 13:
		return equal(account+rapid.SampledFrom([]string{"neverExpires", "smartcard", "lockedOut", "mustChange", "manages"}).Draw(t, "state"), "true", "false")
	case 14:
		return instants(account + rapid.SampledFrom([]string{"expires", "lastLogon"}).Draw(t, "time"))
	case 15:
		return equal(account+"sid", `"S-1-5-18"`, `"s-1-5-18"`, `"S-1-5"`, `"S-2"`)
	case 16:
		op := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew"}).Draw(t, "op")
		return "userType " + op + ` "` + rapid.SampledFrom([]string{"a", "A", "ab", "a@x.org", "a@y.org", "@", "b@x.org", "org"}).Draw(t, "value") + `"`
	case 17:
		return rapid.SampledFrom([]string{"ims", "ims.value", account + "account"}).Draw(t, "path") + rapid.SampledFrom([]string{" pr", ` eq "a"`, ` eq "A"`, ` ne "b"`, ` co "a"`, ` sw "a"`, ` ew "b"`, ` eq "a b"`, ` co "smtp"`}).Draw(t, "rest")
	case 18:
		return rapid.SampledFrom([]string{"userType pr", account + "expires pr", account + "lockedOut pr", account + "floor eq 7", account + "floor gt 7", "ims.primary eq true", "ims[primary eq true and value eq \"a\"]", "photos pr",
			account + "neverExpires pr", account + "mustChange pr"}).Draw(t, "present")
	case 8:
		return rapid.SampledFrom([]string{`members pr`, `members.value eq "p1"`, `members.value ne "p1"`, `members[value eq "p1"]`, `not (members pr)`}).Draw(t, "foreign")
	case 9:
		return equal("schemas", `"urn:ietf:params:scim:schemas:core:2.0:User"`, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, `"urn:x"`)
	case 10:
		return rapid.SampledFrom([]string{`meta pr`, `meta.location pr`, `meta.version pr`, `meta.created pr`, `schemas pr`, `id pr`, `externalId pr`}).Draw(t, "common")
	case 0:
		return equal("active", "true", "false")
	case 1:
		return equal("title", `"Boss"`, `"boss"`, `"Worker"`, `"x"`)
	case 2:
		return equal(rapid.SampledFrom([]string{"manager", "groups", "groups.value"}).Draw(t, "reference"), `"p1"`, `"p2"`, `"g1"`, `"none"`)
	case 3:
		op := rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(t, "op")
		return "meta.created " + op + ` "` + rapid.SampledFrom([]string{"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5Z", "2024-01-02T02:04:00Z"}).Draw(t, "time") + `"`
	case 4:
		return equal(rapid.SampledFrom([]string{"id", "externalId", "meta.location", "meta.resourceType", "emails.type", "phoneNumbers.type"}).Draw(t, "fixed"), `"1"`, `"Users/1"`, `"User"`, `"work"`, `"other"`, `"x"`)
	case 5:
		attr := rapid.SampledFrom([]string{"emails", "phoneNumbers"}).Draw(t, "elements")
		return attr + "[" + elementText(t, 2) + "]"
	case 6:
		return "addresses[" + text("locality", "streetAddress", "type") + rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "op") + text("locality", "streetAddress") + "]"
	case 7:
		return equal("x509Certificates", `"AA=="`, `"Af8="`, `"YWJj"`)
	default:
		return text("userName", "displayName", "nickName", "name.givenName", "name.familyName", "name.givenName", "emails", "emails.value",
			"phoneNumbers", "roles", "addresses.locality", "employeeNumber", "department")
	}
}

func elementText(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 4).Draw(t, "shape") {
		case 0:
			return elementText(t, depth-1) + " and " + elementText(t, depth-1)
		case 1:
			return "(" + elementText(t, depth-1) + " or " + elementText(t, depth-1) + ")"
		case 2:
			return "not (" + elementText(t, depth-1) + ")"
		}
	}
	op := rapid.SampledFrom([]string{"eq", "ne", "co", "sw"}).Draw(t, "op")
	if rapid.Bool().Draw(t, "type") {
		return "type " + op + " " + rapid.SampledFrom([]string{`"work"`, `"WORK"`, `"home"`, `"other"`}).Draw(t, "value")
	}
	return fmt.Sprintf("value %s %q", op, words.Draw(t, "value"))
}
