package mapping

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"postern/connectors"

	"pgregory.net/rapid"
)

// A fingerprint is of the state and of nothing else: not of the order in which a
// backend tells it, nor of attributes that change by themselves, are computed,
// are secret or are not mapped. Whatever else changes, it changes.
func TestFingerprint(t *testing.T) {
	m := lawMapping(t)
	blind := []connectors.Attr{"created", "modified", "memberOf", "hidden", "CN", "userPassword"}
	rapid.Check(t, func(t *rapid.T) {
		e := stored(t, m, false)
		fp := fingerprint(t, m, e)

		shuffled := clone(e)
		r := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "order")))
		r.Shuffle(len(shuffled.Fields), func(i, j int) {
			shuffled.Fields[i], shuffled.Fields[j] = shuffled.Fields[j], shuffled.Fields[i]
		})
		for _, f := range shuffled.Fields {
			slices.Reverse(f.Values)
			slices.Reverse(f.Refs)
		}
		shuffled.Anchor, shuffled.Stamp = "other", "later"
		if got := fingerprint(t, m, shuffled); got != fp {
			t.Fatal("another order is another version")
		}

		other := clone(e)
		i := rapid.IntRange(0, len(other.Fields)-1).Draw(t, "field")
		f := &other.Fields[i]
		switch {
		case len(f.Refs) > 0 && rapid.Bool().Draw(t, "drop"):
			f.Refs = f.Refs[1:]
		case len(f.Refs) > 0:
			f.Refs[0].Anchor += "x"
		case rapid.Bool().Draw(t, "drop"):
			f.Values = f.Values[1:]
		default:
			f.Values[0] += "x"
		}
		if same := fingerprint(t, m, other) == fp; same != slices.Contains(blind, f.Attr) {
			t.Fatalf("a change of %s: the same version %v", f.Attr, same)
		}
		if fp.With("a") == fp.With("b") || fp.With("") == fp.With("a") {
			t.Fatal("the externalId is not in the version")
		}
	})
}

func fingerprint(t interface{ Fatal(...any) }, m *Mapping, e connectors.Entry) Fingerprint {
	fp, ok := m.Fingerprint(e)
	if !ok {
		t.Fatal("no fingerprint")
	}
	return fp
}

func clone(e connectors.Entry) connectors.Entry {
	e.Fields = slices.Clone(e.Fields)
	for i := range e.Fields {
		e.Fields[i].Values = slices.Clone(e.Fields[i].Values)
		e.Fields[i].Refs = slices.Clone(e.Fields[i].Refs)
	}
	return e
}

// The boundaries of values count, and where a value stands.
func TestFingerprintBoundaries(t *testing.T) {
	m := lawMapping(t)
	entries := []connectors.Entry{
		{},
		{Fields: []connectors.Field{{Attr: "sn", Values: []connectors.Value{"ab"}}}},
		{Fields: []connectors.Field{{Attr: "sn", Values: []connectors.Value{"a", "b"}}}},
		{Fields: []connectors.Field{{Attr: "sn", Values: []connectors.Value{"a"}}, {Attr: "nick", Values: []connectors.Value{"b"}}}},
		{Fields: []connectors.Field{{Attr: "sn", Values: []connectors.Value{"a"}}, {Attr: "l", Values: []connectors.Value{"b"}}}},
		{Fields: []connectors.Field{{Attr: "role", Values: []connectors.Value{"a", "a"}}}},
		{Fields: []connectors.Field{{Attr: "role", Values: []connectors.Value{"b", "b"}}}},
		{Fields: []connectors.Field{{Attr: "manager", Refs: []connectors.Target{{Collection: "User", Anchor: "p"}}}}},
		{Fields: []connectors.Field{{Attr: "manager", Refs: []connectors.Target{{Collection: "Use", Anchor: "rp"}}}}},
	}
	seen := make(map[Fingerprint]int)
	for i, e := range entries {
		fp := fingerprint(t, m, e)
		if j, ok := seen[fp]; ok {
			t.Errorf("entries %d and %d have one fingerprint", j, i)
		}
		seen[fp] = i
		if len(fp.String()) != 22 {
			t.Errorf("%q is not 128 bits", fp)
		}
	}
	if _, ok := m.Fingerprint(connectors.Entry{Fields: []connectors.Field{{Attr: "role", Partial: true}}}); ok {
		t.Error("a version of what was read in part")
	}
	if _, ok := m.Fingerprint(connectors.Entry{Fields: []connectors.Field{{Attr: "memberOf", Partial: true}}}); !ok {
		t.Error("no version because of what it does not cover")
	}
}

