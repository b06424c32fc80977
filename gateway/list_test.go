package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/scim"
)

// ask is a list request as a test writes it.
type ask struct {
	kinds        []string // default: User
	filter, sort string
	descending   bool
	start, count int
	cursor       *string
	caller       gateway.Caller
	attributes   []string
}

func (b *bench) ask(a ask) (gateway.Page, error) {
	b.t.Helper()
	if a.kinds == nil {
		a.kinds = []string{"User"}
	}
	if a.caller == (gateway.Caller{}) {
		a.caller = caller
	}
	types := map[string]*scim.ResourceType{"User": b.user, "Group": b.group}
	q := gateway.Query{Descending: a.descending, Start: a.start, Count: a.count, Cursor: a.cursor}
	var rts []*scim.ResourceType
	for _, kind := range a.kinds {
		rts = append(rts, types[kind])
	}
	for _, rt := range rts {
		p := gateway.Part{Kind: rt.Name}
		var err error
		if a.filter != "" {
			if p.Filter, err = (scim.Dialect{}).ParseFilter(rt, a.filter, rts...); err != nil {
				b.t.Fatal(err)
			}
		}
		if p.Selection, err = scim.ParseSelection(rt, a.attributes, nil); err != nil {
			b.t.Fatal(err)
		}
		q.Parts = append(q.Parts, p)
	}
	if a.sort != "" {
		keys, err := scim.ParseSortKey(a.sort, rts...)
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range keys {
			q.Parts[i].Sort = keys[i]
		}
	}
	return b.List(b.t.Context(), a.caller, q)
}

