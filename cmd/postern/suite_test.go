package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern/mapping"

	goldap "github.com/go-ldap/ldap/v3"
)

// world is one gateway in front of one backend, with a way past the gateway.
type world struct {
	*client
	kind string
	// userName makes a user name of a stem: AD's have a domain.
	userName func(stem string) string
	// past is a plain LDAP client of the directory behind, and the bases of
	// people and groups; nil where there is no directory.
	past               *goldap.Conn
	people, groupsBase string
	// bind reports whether the directory takes this password for the user with
	// this user name; nil where there is no directory.
	bind func(userName, password string) bool
	// nameAttr is the LDAP attribute that userName is mapped to.
	nameAttr string
	disables bool // the mapping has `active`
	crowd    int  // members of the large group; 0 is 2,000
	queries  int  // random ones that are compared, on fewer users; 0 is 150, on 40
	// refuses reports whether the directory takes no such user name; nil is never.
	refuses func(userName string) bool
	behind  backing // of what the gateway is made
	// What the conformance tables need: the backend seen past the gateway, the
	// mappings by resource type, and what a case may ask for.
	beyond beyond
	maps   map[string]*mapping.Mapping
	able   map[string]bool
	nobody string // the DN that the directory itself puts into an empty group
}

func (w *world) with(t testing.TB) *world {
	d := *w
	d.client = w.client.with(t)
	return &d
}

// suite is the behaviour that clients depend on, the same for every backend.
func suite(t *testing.T, w *world) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, w *world)
	}{
		{"Discovery", testDiscovery},
		{"Authentication", testAuthentication},
		{"UserLife", testUserLife},
		{"GroupLife", testGroupLife},
		{"MemberFilters", testMemberFilters},
		{"Rename", testRename},
		{"Put", testPut},
		{"Active", testActive},
		{"Password", testPassword},
		{"Uniqueness", testUniqueness},
		{"UserNames", testUserNames},
		{"Versions", testVersions},
		{"ParallelPatch", testParallelPatch},
		{"WritePastTheGateway", testWritePast},
		{"Metacharacters", testMetacharacters},
		{"Lists", testLists},
		{"Filters", testFilters},
		{"ExternalID", testExternalID},
		{"Manager", testManager},
		{"Merge", testMerge},
		{"MergeAndDelete", testMergeAndDelete},
		{"Split", testSplit},
		{"Drift", testDrift},
		{"Adoption", testAdoption},
		{"Kept", testKept},
		{"OddEntries", testOddEntries},
		{"Bulk", testBulk},
		{"Me", testMe},
		{"Conformance", testConformance},
		{"ConformanceNotices", testConformanceNotices},
		{"BadRequests", testBadRequests},
		{"Search", testSearch},
		{"LongFilters", testLongFilters},
		{"Queries", testQueries},
		{"PagesWhileOthersWrite", testPagesWhileOthersWrite},
		{"LargeGroup", testLargeGroup}, // the last, since its members stay
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, w.with(t)) })
	}
}

func testDiscovery(t *testing.T, w *world) {
	open := *w.client
	open.token = ""
	a := open.want(open.get("/ServiceProviderConfig"), http.StatusOK)
	if a.at("patch", "supported") != true || a.at("etag", "supported") != true {
		t.Errorf("ServiceProviderConfig: %s", a.body)
	}
	a = w.want(w.get("/ResourceTypes"), http.StatusOK)
	if fmt.Sprint(a.at("totalResults")) != "2" {
		t.Errorf("ResourceTypes: %s", a.body)
	}
	a = w.want(w.get("/Schemas"), http.StatusOK)
	for i := range a.at("Resources").([]any) {
		id := a.text("Resources", i, "id")
		one := w.want(w.get("/Schemas/"+id), http.StatusOK)
		if one.text("id") != id {
			t.Errorf("schema %q answers with id %q", id, one.text("id"))
		}
	}
	if strings.Contains(a.body, "null") {
		t.Errorf("a schema holds a null: %s", a.body)
	}
	w.wantError(w.get("/Schemas/urn:nowhere"), http.StatusNotFound, "")
}

