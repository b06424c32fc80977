package main

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/gateway"
	"postern/idstore"
	"postern/scim"
)

var querySeed = flag.Uint64("seed", 0, "the seed of the random queries; 0 is a new one")

// testQueries asks random queries about a random corpus, by index and by cursor,
// and holds each answer against the evaluation of the same query in memory, over
// all resources. It does so again with each capability of the backend taken away,
// and where every list is walked: the answers are the same.
func testQueries(t *testing.T, w *world) {
	seed := *querySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("-seed %d makes the same queries", seed)
		}
	})
	q := &querist{Rand: rand.New(rand.NewPCG(seed, 0))}
	w.corpus(q)
	n := 150
	switch {
	case w.queries > 0:
		n = w.queries
	case testing.Short():
		n = 40
	}
	w.compareQueries(t, w.client, q, n)
	t.Run("walked", func(t *testing.T) { w.compareQueries(t, w.weaker(t, 3, nil), q, n/3) })
	for _, v := range variants(w) {
		t.Run(v.name, func(t *testing.T) {
			w.compareQueries(t, w.weaker(t, pick(q, []int{3, 200}), v.less, v.without...), q, n/6)
		})
	}
	t.Run("merged", func(t *testing.T) {
		w := w.with(t)
		var pair []string
		groups := w.want(w.get("/Groups?count=100"), http.StatusOK).json["Resources"]
		for _, g := range groups.([]any) {
			members, _ := at(g, "members").([]any)
			for _, m := range members {
				if id := at(m, "value").(string); at(m, "type") == "User" && !slices.Contains(pair, id) {
					pair = append(pair, id)
				}
			}
		}
		if len(pair) < 4 {
			t.Fatalf("%d members in all", len(pair))
		}
		for i := 0; i < 4; i += 2 {
			// What is found by an externalId that is not shown is no matter of these queries.
			w.want(w.do("PATCH", "/Users/"+pair[i], patchBody(`{"op":"remove","path":"externalId"}`)), http.StatusOK)
			w.merge(pair[i], pair[i+1], idstore.ActionKeep)
		}
		w.compareQueries(t, w.client, q, n/2)
		w.compareQueries(t, w.weaker(t, 3, nil), q, n/3)
		w.compareQueries(t, w.weaker(t, 3, func(c *connectors.Capabilities) { c.Conds = connectors.CondAll }), q, n/6)
	})
}