func (b *bench) mustAsk(a ask) gateway.Page {
	b.t.Helper()
	p, err := b.ask(a)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// listed has the value of an attribute in each result, or - where it has none.
func listed(p gateway.Page, name string) string {
	var s []string
	for _, r := range p.Results {
		v := "-"
		if a, ok := r.Resource.Type.Attribute(name); ok && !r.Resource.Get(a).IsAbsent() {
			v = r.Resource.Get(a).Text()
		}
		s = append(s, v)
	}
	return strings.Join(s, " ")
}

func (b *bench) titled(name, title string) string {
	b.t.Helper()
	res, err := b.Create(b.t.Context(), caller, "User", b.resource(b.user, `{"userName":"`+name+`","title":"`+title+`"}`), gateway.WriteOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return res.Resource.ID()
}

func (b *bench) makeGroup(name string, members ...string) string {
	b.t.Helper()
	var ms []string
	for _, m := range members {
		ms = append(ms, `{"value":"`+m+`"}`)
	}
	res, err := b.Create(b.t.Context(), caller, "Group", b.resource(b.group, `{"displayName":"`+name+`","members":[`+strings.Join(ms, ",")+`]}`), gateway.WriteOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return res.Resource.ID()
}

func TestSorted(t *testing.T) {
	b := newBench(t, memory.Options{})
	for _, u := range [][2]string{{"u1", "beta"}, {"u2", "Alpha"}, {"u3", ""}, {"u4", "gamma"}, {"u5", "ALPHA"}, {"u6", ""}} {
		b.titled(u[0], u[1])
	}
	first := func(p gateway.Page) string { return strings.ToLower(listed(p, "title")) }
	for _, count := range []int{10, 6, 4, 1} {
		for _, filter := range []string{"", `userName sw "u"`, `userName gt "a"`} {
			for descending, want := range map[bool]string{false: "alpha alpha beta gamma - -", true: "- - gamma beta alpha alpha"} {
				a := ask{sort: "title", descending: descending, count: count, filter: filter}
				var got, names []string
				for a.start = 1; a.start <= 6; a.start += count {
					p := b.mustAsk(a)
					got, names = append(got, first(p)), append(names, listed(p, "userName"))
					if p.Total != 6 {
						t.Errorf("%+v: total %d", a, p.Total)
					}
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%+v: %s, want %s", a, got, want)
				}
				whole := b.mustAsk(ask{sort: "title", descending: descending, count: 10})
				if strings.Join(names, " ") != listed(whole, "userName") {
					t.Errorf("%+v: %s, the whole list %s", a, names, listed(whole, "userName"))
				}
			}
		}
	}
}

// walkByCursor asks for one page after the other and returns the ids.
func (b *bench) walkByCursor(a ask, between func()) (seen []string, last gateway.Page) {
	b.t.Helper()
	a.cursor = new(string)
	for {
		p := b.mustAsk(a)
		seen = append(seen, ids(p)...)
		if (p.Previous == "") != (*a.cursor == "") {
			b.t.Errorf("cursor %q: the page before is %q", *a.cursor, p.Previous)
		}
		if p.Next == "" {
			return seen, p
		}
		a.cursor = &p.Next
		between()
	}
}

// TestPagesWhileOthersWrite walks a list in both ways, with and without a filter
// that is evaluated here, in parallel and while users come and go: what is there
// all the time is seen exactly once, and totals stay.
func TestPagesWhileOthersWrite(t *testing.T) {
	b := newBench(t, memory.Options{})
	const n = 257
	want := map[string]bool{}
	for i := range n {
		want[b.titled(fmt.Sprintf("stays%03d", i), fmt.Sprintf("t%d", i%7))] = true
	}
	var mu sync.Mutex
	changes := 0
	churn := func(b *bench) {
		mu.Lock()
		defer mu.Unlock()
		changes++
		id := b.mustCreate(fmt.Sprintf("comes%03d", changes))
		if changes%2 == 0 {
			if err := b.Delete(b.t.Context(), caller, "User", id, scim.Precondition{}); err != nil {
				b.t.Error(err)
			}
		}
	}
	for _, a := range []ask{{}, {sort: "title"}, {sort: "id", descending: true}, {filter: `userName sw "s" or userName sw "c"`}, {filter: `userName gt "a"`}, {filter: `userName gt "a"`, sort: "userName"}} {
		a.count = 10
		check := func(t *testing.T, seen []string) {
			counts := map[string]int{}
			for _, id := range seen {
				counts[id]++
			}
			for id := range want {
				if counts[id] != 1 {
					t.Fatalf("%s was seen %d times", id, counts[id])
				}
			}
		}
		t.Run(fmt.Sprintf("by cursor %q %q", a.filter, a.sort), func(t *testing.T) {
			t.Parallel()
			b := b.with(t)
			seen, _ := b.walkByCursor(a, func() { churn(b) })
			check(t, seen)
		})
		t.Run(fmt.Sprintf("by index %q %q", a.filter, a.sort), func(t *testing.T) {
			t.Parallel()
			b, a := b.with(t), a
			var seen []string
			for a.start = 1; a.start <= n; a.start += a.count {
				seen = append(seen, ids(b.mustAsk(a))...)
				churn(b)
			}
			for more := true; more; a.start += a.count {
				p := b.mustAsk(a)
				seen, more = append(seen, ids(p)...), a.start+a.count <= p.Total
			}
			check(t, seen)
		})
	}
}

func (b *bench) with(t *testing.T) *bench {
	d := *b
	d.t = t
	return &d
}

func scimType(err error) string {
	if e, ok := errors.AsType[*scim.Error](err); ok {
		return e.ScimType
	}
	return fmt.Sprint(err)
}

func TestCursors(t *testing.T) {
	b := newBench(t, memory.Options{})
	for i := range 25 {
		b.titled(fmt.Sprintf("u%02d", i), "x")
	}
	first := b.mustAsk(ask{count: 10, sort: "userName", cursor: new(string)})
	if first.Previous != "" || first.Next == "" || first.Total != 25 || len(first.Results) != 10 || first.Start != 0 {
		t.Fatalf("first page: %d of %d, %q %q", len(first.Results), first.Total, first.Previous, first.Next)
	}
	second := b.mustAsk(ask{count: 7, sort: "userName", cursor: &first.Next}) // the count may change
	third := b.mustAsk(ask{count: 10, sort: "userName", cursor: &second.Next})
	if got := listed(second, "userName") + " " + listed(third, "userName"); !strings.HasPrefix(got, "u10 u11") || len(second.Results) != 7 || len(third.Results) != 8 || third.Next != "" {
		t.Errorf("second and third page: %s", got)
	}
	back := b.mustAsk(ask{count: 10, sort: "userName", cursor: &third.Previous})
	if got := listed(back, "userName"); !strings.HasPrefix(got, "u07") || !strings.HasSuffix(got, "u16") || back.Next == "" {
		t.Errorf("the page before the third: %s", got)
	}
	back = b.mustAsk(ask{count: 10, sort: "userName", cursor: &back.Previous}) // before it are 7, and no more
	if got := listed(back, "userName"); got != "u00 u01 u02 u03 u04 u05 u06" || back.Previous != "" {
		t.Errorf("the page before that: %s", got)
	}
	if again := b.mustAsk(ask{count: 10, sort: "userName", cursor: &first.Next}); listed(again, "userName") != "u10 u11 u12 u13 u14 u15 u16 u17 u18 u19" {
		t.Errorf("a cursor for the second time: %s", listed(again, "userName"))
	}
	if p := b.mustAsk(ask{count: 0, cursor: new(string)}); p.Total != 25 || len(p.Results) != 0 || p.Next != "" {
		t.Errorf("a count of 0: %+v", p)
	}
	if p := b.mustAsk(ask{count: 25, cursor: new(string)}); len(p.Results) != 25 || p.Next != "" || p.Previous != "" {
		t.Errorf("all in one page: %+v", p)
	}
	for name, a := range map[string]ask{
		"other client": {sort: "userName", caller: gateway.Caller{Client: "other", Domain: "idp"}},
		"other domain": {sort: "userName", caller: gateway.Caller{Client: "idp", Domain: "other"}},
		"other filter": {sort: "userName", filter: "title pr"},
		"other sort":   {sort: "title"},
		"no sort":      {},
		"other order":  {sort: "userName", descending: true},
		"other types":  {sort: "userName", kinds: []string{"User", "Group"}},
	} {
		a.count, a.cursor = 10, &first.Next
		if p, err := b.ask(a); scimType(err) != scim.TypeInvalidCursor {
			t.Errorf("%s: %v, %v", name, ids(p), err)
		}
	}
	b.titled("later", "x")
	if p := b.mustAsk(ask{count: 10, sort: "userName", start: 11}); p.Total != 26 {
		t.Errorf("a page by index stands on the walk by cursor: total %d", p.Total)
	}
	for range 40 { // used within the time-out, a cursor lives on
		b.clock.Add(100)
		if _, err := b.ask(ask{count: 10, sort: "userName", cursor: &first.Next}); err != nil {
			t.Fatal(err)
		}
	}
	b.clock.Add(121)
	if _, err := b.ask(ask{count: 10, sort: "userName", cursor: &first.Next}); scimType(err) != scim.TypeExpiredCursor {
		t.Errorf("after the time-out: %v", err)
	}
	b.Gateway = b.again()
	if _, err := b.ask(ask{count: 10, sort: "userName", cursor: &first.Next}); scimType(err) != scim.TypeInvalidCursor {
		t.Errorf("of another process: %v", err)
	}
}

// TestCursorEvicted begins so many walks that the oldest has to give way.
func TestCursorEvicted(t *testing.T) {
	b := newBench(t, memory.Options{})
	past := b.backend.Collection("User")
	const n = 20_000
	for i := range n {
		if _, err := past.Create(t.Context(), connectors.Draft{Name: "uid", Fields: []connectors.Field{{Attr: "uid", Values: []connectors.Value{connectors.Value(fmt.Sprintf("u%05d", i))}}}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	a := ask{count: 1, cursor: new(string), attributes: []string{"userName"}}
	other := a
	other.caller = gateway.Caller{Client: "other", Domain: "idp"}
	oldest, others := b.mustAsk(a), b.mustAsk(other)
	for range 30 {
		b.clock.Add(1)
		b.mustAsk(a)
	}
	a.cursor = &oldest.Next
	if _, err := b.ask(a); scimType(err) != scim.TypeExpiredCursor {
		t.Errorf("the oldest of 31 walks: %v", err)
	}
	other.cursor = &others.Next
	if _, err := b.ask(other); err != nil {
		t.Errorf("another client's walk: %v", err)
	}
}

func TestOverTypes(t *testing.T) {
	b := newBench(t, memory.Options{})
	u1, u2 := b.titled("anna", "Boss"), b.titled("bert", "")
	g1, g2 := b.makeGroup("Ants", u1), b.makeGroup("Bees")
	both := []string{"User", "Group"}
	for filter, want := range map[string][]string{
		"":                                         {u1, u2, g1, g2},
		`userName pr`:                              {u1, u2},
		`not (userName pr)`:                        {g1, g2},
		`userName ne "anna"`:                       {u2, g1, g2},
		`title eq "boss" or members pr`:            {u1, g1},
		`members.value eq "` + u1 + `"`:            {g1},
		`not (members[value eq "` + u1 + `"])`:     {u1, u2, g2},
		`meta.resourceType eq "Group"`:             {g1, g2},
		`id eq "` + g2 + `" or id eq "` + u1 + `"`: {u1, g2},
		`displayName sw "a"`:                       {g1},
		`displayName gt "a"`:                       {g1, g2},
		`userName eq "anna" and displayName pr`:    nil,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`: {u1, u2},
		`meta.location eq "Users/` + u1 + `"`:                     {u1},
	} {
		p := b.mustAsk(ask{kinds: both, filter: filter, count: 10})
		var paged []string
		for start := range want {
			paged = append(paged, ids(b.mustAsk(ask{kinds: both, filter: filter, start: start + 1, count: 1}))...)
		}
		got := ids(p)
		if !slices.Equal(paged, got) {
			t.Errorf("%s: one by one %v, at once %v", filter, paged, got)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || p.Total != len(want) {
			t.Errorf("%s: %v of %d, want %v", filter, got, p.Total, want)
		}
	}
	if got := listed(b.mustAsk(ask{kinds: both, sort: "displayName", descending: true, count: 10}), "displayName"); got != "- - Bees Ants" {
		t.Errorf("sorted over types: %s", got)
	}
	if got := listed(b.mustAsk(ask{kinds: both, sort: "userName", count: 3}), "userName"); got != "anna bert -" {
		t.Errorf("sorted by what groups lack: %s", got)
	}
}

// spy records what is asked of a connector.
type spy struct {
	connectors.Connector
	mu      *sync.Mutex
	asked   *[]connectors.Query
	entries *int
}

func (s spy) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	s.mu.Lock()
	*s.asked = append(*s.asked, q)
	s.mu.Unlock()
	return func(yield func(connectors.Entry, error) bool) {
		for e, err := range s.Connector.Search(ctx, q) {
			*s.entries++
			if !yield(e, err) {
				return
			}
		}
	}
}

// TestListsAskForNoMoreThanTheyNeed counts the searches of common lists and what
// they want.
func TestListsAskForNoMoreThanTheyNeed(t *testing.T) {
	b := newBench(t, memory.Options{})
	var asked []connectors.Query
	entries := 0
	b.over = func(c connectors.Connector) connectors.Connector { return spy{c, new(sync.Mutex), &asked, &entries} }
	b.Gateway = b.again()
	var members []string
	for i := range 250 {
		members = append(members, b.titled(fmt.Sprintf("u%03d", i), "x"))
	}
	for i := range 30 {
		b.makeGroup(fmt.Sprintf("g%02d", i), members[:20]...)
	}
	for _, sort := range []string{"", "userName"} {
		if p := b.mustAsk(ask{filter: `userName gt "u2"`, sort: sort, start: 45, count: 10}); p.Total != 50 || listed(p, "userName") == "" || len(p.Results) != 6 {
			t.Errorf("a filter that is evaluated here, on a walk: %d of %d", len(p.Results), p.Total)
		}
	}
	for _, tt := range []struct {
		ask     ask
		want    []string // of each search: its limit and what it wants
		entries int
	}{
		{ask{filter: `userName eq "u007"`, count: 100}, []string{"201 [uid displayName title mail memberOf]"}, 1},
		{ask{count: 10, attributes: []string{"userName"}}, []string{"11 [uid displayName title mail]", "0 []", "0 [uid displayName title mail]"}, 11 + 250 + 10},
		{ask{count: 0}, []string{"0 []"}, 250},
		{ask{count: 0, sort: "title"}, []string{"0 []"}, 250},
		{ask{count: 10, sort: "title"}, []string{"11 [uid displayName title mail memberOf]", "0 [title]", "0 [uid displayName title mail memberOf]"}, 11 + 250 + 10},
		{ask{count: 10, sort: "title", filter: `userName gt "u"`}, []string{"201 [uid displayName title mail memberOf]", "0 [uid title]", "0 [uid displayName title mail memberOf]"}, 201 + 250 + 10},
		{ask{kinds: []string{"Group"}, count: 100, filter: `displayName gt "a"`, attributes: []string{"displayName"}}, []string{"201 [cn]"}, 30},
		{ask{kinds: []string{"Group"}, count: 100, sort: "displayName", attributes: []string{"displayName"}}, []string{"101 [cn]"}, 30},
		{ask{kinds: []string{"Group"}, count: 10, sort: "id", attributes: []string{"displayName"}}, []string{"11 [cn]", "0 []", "0 [cn]"}, 11 + 30 + 10},
		{ask{kinds: []string{"User", "Group"}, count: 100, filter: `userName eq "u007"`}, []string{"201 [uid displayName title mail memberOf]"}, 1},
		{ask{filter: `id eq "` + members[3] + `" or id eq "` + members[4] + `"`, count: 100}, []string{"101 [uid displayName title mail memberOf]"}, 2},
		{ask{filter: `meta.location eq "Users/` + members[3] + `"`, count: 100}, []string{"101 [uid displayName title mail memberOf]"}, 1},
		{ask{filter: `meta.location eq "Users/x"`, count: 100}, nil, 0},
	} {
		asked, entries = nil, 0
		b.mustAsk(tt.ask)
		var got []string
		for _, q := range asked {
			got = append(got, fmt.Sprintf("%d %v", q.Limit, q.Want))
		}
		if !slices.Equal(got, tt.want) || entries != tt.entries {
			t.Errorf("%+v asks\n%q for %d entries, want\n%q for %d", tt.ask, got, entries, tt.want, tt.entries)
		}
	}
}