func testAuthentication(t *testing.T, w *world) {
	stranger := *w.client
	for _, token := range []string{"", "wrong"} {
		stranger.token = token
		a := stranger.get("/Users")
		stranger.wantError(a, http.StatusUnauthorized, "")
		if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("WWW-Authenticate is %q", a.header.Get("WWW-Authenticate"))
		}
	}
	twice, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/Users", nil)
	if err != nil {
		t.Fatal(err)
	}
	twice.Header["Authorization"] = []string{"Bearer " + writerToken, "Bearer " + readerToken}
	w.wantError(w.send(twice), http.StatusUnauthorized, "", "more than one")
	reader := *w.client
	reader.token = readerToken
	reader.want(reader.get("/Users?count=1"), http.StatusOK)
	reader.wantError(reader.do("POST", "/Users", userBody("x", "")), http.StatusForbidden, "")
	reader.wantError(reader.get("/Groups"), http.StatusForbidden, "")
}

func testUserLife(t *testing.T, w *world) {
	name := w.userName(unique("life"))
	made := w.create("/Users", userBody(name, `,"displayName":"Ada L.","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"type":"work","value":"`+unique("ada")+`@example.com"}],"title":"Countess","unknownThing":1,"nickName":null`))
	id := made.id()
	if made.header.Get("Location") != w.base+"/Users/"+id || made.text("meta", "location") != w.base+"/Users/"+id {
		t.Errorf("Location %q, meta.location %q, want %s/Users/%s", made.header.Get("Location"), made.text("meta", "location"), w.base, id)
	}
	if made.text("userName") != name || made.text("name", "familyName") != "Lovelace" || made.text("title") != "Countess" {
		t.Errorf("created: %s", made.body)
	}
	got := w.want(w.get("/Users/"+id), http.StatusOK)
	if got.body != made.body || got.etag() != made.etag() || got.etag() == "" {
		t.Errorf("read %s\n%s\nafter create %s\n%s", got.etag(), got.body, made.etag(), made.body)
	}
	listed := w.find("/Users", `userName eq `+quote(name))
	if len(listed) != 1 || at(listed[0], "meta", "version") != got.etag() {
		t.Errorf("listed: %v, want version %s", listed, got.etag())
	}
	patched := w.want(w.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"Analyst"}`, `{"op":"remove","path":"displayName"}`)), http.StatusOK)
	if patched.text("title") != "Analyst" || patched.at("displayName") != nil || patched.etag() == made.etag() {
		t.Errorf("patched: %s %s", patched.etag(), patched.body)
	}
	again := w.want(w.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"Analyst"}`)), http.StatusOK)
	if again.etag() != patched.etag() {
		t.Errorf("a PATCH that changes nothing moved the version from %s to %s", patched.etag(), again.etag())
	}
	w.want(w.do("DELETE", "/Users/"+id, ""), http.StatusNoContent)
	w.wantError(w.get("/Users/"+id), http.StatusNotFound, "")
	w.wantError(w.do("DELETE", "/Users/"+id, ""), http.StatusNotFound, "")
	w.wantError(w.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"x"}`)), http.StatusNotFound, "")
	if l := w.find("/Users", `userName eq `+quote(name)); len(l) != 0 {
		t.Errorf("listed after deletion: %v", l)
	}
	second := w.create("/Users", userBody(name, ""))
	if second.id() == id {
		t.Error("the id of a deleted user was given to a new one")
	}
	w.wantError(w.get("/Users/"+id), http.StatusNotFound, "")
	w.want(w.do("DELETE", "/Users/"+second.id(), ""), http.StatusNoContent)
}

// user creates a user that is deleted when the test ends.
func (w *world) user(stem, more string) answer {
	w.t.Helper()
	a := w.create("/Users", userBody(w.userName(unique(stem)), more))
	w.cleanup("/Users/" + a.id())
	return a
}

func (w *world) group(name string, members ...string) answer {
	w.t.Helper()
	a := w.create("/Groups", groupBody(name, members...))
	w.cleanup("/Groups/" + a.id())
	return a
}

func (w *world) cleanup(path string) {
	base, token := w.base, w.token
	w.t.Cleanup(func() {
		req, _ := http.NewRequest("DELETE", base+path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	})
}

func memberIDs(a answer) []string {
	var ids []string
	list, _ := a.at("members").([]any)
	for i := range list {
		ids = append(ids, a.text("members", i, "value"))
	}
	slices.Sort(ids)
	return ids
}

func (w *world) wantMembers(group string, ids ...string) {
	w.t.Helper()
	slices.Sort(ids)
	got := memberIDs(w.want(w.get("/Groups/"+group), http.StatusOK))
	if !slices.Equal(got, ids) {
		w.t.Errorf("members are %v, want %v", got, ids)
	}
}

func testGroupLife(t *testing.T, w *world) {
	a, b, c := w.user("member", "").id(), w.user("member", "").id(), w.user("member", "").id()
	g := w.group(unique("group"))
	if g.at("members") != nil {
		t.Errorf("a new group without members shows %v", g.at("members"))
	}
	path := "/Groups/" + g.id()
	add := func(ids ...string) string {
		var vs []string
		for _, id := range ids {
			vs = append(vs, `{"value":"`+id+`"}`)
		}
		return `{"op":"add","path":"members","value":[` + strings.Join(vs, ",") + `]}`
	}
	ok := func(a answer) {
		t.Helper()
		if a.status != http.StatusOK && a.status != http.StatusNoContent {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	ok(w.do("PATCH", path, patchBody(add(a, b))))
	w.wantMembers(g.id(), a, b)
	ok(w.do("PATCH", path, patchBody(add(b, c)))) // one is there already
	w.wantMembers(g.id(), a, b, c)
	ok(w.do("PATCH", path, patchBody(`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+a+`"}]}`)))
	w.wantMembers(g.id(), b, c)
	ok(w.do("PATCH", path, patchBody(`{"op":"remove","path":"members[value eq \"`+a+`\"]"}`, add(a)))) // one is gone already
	w.wantMembers(g.id(), a, b, c)
	got := w.want(w.get("/Users/"+a), http.StatusOK)
	if got.text("groups", 0, "value") != g.id() {
		t.Errorf("the member's groups are %v, want %s", got.at("groups"), g.id())
	}
	w.wantError(w.do("PATCH", path, patchBody(add("00000000-0000-4000-8000-000000000000"))), http.StatusBadRequest, "invalidValue", "members")
	w.wantMembers(g.id(), a, b, c)

	w.want(w.do("DELETE", "/Users/"+b, ""), http.StatusNoContent)
	w.wantMembers(g.id(), a, c)
	ok(w.do("PATCH", path, patchBody(`{"op":"replace","path":"members","value":[{"value":"`+c+`"}]}`)))
	w.wantMembers(g.id(), c)
	ok(w.do("PATCH", path, patchBody(`{"op":"remove","path":"members[value eq \"`+c+`\"]"}`)))
	w.wantMembers(g.id())
	ok(w.do("PATCH", path, patchBody(add(a))))
	ok(w.do("PATCH", path, patchBody(`{"op":"remove","path":"members"}`)))
	w.wantMembers(g.id())
	without := w.want(w.get(path+"?excludedAttributes=members"), http.StatusOK)
	if without.etag() != "" {
		t.Errorf("a version without the members: %s", without.etag())
	}
	within := []string{a}
	if w.able["nested"] {
		within = append(within, g.id())
	}
	outer := w.group(unique("outer"), within...)
	w.wantMembers(outer.id(), within...)
	w.want(w.do("DELETE", path, ""), http.StatusNoContent)
	w.want(w.get("/Users/"+a), http.StatusOK)
	w.wantMembers(outer.id(), a)
}

