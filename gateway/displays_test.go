package gateway_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	idmemory "postern/idstore/memory"
	"postern/mapping"
	"postern/scim"

	"github.com/rs/zerolog"
)

// A counting connector remembers what it was asked to search for.
type counting struct {
	connectors.Connector
	queries *[]connectors.Query
}

func (c counting) Unwrap() connectors.Connector { return c.Connector }

func (c counting) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	*c.queries = append(*c.queries, q)
	return c.Connector.Search(ctx, q)
}

// shown is a gateway whose groups and members show displayName.
type shown struct {
	*gateway.Gateway
	t           *testing.T
	user, group *scim.ResourceType
	searches    map[string]*[]connectors.Query
}

func newShown(t *testing.T) *shown {
	t.Helper()
	with := func(text, rule string) string {
		return strings.Replace(text, rule+" }", rule+", display: displayName }", 1)
	}
	users := compile(t, "User", with(userMap, "ref: Group, write: never"))
	groups := compile(t, "Group", with(groupMap, "ref: [User, Group]"))
	if ps := mapping.CheckDisplays([]*mapping.Mapping{users, groups}); len(ps) > 0 {
		t.Fatal(ps)
	}
	backend := memory.New(memory.Options{Collections: []memory.Collection{
		{Name: "User", Reverse: map[connectors.Attr]memory.Reverse{"memberOf": {Collection: "Group", Attr: "member"}}},
		{Name: "Group", References: groups.References()},
	}})
	store, err := idmemory.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &shown{t: t, user: users.ResourceType(), group: groups.ResourceType(), searches: map[string]*[]connectors.Query{"User": {}, "Group": {}}}
	wired := func(name string) connectors.Connector { return counting{backend.Collection(name), s.searches[name]} }
	s.Gateway, err = gateway.New(gateway.Options{Store: store, Log: zerolog.Nop(), Targets: []gateway.Target{
		{Mapping: users, Connector: wired("User"), Backend: "corp"},
		{Mapping: groups, Connector: wired("Group"), Backend: "corp"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shown) make(rt *scim.ResourceType, body string) string {
	s.t.Helper()
	r, err := scim.DecodeResource(rt, []byte(body), scim.DecodeOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := s.Create(s.t.Context(), caller, rt.Name, r, gateway.WriteOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Resource.ID()
}

// count runs f and returns how many searches it made in each collection.
func (s *shown) count(f func()) (users, groups int) {
	for _, q := range s.searches {
		*q = nil
	}
	f()
	return len(*s.searches["User"]), len(*s.searches["Group"])
}

// texts lists a type and returns the named sub-attribute of each resource.
func (s *shown) texts(rt *scim.ResourceType, q gateway.Part, path string) string {
	s.t.Helper()
	q.Kind = rt.Name
	page, err := s.List(s.t.Context(), caller, gateway.Query{Parts: []gateway.Part{q}, Count: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	sub, ok := rt.Attribute(path)
	if !ok {
		s.t.Fatal(path)
	}
	var lines []string
	for _, r := range page.Results {
		var texts []string
		for _, v := range r.Resource.Get(sub.Parent()).Items() {
			texts = append(texts, v.Object().Get(sub).Text())
		}
		slices.Sort(texts)
		lines = append(lines, strings.Join(texts, "+"))
	}
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

// References show how the resources are called that they name, and a page costs
// one search in each collection for it, or none where nobody asks.
func TestDisplays(t *testing.T) {
	s := newShown(t)
	var users []string
	for i := range 5 {
		users = append(users, s.make(s.user, fmt.Sprintf(`{"userName":"u%d","displayName":"U%d"}`, i, i)))
	}
	nameless := s.make(s.user, `{"userName":"nameless"}`)
	a := s.make(s.group, fmt.Sprintf(`{"displayName":"A","members":[{"value":"%s"},{"value":"%s","display":"not this"},{"value":"%s"}]}`, users[0], users[1], nameless))
	s.make(s.group, fmt.Sprintf(`{"displayName":"B","members":[{"value":"%s"},{"value":"%s"}]}`, users[1], a))

	selection := func(rt *scim.ResourceType, names, excluded string) scim.Selection {
		t.Helper()
		sel, err := scim.ParseSelection(rt, strings.Fields(names), strings.Fields(excluded))
		if err != nil {
			t.Fatal(err)
		}
		return sel
	}
	filter := func(rt *scim.ResourceType, text string) scim.Filter {
		t.Helper()
		f, err := scim.ParseFilter(rt, text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	const nobody = "     "
	for _, c := range []struct {
		name          string
		rt            *scim.ResourceType
		q             gateway.Part
		path, want    string
		users, groups int
	}{
		{"groups of users", s.user, gateway.Part{}, "groups.display", "   A A A+B", 1, 1},
		{"members of groups", s.group, gateway.Part{}, "members.display", "+U0+U1 A+U1", 1, 2},
		{"asked for", s.user, gateway.Part{Selection: selection(s.user, "groups.display", "")}, "groups.display", "   A A A+B", 1, 1},
		{"not asked for", s.user, gateway.Part{Selection: selection(s.user, "userName", "")}, "groups.display", nobody, 1, 0},
		{"only the ids asked for", s.user, gateway.Part{Selection: selection(s.user, "groups.value", "")}, "groups.value", "", 1, 0},
		{"excluded", s.user, gateway.Part{Selection: selection(s.user, "", "groups")}, "groups.display", nobody, 1, 0},
		{"filtered", s.user, gateway.Part{Filter: filter(s.user, `groups.display eq "b"`)}, "groups.display", "A+B", 1, 1},
		{"filtered, not asked for", s.user, gateway.Part{Filter: filter(s.user, `groups[display sw "B"]`), Selection: selection(s.user, "userName", "")}, "groups.display", "A+B", 1, 1},
		{"filtered by what nobody has", s.group, gateway.Part{Filter: filter(s.group, `members.display eq "not this"`)}, "members.display", "", 1, 2},
		{"filtered by absence", s.user, gateway.Part{Filter: filter(s.user, `not (groups.display pr)`)}, "groups.display", "  ", 1, 1},
	} {
		var got string
		users, groups := s.count(func() { got = s.texts(c.rt, c.q, c.path) })
		if c.path != "groups.value" && got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if users != c.users || groups != c.groups {
			t.Errorf("%s: %d searches of users and %d of groups, want %d and %d", c.name, users, groups, c.users, c.groups)
		}
	}
}

// What a reference shows is the other resource's, and no part of the version.
func TestDisplaysAreNotVersioned(t *testing.T) {
	s := newShown(t)
	u := s.make(s.user, `{"userName":"u","displayName":"Before"}`)
	g := s.make(s.group, `{"displayName":"G","members":[{"value":"`+u+`"}]}`)
	read := func() gateway.Result {
		t.Helper()
		res, err := s.Read(t.Context(), caller, "Group", g, gateway.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	before := read()
	p, err := scim.DecodePatch(s.user, []byte(`{"Operations":[{"op":"replace","path":"displayName","value":"After"}]}`), scim.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Patch(t.Context(), caller, "User", u, p, gateway.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	after := read()
	text := func(r gateway.Result) string {
		return string(scim.AppendJSON(nil, r.Resource, scim.RenderOptions{}))
	}
	if !strings.Contains(text(before), `"display":"Before"`) || !strings.Contains(text(after), `"display":"After"`) {
		t.Errorf("before %s\nafter %s", text(before), text(after))
	}
	if before.Version != after.Version || before.Version == "" {
		t.Errorf("versions %q and %q", before.Version, after.Version)
	}
}
