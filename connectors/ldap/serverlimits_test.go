package ldap_test

import (
	"fmt"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap/ldaptest"
)

// A bound is a limit of a server on the bind identity: as OpenLDAP's olcLimits, or as
// attributes of the identity's entry in 389-DS.
type bound struct {
	name   string
	limits []string
	// met says which queries are answered in full, of those of TestServerLimits.
	all, some, few, one, unindexed bool
}

// TestServerLimits has limits on the bind identity. What is found is complete, or it
// is refused with TooMany: it is never short.
func TestServerLimits(t *testing.T) {
	const people = 700
	for _, tc := range []struct {
		kind   ldaptest.Kind
		bounds []bound
	}{
		{ldaptest.OpenLDAP, []bound{
			{"none", []string{"size=unlimited", "size.prtotal=unlimited"}, true, true, true, true, true},
			{"soft", []string{"size.soft=100", "size.hard=unlimited", "size.prtotal=unlimited"}, true, true, true, true, true},
			{"hard", []string{"size.soft=100", "size.hard=200", "size.prtotal=unlimited"}, true, true, true, true, true},
			{"hard alone", []string{"size=200"}, false, false, true, true, false},
			{"total of the pages", []string{"size=unlimited", "size.prtotal=300"}, false, true, true, true, false},
			{"no pages", []string{"size=100", "size.prtotal=disabled"}, false, false, true, true, false},
			{"no large pages", []string{"size=100", "size.pr=50", "size.prtotal=unlimited"}, true, true, true, true, true},
			{"candidates", []string{"size=unlimited", "size.unchecked=20", "size.prtotal=unlimited"}, false, false, false, true, false},
		}},
		{ldaptest.DS389, []bound{
			{"none", []string{"nsSizeLimit", "-1", "nsLookThroughLimit", "-1", "nsPagedSizeLimit", "-1", "nsPagedLookThroughLimit", "-1"}, true, true, true, true, true},
			{"size", []string{"nsSizeLimit", "100", "nsLookThroughLimit", "-1", "nsPagedSizeLimit", "-1", "nsPagedLookThroughLimit", "-1"}, true, true, true, true, true},
			{"size of the pages", []string{"nsSizeLimit", "100", "nsLookThroughLimit", "-1", "nsPagedSizeLimit", "300", "nsPagedLookThroughLimit", "-1"}, false, false, true, true, false},
			{"look through", []string{"nsSizeLimit", "-1", "nsLookThroughLimit", "50", "nsPagedSizeLimit", "-1", "nsPagedLookThroughLimit", "50"}, false, false, true, true, false},
			{"look through without pages", []string{"nsSizeLimit", "-1", "nsLookThroughLimit", "50", "nsPagedSizeLimit", "-1", "nsPagedLookThroughLimit", "-1"}, true, true, true, true, true},
		}},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			d := start(t, tc.kind)
			conn := d.admin(t)
			for i := range people {
				if err := conn.Add(addRequest(fmt.Sprintf("uid=p%d,%s", i, d.PeopleBase), "inetOrgPerson", "sn", "x", "cn", "x", "title", fmt.Sprint("title ", i%2))); err != nil {
					t.Fatal(err)
				}
			}
			for _, b := range tc.bounds {
				t.Run(b.name, func(t *testing.T) { b.test(t, d, people) })
			}
		})
	}
}

func (b bound) test(t *testing.T, d *directory, people int) {
	b.set(t, d)
	dir := d.open(t, d.config(d.TLSURL))
	defer dir.Close()
	users := collection(t, dir, "User")
	title := connectors.Equal{Attr: "title", Value: "title 1"}
	for _, tc := range []struct {
		name  string
		query connectors.Query
		found int
		full  bool
	}{
		{"all", connectors.Query{}, people, b.all},
		{"some", connectors.Query{Limit: 400}, 400, b.some},
		{"few", connectors.Query{Limit: 20}, 20, b.few},
		{"one", connectors.Query{Where: connectors.Equal{Attr: "uid", Value: "p7"}}, 1, b.one},
		{"one of at most 300", connectors.Query{Where: connectors.Equal{Attr: "uid", Value: "p7"}, Limit: 300}, 1, b.one},
		{"unindexed", connectors.Query{Where: title}, people / 2, b.unindexed},
	} {
		n := 0
		var err error
		for _, failed := range users.Search(t.Context(), tc.query) {
			if err = failed; err == nil {
				n++
			}
		}
		switch {
		case err == nil && n != tc.found:
			t.Errorf("%s: %d of %d, and no error", tc.name, n, tc.found)
		case err != nil && (tc.full || connectors.KindOf(err) != connectors.TooMany):
			t.Errorf("%s: %d, %v", tc.name, n, err)
		case err == nil && !tc.full:
			t.Errorf("%s: all %d are found in spite of the limit", tc.name, n)
		}
	}
}

// set puts the limits on the service.
func (b bound) set(t *testing.T, d *directory) {
	t.Helper()
	if d.Kind == ldaptest.DS389 {
		m := goldap.NewModifyRequest(d.ServiceDN, nil)
		for i := 0; i < len(b.limits); i += 2 {
			m.Replace(b.limits[i], b.limits[i+1:i+2])
		}
		if err := d.admin(t).Modify(m); err != nil {
			t.Fatal(err)
		}
		return
	}
	config, err := d.Dial("cn=config", d.BindPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	text := `dn.exact="` + d.ServiceDN + `"`
	for _, l := range b.limits {
		text += " " + l
	}
	m := goldap.NewModifyRequest("olcDatabase={1}mdb,cn=config", nil)
	m.Replace("olcLimits", []string{text})
	if err := config.Modify(m); err != nil {
		t.Fatal(err)
	}
}