// testMemberFilters takes out what the filter of a path selects: the members that a
// query with the same filter would say it of, or nothing and an error. What it can
// not see is never taken for what is not there.
func testMemberFilters(t *testing.T, w *world) {
	a, b := w.user("selected", "").id(), w.user("stays", "").id()
	group := w.group(unique("filtered"), a, b).id()
	ref := w.base + "/Users/" + a
	const refused = "refused"
	for _, tt := range []struct {
		filter string
		left   []string
	}{
		{`value eq "` + a + `"`, []string{b}},
		{`value ne "` + a + `"`, []string{a}},
		{`value pr`, nil},
		{`type eq "Group"`, []string{a, b}},
		{`type eq "user" and not (value eq "` + b + `")`, []string{b}},
		{`$ref eq "` + ref + `"`, []string{refused}},
		{`$ref ne "` + ref + `"`, []string{refused}},
		{`not ($ref ew "` + a + `")`, []string{refused}},
		{`$ref co "/Groups/"`, []string{refused}},
		{`value co "-"`, []string{refused}},
		{`not (value co "-")`, []string{refused}},
		{`type eq "User" and (value sw "` + a + `" or value lt "0")`, []string{refused}},
		{`value gt "0"`, []string{refused}},
	} {
		got := w.do("PATCH", "/Groups/"+group, patchBody(`{"op":"remove","path":`+quote("members["+tt.filter+"]")+`}`))
		if slices.Contains(tt.left, refused) {
			w.wantError(got, http.StatusBadRequest, "invalidPath", "members.value")
			tt.left = []string{a, b}
		} else if got.status >= http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", tt.filter, got.status, got.body)
		}
		if left := memberIDs(w.want(w.get("/Groups/"+group), http.StatusOK)); !slices.Equal(left, slices.Sorted(slices.Values(tt.left))) {
			t.Errorf("%s leaves %v, want %v", tt.filter, left, tt.left)
		}
		w.do("PATCH", "/Groups/"+group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+a+`"},{"value":"`+b+`"}]}`))
	}
}

