package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"postern/connectors/ldap/ldaptest"

	"github.com/go-ldap/ldap/v3"
)

// runGroups measures one very large group: what is done with it over HTTP, against the same done with bare LDAP on the
// same server, and how many operations the gateway asks of the directory.
func runGroups(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("groups", flag.ExitOnError)
	b := groupsBench{}
	kind := flags.String("server", string(ldaptest.OpenLDAP), "openldap, ds389 or active-directory")
	flags.IntVar(&b.members, "members", 100_000, "members of the group")
	flags.IntVar(&b.batch, "batch", 10_000, "members that one PATCH adds")
	flags.IntVar(&b.rounds, "rounds", 7, "how often each is measured; medians are compared")
	flags.StringVar(&b.o.profile, "profile", "", "write a heap profile of the gateway after the first read to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	k, err := ldaptest.ParseKind(*kind)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "postern-bench-groups-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := ldaptest.Install(ctx, os.Stderr, k); err != nil {
		return err
	}
	s, err := ldaptest.Launch(ctx, k, "")
	if err != nil {
		return err
	}
	defer s.Stop()
	b.dir, b.d = dir, &directory{server: s}
	fmt.Printf("%s, a group of %d members\n\n", k, b.members)
	began := time.Now()
	if err := b.fill(ctx); err != nil {
		return err
	}
	fmt.Printf("(made in %.0f s)\n", time.Since(began).Seconds())
	return b.run(ctx)
}

type groupsBench struct {
	members, batch, rounds int
	o                      options
	dir                    string
	d                      *directory
	g                      *gatewayProcess
	conn                   *ldap.Conn
	gid                    string
	outside                []string // SCIM ids of the users that are not members, from the first on
}

// run measures over a direct connection first, and then counts operations of a gateway that is led through a counter.
func (b *groupsBench) run(ctx context.Context) (err error) {
	if b.conn, err = b.d.dial(); err != nil {
		return err
	}
	defer b.conn.Close()
	b.conn.SetTimeout(10 * time.Minute)
	if b.g, err = startGateway(ctx, b.dir, b.d, b.o); err != nil {
		return err
	}
	if err = b.measured(ctx); err != nil {
		b.g.stop()
		return err
	}
	b.g.stop()
	return b.counted(ctx)
}

func (b *groupsBench) measured(ctx context.Context) error {
	h := newHTTP()
	h.c.Timeout = 0
	defer h.c.CloseIdleConnections()
	if err := b.learn(ctx, h); err != nil {
		return err
	}
	if err := b.reads(ctx, h); err != nil {
		return err
	}
	for _, w := range []struct {
		name  string
		count int
		bar   float64
	}{{"add one member", 1, 1.5}, {fmt.Sprintf("add %d members in one PATCH", b.batch), b.batch, 2}} {
		if err := b.adds(ctx, h, w.name, w.count, w.bar); err != nil {
			return err
		}
	}
	member := b.d.users[0]
	id, err := b.idOf(ctx, h, 0)
	if err != nil {
		return err
	}
	err = b.compared(`members eq "id"`, 0,
		func() error {
			return one(b.conn.Search(search(b.d.server.GroupsBase, "(member="+ldap.EscapeFilter(member)+")", "cn")))
		},
		func() error {
			return b.expectOne(ctx, h, b.g.base+"/Groups?excludedAttributes=members&filter=members+eq+%22"+id+"%22")
		})
	if err != nil {
		return err
	}
	return b.compared("a user's groups", 0,
		func() error { return one(b.conn.Search(search(member, "(objectClass=*)", "memberOf"))) },
		func() error {
			body, err := h.expect(ctx, "GET", b.g.base+"/Users/"+id+"?attributes=groups", nil)
			if err == nil && !strings.Contains(string(body), b.gid) {
				err = fmt.Errorf("the groups of a member are without the group: %.300s", body)
			}
			return err
		})
}

// reads reads the whole group.
func (b *groupsBench) reads(ctx context.Context, h httpClient) error {
	url := b.g.base + "/Groups/" + b.gid
	read := func() (time.Duration, error) {
		began := time.Now()
		n, err := h.count(ctx, url, `"$ref"`)
		if err == nil && n != b.members {
			err = fmt.Errorf("the group was read with %d members, there are %d", n, b.members)
		}
		return time.Since(began), err
	}
	var took time.Duration
	first, err := b.g.peak(func() (err error) {
		took, err = read()
		return err
	})
	if err != nil {
		return err
	}
	bare, err := b.bareRead()
	if err != nil {
		return err
	}
	per := func(mib float64) float64 { return mib * (1 << 20) / float64(b.members) }
	row("the first read", fmt.Sprintf("%.0f ms", ms(took)), "")
	row("bare read, just after", fmt.Sprintf("%.0f ms", ms(bare)), "")
	row("memory for the first read, a member, with caches", fmt.Sprintf("%.0f bytes", per(first)), "")
	if b.o.profile != "" {
		body, err := newHTTP().expect(ctx, "GET", "http://"+b.g.profile+"/debug/pprof/heap", nil)
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.o.profile, body, 0o600); err != nil {
			return err
		}
	}
	later, err := b.g.peak(func() error {
		return b.compared("read the group", 2,
			func() error { _, err := b.bareRead(); return err },
			func() error { _, err := read(); return err })
	})
	if err != nil {
		return err
	}
	row("memory for all these reads beyond that, a member", fmt.Sprintf("%.0f bytes", per(later)), "200")
	return b.compared("read it with excludedAttributes=members", 0,
		func() error { return one(b.conn.Search(search(b.d.group, "(objectClass=*)", "cn"))) },
		func() error {
			n, err := h.count(ctx, url+"?excludedAttributes=members", `"$ref"`)
			if err == nil && n != 0 {
				err = errors.New("members were shown that were excluded")
			}
			return err
		})
}

