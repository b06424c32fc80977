package rest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/connectortest"
	"postern/connectors/rest"

	"github.com/rs/zerolog"
)

const usersYAML = `
anchor: /id
rest:
  list:   { get: /users, items: /objects, total: /total, page: PAGE }
  find:   { /login: "/users?login={value}" }
  read:   { get: "/users/{anchor}", object: /object }
  create: { post: /users, object: /object }
  update: { patch: "/users/{anchor}", object: /object }
  delete: { delete: "/users/{anchor}" }
  types:
    /tags: { list: true }
    /level: integer
    /boss: integer
    /enabled: boolean
VERSION
`

const groupsYAML = `
anchor: /id
rest:
  list:   { get: /groups, items: /objects, total: /total, page: PAGE }
  read:   { get: "/groups/{anchor}", object: /object }
  create: { post: /groups, object: /object }
  update: { patch: "/groups/{anchor}", object: /object }
  delete: { delete: "/groups/{anchor}" }
  types:  { /members: integer }
MEMBERS
VERSION
`

const (
	versionYAML = "  version: { header: ETag, field: /etag }\n"
	callsYAML   = "  members: { /members: { add: { put: \"/groups/{anchor}/members/{member}\" }, remove: { delete: \"/groups/{anchor}/members/{member}\" } } }\n"
	listYAML    = "  members: { /members: {} }\n"
)

var pageYAML = map[string]string{
	"offset": "{ offset: offset, limit: limit, max: SIZE }",
	"page":   "{ page: page, limit: limit, max: SIZE }",
	"cursor": "{ cursor: after, next: /next, limit: limit, max: SIZE }",
	"url":    "{ nextURL: /next, limit: limit, max: SIZE }",
	"link":   "{ link: next, limit: limit, max: SIZE }",
	"none":   "",
}

func decodeCollection(t testing.TB, name, text string) rest.Collection {
	t.Helper()
	root, ps := configs.Parse(name+".yaml", []byte(text))
	if root == nil {
		t.Fatal(ps)
	}
	c := rest.DecodeCollection(name, root, &ps)
	root.Map(&ps).Done()
	if ps.HasErrors() {
		t.Fatalf("%v", ps)
	}
	return c
}

func collections(t testing.TB, page, version, members string) []rest.Collection {
	t.Helper()
	put := strings.NewReplacer("PAGE", page, ", page: PAGE", "", "VERSION\n", version, "MEMBERS\n", members)
	if page == "" {
		put = strings.NewReplacer(", page: PAGE", "", "VERSION\n", version, "MEMBERS\n", members)
	} else {
		put = strings.NewReplacer("PAGE", page, "VERSION\n", version, "MEMBERS\n", members)
	}
	users := decodeCollection(t, "Users", put.Replace(usersYAML))
	users.Attrs = []connectors.Attr{"/login", "/name", "/title", "/tags", "/level", "/enabled", "/boss"}
	users.References = map[connectors.Attr][]string{"/boss": {"Users"}}
	groups := decodeCollection(t, "Groups", put.Replace(groupsYAML))
	groups.Attrs = []connectors.Attr{"/login", "/members"}
	groups.References = map[connectors.Attr][]string{"/members": {"Users"}}
	return []rest.Collection{users, groups}
}

func openRest(t testing.TB, cfg rest.Config, cs []rest.Collection) *rest.App {
	t.Helper()
	app, err := rest.Open(cfg, cs, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func collection(t testing.TB, a *rest.App, name string) connectors.Connector {
	t.Helper()
	c, ok := a.Collection(name)
	if !ok {
		t.Fatalf("no collection %q", name)
	}
	return c
}

// TestSuite runs the suite that every connector passes in every style.
func TestSuite(t *testing.T) {
	for _, tc := range []struct{ name, paging, version, members string }{
		{"offset, versions, calls", "offset", versionYAML, callsYAML},
		{"page, no versions, calls", "page", "", callsYAML},
		{"cursor, versions, list", "cursor", versionYAML, listYAML},
		{"url", "url", versionYAML, callsYAML},
		{"link", "link", versionYAML, callsYAML},
		{"none", "none", versionYAML, callsYAML},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLegacy()
			l.paging, l.etags = tc.paging, tc.version != ""
			server := httptest.NewServer(http.HandlerFunc(l.ServeHTTP))
			t.Cleanup(server.Close)
			open := func(t *testing.T, o connectortest.Options) *rest.App {
				size := "100"
				if o.PageSize > 0 {
					size = map[int]string{1: "1", 2: "2", 11: "11", 12: "12", 13: "13"}[o.PageSize]
				}
				page := strings.ReplaceAll(pageYAML[tc.paging], "SIZE", size)
				return openRest(t, rest.Config{URL: server.URL}, collections(t, page, tc.version, tc.members))
			}
			named := func(v connectors.Value) connectors.Draft {
				return connectors.Draft{Name: "/login", Fields: []connectors.Field{{Attr: "/login", Values: []connectors.Value{v}}}}
			}
			connectortest.Run(t, connectortest.Harness{
				Open: func(t *testing.T, o connectortest.Options) connectortest.Opened {
					a, b := open(t, o), open(t, o)
					return connectortest.Opened{
						Users: collection(t, a, "Users"), Groups: collection(t, a, "Groups"),
						RivalUsers: collection(t, b, "Users"), RivalGroups: collection(t, b, "Groups"),
						Close: func() error { _ = b.Close(); return a.Close() },
					}
				},
				Users: connectortest.Users{Collection: "Users", Draft: named, Naming: "/login", Plain: "/name", Other: "/title",
					Multi: "/tags", Integer: "/level", Boolean: "/enabled", Long: "/name", Ref: "/boss"},
				Groups:                connectortest.Groups{Collection: "Groups", Draft: named, Naming: "/login", Ref: "/members"},
				RenamesKeepReferences: true,
				Throwaway:             true,
				Crowd:                 250,
			})
		})
	}
}
