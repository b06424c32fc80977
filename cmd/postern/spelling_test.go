package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"
	"postern/scim"

	goldap "github.com/go-ldap/ldap/v3"
)

// awkwardTexts are alike to some rules and not to others: in case, in spaces, in
// hyphens, in letters beyond ASCII, as numbers and as times.
var awkwardTexts = []string{"Anna", "anna", "in side", "in  side", " lead", "lead", "trail ", "trail", " ", "-", "tab\tstop", "tab stop", "tab\u00a0stop",
	"+1 555 0100", "+15550100", "+1-555-0100", "1555 0100", "15550100", "0010", "10", "+10", "ext 5", "EXT5", "5*", "a*b", "a(b", "a$b", "A $ b",
	"é", "É", "e", "Straße", "STRASSE", "stra\u1e9ee", "İ", "i", "\u212a", "k", "ſ", "s", "ﬁ", "fi", "Σας", "ΣΑΣ", "\u01c5a", "\u01c6a", "日本", "ﾆ", "ニ", "so\u00adft", "soft",
	"TRUE", "true", "20240102030405Z", "20240102030405.0Z", "20240102040405+0100", "2024-01-02T03:04:05Z",
	"550E8400-E29B-41D4-A716-446655440000", "550e8400-e29b-41d4-a716-446655440000", "cn=a, dc=b", "CN=A,DC=B"}

// spelled are rules for attributes that directories compare by different rules, some
// of them by none, and whose case SCIM and the directory may see differently.
const spelled = `
      title: { attr: title, caseExact: true }
      nickName: carLicense
      locale: { attr: destinationIndicator, caseExact: true }
      timezone: destinationIndicator2
      phoneNumbers[type eq "fax"].value: facsimileTelephoneNumber
      phoneNumbers[type eq "pager"].value: pager
      phoneNumbers[type eq "home"].value: homePhone
      ims.value: { attr: x121Address, multiValued: true }
      roles.value: { attr: roomNumber, multiValued: true }
      entitlements.value: { attr: description, multiValued: true, caseExact: true }
`

// TestSpellings asks each directory for values that differ in spelling, and holds
// what it finds against the evaluation here of the same filter on every user. A
// condition that the directory would find Undefined must not reach it.
func TestSpellings(t *testing.T) {
	const title = "      title:                                      title\n"
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			exact, home := "labeledURI", "mail" // by caseExactMatch, and in IA5
			if kind == ldaptest.ActiveDirectory {
				exact, home = "unixHomeDirectory", "gecos"
			}
			rules := strings.ReplaceAll(strings.TrimPrefix(spelled, "\n"), "destinationIndicator2", exact)
			pairs := []string{title, rules}
			if kind == ldaptest.ActiveDirectory {
				pairs = append(pairs, "mail       # with Exchange rather:", home)
			}
			c, compiled := directoryConfig(t, s, pairs...)
			w := &world{client: openApp(t, c, compiled), kind: string(kind), past: s.Admin(t)}
			w.behind = backing{config: c, maps: compiled, connect: connectDirectories(c, compiled)}
			paths := map[string]string{"title": "title", "nickName": "carLicense", "locale": "destinationIndicator", "timezone": exact,
				`phoneNumbers[type eq "fax"].value`: "facsimileTelephoneNumber", `phoneNumbers[type eq "pager"].value`: "pager",
				`phoneNumbers[type eq "mobile"].value`: "mobile", "ims.value": "x121Address", "roles.value": "roomNumber", "entitlements.value": "description",
				`emails[type eq "work"].value`: home, "displayName": "displayName"}
			for i, text := range awkwardTexts {
				w.awkward(s, fmt.Sprintf("a%d", i), slices.Sorted(maps.Values(paths)), text)
			}
			known, ev := w.everything(), w.evaluations(t, w.client)["User"]
			rt := w.app.gateway.ResourceTypes()[0]
			for path := range paths {
				filters := []string{path + " pr", "not (" + path + " pr)"}
				for i, text := range awkwardTexts {
					for _, op := range []string{"eq", "ne", []string{"co", "sw", "ew"}[i%3]} {
						filters = append(filters, path+" "+op+" "+quote(text))
					}
				}
				for _, text := range filters {
					f, err := scim.Dialect{}.ParseFilter(rt, text, rt)
					if err != nil {
						t.Fatalf("%s: %v", text, err)
					}
					var want []string
					for _, r := range known {
						if r.Type == rt && ev.Match(f, r) {
							want = append(want, r.ID())
						}
					}
					got, _ := w.client.byIndex(listing{path: "/Users", filter: text, count: 1000, byBody: true})
					slices.Sort(got)
					slices.Sort(want)
					if !slices.Equal(got, want) {
						t.Errorf("%s: %d found, want %d: %s", text, len(got), len(want), w.difference(known, got, want))
					}
				}
			}
		})
	}
}

