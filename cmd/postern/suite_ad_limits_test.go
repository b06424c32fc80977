package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

// TestLimitsOfActiveDirectory puts the limits of Active Directory before Samba,
// which has none: more users than a search gives, and more members than an entry
// shows at once. What the gateway answers is complete, or it is refused.
func TestLimitsOfActiveDirectory(t *testing.T) {
	const people, members = 1300, 1700
	s := ldaptest.Start(t, ldaptest.ActiveDirectory)
	past := s.Admin(t)
	var dns []string
	for i := range members {
		class, base := "user", s.PeopleBase
		if i >= people { // what is no user of the gateway's is a member all the same
			class, base = "contact", "CN=Users,"+s.Base
		}
		dn := fmt.Sprintf("CN=limit%04d,%s", i, base)
		add := goldap.NewAddRequest(dn, nil)
		add.Attribute("objectClass", []string{class})
		if class == "user" {
			add.Attribute("sAMAccountName", []string{fmt.Sprintf("limit%04d", i)})
			add.Attribute("userPrincipalName", []string{fmt.Sprintf("limit%04d@corp.example.com", i)})
		}
		if err := past.Add(add); err != nil {
			t.Fatal(err)
		}
		dns = append(dns, dn)
	}
	group := goldap.NewAddRequest("CN=limits,"+s.GroupsBase, nil)
	group.Attribute("objectClass", []string{"group"})
	group.Attribute("member", dns)
	if err := past.Add(group); err != nil {
		t.Fatal(err)
	}
	through := func(t *testing.T, more ...string) (*world, *ldaptest.Limits) {
		t.Helper()
		limits := ldaptest.NewLimits(t, s)
		c, maps := directoryConfig(t, s, more...)
		c.Backends[0].LDAP.Servers = []string{limits.URL()}
		return &world{client: openApp(t, c, maps), past: past, people: s.PeopleBase, groupsBase: s.GroupsBase}, limits
	}
	const servers = "      servers: "
	for _, tc := range []struct {
		name string
		more []string
	}{
		{"as it is", nil},
		{"pages that are too large", []string{servers, "      pageSize: 100000\n" + servers}},
		{"without extended DNs", []string{servers, "      without: [extended-dn]\n" + servers}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, limits := through(t, tc.more...)
			seen := map[string]bool{}
			for start := 1; start <= people; start += 500 {
				a := w.want(w.get(fmt.Sprintf("/Users?startIndex=%d&count=500", start)), http.StatusOK)
				if total := fmt.Sprint(a.json["totalResults"]); total != fmt.Sprint(people) {
					t.Fatalf("totalResults is %s", total)
				}
				for _, r := range a.json["Resources"].([]any) {
					seen[at(r, "id").(string)] = true
				}
			}
			if a := w.want(w.get("/Users?count=1000"), http.StatusOK); len(a.json["Resources"].([]any)) != 1000 {
				t.Errorf("%d users in a page of 1,000", len(a.json["Resources"].([]any)))
			}
			if len(seen) != people {
				t.Errorf("%d of %d users", len(seen), people)
			}
			found := w.find("/Groups", `displayName eq "limits"`)
			if len(found) != 1 {
				t.Fatalf("%d groups", len(found))
			}
			path := "/Groups/" + at(found[0], "id").(string)
			read := func() (map[string]bool, string) {
				t.Helper()
				a := w.want(w.get(path), http.StatusOK)
				ids := map[string]bool{}
				for _, m := range a.json["members"].([]any) {
					ids[at(m, "value").(string)] = true
				}
				return ids, a.etag()
			}
			ids, etag := read()
			if len(ids) != people || etag == "" {
				t.Fatalf("%d of %d members, ETag %s", len(ids), people, etag)
			}
			for id := range ids {
				if !seen[id] {
					t.Fatalf("the member %s is no user", id)
				}
			}
			// One out, by value and by the whole list: the others stay, those too that
			// the gateway does not show.
			var one string
			for one = range ids {
				break
			}
			w.want(w.do("PATCH", path, patchBody(`{"op":"remove","path":"members","value":[{"value":`+quote(one)+`}]}`)), http.StatusNoContent)
			if now, _ := read(); len(now) != people-1 || now[one] {
				t.Errorf("%d members after one was taken out", len(now))
			}
			whole := make([]map[string]string, 0, len(ids))
			for id := range ids {
				whole = append(whole, map[string]string{"value": id})
			}
			list, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			w.want(w.do("PUT", path, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"limits","members":`+string(list)+`}`), http.StatusOK)
			if now, after := read(); len(now) != people || after != etag {
				t.Errorf("%d members after PUT, ETag %s, was %s", len(now), after, etag)
			}
			if n := len(w.find("/Groups", `members.value eq `+quote(one))); n != 1 {
				t.Errorf("%d groups are found by a member", n)
			}
			stored, err := past.Search(goldap.NewSearchRequest("CN=limits,"+s.GroupsBase, goldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"member"}, nil))
			if err != nil || len(stored.Entries[0].GetAttributeValues("member")) != members {
				t.Errorf("%d values of member, %v", len(stored.Entries[0].GetAttributeValues("member")), err)
			}
			if searches, attributes := limits.Met(); searches > 0 || attributes == 0 {
				t.Errorf("%d searches were cut short, %d attributes given in part", searches, attributes)
			}
		})
	}
	t.Run("without paging", func(t *testing.T) {
		w, limits := through(t, servers, "      without: [paging]\n"+servers)
		a := w.get("/Users?filter=" + strings.ReplaceAll(`title pr or userName sw "limit"`, " ", "%20"))
		w.wantError(a, http.StatusBadRequest, "tooMany")
		if searches, _ := limits.Met(); searches == 0 {
			t.Error("nothing was cut short")
		}
		if n := len(w.find("/Users", `userName eq "limit0001@corp.example.com"`)); n != 1 {
			t.Errorf("%d users are found by name", n)
		}
	})
}
