package ldaptest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const permissiveModify = "1.2.840.113556.1.4.1413"

// What the servers answer to changes of a group that has the members 0 and 1
// of five people; "x" is a name of no entry.
func TestMemberChanges(t *testing.T) {
	type change struct {
		operation string // add, delete or replace
		members   string // each a digit
	}
	tests := []struct {
		name       string
		changes    []change
		permissive bool
		want       map[Kind]uint16
		after      map[Kind]string // the members afterwards, where it was not refused
	}{
		{"add an existing and a new one", []change{{"add", "02"}}, false,
			map[Kind]uint16{OpenLDAP: 20, DS389: 20, ActiveDirectory: 68}, nil},
		{"add one new value twice", []change{{"add", "22"}}, false,
			map[Kind]uint16{OpenLDAP: 20, DS389: 20, ActiveDirectory: 0}, map[Kind]string{ActiveDirectory: "0122"}},
		{"delete a missing and a present one", []change{{"delete", "41"}}, false,
			map[Kind]uint16{OpenLDAP: 16, DS389: 16, ActiveDirectory: 53}, nil},
		{"add a new one, delete a missing one", []change{{"add", "2"}, {"delete", "4"}}, false,
			map[Kind]uint16{OpenLDAP: 16, DS389: 16, ActiveDirectory: 53}, nil},
		{"delete and add a present one", []change{{"delete", "1"}, {"add", "1"}}, false,
			map[Kind]uint16{OpenLDAP: 0, DS389: 0, ActiveDirectory: 0},
			map[Kind]string{OpenLDAP: "01", DS389: "01", ActiveDirectory: "01"}},
		{"delete and add a missing one", []change{{"delete", "4"}, {"add", "4"}}, false,
			map[Kind]uint16{OpenLDAP: 16, DS389: 16, ActiveDirectory: 53}, nil},
		{"add a name of no entry", []change{{"add", "x"}}, false,
			map[Kind]uint16{OpenLDAP: 0, DS389: 0, ActiveDirectory: 32},
			map[Kind]string{OpenLDAP: "01x", DS389: "01x"}},
		{"replace with none", []change{{"replace", ""}}, false,
			map[Kind]uint16{OpenLDAP: 65, DS389: 0, ActiveDirectory: 0},
			map[Kind]string{DS389: "", ActiveDirectory: ""}},
		{"permissive: add an existing and a new one", []change{{"add", "02"}}, true,
			map[Kind]uint16{OpenLDAP: 0, DS389: 20, ActiveDirectory: 68}, map[Kind]string{OpenLDAP: "012"}},
		{"permissive: delete a missing and a present one", []change{{"delete", "41"}}, true,
			map[Kind]uint16{OpenLDAP: 0, DS389: 16, ActiveDirectory: 53}, map[Kind]string{OpenLDAP: "0"}},
		{"permissive: delete a missing one", []change{{"delete", "4"}}, true,
			map[Kind]uint16{OpenLDAP: 16, DS389: 16, ActiveDirectory: 53}, nil},
	}
	eachKind(t, func(t *testing.T, k Kind) {
		s := Start(t, k)
		conn, ou := service(t, s), s.NewOU(t)
		dns := map[rune]string{'x': "cn=nothing," + ou.People}
		for _, d := range "01234" {
			p := personIn(s, ou, ou.Unique("p"+string(d)))
			dns[d] = p.DN
			if err := conn.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		names := func(digits string) []string {
			var list []string
			for _, d := range digits {
				list = append(list, strings.ToLower(dns[d]))
			}
			return list
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				g := groupIn(s, ou, "g", names("01")...)
				if err := conn.Add(g); err != nil {
					t.Fatal(err)
				}
				r := ldap.NewModifyRequest(g.DN, nil)
				if test.permissive {
					r.Controls = append(r.Controls, ldap.NewControlString(permissiveModify, false, ""))
				}
				for _, c := range test.changes {
					switch c.operation {
					case "add":
						r.Add("member", names(c.members))
					case "delete":
						r.Delete("member", names(c.members))
					case "replace":
						r.Replace("member", names(c.members))
					}
				}
				err := conn.Modify(r)
				if want := test.want[k]; err == nil && want != 0 || err != nil && !ldap.IsErrorWithCode(err, want) {
					t.Errorf("it answered %v, want code %d", err, want)
				}
				want := names("01")
				if test.want[k] == 0 {
					want = names(test.after[k])
				}
				got := membersOf(t, conn, g.DN)
				for i := range got {
					got[i] = strings.ToLower(got[i])
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("the members are %q, want %q", got, want)
				}
				if err := conn.Del(ldap.NewDelRequest(g.DN, nil)); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

// The empty DN can hold the place of a member that groupOfNames demands.
func TestEmptyNameIsPlaceholder(t *testing.T) {
	for name, options := range map[string][]Option{"with integrity": nil, "without": {WithoutIntegrity}} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, OpenLDAP, options...)
			conn, ou := service(t, s), s.NewOU(t)
			p := personIn(s, ou, "ann")
			if err := conn.Add(p); err != nil {
				t.Fatal(err)
			}
			g := groupIn(s, ou, "g", "")
			if err := conn.Add(g); err != nil {
				t.Fatal(err)
			}
			r := ldap.NewModifyRequest(g.DN, nil)
			r.Delete("member", []string{""})
			r.Add("member", []string{p.DN})
			if err := conn.Modify(r); err != nil {
				t.Fatalf("a member in its place: %v", err)
			}
			r = ldap.NewModifyRequest(g.DN, nil)
			r.Delete("member", []string{p.DN})
			if err := conn.Modify(r); !ldap.IsErrorWithCode(err, ldap.LDAPResultObjectClassViolation) {
				t.Fatalf("taking the last member out: %v, want an object class violation", err)
			}
			r.Add("member", []string{""})
			if err := conn.Modify(r); err != nil {
				t.Fatalf("with the placeholder in its place: %v", err)
			}
			if got := membersOf(t, conn, g.DN); !slices.Equal(got, []string{""}) {
				t.Errorf("the members are %q, want the empty name", got)
			}
		})
	}
}

// With integrity a deleted person leaves its groups, without it stays.
func TestIntegrity(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		for name, options := range map[string][]Option{"with": nil, "without": {WithoutIntegrity}} {
			t.Run(name, func(t *testing.T) {
				if k == ActiveDirectory && options != nil {
					if _, err := Launch(t.Context(), k, "", options...); err == nil {
						t.Error("it started, want a refusal")
					}
					return
				}
				s := Start(t, k, options...)
				conn, ou := service(t, s), s.NewOU(t)
				ann, bob := personIn(s, ou, "ann"), personIn(s, ou, "bob")
				g := groupIn(s, ou, "g", ann.DN, bob.DN)
				only := groupIn(s, ou, "only", ann.DN)
				for _, r := range []*ldap.AddRequest{ann, bob, g, only} {
					if err := conn.Add(r); err != nil {
						t.Fatal(err)
					}
				}
				if err := conn.Del(ldap.NewDelRequest(ann.DN, nil)); err != nil {
					t.Fatal(err)
				}
				want := 1
				if options != nil {
					want = 2
				}
				if got := membersOf(t, conn, g.DN); len(got) != want {
					t.Errorf("the members are %q, want %d of them", got, want)
				}
				if s.Nobody == "" {
					return
				}
				// The last value is replaced in the background.
				deadline := time.Now().Add(10 * time.Second)
				for {
					got := membersOf(t, conn, only.DN)
					if slices.Equal(got, []string{s.Nobody}) {
						return
					}
					if time.Now().After(deadline) {
						t.Fatalf("the members of the other group are %q, want %q", got, s.Nobody)
					}
				}
			})
		}
	})
}