// bareRead reads the group with go-ldap, with the controls that the gateway uses.
func (b *groupsBench) bareRead() (time.Duration, error) {
	r := search(b.d.group, "(objectClass=*)", "cn", "member", "createTimestamp", "modifyTimestamp", b.d.anchor())
	r.Scope = ldap.ScopeBaseObject
	if b.d.server.Kind == ldaptest.ActiveDirectory {
		r.Controls = []ldap.Control{extendedDN}
	}
	began := time.Now()
	res, err := b.conn.Search(r)
	took := time.Since(began)
	if err := one(res, err); err != nil {
		return 0, err
	}
	if n := len(res.Entries[0].GetAttributeValues("member")); n < b.members || n > b.members+1 { // there may be a placeholder
		return 0, fmt.Errorf("bare LDAP read %d members, there are %d", n, b.members)
	}
	return took, nil
}

// extendedDN asks Active Directory for references with GUIDs ([MS-ADTS] §3.1.1.3.4.1.5).
var extendedDN = ldap.NewControlString("1.2.840.113556.1.4.529", false, "0\x03\x02\x01\x00")

// adds adds members that are not in the group, by turns with bare LDAP and over HTTP, and takes them out with bare LDAP.
func (b *groupsBench) adds(ctx context.Context, h httpClient, name string, n int, bar float64) error {
	var elements []string
	for _, id := range b.outside[:n] {
		elements = append(elements, `{"value":"`+id+`"}`)
	}
	body := patch(`{"op":"add","path":"members","value":[` + strings.Join(elements, ",") + `]}`)
	modify := func(add bool) error {
		m := ldap.NewModifyRequest(b.d.group, nil)
		if dns := b.d.users[b.members : b.members+n]; add {
			m.Add("member", dns)
		} else {
			m.Delete("member", dns)
		}
		return b.conn.Modify(m)
	}
	return b.comparedUndone(name, bar,
		func() error { return modify(true) },
		func() error {
			_, err := h.expect(ctx, "PATCH", b.g.base+"/Groups/"+b.gid, body)
			return err
		},
		func() error { return modify(false) })
}

func (b *groupsBench) compared(name string, bar float64, raw, ours func() error) error {
	return b.comparedUndone(name, bar, raw, ours, func() error { return nil })
}

