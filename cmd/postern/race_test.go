package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

// raceRounds is how often two writers meet: a few times, or as often as the
// environment says:
//
//	POSTERN_RACE_ROUNDS=1000 go test ./cmd/postern -run TestRaces -timeout 30m
func raceRounds(t *testing.T) int {
	text := os.Getenv("POSTERN_RACE_ROUNDS")
	if text == "" {
		return 50
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("POSTERN_RACE_ROUNDS is %q", text)
	}
	return n
}

// TestRaces has two writers change one user at the same moment, each on the
// condition that all is as it was, and each another attribute: of two, one wins.
// The second writer shares nothing with the gateway but the directory.
func TestRaces(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			w := directoryWorld(t, ldaptest.Start(t, kind))
			u := w.user("race", `,"title":"title 0","displayName":"name 0","preferredLanguage":"de"`)
			r := race{w: w, id: u.id(), dn: w.dn(u.text("userName"))}
			t.Run("AnotherGateway", func(t *testing.T) {
				other := w.weaker(t, 100, nil)
				r.run(t, func(condition state, title string) bool {
					a := other.do("PATCH", "/Users/"+r.id, patchBody(`{"op":"replace","path":"title","value":`+quote(title)+`}`), "If-Match", condition.etag)
					if a.status != http.StatusOK && a.status != http.StatusPreconditionFailed {
						t.Errorf("the other gateway: %d %s", a.status, a.body)
					}
					return a.status == http.StatusOK
				})
			})
			t.Run("PastTheGateway", func(t *testing.T) {
				turn := 0
				r.run(t, func(condition state, title string) bool {
					for range turn % 4 { // else it is always the first
						w.with(t).dn(u.text("userName"))
					}
					turn++
					m := goldap.NewModifyRequest(r.dn, nil)
					for attr, values := range map[string][2]string{"title": {condition.title, title}, "displayName": {condition.name, condition.name}} {
						m.Delete(attr, values[:1])
						m.Add(attr, values[1:])
					}
					err := w.past.Modify(m)
					if err != nil && !goldap.IsErrorWithCode(err, goldap.LDAPResultNoSuchAttribute) {
						t.Errorf("past the gateway: %v", err)
					}
					return err == nil
				})
			})
			if kind == ldaptest.DS389 {
				return // it can not make a write conditional on that there is no value
			}
			t.Run("WhereThereWasNoValue", func(t *testing.T) {
				other := w.weaker(t, 100, nil)
				r.run(t, func(condition state, title string) bool {
					op := `{"op":"remove","path":"userType"}`
					if condition.userType == "" {
						op = `{"op":"add","path":"userType","value":` + quote(title) + `}`
					}
					return other.do("PATCH", "/Users/"+r.id, patchBody(op), "If-Match", condition.etag).status == http.StatusOK
				})
			})
		})
	}
}

// A race is two writers of one user.
type race struct {
	w  *world
	id string
	dn string
}

// A state is what the writers read before they meet.
type state struct{ etag, title, name, userType string }

func (r race) state(t *testing.T) state {
	a := r.w.with(t).get("/Users/" + r.id)
	r.w.want(a, http.StatusOK)
	return state{etag: a.etag(), title: a.text("title"), name: a.text("displayName"), userType: a.text("userType")}
}

// run lets the gateway's client, which writes the displayName, meet the rival.
func (r race) run(t *testing.T, rival func(condition state, title string) bool) {
	wins := map[bool]int{}
	for round := range raceRounds(t) {
		was := r.state(t)
		next := fmt.Sprint("round ", round, " after ", was.etag)
		var mine, theirs bool
		start := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			<-start
			a := r.w.with(t).do("PATCH", "/Users/"+r.id, patchBody(`{"op":"replace","path":"displayName","value":`+quote(next)+`}`), "If-Match", was.etag)
			if mine = a.status == http.StatusOK; !mine && a.status != http.StatusPreconditionFailed {
				t.Errorf("round %d: %d %s", round, a.status, a.body)
			}
		})
		wg.Go(func() {
			<-start
			theirs = rival(was, next)
		})
		close(start)
		wg.Wait()
		now := r.state(t)
		if mine == theirs {
			t.Fatalf("round %d: both %v; from %+v to %+v", round, mine, was, now)
		}
		if (now.name == next) != mine || (now.title == next || now.userType != was.userType) != theirs {
			t.Fatalf("round %d: won %v, %v; from %+v to %+v", round, mine, theirs, was, now)
		}
		wins[mine]++
	}
	t.Logf("the gateway's client won %d rounds, the rival %d", wins[true], wins[false])
	if raceRounds(t) >= 50 && (wins[true] == 0 || wins[false] == 0) {
		t.Log("one writer won every time: the two hardly met")
	}
}
