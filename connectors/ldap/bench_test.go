package ldap_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap/ldaptest"
)

var wanted = []connectors.Attr{"uid", "cn", "sn", "givenName", "displayName", "mail", "title", "telephoneNumber", "employeeNumber", "manager"}

// person is a user with every wanted attribute.
func (d *directory) person(n int) connectors.Draft {
	draft := d.user(connectors.Value(fmt.Sprintf("bench%05d", n)))
	for _, a := range []connectors.Attr{"givenName", "displayName", "title", "telephoneNumber", "employeeNumber"} {
		draft.Fields = append(draft.Fields, connectors.Field{Attr: a, Values: value("12345 a value")})
	}
	draft.Fields = append(draft.Fields, connectors.Field{Attr: "mail", Values: value(connectors.Value(fmt.Sprintf("bench%05d@example.com", n)))})
	return draft
}

// cpu runs the benchmark and reports the processor time of this process alone,
// without the server's.
func cpu(b *testing.B, op func(i int)) {
	b.Helper()
	b.ReportAllocs()
	before := spent(b)
	i := 0
	for b.Loop() {
		op(i)
		i++
	}
	b.ReportMetric(float64(spent(b)-before)/1000/float64(b.N), "µs-cpu/op")
}

// spent is the processor time of this process in nanoseconds.
func spent(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkBaseSearch compares one read of an entry by the connector with the
// same search by go-ldap.
func BenchmarkBaseSearch(b *testing.B) {
	d := start(b, ldaptest.OpenLDAP)
	dir := d.open(b, d.config(d.URL))
	defer dir.Close()
	users := collection(b, dir, "User")
	var anchors []connectors.Anchor
	for i := range 100 {
		e, err := users.Create(b.Context(), d.person(i), nil)
		if err != nil {
			b.Fatal(err)
		}
		anchors = append(anchors, e.Anchor)
	}
	b.Run("connector", func(b *testing.B) {
		cpu(b, func(i int) {
			if _, err := users.Get(b.Context(), anchors[i%len(anchors)], wanted); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("connector, 16 at once", func(b *testing.B) {
		before := spent(b)
		b.SetParallelism(16 / runtime.GOMAXPROCS(0))
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, err := users.Get(b.Context(), anchors[i%len(anchors)], wanted); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(spent(b)-before)/1000/float64(b.N), "µs-cpu/op")
	})
	conn, err := goldap.DialURL(d.URL)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(d.ServiceDN, d.ServicePassword); err != nil {
		b.Fatal(err)
	}
	var attrs []string
	for _, a := range wanted {
		attrs = append(attrs, string(a))
	}
	attrs = append(attrs, "entryUUID", "entryCSN")
	b.Run("go-ldap", func(b *testing.B) {
		cpu(b, func(i int) {
			filter := fmt.Sprintf("(&(uid=bench%05d)(objectClass=inetOrgPerson))", i%len(anchors))
			r, err := conn.Search(goldap.NewSearchRequest(d.PeopleBase, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 2, 0, false, filter, attrs, nil))
			if err != nil || len(r.Entries) != 1 {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkLargeGroup reads a group of 5,000 members, warm.
func BenchmarkLargeGroup(b *testing.B) {
	d := start(b, ldaptest.OpenLDAP)
	dir := d.open(b, d.config(d.URL))
	defer dir.Close()
	users, groups := collection(b, dir, "User"), collection(b, dir, "Group")
	draft := d.group("bench")
	var members []connectors.Target
	for i := range 5000 {
		e, err := users.Create(b.Context(), d.person(i), nil)
		if err != nil {
			b.Fatal(err)
		}
		members = append(members, connectors.Target{Collection: "User", Anchor: e.Anchor})
	}
	draft.Fields = append(draft.Fields, connectors.Field{Attr: "member", Refs: members})
	g, err := groups.Create(b.Context(), draft, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		cpu(b, func(int) {
			e, err := groups.Get(b.Context(), g.Anchor, []connectors.Attr{"cn", "member"})
			if err != nil || len(e.Field("member").Refs) != len(members) {
				b.Fatal(err, len(e.Field("member").Refs))
			}
		})
	})
	b.Run("member out and in", func(b *testing.B) {
		cpu(b, func(i int) {
			m := members[i%len(members) : i%len(members)+1]
			for _, ch := range []connectors.Change{{Attr: "member", Lenient: true, DeleteRefs: m}, {Attr: "member", Lenient: true, AddRefs: m}} {
				if _, err := groups.Apply(b.Context(), g.Anchor, []connectors.Change{ch}, connectors.Guard{}, []connectors.Attr{"cn"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkPatch reads an entry and changes one attribute under its guard.
func BenchmarkPatch(b *testing.B) {
	d := start(b, ldaptest.OpenLDAP)
	dir := d.open(b, d.config(d.URL))
	defer dir.Close()
	users := collection(b, dir, "User")
	e, err := users.Create(b.Context(), d.person(0), wanted)
	if err != nil {
		b.Fatal(err)
	}
	cpu(b, func(i int) {
		e, err := users.Get(b.Context(), e.Anchor, wanted)
		if err != nil {
			b.Fatal(err)
		}
		change := connectors.Change{Attr: "title", Delete: e.Field("title").Values, Add: value(connectors.Value(fmt.Sprint("title ", i)))}
		if _, err := users.Apply(b.Context(), e.Anchor, []connectors.Change{change}, connectors.Guard{Level: connectors.GuardEntry, Stamp: e.Stamp}, wanted); err != nil {
			b.Fatal(err)
		}
	})
}