// corpus makes users and groups of random words.
func (w *world) corpus(q *querist) {
	w.t.Helper()
	var ids []string
	word := func() string { return pick(q, storedTexts) }
	ascii := func() string {
		for {
			s := strings.TrimSpace(word())
			taken := w.refuses == nil || !w.refuses(w.userName(s))
			if taken && !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) && s == strings.Join(strings.Fields(s), " ") {
				return s
			}
		}
	}
	people := 40
	if w.queries > 0 {
		people = 12
	}
	for range people {
		var more strings.Builder
		field := func(format string, args ...any) {
			if q.IntN(3) > 0 {
				fmt.Fprintf(&more, ","+format, args...)
			}
		}
		field(`"displayName":%s`, quote(word()))
		field(`"title":%s`, quote(word()))
		field(`"userType":%s`, quote(word()))
		field(`"externalId":%s`, quote(word()))
		field(`"name":{"givenName":%s,"familyName":%s}`, quote(word()), quote(word()))
		field(`"emails":[{"type":"work","value":%s}]`, quote(unique("m")+"@Example.com"))
		field(`"phoneNumbers":[{"type":"work","value":%s},{"type":"mobile","value":%s}]`, quote(pick(q, []string{"1", "12", "1-2", "+1 2"})), quote(pick(q, []string{"3", "1"})))
		field(`"addresses":[{"type":"work","locality":%s,"region":%s}]`, quote(word()), quote(word()))
		field(`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":%s,"organization":%s,"employeeNumber":%s}`, quote(word()), quote(word()), quote(ascii()))
		if w.disables {
			field(`"active":false`)
		}
		u := w.user(ascii(), more.String())
		if len(ids) > 0 && q.IntN(3) == 0 {
			w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"add","path":"manager","value":{"value":`+quote(pick(q, ids))+`}}`)), http.StatusOK)
		}
		ids = append(ids, u.id())
	}
	for i := range 6 {
		var members []string
		for range i {
			if id := pick(q, ids); !slices.Contains(members, id) {
				members = append(members, id)
			}
		}
		g := w.group(unique(word()), members...)
		if i == 4 && w.able["nested"] {
			w.group(unique(word()), g.id())
		}
	}
}

// variant is one way in which a backend can be weaker.
type variant struct {
	name    string
	less    func(*connectors.Capabilities)
	without []string
}

func variants(w *world) []variant {
	var vs []variant
	conds := map[string]connectors.CondKind{"and": connectors.CondAnd, "or": connectors.CondOr, "not": connectors.CondNot, "equal": connectors.CondEqual,
		"present": connectors.CondPresent, "substring": connectors.CondSubstring, "at-least": connectors.CondAtLeast, "at-most": connectors.CondAtMost,
		"bits": connectors.CondBits, "references": connectors.CondRefTo, "anchors": connectors.CondAnchorIn, "everything": connectors.AllConds}
	for _, name := range slices.Sorted(maps.Keys(conds)) {
		vs = append(vs, variant{name: "without " + name, less: func(c *connectors.Capabilities) { c.Conds = c.Conds&^conds[name] | connectors.CondAll }})
	}
	matching := func(name string, change func(*connectors.Matching)) {
		vs = append(vs, variant{name: name, less: func(c *connectors.Capabilities) {
			changed := make(map[connectors.Attr]connectors.Matching, len(c.Matching))
			for a, m := range c.Matching {
				change(&m)
				changed[a] = m
			}
			c.Matching = changed
		}})
	}
	matching("without ordering", func(m *connectors.Matching) { m.Ordering = false })
	matching("without substring rules", func(m *connectors.Matching) { m.Substring = false })
	matching("without single values", func(m *connectors.Matching) { m.SingleValue = false })
	matching("without rules", func(m *connectors.Matching) { m.Rule, m.Squeezes = connectors.RuleUnknown, true })
	vs = append(vs, variant{name: "without known attributes", less: func(c *connectors.Capabilities) { c.Matching = map[connectors.Attr]connectors.Matching{} }})
	if w.kind != "memory" {
		for _, s := range ldap.Switches() {
			vs = append(vs, variant{name: "without " + s, without: []string{s}})
		}
	}
	return vs
}

// everything returns all resources of both types as the gateway shows them.
func (w *world) everything() []*scim.Resource {
	w.t.Helper()
	var all []*scim.Resource
	me := w.behind.config.Clients[0]
	for _, rt := range w.app.gateway.ResourceTypes() {
		page, err := w.app.gateway.List(w.t.Context(), gateway.Caller{Client: me.Name, Domain: me.Domain},
			gateway.Query{Parts: []gateway.Part{{Kind: rt.Name}}, Count: 100_000})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range page.Results {
			all = append(all, r.Resource)
		}
	}
	return all
}

// compareQueries asks n random queries of a client.
func (w *world) compareQueries(t *testing.T, c *client, q *querist, n int) {
	w, c = w.with(t), c.with(t)
	q.known = w.everything()
	known := make(map[string]*scim.Resource)
	for _, r := range q.known {
		known[r.ID()] = r
	}
	rts, evs := w.app.gateway.ResourceTypes(), w.evaluations(t, c)
	for range n {
		over := pick(q, [][]*scim.ResourceType{rts, rts[:1], rts[:1], rts[1:]})
		ask := listing{path: "", count: pick(q, []int{3, 10, 40, 1000}), byBody: q.IntN(2) == 0}
		if len(over) == 1 {
			ask.path = over[0].Endpoint
		}
		all := q.known
		if q.IntN(8) > 0 {
			ask.filter = queristOver(q, over).filter(3)
		}
		if q.IntN(2) == 0 {
			ask.sortBy, ask.descending = queristOver(q, over).sortBy(), q.IntN(2) == 0
		}
		want := make(map[string]bool)
		var keys []scim.SortKey
		for _, rt := range over {
			var f scim.Filter
			if ask.filter != "" {
				var err error
				if f, err = (scim.Dialect{}).ParseFilter(rt, ask.filter, over...); err != nil {
					t.Fatalf("%s: %v", ask.filter, err)
				}
			}
			for _, r := range all {
				if r.Type == rt && (f == nil || evs[rt.Name].Match(f, r)) {
					want[r.ID()] = true
				}
			}
		}
		if ask.sortBy != "" {
			var err error
			if keys, err = scim.ParseSortKey(ask.sortBy, over...); err != nil {
				if a := c.ask(ask); a.text("scimType") != "invalidValue" {
					t.Errorf("%+v: %s, want an error: %v", ask, a.body, err)
				}
				continue
			}
		}
		byIndex, total := c.byIndex(ask)
		byCursor, totalToo := c.byCursor(ask, nil)
		if total != len(want) || totalToo != total || !slices.Equal(byIndex, byCursor) {
			t.Errorf("%+v: %d by index, %d by cursor, want %d; the same: %v", ask, total, totalToo, len(want), slices.Equal(byIndex, byCursor))
		}
		got := make(map[string]bool)
		for _, id := range byIndex {
			if got[id] || known[id] == nil {
				t.Errorf("%+v has %s twice, or it is unknown", ask, id)
			}
			got[id] = true
		}
		for id, r := range known {
			if got[id] != want[id] {
				t.Errorf("%+v: found %v, want %v, of %s", ask, got[id], want[id], scim.AppendJSON(nil, r, scim.RenderOptions{BaseURL: c.base}))
				break
			}
		}
		if keys != nil {
			values := make([]scim.Value, len(byIndex))
			target := make([]*scim.Attribute, len(byIndex))
			for i, id := range byIndex {
				k := keys[slices.Index(over, known[id].Type)]
				values[i] = k.Value(known[id])
				if attrs := k.Attributes(); attrs != nil {
					target[i] = attrs[len(attrs)-1]
				}
			}
			checkOrder(t, ask, values, target)
		}
		if t.Failed() {
			return
		}
	}
}

func queristOver(q *querist, over []*scim.ResourceType) *querist {
	some := &querist{Rand: q.Rand}
	for _, r := range q.known {
		if slices.Contains(over, r.Type) {
			some.known = append(some.known, r)
		}
	}
	return some
}

// checkOrder holds the order of values against scim.Order: what has none comes
// last, and first where the order is descending.
func checkOrder(t *testing.T, ask listing, values []scim.Value, targets []*scim.Attribute) {
	t.Helper()
	for i := 1; i < len(values); i++ {
		a, b := values[i-1], values[i]
		order := 0
		switch {
		case a.IsAbsent() && b.IsAbsent():
		case a.IsAbsent():
			order = 1
		case b.IsAbsent():
			order = -1
		default:
			order = scim.Order(targets[i], a, b)
		}
		if ask.descending {
			order = -order
		}
		if order > 0 {
			t.Errorf("%+v: %s stands before %s", ask, a, b)
			return
		}
	}
}

// listing is a query as a client asks it.
type listing struct {
	path, filter, sortBy string
	descending, byBody   bool
	start, count         int
	cursor               *string
}

// ask sends a query by URL or by body.
func (c *client) ask(l listing) answer {
	c.t.Helper()
	order := ""
	if l.sortBy != "" {
		order = "ascending"
		if l.descending {
			order = "descending"
		}
	}
	if l.byBody {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"attributes":["id"],"count":%d`, l.count)
		for name, v := range map[string]string{"filter": l.filter, "sortBy": l.sortBy, "sortOrder": order} {
			if v != "" {
				body += "," + quote(name) + ":" + quote(v)
			}
		}
		if l.cursor != nil {
			body += `,"cursor":` + quote(*l.cursor)
		} else {
			body += fmt.Sprintf(`,"startIndex":%d`, l.start)
		}
		return c.do("POST", l.path+"/.search", body+"}")
	}
	v := url.Values{"count": {fmt.Sprint(l.count)}}
	if l.filter != "" {
		v.Set("filter", l.filter)
	}
	if l.sortBy != "" {
		v.Set("sortBy", l.sortBy)
		v.Set("sortOrder", order)
	}
	if l.cursor != nil {
		v.Set("cursor", *l.cursor)
	} else {
		v.Set("startIndex", fmt.Sprint(l.start))
	}
	return c.get(l.path + "?" + v.Encode())
}

