package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

const accountURN = "urn:example:scim:schemas:extension:account:User"

// documented is the n-th block of YAML in a document that contains a text.
func documented(t *testing.T, file, text string) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(data), "```")
	for i := 1; i < len(parts); i += 2 {
		if block, ok := strings.CutPrefix(parts[i], "yaml\n"); ok && strings.Contains(block, text) {
			return block
		}
	}
	t.Fatalf("%s has no block with %q", file, text)
	return ""
}

// accountWorld is a gateway with what the document and the sample say of
// Active Directory's accounts, in front of a domain.
func accountWorld(t *testing.T) *world {
	t.Helper()
	const (
		active = "      active:                                     { attr: userAccountControl, codec: ad-enabled }\n"
		mail   = "      emails[type eq \"work\"].value:               mail       # with Exchange rather:\n      # emails.value: "
	)
	s := ldaptest.Start(t, ldaptest.ActiveDirectory)
	c, maps := directoryConfig(t, s,
		"\nresources:\n  User:\n", "\n"+documented(t, "mapping.md", "mustChangePassword: boolean")+"\nresources:\n  User:\n    extensions: [\""+accountURN+"\"]\n",
		active, active+documented(t, "mapping.md", "ad-password-never-expires }"),
		mail, "      emails.value: ",
		"      # photos.value:", "      photos.value:",
		", returned: request }", " }")
	w := &world{client: openApp(t, c, maps), kind: string(s.Kind), past: s.Admin(t), people: s.PeopleBase, groupsBase: s.GroupsBase,
		userName: func(stem string) string { return stem + "@corp.example.com" }, nameAttr: "userPrincipalName"}
	w.leak = s.Leak
	w.bind = func(userName, password string) bool {
		conn, err := s.Dial(w.dn(userName), password)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	return w
}

// stored is what the directory holds in an attribute of a user, and "" for none.
func (w *world) stored(userName, attr string) string {
	w.t.Helper()
	found, err := w.past.Search(goldap.NewSearchRequest(w.dn(userName), goldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{attr}, nil))
	if err != nil || len(found.Entries) != 1 {
		w.t.Fatalf("%v, %v", found, err)
	}
	return strings.Join(found.Entries[0].GetAttributeValues(attr), " ")
}

func (w *world) replace(userName, attr string, values ...string) {
	w.t.Helper()
	m := goldap.NewModifyRequest(w.dn(userName), nil)
	m.Replace(attr, values)
	if err := w.past.Modify(m); err != nil {
		w.t.Fatal(err)
	}
}

// TestAccountsOfActiveDirectory takes every codec for accounts to a domain and
// back.
func TestAccountsOfActiveDirectory(t *testing.T) {
	w := accountWorld(t)
	gif := "data:image/gif;base64," + base64.StdEncoding.EncodeToString([]byte("GIF89a\x01\x00\x01\x00"))
	name := w.userName("account.with.a.long-name")
	u := w.create("/Users", userBody(name, `,"active":true,"password":"Corr3ct-Horse-9","photos":[{"value":`+quote(gif)+`}],
		"emails":[{"value":"Ann@x.org","primary":true},{"value":"lee@x.org"}],
		"`+accountURN+`":{"passwordNeverExpires":true,"mustChangePassword":true,"expires":"2030-01-01T00:00:00Z"}`))
	path := "/Users/" + u.id()
	account := func(a answer, key string) any { return a.at(accountURN, key) }
	patch := func(ops string) answer {
		t.Helper()
		return w.want(w.do("PATCH", path, patchBody(ops), "If-Match", w.get(path).etag()), http.StatusOK)
	}
	set := func(key, value string) answer {
		t.Helper()
		return patch(`{"op":"replace","path":"` + accountURN + ":" + key + `","value":` + value + `}`)
	}
	finds := func(filter string) bool {
		t.Helper()
		for _, r := range w.find("/Users", filter) {
			if at(r, "id") == u.id() {
				return true
			}
		}
		return false
	}

	if got := w.stored(name, "userAccountControl"); got != "66048" {
		t.Errorf("userAccountControl is %s", got)
	}
	if got := w.stored(name, "sAMAccountName"); len(got) > 20 || !strings.HasPrefix(got, "account.with.a-") {
		t.Errorf("sAMAccountName is %q", got)
	}
	if account(u, "passwordNeverExpires") != true || account(u, "mustChangePassword") != true || account(u, "lockedOut") != false ||
		account(u, "expires") != "2030-01-01T00:00:00Z" || account(u, "passwordSet") != nil {
		t.Errorf("made: %s", u.body)
	}
	if u.text("photos", 0, "value") != gif || w.stored(name, "thumbnailPhoto") != "GIF89a\x01\x00\x01\x00" {
		t.Errorf("photo: %s", u.body)
	}

	// The bits, and what is beside them.
	w.replace(name, "userAccountControl", fmt.Sprint(0x200|0x10000|0x100000))
	if a := patch(`{"op":"replace","value":{"active":false,"` + accountURN + `:passwordNeverExpires":false}}`); a.at("active") != false || account(a, "passwordNeverExpires") != false {
		t.Errorf("bits: %s", a.body)
	}
	if got := w.stored(name, "userAccountControl"); got != fmt.Sprint(0x200|0x2|0x100000) {
		t.Errorf("userAccountControl is %s", got)
	}
	if !finds(accountURN+`:passwordNeverExpires eq false and userName eq `+quote(name)) || finds(accountURN+`:passwordNeverExpires eq true`) {
		t.Error("the filter on a bit does not agree")
	}
	patch(`{"op":"replace","path":"active","value":true}`)

	// pwdLastSet.
	if a := set("mustChangePassword", "false"); account(a, "mustChangePassword") != false || account(a, "passwordSet") == nil {
		t.Errorf("need not change: %s", a.body)
	}
	if !w.bind(name, "Corr3ct-Horse-9") {
		t.Error("can not sign in")
	}
	if a := set("mustChangePassword", "true"); account(a, "mustChangePassword") != true || w.stored(name, "pwdLastSet") != "0" {
		t.Errorf("must change: %s", a.body)
	}
	set("mustChangePassword", "false")

	// accountExpires: both values for never.
	if a := patch(`{"op":"remove","path":"` + accountURN + `:expires"}`); account(a, "expires") != nil || w.stored(name, "accountExpires") != "9223372036854775807" {
		t.Errorf("without an end: %s", a.body)
	}
	w.replace(name, "accountExpires", "0")
	if a := w.get(path); account(a, "expires") != nil {
		t.Errorf("0 is an end: %s", a.body)
	}
	if a := set("expires", `"2031-01-01T00:00:00Z"`); account(a, "expires") != "2031-01-01T00:00:00Z" {
		t.Errorf("with an end: %s", a.body)
	}
	other := w.user("never", "")
	for filter, want := range map[string]bool{`expires eq "2031-01-01T00:00:00Z"`: true, `expires gt "2030-12-31T00:00:00Z"`: true, `expires lt "2030-12-31T00:00:00Z"`: false} {
		found := w.find("/Users", accountURN+":"+filter)
		for _, r := range found {
			if at(r, "id") == other.id() {
				t.Errorf("%s finds an account that never expires", filter)
			}
		}
		if (len(found) > 0) != want {
			t.Errorf("%s finds %d", filter, len(found))
		}
	}

	// lockoutTime.
	w.replace(name, "lockoutTime", "132537600000000000")
	if a := w.get(path); account(a, "lockedOut") != true || !finds(accountURN+":lockedOut eq true") {
		t.Errorf("locked out: %s", a.body)
	}
	if a := set("lockedOut", "false"); account(a, "lockedOut") != false || w.stored(name, "lockoutTime") != "0" || finds(accountURN+":lockedOut eq true") {
		t.Errorf("unlocked: %s", a.body)
	}
	w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"`+accountURN+`:lockedOut","value":true}`)), http.StatusBadRequest, "invalidValue", "lockedOut")

	// Identifiers, in their search form.
	for _, key := range []string{"sid", "guid"} {
		id := u.text(accountURN, key)
		if id == "" || !finds(accountURN+":"+key+" eq "+quote(id)) {
			t.Errorf("%s %q is not found", key, id)
		}
	}

	// proxyAddresses.
	if got := w.stored(name, "proxyAddresses"); got != "SMTP:Ann@x.org smtp:lee@x.org" {
		t.Errorf("proxyAddresses are %q", got)
	}
	w.replace(name, "proxyAddresses", "SMTP:Ann@x.org", "smtp:lee@x.org", "X500:/o=corp/cn=ann")
	a := patch(`{"op":"replace","path":"emails[value eq \"LEE@x.org\"].primary","value":true}`)
	if got := w.stored(name, "proxyAddresses"); !strings.Contains(got, "SMTP:lee@x.org") || !strings.Contains(got, "smtp:Ann@x.org") || !strings.Contains(got, "X500:/o=corp/cn=ann") {
		t.Errorf("proxyAddresses are %q", got)
	}
	if a.text("emails", 0, "value") != "lee@x.org" || a.at("emails", 0, "primary") != true || a.at("emails", 1, "primary") == true || !finds(`emails.value eq "ANN@X.ORG"`) {
		t.Errorf("addresses: %s", a.body)
	}

	// manager and directReports.
	boss := w.user("boss", "")
	patch(`{"op":"add","path":"manager","value":{"value":` + quote(boss.id()) + `}}`)
	if b := w.get("/Users/" + boss.id()); b.text(accountURN, "reports", 0, "value") != u.id() {
		t.Errorf("reports: %s", b.body)
	}

	// A photo again, and none.
	b := patch(`{"op":"replace","path":"photos","value":[{"value":` + quote(base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n"))) + `}]}`)
	if !strings.HasPrefix(b.text("photos", 0, "value"), "data:image/png;base64,") {
		t.Errorf("photo: %s", b.body)
	}
	w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"photos","value":[{"value":"https://x.org/ann.gif"}]}`)), http.StatusBadRequest, "invalidValue", "photos")
	if patch(`{"op":"remove","path":"photos"}`); w.stored(name, "thumbnailPhoto") != "" {
		t.Error("the photo is still there")
	}
}