func testRename(t *testing.T, w *world) {
	u := w.user("before", `,"displayName":"Before"`)
	g := w.group(unique("holds"), u.id())
	after := w.userName(unique("after"))
	renamed := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"userName","value":`+quote(after)+`}`, `{"op":"replace","path":"displayName","value":"After"}`)), http.StatusOK)
	if renamed.id() != u.id() || renamed.text("userName") != after || renamed.text("displayName") != "After" || renamed.text("meta", "location") != u.text("meta", "location") {
		t.Errorf("renamed: %s", renamed.body)
	}
	if l := w.find("/Users", `userName eq `+quote(u.text("userName"))); len(l) != 0 {
		t.Errorf("the old name still finds %v", l)
	}
	if l := w.find("/Users", `userName eq `+quote(after)); len(l) != 1 || at(l[0], "id") != u.id() {
		t.Errorf("the new name finds %v", l)
	}
	w.wantMembers(g.id(), u.id())
	upper := strings.ToUpper(after[:1]) + after[1:]
	renamed = w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"userName","value":`+quote(upper)+`}`)), http.StatusOK)
	if renamed.text("userName") != upper {
		t.Errorf("a change of case alone: %s", renamed.body)
	}
	w.want(w.do("PATCH", "/Groups/"+g.id(), patchBody(`{"op":"replace","value":{"id":"`+g.id()+`","displayName":"`+unique("renamed")+`"}}`)), http.StatusOK)
	w.wantMembers(g.id(), u.id())
}

func testPut(t *testing.T, w *world) {
	const password = "Corr3ct-Horse-9"
	u := w.user("put", `,"title":"Old","displayName":"Put","password":"`+password+`"`)
	g := w.group(unique("put"), u.id())
	name := u.text("userName")
	put := w.want(w.do("PUT", "/Users/"+u.id(), userBody(name, `,"id":"ignored","displayName":"New","groups":[],"meta":{"location":"x"}`)), http.StatusOK)
	if put.at("title") != nil || put.text("displayName") != "New" || put.id() != u.id() {
		t.Errorf("after PUT: %s", put.body)
	}
	w.wantMembers(g.id(), u.id())
	if w.bind != nil && !w.bind(name, password) {
		t.Error("a PUT without a password lost the password")
	}
	w.wantError(w.do("PUT", "/Users/"+u.id(), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"displayName":"x"}`), http.StatusBadRequest, "invalidValue", "userName")
	w.wantError(w.do("PUT", "/Users/00000000-0000-4000-8000-000000000000", userBody("x", "")), http.StatusNotFound, "")
}

func testActive(t *testing.T, w *world) {
	if !w.disables {
		t.Skip("the mapping has no `active`")
	}
	u := w.user("active", `,"active":true,"password":"Corr3ct-Horse-9"`)
	if u.at("active") != true {
		t.Errorf("created: %s", u.body)
	}
	for range 2 {
		a := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"Replace","path":"active","value":false}`)), http.StatusOK)
		if a.at("active") != false {
			t.Fatalf("deactivated: %s", a.body)
		}
	}
	if w.bind != nil && w.bind(u.text("userName"), "Corr3ct-Horse-9") {
		t.Error("a deactivated user can sign in")
	}
	ids := func(filter string) (found bool) {
		for _, r := range w.find("/Users", filter) {
			found = found || at(r, "id") == u.id()
		}
		return found
	}
	name := quote(u.text("userName"))
	if !ids(`active eq false and userName eq `+name) || ids(`active eq true and userName eq `+name) {
		t.Error("the filter on active does not agree")
	}
	a := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","value":{"active":true}}`)), http.StatusOK)
	if a.at("active") != true {
		t.Errorf("activated: %s", a.body)
	}
	if w.bind != nil && !w.bind(u.text("userName"), "Corr3ct-Horse-9") {
		t.Error("an activated user can not sign in")
	}
}

