package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"
)

// logLines are the lines of a log.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// until waits for a line with the text.
func (l logLines) until(t *testing.T, text string) {
	t.Helper()
	for {
		select {
		case line := <-l:
			if strings.Contains(line, text) {
				return
			}
		case <-time.After(time.Minute):
			t.Fatalf("the log does not say %q", text)
		}
	}
}

// TestFollowing deletes users past a gateway that serves, and past one that is down for
// a while: the log says so, and their ids answer 404.
func TestFollowing(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			c, maps := directoryConfig(t, s)
			for i := range c.Backends {
				c.Backends[i].LDAP.Poll = 50 * time.Millisecond
			}
			past := s.Admin(t)
			lines := make(logLines, 10_000)
			up := func() (*client, func()) {
				a, err := open(t.Context(), c, maps, zerolog.New(lines))
				if err != nil {
					t.Fatal(err)
				}
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- errors.Join(serve(ctx, l, c.Limits, a, zerolog.New(lines)), a.close()) }()
				return &client{t: t, base: fmt.Sprintf("http://%s/scim/v2", l.Addr()), token: writerToken, app: a}, func() {
					cancel()
					if err := <-ended; err != nil {
						t.Error(err)
					}
				}
			}
			gone := func(name string) {
				t.Helper()
				found, err := past.Search(goldap.NewSearchRequest(s.PeopleBase, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 0, 0, false,
					"(|(uid="+name+")(userPrincipalName="+name+"@*))", []string{"1.1"}, nil))
				if err != nil || len(found.Entries) != 1 {
					t.Fatal(found, err)
				}
				if err := past.Del(goldap.NewDelRequest(found.Entries[0].DN, nil)); err != nil {
					t.Fatal(err)
				}
			}
			user := func(name string) string {
				if kind == ldaptest.ActiveDirectory {
					name += "@corp.example.com"
				}
				return userBody(name, "")
			}
			const said = "an object was deleted"
			w, down := up()
			for range 2 { // users and groups
				lines.until(t, "it is followed from here on")
			}
			first, second := w.create("/Users", user("gone-while-up")), w.create("/Users", user("gone-while-down"))
			gone("gone-while-up")
			lines.until(t, said)
			w.wantError(w.get("/Users/"+first.id()), 404, "")
			down()
			gone("gone-while-down")
			w, down = up()
			lines.until(t, said)
			w.wantError(w.get("/Users/"+second.id()), 404, "")
			down()
		})
	}
}