// TestSuffixAndGroupType shows user names without their suffix, and kinds of
// groups by name.
func TestSuffixAndGroupType(t *testing.T) {
	const urn = "urn:example:kind:Group"
	s := ldaptest.Start(t, ldaptest.ActiveDirectory)
	c, maps := directoryConfig(t, s,
		"\nresources:\n", "\nschemas: { \""+urn+"\": { attributes: { kind: string } } }\nresources:\n",
		"userName:                                   userPrincipalName", "userName: { attr: userPrincipalName, codec: { suffix: corp.example.com } }",
		"\n  Group:\n", "\n  Group:\n    extensions: [\""+urn+"\"]\n",
		"      displayName:                                cn\n", "      displayName:                                cn\n      "+urn+":kind: { attr: groupType, codec: ad-group-type, default: security-global }\n",
		"    constants:\n      groupType: \"-2147483646\"", "    # constants:\n    #   groupType: \"-2147483646\"")
	w := &world{client: openApp(t, c, maps), past: s.Admin(t), people: s.PeopleBase, groupsBase: s.GroupsBase, nameAttr: "userPrincipalName"}
	w.leak = s.Leak
	u := w.create("/Users", userBody("suffixed", ""))
	if u.text("userName") != "suffixed" || w.stored("suffixed@corp.example.com", "sAMAccountName") != "suffixed" {
		t.Errorf("made: %s", u.body)
	}
	for filter, want := range map[string]int{`userName eq "Suffixed"`: 1, `userName sw "suff"`: 1, `userName co "fix"`: 1, `userName ew "fixed"`: 1,
		`userName co "corp"`: 0, `userName eq "suffixed@corp.example.com"`: 0} {
		if n := len(w.find("/Users", filter)); n != want {
			t.Errorf("%s finds %d, want %d", filter, n, want)
		}
	}
	w.wantError(w.do("POST", "/Users", userBody("SUFFIXED", "")), http.StatusConflict, "uniqueness", "userName")
	a := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"userName","value":"other@elsewhere.example.com"}`)), http.StatusOK)
	if a.text("userName") != "other@elsewhere.example.com" || w.stored("other@elsewhere.example.com", "sAMAccountName") != "suffixed" {
		t.Errorf("renamed: %s", a.body)
	}

	g := w.create("/Groups", groupBody("kinds"))
	if g.text(urn, "kind") != "security-global" {
		t.Errorf("made: %s", g.body)
	}
	path := "/Groups/" + g.id()
	kind := func(to string) answer {
		return w.do("PATCH", path, patchBody(`{"op":"replace","path":"`+urn+`:kind","value":"`+to+`"}`))
	}
	if a := w.want(kind("security-universal"), http.StatusOK); a.text(urn, "kind") != "security-universal" {
		t.Errorf("changed: %s", a.body)
	}
	if n := len(w.find("/Groups", urn+`:kind eq "security-universal"`)); n != 1 {
		t.Errorf("%d groups are found by their kind", n)
	}
	w.wantError(kind("of a kind"), http.StatusBadRequest, "invalidValue", "kind")
}
