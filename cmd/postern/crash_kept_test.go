package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

// TestCrashKept kills the gateway in deletions that keep accounts: disabled where they
// are, or moved out of what the gateway serves.
func TestCrashKept(t *testing.T) {
	for _, k := range []struct {
		name, kind string
		moves      bool
		options    []ldaptest.Option
		few        []string // the ways where nothing else is asked for
	}{
		{"disabled", "demo", false, nil, []string{"steps"}},
		{"moved", "demo", true, nil, []string{"steps", "lost"}},
		{"moved without integrity", string(ldaptest.OpenLDAP), true, []ldaptest.Option{ldaptest.WithoutIntegrity}, []string{"answers"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := newCrashWorldOf(t, k.kind, func(s *crashShape) []string {
				policy := "disable"
				if k.moves {
					_, above, _ := strings.Cut(s.people, ",")
					s.leavers = "ou=leavers," + above
					policy = `{ move: "` + s.leavers + `" }`
				}
				return []string{"    name: uid={userName}", "    delete: " + policy + "\n    name: uid={userName}"}
			}, k.options...)
			if k.moves {
				add := goldap.NewAddRequest(w.shape.leavers, nil)
				add.Attribute("objectClass", []string{"top", "organizationalUnit"})
				if err := w.past.Add(add); err != nil {
					t.Fatal(err)
				}
			}
			for _, way := range crashWays {
				if *crashKills == 0 && !slices.Contains(k.few, way) || way == "full" && !limitsFiles {
					continue
				}
				if !crashAll(t, w, keptOps, way, 1) {
					return
				}
			}
		})
	}
}

var keptOps = []crashOp{
	{"delete", func(w *crashWorld) { w.let(w.hire()) }},
	{"delete and list at once", func(w *crashWorld) {
		w.atOnce = func() error { _, err := w.ask("GET", "/Users?count=1000", ""); return err }
		w.let(w.hire())
	}},
	{"delete two objects", func(w *crashWorld) {
		p, old := w.hire(), w.hire()
		w.merge(old, p)
		w.must(w.remove("/Users/"+old.id, false)) // the alias
		w.tells(old.id, "")
		w.let(p)
		w.wantClosed(old)
	}},
	{"delete what is closed already", func(w *crashWorld) {
		p := w.hire()
		w.must(w.patch("/Users/"+p.id, `{"op":"replace","path":"active","value":false}`))
		w.let(p)
	}},
}

// let lets a person go while the gateway may die.
func (w *crashWorld) let(p *person) {
	w.t.Helper()
	g := w.group("about "+p.number, p)
	w.tells(p.id, p.number, "")
	w.strike(func() error { return w.remove("/Users/"+p.id, false) })
	if w.killed {
		w.must(w.remove("/Users/"+p.id, true))
	}
	w.tells(p.id, "")
	if a := w.get("/Users/" + p.id); a.status != http.StatusNotFound {
		w.violated("the user is there: %s", a.body)
	}
	w.wantMembers(g)
	w.wantClosed(p)
}

// wantClosed looks whether the account is there, wherever, and closed.
func (w *crashWorld) wantClosed(p *person) {
	w.t.Helper()
	_, above, _ := strings.Cut(w.shape.people, ",")
	found := 0
	for _, e := range w.walk(above, w.shape.isPerson) {
		if e.GetAttributeValue(w.shape.number) != p.number {
			continue
		}
		if found++; e.GetAttributeValue("pwdAccountLockedTime") == "" {
			w.violated("the account %q is open", e.DN)
		}
	}
	if found != 1 {
		w.violated("the account of %s is there %d times", p.number, found)
	}
}
