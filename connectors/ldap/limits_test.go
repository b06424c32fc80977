package ldap_test

import (
	"fmt"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestLimits reads through the limits of Active Directory what is more than it
// gives at once, and is refused what it can not have.
func TestLimits(t *testing.T) {
	const people, values = 700, 3200
	d := start(t, ldaptest.ActiveDirectory)
	limits := ldaptest.NewLimits(t, d.Server)
	limits.Entries = 600
	conn := d.admin(t)
	for i := range people {
		if err := conn.Add(addRequest(fmt.Sprintf("CN=p%d,%s", i, d.PeopleBase), "user")); err != nil {
			t.Fatal(err)
		}
	}
	m := goldap.NewModifyRequest("CN=p7,"+d.PeopleBase, nil)
	var numbers []string
	for i := range values {
		numbers = append(numbers, fmt.Sprint("number ", i))
	}
	m.Add("otherTelephone", numbers)
	if err := conn.Modify(m); err != nil {
		t.Fatal(err)
	}
	want := []connectors.Attr{"cn", "otherTelephone"}
	for _, tc := range []struct {
		name    string
		without []string
		query   connectors.Query
		found   int
		kind    connectors.Kind // of the error, if fewer are found than there are
	}{
		{"all", nil, connectors.Query{Want: want}, people, 0},
		{"some", nil, connectors.Query{Want: want, Limit: 650}, 650, 0},
		{"few", nil, connectors.Query{Want: want, Limit: 10}, 10, 0},
		{"all without paging", []string{ldap.WithoutPaging}, connectors.Query{Want: want}, limits.Entries, connectors.TooMany},
		{"some without paging", []string{ldap.WithoutPaging}, connectors.Query{Want: want, Limit: 650}, limits.Entries, connectors.TooMany},
		{"few without paging", []string{ldap.WithoutPaging}, connectors.Query{Want: want, Limit: 10}, 10, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d.without = tc.without
			config := d.config(limits.URL())
			config.PageSize = 100_000
			dir := d.open(t, config)
			defer dir.Close()
			n := 0
			var err error
			for e, failed := range collection(t, dir, "User").Search(t.Context(), tc.query) {
				if err = failed; err != nil {
					break
				}
				n++
				if f := e.Field("otherTelephone"); !f.Empty() && (len(f.Values) != values || f.Partial) {
					t.Errorf("%d of %d values, partial %v", len(f.Values), values, f.Partial)
				}
			}
			if n != tc.found || (err == nil) != (tc.kind == 0) || err != nil && connectors.KindOf(err) != tc.kind {
				t.Errorf("%d entries, %v; want %d", n, err, tc.found)
			}
		})
	}
	if searches, attributes := limits.Met(); searches == 0 || attributes == 0 {
		t.Errorf("%d searches were cut short, %d attributes given in part", searches, attributes)
	}
}