// The version is kept by clients for a long time: it must not change with the
// program, only with the mapping.
func TestFingerprintIsStable(t *testing.T) {
	m := lawMapping(t)
	e := connectors.Entry{Fields: []connectors.Field{
		{Attr: "uid", Values: []connectors.Value{"jdoe"}},
		{Attr: "role", Values: []connectors.Value{"a", "b"}},
		{Attr: "manager", Refs: people[:1]},
	}}
	const want = "8OK9bJlCU5bh6cfMP0a96g"
	if got := fingerprint(t, m, e).With("x").String(); got != want {
		t.Errorf("the version is %s, was %s", got, want)
	}
	if fingerprint(t, lawMapping(t), e) != fingerprint(t, m, e) {
		t.Error("compiled again, the mapping makes other versions")
	}
	mappings, _ := compileText(t, "other.yaml", []byte("resources:\n  User:\n    name: CN={userName}\n    map: { userName: uid, roles.value: role }\n"))
	other, _ := compileText(t, "other.yaml", []byte("resources:\n  User:\n    name: CN={userName}\n    map: { userName: uid, displayName: role }\n"))
	if fingerprint(t, mappings["User"], e) == fingerprint(t, other["User"], e) {
		t.Error("another mapping makes the same version")
	}
}

// TestCovers: a version needs what it is made of to be read.
func TestCovers(t *testing.T) {
	m := lawMapping(t)
	all := m.Attrs()
	for i, a := range all {
		rest := slices.Delete(slices.Clone(all), i, i+1)
		needless := slices.Contains([]connectors.Attr{"created", "modified", "memberOf", "CN"}, a)
		if m.Covers(rest) != needless {
			t.Errorf("without %s: %v", a, !needless)
		}
	}
	if !m.Covers(all) {
		t.Error("all is not enough")
	}
}

func TestGuard(t *testing.T) {
	m := lawMapping(t)
	e := connectors.Entry{Stamp: "7", Fields: []connectors.Field{
		{Attr: "uid", Values: []connectors.Value{"a"}}, {Attr: "created", Values: []connectors.Value{"x"}}, {Attr: "sn"}}}
	for _, c := range []struct {
		level connectors.GuardLevel
		stamp connectors.Stamp
		want  string
	}{
		{connectors.GuardEntry, "7", "whole entry 7 []"},
		{connectors.GuardEntry, "", "read values  [uid]"},
		{connectors.GuardValues, "7", "read values  [uid]"},
		{connectors.GuardTouched, "7", "touched values  []"},
		{connectors.GuardNone, "7", "none  [uid]"},
	} {
		e.Stamp = c.stamp
		g := m.Guard(c.level, e)
		var read []connectors.Attr
		absent := 0
		for _, f := range g.Read {
			if f.Empty() {
				absent++
			} else {
				read = append(read, f.Attr)
			}
		}
		if g.Level == connectors.GuardValues && absent != len(m.versioned)-1 {
			t.Errorf("%d attributes are known to be absent", absent)
		}
		if got := fmt.Sprint(g.Level, " ", g.Stamp, " ", read); got != c.want {
			t.Errorf("level %s with stamp %q: %s, want %s", c.level, c.stamp, got, c.want)
		}
	}
}

// Signing in makes no other version, whatever shows it.
func TestRestless(t *testing.T) {
	mappings, problems := compileText(t, "restless.yaml", []byte(`resources:
  User:
    name: CN={userName}
    map:
      userName: uid
      urn:example:Account:lastLogon: { attr: lastLogonTimestamp, codec: filetime, write: never }
      urn:example:Account:expires: { attr: accountExpires, codec: ad-account-expires }
`))
	if len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	m := mappings["User"]
	version := func(logon, expires connectors.Value) Fingerprint {
		return fingerprint(t, m, connectors.Entry{Fields: []connectors.Field{{Attr: "uid", Values: []connectors.Value{"a"}},
			{Attr: "lastLogonTimestamp", Values: []connectors.Value{logon}}, {Attr: "accountExpires", Values: []connectors.Value{expires}}}})
	}
	if version("132537600000000000", "0") != version("132537600000000001", "0") {
		t.Error("signing in makes another version")
	}
	if version("132537600000000000", "0") == version("132537600000000000", "132537600000000001") {
		t.Error("another end makes none")
	}
	if !m.Covers([]connectors.Attr{"uid", "accountExpires", "CN"}) {
		t.Error("a version needs the time of the last sign-in")
	}
}
