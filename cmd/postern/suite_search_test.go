package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// testSearch asks over all types, as clients that may read all of them and one,
// and in the body of a POST.
func testSearch(t *testing.T, w *world) {
	stem := unique("search")
	u, v := w.user(stem+"-u", `,"displayName":`+quote(stem+" B")), w.user(stem+"-v", "")
	g := w.group(stem+" A", u.id())
	ids := func(a answer) string {
		w.want(a, http.StatusOK)
		var s []string
		for i := range asList(a.at("Resources")) {
			id := a.text("Resources", i, "id")
			if name, ok := map[string]string{u.id(): "u", v.id(): "v", g.id(): "g"}[id]; ok {
				id = name
			}
			s = append(s, id)
		}
		if total := fmt.Sprint(a.at("totalResults")); total != fmt.Sprint(len(s)) {
			t.Errorf("totalResults %s with %v", total, s)
		}
		return strings.Join(s, " ")
	}
	body := func(more string, filter ...string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":` + quote(strings.Join(filter, "")) + more + `}`
	}
	mine := `(userName sw "` + stem + `" or displayName sw "` + stem + `")`
	for filter, want := range map[string]string{
		mine: "g u v",
		mine + ` and meta.resourceType eq "User"`:                              "u v",
		mine + ` and not (userName pr)`:                                        "g",
		mine + ` and userName ne "x"`:                                          "g u v",
		`members.value eq "` + u.id() + `"`:                                    "g",
		mine + ` and (members pr or displayName ew " b")`:                      "g u",
		`id eq "` + g.id() + `" or id eq "` + v.id() + `"`:                     "g v",
		`meta.location eq "` + w.base + `/Groups/` + g.id() + `"`:              "g",
		`groups.$ref eq "` + w.base + `/Groups/` + g.id() + `"`:                "u",
		mine + ` and schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group"`: "g",
	} {
		if got := ids(w.do("POST", "/.search", body(`,"sortBy":"displayName"`, filter))); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
	if got := ids(w.do("POST", "/.search", body(`,"sortBy":"displayName","sortOrder":"descending","attributes":["userName"]`, mine))); got != "v u g" {
		t.Errorf("descending: %s", got)
	}
	if got := ids(w.do("POST", "/Users/.search", body(`,"sortBy":"userName"`, mine))); got != "u v" {
		t.Errorf("over users: %s", got)
	}
	w.wantError(w.do("POST", "/.search", body("", `nosuch pr`)), http.StatusBadRequest, "invalidFilter", "nosuch")
	w.wantError(w.do("POST", "/Users/.search", body("", `members pr`)), http.StatusBadRequest, "invalidFilter", "members")
	w.wantError(w.do("POST", "/.search", body(`,"sortBy":"password"`, mine)), http.StatusBadRequest, "invalidValue", "password")

	reader := *w.client
	reader.token = readerToken
	if got := ids(reader.do("POST", "/.search", body(`,"sortBy":"userName"`, mine))); got != "u v" {
		t.Errorf("a client that may read users alone finds %s", got)
	}
	reader.wantError(reader.do("POST", "/Groups/.search", body("", mine)), http.StatusForbidden, "")
	reader.wantError(reader.do("POST", "/.search", body("", `members pr`)), http.StatusBadRequest, "invalidFilter", "members")
	first := w.want(w.do("POST", "/Users/.search", body(`,"count":1,"cursor":""`, mine)), http.StatusOK)
	reader.wantError(reader.do("POST", "/Users/.search", body(`,"count":1,"cursor":`+quote(first.text("nextCursor")), mine)), http.StatusBadRequest, "invalidCursor")
	w.want(w.do("POST", "/Users/.search", body(`,"count":1,"cursor":`+quote(first.text("nextCursor")), mine)), http.StatusOK)
}

// testLongFilters sends filters that no URL can hold, and such that nobody should
// have to evaluate.
func testLongFilters(t *testing.T, w *world) {
	u := w.user("long", `,"displayName":"Long"`)
	search := func(terms int, term string) answer {
		filter := `id eq "` + u.id() + `"` + strings.Repeat(" or "+term, terms-1)
		return w.do("POST", "/Users/.search", `{"attributes":["userName"],"filter":`+quote(filter)+`}`)
	}
	none := `id eq "00000000-0000-4000-8000-000000000000"`
	for _, term := range []string{none, `displayName eq "` + strings.Repeat("nobody ", 20) + `"`} {
		if a := search(1000, term); a.status != http.StatusOK || fmt.Sprint(a.at("totalResults")) != "1" {
			t.Errorf("1,000 terms like %.40s: %.300s", term, a.body)
		}
	}
	for _, terms := range []int{1001, 10_000, 100_000} {
		w.wantError(search(terms, "id pr"), http.StatusBadRequest, "invalidFilter", "")
	}
}
