package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/go-ldap/ldap/v3"
)

// A scenario is one kind of work, done with go-ldap and through the gateway.
type scenario struct {
	name      string
	bar       int // CPU time of the gateway, in µs a request
	raw, http func(n int) (worker, error)
}

func scenarios(ctx context.Context, d *directory, g *gatewayProcess) ([]scenario, error) {
	s := &setting{d: d, g: g}
	h := newHTTP()
	defer h.c.CloseIdleConnections()
	if err := s.learn(ctx, h); err != nil {
		return nil, err
	}
	everything := []string{"uid", "cn", "sn", "givenName", "displayName", "mail", "title", "telephoneNumber", "mobile", "employeeNumber",
		"departmentNumber", "manager", "memberOf", "entryUUID", "entryCSN", "createTimestamp", "modifyTimestamp"}
	byID := func(i int) *ldap.SearchRequest {
		return search(d.server.PeopleBase, "(entryUUID="+d.uuids[i]+")", everything...)
	}
	return []scenario{
		{"read by id", 60,
			s.ldap(func(c *ldap.Conn, _, _ int) error { return one(c.Search(byID(s.pick()))) }),
			s.http(func(h httpClient, ctx context.Context, _, _ int) error {
				id, err := s.id(s.pick())
				if err != nil {
					return err
				}
				_, err = h.expect(ctx, "GET", g.base+"/Users/"+id, nil)
				return err
			})},
		{"userName eq", 80,
			s.ldap(func(c *ldap.Conn, _, _ int) error {
				return one(c.Search(search(d.server.PeopleBase, fmt.Sprintf("(uid=user%05d)", s.pick()), everything...)))
			}),
			s.http(func(h httpClient, ctx context.Context, _, _ int) error {
				_, err := h.expect(ctx, "GET", fmt.Sprintf("%s/Users?filter=userName+eq+%%22user%05d%%22", g.base, s.pick()), nil)
				return err
			})},
		{"PATCH title", 120,
			s.ldap(func(c *ldap.Conn, n, i int) error {
				at := s.own(n, i)
				if err := one(c.Search(byID(at))); err != nil {
					return err
				}
				m := ldap.NewModifyRequest(d.users[at], nil)
				m.Replace("title", []string{fmt.Sprintf("Raw %d", i)})
				return c.Modify(m)
			}),
			s.http(func(h httpClient, ctx context.Context, n, i int) error {
				id, err := s.id(s.own(n, i))
				if err != nil {
					return err
				}
				_, err = h.expect(ctx, "PATCH", g.base+"/Users/"+id, patch(fmt.Sprintf(`{"op":"replace","path":"title","value":"Ours %d"}`, i)))
				return err
			})},
		{"read the large group", 6000,
			s.ldap(func(c *ldap.Conn, _, _ int) error {
				return one(c.Search(search(d.group, "(objectClass=*)", "cn", "member")))
			}),
			s.http(func(h httpClient, ctx context.Context, _, _ int) error {
				_, err := h.expect(ctx, "GET", g.base+"/Groups/"+s.gid, nil)
				return err
			})},
		{"add, remove a member", 150,
			s.ldap(func(c *ldap.Conn, n, i int) error {
				change := func(i int) error {
					m := ldap.NewModifyRequest(d.group, nil)
					if dn := d.users[len(d.users)-1-n]; i%2 == 0 {
						m.Add("member", []string{dn})
					} else {
						m.Delete("member", []string{dn})
					}
					return c.Modify(m)
				}
				if i == 0 {
					_ = change(1) // what an earlier measurement may have left
				}
				return change(i)
			}),
			s.http(func(h httpClient, ctx context.Context, n, i int) error {
				id, err := s.id(len(d.users) - 100 - n)
				if err != nil {
					return err
				}
				op := `{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`
				if i%2 == 1 {
					op = `{"op":"remove","path":"members[value eq \"` + id + `\"]"}`
				}
				_, err = h.expect(ctx, "PATCH", g.base+"/Groups/"+s.gid, patch(op))
				return err
			})},
	}, nil
}

func patch(op string) []byte {
	return []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`)
}

// one checks that a search found its entry.
func one(res *ldap.SearchResult, err error) error {
	if err == nil && len(res.Entries) != 1 {
		err = fmt.Errorf("%d entries, not 1", len(res.Entries))
	}
	return err
}

// setting is what the scenarios share.
type setting struct {
	d   *directory
	g   *gatewayProcess
	ids map[int]string // SCIM ids by index of the user
	gid string
}

func (s *setting) pick() int { return rand.IntN(len(s.d.users)) }

// own spreads the workers over users of their own.
func (s *setting) own(n, i int) int { return (n + 64*i) % len(s.d.users) }

func (s *setting) ldap(do func(c *ldap.Conn, n, i int) error) func(n int) (worker, error) {
	return func(n int) (worker, error) {
		conn, err := s.d.dial()
		if err != nil {
			return worker{}, err
		}
		return worker{do: func(i int) error { return do(conn, n, i) }, close: func() { conn.Close() }}, nil
	}
}

func (s *setting) http(do func(h httpClient, ctx context.Context, n, i int) error) func(n int) (worker, error) {
	return func(n int) (worker, error) {
		h := newHTTP()
		ctx := context.Background()
		return worker{do: func(i int) error { return do(h, ctx, n, i) }, close: h.c.CloseIdleConnections}, nil
	}
}

// learn asks the gateway for the ids of all users and of the group.
func (s *setting) learn(ctx context.Context, h httpClient) error {
	ids := make(map[int]string, len(s.d.users))
	var page struct {
		Resources []struct{ ID, UserName string }
	}
	for start := 1; start <= len(s.d.users); start += 1000 {
		body, err := h.expect(ctx, "GET", fmt.Sprintf("%s/Users?startIndex=%d&count=1000&attributes=userName", s.g.base, start), nil)
		if err == nil {
			err = json.Unmarshal(body, &page)
		}
		if err != nil {
			return err
		}
		for _, r := range page.Resources {
			var i int
			if _, err := fmt.Sscanf(r.UserName, "user%d", &i); err != nil {
				return err
			}
			ids[i] = r.ID
		}
	}
	body, err := h.expect(ctx, "GET", s.g.base+"/Groups?filter=displayName+eq+%22large%22&excludedAttributes=members", nil)
	if err == nil {
		err = json.Unmarshal(body, &page)
	}
	if err != nil || len(page.Resources) != 1 {
		return fmt.Errorf("finding the large group: %d found, %w", len(page.Resources), err)
	}
	s.gid, s.ids = page.Resources[0].ID, ids
	return nil
}

func (s *setting) id(i int) (string, error) {
	id, ok := s.ids[i]
	if !ok {
		return "", fmt.Errorf("user %d has no id", i)
	}
	return id, nil
}