func testPassword(t *testing.T, w *world) {
	if w.bind == nil {
		t.Skip("no directory to sign in to")
	}
	u := w.user("pass", `,"active":true,"password":"Corr3ct-Horse-9"`)
	name := u.text("userName")
	if strings.Contains(u.body, "Horse") || u.at("password") != nil {
		t.Errorf("the password is in the answer: %s", u.body)
	}
	a := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"password","value":"An0ther-Battery-8"}`)), http.StatusOK)
	if strings.Contains(a.body, "Battery") {
		t.Errorf("the password is in the answer: %s", a.body)
	}
	if w.bind(name, "Corr3ct-Horse-9") || !w.bind(name, "An0ther-Battery-8") {
		t.Error("the new password is not the one that counts")
	}
	w.wantError(w.get("/Users?filter=password+eq+%22x%22"), http.StatusBadRequest, "invalidFilter", "password")
}

func testUniqueness(t *testing.T, w *world) {
	u, v := w.user("unique", ""), w.user("unique", "")
	taken := u.text("userName")
	w.wantError(w.do("POST", "/Users", userBody(taken, "")), http.StatusConflict, "uniqueness", "userName")
	w.wantError(w.do("POST", "/Users", userBody(strings.ToUpper(taken), "")), http.StatusConflict, "uniqueness", "userName")
	w.wantError(w.do("PATCH", "/Users/"+v.id(), patchBody(`{"op":"replace","path":"userName","value":`+quote(taken)+`}`)), http.StatusConflict, "uniqueness", "userName")
	g := w.group(unique("unique"))
	a := w.do("POST", "/Groups", groupBody(g.text("displayName")))
	w.wantError(a, http.StatusConflict, "uniqueness", "displayName")

	// Of many at once exactly one comes in.
	name := w.userName(unique("race"))
	statuses := make([]int, 8)
	var ids []string
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			a := w.do("POST", "/Users", userBody(name, ""))
			mu.Lock()
			defer mu.Unlock()
			if statuses[i] = a.status; a.status == http.StatusCreated {
				ids = append(ids, a.id())
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		w.cleanup("/Users/" + id)
	}
	if len(ids) != 1 {
		t.Errorf("%d of 8 parallel creations succeeded: %v", len(ids), statuses)
	}
}

func testVersions(t *testing.T, w *world) {
	u := w.user("version", `,"title":"One"`)
	path := "/Users/" + u.id()
	if a := w.get(path, "If-None-Match", u.etag()); a.status != http.StatusNotModified || a.body != "" || a.etag() != u.etag() {
		t.Errorf("If-None-Match: %d %q %s", a.status, a.etag(), a.body)
	}
	w.want(w.get(path, "If-None-Match", `W/"other"`), http.StatusOK)
	change := patchBody(`{"op":"replace","path":"title","value":"Two"}`)
	w.wantError(w.do("PATCH", path, change, "If-Match", `W/"other"`), http.StatusPreconditionFailed, "")
	two := w.want(w.do("PATCH", path, change, "If-Match", `W/"other", `+u.etag()), http.StatusOK)
	w.wantError(w.do("PUT", path, userBody(u.text("userName"), ""), "If-Match", u.etag()), http.StatusPreconditionFailed, "")
	w.wantError(w.do("DELETE", path, "", "If-Match", u.etag()), http.StatusPreconditionFailed, "")
	w.wantError(w.do("PATCH", path, change, "If-Match", "nonsense"), http.StatusBadRequest, "invalidSyntax", "If-Match")
	w.want(w.do("DELETE", path, "", "If-Match", two.etag()), http.StatusNoContent)
}

func testParallelPatch(t *testing.T, w *world) {
	u := w.user("parallel", `,"title":"Start"`)
	statuses := make([]int, 20)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = w.do("PATCH", "/Users/"+u.id(), patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"T%d"}`, i)), "If-Match", u.etag()).status
		})
	}
	wg.Wait()
	counts := map[int]int{}
	for _, s := range statuses {
		counts[s]++
	}
	if counts[http.StatusOK] != 1 || counts[http.StatusPreconditionFailed] != 19 {
		t.Errorf("20 parallel PATCHes under one If-Match: %v", counts)
	}
}