// comparedUndone does the same by turns with bare LDAP and over HTTP, prints the medians and their ratio, and undoes
// what either did.
func (b *groupsBench) comparedUndone(name string, bar float64, raw, ours, undo func() error) error {
	took := [2][]time.Duration{}
	for i := range 2 * b.rounds {
		began := time.Now()
		var err error
		if i%2 == 0 {
			err = raw()
		} else {
			err = ours()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		took[i%2] = append(took[i%2], time.Since(began))
		if err := undo(); err != nil {
			return fmt.Errorf("%s, undone: %w", name, err)
		}
	}
	var medians [2]float64
	for i := range took {
		slices.Sort(took[i])
		medians[i] = ms(took[i][len(took[i])/2])
	}
	budget := ""
	if bar > 0 {
		budget = fmt.Sprintf("%.1f ×", bar)
	}
	row(name, fmt.Sprintf("%.2f ×", medians[1]/medians[0]), budget)
	fmt.Printf("%-52s %14s\n", "", fmt.Sprintf("%.1f / %.1f ms", medians[0], medians[1]))
	return nil
}

// learn finds the group and the users that are not in it. None of the members gets its id by that.
func (b *groupsBench) learn(ctx context.Context, h httpClient) error {
	var page struct {
		Resources []struct{ ID, UserName string }
	}
	get := func(query string) error {
		body, err := h.expect(ctx, "GET", b.g.base+query, nil)
		if err != nil {
			return err
		}
		return json.Unmarshal(body, &page)
	}
	if err := get("/Groups?filter=displayName+eq+%22large%22&excludedAttributes=members"); err != nil || len(page.Resources) != 1 {
		return fmt.Errorf("finding the large group: %d found, %w", len(page.Resources), err)
	}
	b.gid = page.Resources[0].ID
	b.outside = make([]string, b.batch)
	for i := 0; i < b.batch; i += 10 {
		last := b.members + i // of ten users with one stem
		if err := get(fmt.Sprintf("/Users?attributes=userName&count=10&filter=userName+sw+%%22user%06d%%22", last/10)); err != nil {
			return err
		}
		for _, r := range page.Resources {
			var n int
			if _, err := fmt.Sscanf(r.UserName, "user%d", &n); err != nil {
				return err
			}
			if n -= b.members; n >= 0 && n < b.batch {
				b.outside[n] = r.ID
			}
		}
	}
	if slices.Contains(b.outside, "") {
		return errors.New("not all users that are no members were found")
	}
	return nil
}

// idOf asks for the id of a user.
func (b *groupsBench) idOf(ctx context.Context, h httpClient, i int) (string, error) {
	body, err := h.expect(ctx, "GET", fmt.Sprintf("%s/Users?attributes=userName&filter=userName+eq+%%22%s%%22", b.g.base, b.d.userName(i)), nil)
	if err != nil {
		return "", err
	}
	var page struct{ Resources []struct{ ID string } }
	if err := json.Unmarshal(body, &page); err != nil || len(page.Resources) != 1 {
		return "", fmt.Errorf("finding user %d: %d found, %w", i, len(page.Resources), err)
	}
	return page.Resources[0].ID, nil
}

// expectOne expects a list of one resource, the group.
func (b *groupsBench) expectOne(ctx context.Context, h httpClient, url string) error {
	body, err := h.expect(ctx, "GET", url, nil)
	if err == nil && (!strings.Contains(string(body), `"totalResults":1,`) || !strings.Contains(string(body), b.gid)) {
		err = fmt.Errorf("%s: not the group alone: %.300s", url, body)
	}
	return err
}

// counted counts what one request each asks of the directory.
func (b *groupsBench) counted(ctx context.Context) error {
	c, err := newCounter(ctx, b.d.server.URL)
	if err != nil {
		return err
	}
	defer c.stop()
	if b.g, err = startGatewayAt(ctx, b.dir, b.d, b.o, "ldap://"+c.address()); err != nil {
		return err
	}
	defer b.g.stop()
	h := newHTTP()
	h.c.Timeout = 0
	defer h.c.CloseIdleConnections()
	id, err := b.idOf(ctx, h, 0)
	if err != nil {
		return err
	}
	group := b.g.base + "/Groups/" + b.gid
	first := b.outside[0]
	fmt.Printf("\n%-52s %14s\n", "directory operations (and bytes that came back)", "")
	for _, q := range []struct {
		name, method, url, body string
		most                    int
	}{
		{"add one member", "PATCH", group, `{"op":"add","path":"members","value":[{"value":"` + first + `"}]}`, 2},
		{"add it again", "PATCH", group, `{"op":"add","path":"members","value":[{"value":"` + first + `"}]}`, 0},
		{"remove it", "PATCH", group, `{"op":"remove","path":"members[value eq \"` + first + `\"]"}`, 2},
		{"remove it again", "PATCH", group, `{"op":"remove","path":"members[value eq \"` + first + `\"]"}`, 0},
		{"read with excludedAttributes=members", "GET", group + "?excludedAttributes=members", "", 1},
		{`members eq "id"`, "GET", b.g.base + "/Groups?excludedAttributes=members&filter=members+eq+%22" + id + "%22", "", 0},
		{"a user's groups", "GET", b.g.base + "/Users/" + id + "?attributes=groups", "", 0},
		{"the first read after a start", "GET", group, "", 0},
		{"a read after that", "GET", group, "", 0},
	} {
		var body []byte
		if q.body != "" {
			body = patch(q.body)
		}
		ops, bytes := c.operations.Load(), c.back.Load()
		if _, err := h.expect(ctx, q.method, q.url, body); err != nil {
			return err
		}
		budget := ""
		if q.most > 0 {
			budget = fmt.Sprint(q.most)
		}
		row(q.name, fmt.Sprintf("%d (%d)", c.operations.Load()-ops, c.back.Load()-bytes), budget)
	}
	return nil
}