// pageOf returns the ids and the total of a page.
func (c *client) pageOf(l listing) (a answer, ids []string, total int) {
	c.t.Helper()
	if a = c.ask(l); a.status != http.StatusOK {
		c.t.Fatalf("%+v: %d %s", l, a.status, a.body)
	}
	for _, r := range asList(a.at("Resources")) {
		id, _ := at(r, "id").(string)
		ids = append(ids, id)
	}
	if _, err := fmt.Sscan(fmt.Sprint(a.at("totalResults")), &total); err != nil || len(ids) > l.count {
		c.t.Errorf("%+v: %d resources, total %v", l, len(ids), a.at("totalResults"))
	}
	return a, ids, total
}

// byIndex walks a list by index.
func (c *client) byIndex(l listing) (all []string, total int) {
	c.t.Helper()
	for l.start = 1; ; l.start += l.count {
		_, ids, n := c.pageOf(l)
		if l.start > 1 && n != total {
			c.t.Errorf("%+v: total %d, and before %d", l, n, total)
		}
		all, total = append(all, ids...), n
		if l.start+l.count > total {
			return all, total
		}
	}
}

// byCursor walks a list by cursor, and calls between after each page.
func (c *client) byCursor(l listing, between func()) (all []string, total int) {
	c.t.Helper()
	for l.cursor = new(string); ; {
		a, ids, n := c.pageOf(l)
		all, total = append(all, ids...), n
		next, more := a.at("nextCursor").(string)
		if _, before := a.at("previousCursor").(string); before != (*l.cursor != "") || a.at("startIndex") != nil {
			c.t.Errorf("%+v: %s", l, a.body)
		}
		if !more {
			return all, total
		}
		l.cursor = &next
		if between != nil {
			between()
		}
	}
}