// TestSpelledAlike writes values that a directory finds equal, though they differ: a
// list has each of them once, the first that came, and a list that replaces another
// has its spelling.
func TestSpelledAlike(t *testing.T) {
	const title = "      title:                                      title\n"
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			phones, plus := "homePhone", "+1-555"
			if kind == ldaptest.ActiveDirectory { // there a telephone number is text as any
				phones, plus = "otherHomePhone", "+1 555"
			}
			c, compiled := directoryConfig(t, s, title, "      entitlements.value: { attr: carLicense, multiValued: true, caseExact: true }\n"+
				"      ims.value: { attr: "+phones+", multiValued: true, caseExact: true }\n")
			w := &world{client: openApp(t, c, compiled), kind: string(kind)}
			values := func(a answer, attr string) string {
				var vs []string
				for _, e := range asList(a.at(attr)) {
					vs = append(vs, at(e, "value").(string))
				}
				slices.Sort(vs)
				return strings.Join(vs, "|")
			}
			check := func(what string, a answer, entitlements, ims string) {
				t.Helper()
				if got := values(a, "entitlements"); got != entitlements {
					t.Errorf("%s: entitlements %q, want %q", what, got, entitlements)
				}
				if got := values(a, "ims"); got != ims {
					t.Errorf("%s: ims %q, want %q", what, got, ims)
				}
			}
			u := w.create("/Users", userBody("alike@corp.example.com", `,"entitlements":[{"value":"a b"},{"value":"A B"},{"value":"c"}],"ims":[{"value":"+1 555"},{"value":"`+plus+`"}]`))
			check("created", u, "a b|c", "+1 555")
			path := "/Users/" + u.id()
			etag := u.etag()
			w.want(w.do("PATCH", path, patchBody(`{"op":"add","path":"entitlements","value":[{"value":"A B"},{"value":"C"}]},{"op":"add","path":"ims","value":[{"value":"`+plus+`"}]}`)), http.StatusOK)
			a := w.want(w.get(path), http.StatusOK)
			check("added again", a, "a b|c", "+1 555")
			if a.etag() != etag {
				t.Errorf("nothing was changed, and the version is %s and was %s", a.etag(), etag)
			}
			w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"entitlements","value":[{"value":"A B"},{"value":"d"}]},{"op":"replace","path":"ims","value":[{"value":"`+plus+`"}]}`)), http.StatusOK)
			check("replaced", w.want(w.get(path), http.StatusOK), "A B|d", plus)
			// The same under a condition, which names the values that were there.
			a = w.get(path)
			a = w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"entitlements","value":[{"value":"a b"},{"value":"D"},{"value":"e"}]}`), "If-Match", a.etag()), http.StatusOK)
			check("replaced under a condition", w.want(w.get(path), http.StatusOK), "D|a b|e", plus)
			if kind != ldaptest.ActiveDirectory { // a path finds what a filter does
				w.want(w.do("PATCH", path, patchBody(`{"op":"remove","path":"ims[value eq \"+15-55\"]"},{"op":"remove","path":"entitlements[value eq \"a   b \"]"}`)), http.StatusOK)
				check("taken out", w.want(w.get(path), http.StatusOK), "D|e", "")
				w.create("/Users", userBody("a name", ""))
				w.wantError(w.do("POST", "/Users", userBody(" A  Name", "")), http.StatusConflict, "uniqueness")
			}
		})
	}
}

// awkward makes a user past the gateway that has the text in all the attributes that
// take it.
func (w *world) awkward(s *ldaptest.Server, name string, attrs []string, text string) {
	add := goldap.NewAddRequest("uid="+name+","+s.PeopleBase, nil)
	if s.Kind == ldaptest.ActiveDirectory {
		add = goldap.NewAddRequest("CN="+name+","+s.PeopleBase, nil)
		add.Attribute("objectClass", []string{"user"})
		add.Attribute("userPrincipalName", []string{name + "@corp.example.com"})
	} else {
		add.Attribute("objectClass", []string{"inetOrgPerson"})
		add.Attribute("cn", []string{name})
		add.Attribute("sn", []string{name})
	}
	if err := w.past.Add(add); err != nil {
		w.t.Fatal(err)
	}
	for _, attr := range attrs {
		m := goldap.NewModifyRequest(add.DN, nil)
		m.Replace(attr, []string{text})
		if err := w.past.Modify(m); err != nil && !goldap.IsErrorAnyOf(err, goldap.LDAPResultInvalidAttributeSyntax, goldap.LDAPResultConstraintViolation) {
			w.t.Fatalf("%s %q: %v", attr, text, err)
		}
	}
}

// difference shows what was found wrongly, and what was not found.
func (w *world) difference(known []*scim.Resource, got, want []string) string {
	var b strings.Builder
	for _, r := range known {
		if found, wanted := slices.Contains(got, r.ID()), slices.Contains(want, r.ID()); found != wanted && b.Len() < 2000 {
			fmt.Fprintf(&b, "\nfound %v: %s", found, scim.AppendJSON(nil, r, scim.RenderOptions{}))
		}
	}
	return b.String()
}
