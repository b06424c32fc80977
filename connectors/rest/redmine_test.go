package rest_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/connectortest"
	"postern/connectors/rest"
	"postern/connectors/rest/redminetest"
)

// redmine decodes what the sample file says of the application, which is at the
// URL here.
func redmine(t testing.TB, s *redminetest.Server) (rest.Config, []rest.Collection) {
	t.Helper()
	t.Setenv("REDMINE_API_KEY", s.Key)
	data, err := configs.Sample("redmine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root, ps := configs.Parse("redmine.yaml", []byte(strings.Replace(string(data), "https://redmine.example.com", s.URL, 1)))
	if root == nil {
		t.Fatal(ps)
	}
	child := func(n *configs.Node, names ...string) *configs.Node {
		for _, name := range names {
			n = n.Map(&ps).Child(name)
		}
		return n
	}
	c := rest.Decode(child(root, "backends", "tracker", "rest"), &ps)
	users := rest.DecodeCollection("User", child(root, "resources", "User"), &ps)
	users.Attrs = []connectors.Attr{redminePlain, redmineOther, redmineMulti, "/login", "/firstname", "/lastname", "/mail", "/status", "/password", "/groups"}
	users.Types[redmineMulti] = rest.Attribute{List: true, Join: " ¦ "}
	users.References = map[connectors.Attr][]string{"/groups": {"Group"}}
	groups := rest.DecodeCollection("Group", child(root, "resources", "Group"), &ps)
	groups.Attrs = []connectors.Attr{"/name", "/users"}
	groups.References = map[connectors.Attr][]string{"/users": {"User"}}
	if ps.HasErrors() {
		t.Fatal(ps)
	}
	return c, []rest.Collection{users, groups}
}

// Custom fields of users.
const (
	redminePlain = "/custom_fields[id=1]/value"
	redmineOther = "/custom_fields[id=2]/value"
	redmineMulti = "/custom_fields[id=3]/value"
)

// redmineLogin is what Redmine takes for a login.
var redmineLogin = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,60}$`)

// TestSuiteRedmine runs the suite that every connector passes against a real
// application, as the sample file describes it.
func TestSuiteRedmine(t *testing.T) {
	config, collections := redmine(t, redminetest.Start(t, "Plain", "Other", "Multi"))
	mail := 0
	draft := func(name connectors.Value) connectors.Draft {
		mail++
		return connectors.Draft{Name: "/login", Fields: []connectors.Field{
			{Attr: "/login", Values: []connectors.Value{name}},
			{Attr: "/firstname", Values: []connectors.Value{"A"}},
			{Attr: "/lastname", Values: []connectors.Value{"Person"}},
			{Attr: "/mail", Values: []connectors.Value{connectors.Value(strings.Repeat("m", 1+mail%50) + strings.Repeat("n", mail/50) + "@example.com")}},
		}}
	}
	connectortest.Run(t, connectortest.Harness{
		Open: func(t *testing.T, o connectortest.Options) connectortest.Opened {
			cs := slices.Clone(collections)
			for i := range cs {
				if o.PageSize > 0 && cs[i].List.Page.Size > 0 {
					cs[i].List.Page.Size = o.PageSize
				}
			}
			a, b := openRest(t, config, cs), openRest(t, config, cs)
			return connectortest.Opened{
				Users: collection(t, a, "User"), Groups: collection(t, a, "Group"),
				RivalUsers: collection(t, b, "User"), RivalGroups: collection(t, b, "Group"),
				Close: func() error { _ = b.Close(); return a.Close() },
			}
		},
		Users: connectortest.Users{
			Collection: "User", Naming: "/login", Plain: redminePlain, Other: redmineOther, Multi: redmineMulti,
			Refuses: func(name connectors.Value) bool { return !redmineLogin.MatchString(string(name)) },
			Draft:   draft,
		},
		Groups: connectortest.Groups{Collection: "Group", Naming: "/name", Ref: "/users",
			Draft: func(name connectors.Value) connectors.Draft {
				return connectors.Draft{Name: "/name", Fields: []connectors.Field{{Attr: "/name", Values: []connectors.Value{name}}}}
			}},
		RenamesKeepReferences: true,
		Throwaway:             true,
		Crowd:                 60,
	})
	// More than the hundred that it gives in one answer, whatever it is asked for.
	app := openRest(t, config, collections)
	defer app.Close()
	users := collection(t, app, "User")
	made := make(map[connectors.Anchor]bool)
	for i := range 125 {
		e, err := users.Create(t.Context(), draft(connectors.Value(fmt.Sprintf("many%d", i))), nil)
		if err != nil {
			t.Fatal(err)
		}
		made[e.Anchor] = true
	}
	seen := make(map[connectors.Anchor]int)
	for e, err := range users.Search(t.Context(), connectors.Query{Want: []connectors.Attr{"/login"}}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[e.Anchor]++
	}
	for a := range made {
		if seen[a] != 1 {
			t.Errorf("%q is listed %d times", a, seen[a])
		}
	}
}

// TestRedmineCheck holds the sample against a real application: nothing in it is
// written otherwise than the file says.
func TestRedmineCheck(t *testing.T) {
	config, collections := redmine(t, redminetest.Start(t, "Plain", "Other", "Multi"))
	app := openRest(t, config, collections)
	defer app.Close()
	told, ps := app.Check(t.Context(), nil)
	if ps.HasErrors() || len(told) == 0 || !strings.Contains(told[0], "found by /login, /mail") {
		t.Errorf("tells %q, and says %v", told, ps)
	}
	for _, p := range ps {
		if strings.Contains(p.Message, "declared as") {
			t.Errorf("warns: %v", p)
		}
	}
}