// testPagesWhileOthersWrite walks while users come and go: what is there all the
// time is seen exactly once, by index and by cursor.
func testPagesWhileOthersWrite(t *testing.T, w *world) {
	stem := unique("pages")
	want := map[string]bool{}
	for i := range 23 {
		want[w.user(fmt.Sprintf("%s-stays-%d", stem, i), `,"title":"t`+fmt.Sprint(i%3)+`"`).id()] = true
	}
	var last string
	churn := func() {
		if last != "" {
			w.want(w.do("DELETE", "/Users/"+last, ""), http.StatusNoContent)
		}
		last = w.user(stem+"-comes", `,"title":"t1"`).id()
	}
	for _, l := range []listing{{}, {sortBy: "title"}, {sortBy: "meta.created", descending: true}} {
		l.path, l.filter, l.count = "/Users", `userName sw "`+stem+`"`, 4
		byCursor, _ := w.byCursor(l, churn)
		var byIndex []string
		for l.start = 1; l.start <= 32; l.start += l.count {
			_, ids, _ := w.pageOf(l)
			byIndex = append(byIndex, ids...)
			churn()
		}
		for how, seen := range map[string][]string{"by index": byIndex, "by cursor": byCursor} {
			counts := map[string]int{}
			for _, id := range seen {
				counts[id]++
			}
			for id := range want {
				if counts[id] != 1 {
					t.Errorf("%+v %s: %s was seen %d times", l, how, id, counts[id])
				}
			}
		}
	}
}
