package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// conformClients are the tokens of the clients that a case may speak for.
var conformClients = map[string]string{
	"rfc": writerToken, "reader": readerToken, "nobody": "",
	"entra": "token-of-the-client-entra", "okta": "token-of-the-client-okta", "interop": "token-of-the-client-interop",
	"partial": "token-of-the-client-that-sends-a-part",
}

const (
	missingID     = "00000000-0000-4000-8000-000000000000"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// named is a resource that a case made, or a text that it keeps.
type named struct {
	id, name, etag, location, stem string
	collection                     string // User, Group, or none
	anchor                         string // where it is past the gateway
}

// conformRun is one case being carried out.
type conformRun struct {
	*world
	names map[string]*named
	where string // file:line of the step
}

func (table *conformTable) run(t *testing.T, w *world) {
	shared := &conformRun{world: w.as("rfc"), names: map[string]*named{}}
	for _, s := range table.shared {
		shared.step(table.name, s)
	}
	for _, c := range table.cases {
		if !c.runsIn(w.able) {
			continue
		}
		t.Run(fmt.Sprintf("%d", c.line), func(t *testing.T) {
			r := &conformRun{world: w.with(t).as("rfc"), names: map[string]*named{}}
			for n, v := range shared.names {
				r.names[n] = v
			}
			c.run(r, table.name)
			if t.Failed() {
				t.Logf("%s.txt:%d: %s", table.name, c.line, c.title)
			}
		})
	}
}

func (c *conformCase) run(r *conformRun, file string) {
	for _, s := range c.steps {
		r.step(file, s)
	}
}

func (r *conformRun) step(file string, s conformStep) {
	r.where = fmt.Sprintf("%s.txt:%d", file, s.line)
	s.do(r)
}

func (w *world) as(client string) *world {
	d := *w
	c := *w.client
	c.token = conformClients[client]
	d.client = &c
	return &d
}

func (r *conformRun) errorf(format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("%s: "+format, append([]any{r.where}, args...)...)
}

func (r *conformRun) fatalf(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s: "+format, append([]any{r.where}, args...)...)
}

// fill puts the variables into a text; escape is applied to each.
func (r *conformRun) fill(text string, escape func(string) string) string {
	return variable.ReplaceAllStringFunc(repeats(text), func(v string) string {
		m := variable.FindStringSubmatch(v)
		var s string
		switch m[1] {
		case "any":
			return v
		case "base":
			s = r.base
		case "enterprise":
			s = enterpriseURN
		case "me":
			s = r.userName(meName)
		case "missing":
			s = missingID
		default:
			n := r.names[m[1]]
			s = map[string]string{"": n.id, "name": n.name, "stem": n.stem, "etag": n.etag, "location": n.location}[m[2]]
		}
		return escape(s)
	})
}

func plainly(s string) string { return s }

// inJSON escapes a text for a place within the quotes of JSON.
func inJSON(s string) string {
	q := quote(s)
	return q[1 : len(q)-1]
}

// invent makes a user name that nothing else has.
func (r *conformRun) invent(name string) {
	stem := unique(name)
	r.names[name] = &named{id: r.userName(stem), name: r.userName(stem), stem: stem}
}

func (r *conformRun) makeUser(name, more string) {
	if more = strings.TrimSuffix(strings.TrimPrefix(r.fill(more, inJSON), "{"), "}"); more != "" {
		more = "," + more
	}
	r.register(name, r.made("/Users", userBody(r.userName(unique(strings.ToLower(name))), more)))
}

func (r *conformRun) makeGroup(name string, members []string) {
	var ids []string
	for _, m := range members {
		ids = append(ids, r.names[m].id)
	}
	r.register(name, r.made("/Groups", groupBody(unique(strings.ToLower(name)), ids...)))
}

func (r *conformRun) made(path, body string) answer {
	a := r.do("POST", path, body)
	if a.status != 201 {
		r.fatalf("status %d to %s: %s", a.status, body, a.body)
	}
	r.cleanup(path + "/" + a.id())
	return a
}

// register keeps a resource under a name.
func (r *conformRun) register(name string, a answer) {
	n := &named{id: a.id(), name: a.text("userName"), etag: a.etag(), location: a.text("meta", "location"), collection: "User"}
	if n.name == "" {
		n.name, n.collection = a.text("displayName"), "Group"
	}
	if n.id == "" || n.name == "" {
		r.fatalf("this is no resource: %s", a.body)
	}
	n.stem, _, _ = strings.Cut(n.name, "@")
	r.names[name] = n
	path := map[string]string{"User": "userName", "Group": "displayName"}[n.collection]
	var err error
	if n.anchor, err = r.beyond.find(n.collection, r.attrOf(n.collection, path), n.name); err != nil {
		r.fatalf("%s past the gateway: %v", name, err)
	}
}

// find is the statement that lists by a filter.
func (p *conformParser) find(rest string) func(*conformRun) {
	at := strings.LastIndex(rest, " => ")
	if at < 0 {
		wrong("write find filter => names")
	}
	filter, want := strings.TrimSpace(rest[:at]), strings.Fields(rest[at+4:])
	endpoint := "/Users"
	if strings.HasPrefix(filter, "/") {
		endpoint, filter, _ = strings.Cut(filter, " ")
	}
	p.uses(filter)
	if len(want) == 0 {
		wrong("write find filter => names, none, or a status")
	}
	if strings.IndexFunc(want[0], func(r rune) bool { return r < '0' || r > '9' }) < 0 {
		x := &exchange{method: "GET", target: endpoint, query: []string{"filter=" + filter}, status: want[0]}
		if len(want) > 1 {
			x.scimType = want[1]
		}
		return x.do
	}
	if slices.Equal(want, []string{"none"}) {
		want = nil
	}
	p.known(want...)
	return func(r *conformRun) { r.finds(endpoint, filter, want) }
}

// finds checks which of the resources that are known by name a filter finds.
func (r *conformRun) finds(endpoint, filter string, want []string) {
	a := r.get(endpoint + "?count=1000&attributes=id&filter=" + url.QueryEscape(r.fill(filter, plainly)))
	list := asList(a.at("Resources"))
	if a.status != 200 || fmt.Sprint(a.at("totalResults")) != fmt.Sprint(len(list)) {
		r.errorf("%s: status %d: %.300s", filter, a.status, a.body)
		return
	}
	got := r.listed(a)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.errorf("%s finds %v, want %v", filter, got, want)
	}
}

// listed are the names of the resources in a list that have one, in its order.
func (r *conformRun) listed(a answer) []string {
	var names []string
	for i := range asList(a.at("Resources")) {
		for name, n := range r.names {
			if n.collection != "" && n.id == a.text("Resources", i, "id") {
				names = append(names, name)
			}
		}
	}
	return names
}