// dn finds a user's DN past the gateway.
func (w *world) dn(userName string) string {
	w.t.Helper()
	res, err := w.past.Search(goldap.NewSearchRequest(w.people, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 2, 10, false,
		fmt.Sprintf("(%s=%s)", w.nameAttr, goldap.EscapeFilter(userName)), []string{"1.1"}, nil))
	if err != nil || len(res.Entries) != 1 {
		w.t.Fatalf("finding %q past the gateway: %v, %v", userName, res, err)
	}
	return res.Entries[0].DN
}

func testWritePast(t *testing.T, w *world) {
	if w.past == nil {
		t.Skip("no directory behind")
	}
	u := w.user("past", `,"title":"One","displayName":"One"`)
	path := "/Users/" + u.id()
	dn := w.dn(u.text("userName"))
	write := func(attr, value string) {
		t.Helper()
		m := goldap.NewModifyRequest(dn, nil)
		m.Replace(attr, []string{value})
		if err := w.past.Modify(m); err != nil {
			t.Fatal(err)
		}
	}
	write("title", "Past")
	w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"displayName","value":"Two"}`), "If-Match", u.etag()), http.StatusPreconditionFailed, "")
	now := w.want(w.get(path), http.StatusOK)
	if now.text("title") != "Past" || now.etag() == u.etag() {
		t.Errorf("read after a write past the gateway: %s %s", now.etag(), now.body)
	}
	write("description", "more") // not mapped: no part of the version
	if a := w.get(path); a.etag() != now.etag() {
		t.Errorf("an attribute that is not mapped moved the version from %s to %s", now.etag(), a.etag())
	}
	w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"displayName","value":"Two"}`), "If-Match", now.etag()), http.StatusOK)
	if err := w.past.Del(goldap.NewDelRequest(dn, nil)); err != nil {
		t.Fatal(err)
	}
	w.wantError(w.get(path), http.StatusNotFound, "")
	w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"title","value":"x"}`)), http.StatusNotFound, "")
}

func testExternalID(t *testing.T, w *world) {
	ext := unique("ext")
	u := w.user("external", `,"externalId":"`+ext+`"`)
	if u.text("externalId") != ext {
		t.Errorf("created: %s", u.body)
	}
	if l := w.find("/Users", `externalId eq "`+ext+`"`); len(l) != 1 || at(l[0], "id") != u.id() {
		t.Errorf("externalId eq finds %v", l)
	}
	moved := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"externalId","value":"`+ext+`-2"}`)), http.StatusOK)
	if moved.text("externalId") != ext+"-2" || moved.etag() == u.etag() {
		t.Errorf("patched: %s %s", moved.etag(), moved.body)
	}
	if l := w.find("/Users", `externalId eq "`+ext+`"`); len(l) != 0 {
		t.Errorf("the old externalId still finds %v", l)
	}
	gone := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"remove","path":"externalId"}`)), http.StatusOK)
	if gone.at("externalId") != nil {
		t.Errorf("removed: %s", gone.body)
	}
}

func testManager(t *testing.T, w *world) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	boss := w.user("boss", `,"displayName":"The Boss"`)
	u := w.user("report", `,"`+enterprise+`":{"manager":{"value":"`+boss.id()+`"}}`)
	if u.text(enterprise, "manager", "value") != boss.id() || u.text(enterprise, "manager", "displayName") != "The Boss" {
		t.Fatalf("created: %s", u.body)
	}
	if l := w.find("/Users", `manager eq "`+boss.id()+`" and id eq "`+u.id()+`"`); len(l) != 1 {
		t.Errorf("manager eq finds %v", l)
	}
	if l := w.find("/Users", `manager.displayName eq "the boss" and userName eq `+quote(u.text("userName"))); len(l) != 1 || at(l[0], "meta", "version") != u.etag() {
		t.Errorf("manager.displayName eq finds %v", l)
	}
	p := w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"remove","path":"`+enterprise+`:manager"}`)), http.StatusOK)
	if p.at(enterprise, "manager") != nil {
		t.Errorf("removed: %s", p.body)
	}
	p = w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"Add","path":"`+enterprise+`:manager","value":{"value":"`+boss.id()+`"}}`)), http.StatusOK)
	if p.text(enterprise, "manager", "value") != boss.id() {
		t.Errorf("added: %s", p.body)
	}
	w.want(w.do("DELETE", "/Users/"+boss.id(), ""), http.StatusNoContent)
	p = w.want(w.get("/Users/"+u.id()), http.StatusOK)
	if p.at(enterprise, "manager") != nil {
		t.Errorf("a deleted manager is still shown: %s", p.body)
	}
}
