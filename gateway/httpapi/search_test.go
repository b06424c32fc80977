package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// page is a ListResponse as a client reads it.
type page struct {
	Total            int     `json:"totalResults"`
	Start            *int    `json:"startIndex"`
	Items            int     `json:"itemsPerPage"`
	Next             *string `json:"nextCursor"`
	Previous         *string `json:"previousCursor"`
	Resources        []struct{ ID, UserName string }
	Status, ScimType string
}

func (p page) names() string {
	var s []string
	for _, r := range p.Resources {
		s = append(s, r.UserName)
	}
	return strings.Join(s, " ")
}

func (e *edge) page(method, target, body string) page {
	e.t.Helper()
	_, text := e.do(method, target, body)
	var p page
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		e.t.Fatalf("%s %s: %v: %s", method, target, err, text)
	}
	return p
}

// TestSearchIsList asks the same by URL and by body, of the type and of the root:
// the answers are the same.
func TestSearchIsList(t *testing.T) {
	e := newEdge(t)
	for _, name := range []string{"carl", "Anna", "bert", "dora"} {
		e.create(name)
	}
	for _, tt := range []struct{ query, body, want string }{
		{"", `{}`, "4"},
		{"sortBy=userName", `{"sortBy":"userName"}`, "4 Anna bert carl dora"},
		{"sortBy=userName&sortOrder=descending&count=2", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"sortBy":"USERNAME","sortOrder":"descending","count":2}`, "4 dora carl"},
		{"sortBy=userName&startIndex=3&count=9", `{"sortBy":"userName","startIndex":3,"count":9,"filter":null}`, "4 carl dora"},
		{"sortBy=userName&filter=userName+co+%22r%22", `{"sortBy":"userName","filter":"userName co \"r\""}`, "3 bert carl dora"},
		{"attributes=id&sortBy=userName", `{"attributes":["id"],"sortBy":"userName"}`, "4    "},
		{"count=0&sortBy=userName", `{"count":0,"sortBy":"userName"}`, "4 "},
		{"count=-7", `{"count":-7}`, "4 "},
		{"startIndex=-7&count=1&sortBy=userName", `{"startIndex":-7,"count":1,"sortBy":"userName"}`, "4 Anna"},
		{"count=99999999999999999999&sortBy=userName", `{"count":99999999999999999999,"sortBy":"userName"}`, "4 Anna bert carl dora"},
		{"sortOrder=descending", `{"sortOrder":"descending"}`, "4"},
		{"cursor&count=3&sortBy=userName", `{"cursor":"","count":3,"sortBy":"userName"}`, "4 Anna bert carl"},
		{"cursor=&count=4&sortBy=userName", `{"cursor":"","count":4,"sortBy":"userName"}`, "4 Anna bert carl dora"},
		{"filter=", `{"filter":""}`, "400 invalidFilter"},
		{"filter=%20", `{"filter":" "}`, "400 invalidFilter"},
		{"filter=nosuch+pr", `{"filter":"nosuch pr"}`, "400 invalidFilter"},
		{"sortBy=nosuch", `{"sortBy":"nosuch"}`, "400 invalidValue"},
		{"sortBy=password", `{"sortBy":"password"}`, "400 invalidValue"},
		{"sortBy=meta", `{"sortBy":"meta"}`, "400 invalidValue"},
		{"sortBy=userName&sortOrder=up", `{"sortBy":"userName","sortOrder":"up"}`, "400 invalidValue"},
		{"sortOrder=up", `{"sortOrder":"up"}`, "400 invalidValue"},
		{"count=many", `{"count":"many"}`, "400 invalidValue"},
		{"cursor=&count=many", `{"cursor":"","count":"many"}`, "400 invalidCount"},
		{"startIndex=first", `{"startIndex":"first"}`, "400 invalidValue"},
		{"cursor=x", `{"cursor":"x"}`, "400 invalidCursor"},
		{"cursor=&startIndex=1", `{"cursor":"","startIndex":1}`, "400 invalidValue"},
		{"attributes=userName&excludedAttributes=id", `{"attributes":["userName"],"excludedAttributes":["id"]}`, "400 invalidValue"},
	} {
		for _, request := range [][3]string{{"GET", "/Users?" + tt.query, ""}, {"GET", "?" + tt.query, ""}, {"GET", "/?" + tt.query, ""}, {"POST", "/Users/.search", tt.body}, {"POST", "/.search", tt.body}} {
			p := e.page(request[0], request[1], request[2])
			got := fmt.Sprintf("%d %s", p.Total, p.names())
			if !strings.Contains(tt.want, " ") {
				got = fmt.Sprint(p.Total)
			}
			if p.Status != "" {
				got = p.Status + " " + p.ScimType
			}
			if got != tt.want {
				t.Errorf("%v: %q, want %q", request, got, tt.want)
			}
			if byCursor := strings.Contains(tt.query, "cursor"); p.Status == "" && (p.Start == nil) != byCursor {
				t.Errorf("%v: startIndex %v", request, p.Start)
			}
		}
	}
	for _, target := range []string{"/Users/.search?count=1", "/.search?filter=userName+pr", "/.search?cursor"} {
		if p := e.page("POST", target, `{}`); p.ScimType != "invalidValue" {
			t.Errorf("POST %s: %+v", target, p)
		}
	}
	for _, body := range []string{"", "[]", `{"filter":7}`, `{"schemas":["urn:other"]}`, `{"filter":"userName pr","FILTER":"id pr"}`} {
		if p := e.page("POST", "/.search", body); p.Status != "400" {
			t.Errorf("POST %s: %+v", body, p)
		}
	}
}

// TestCursorsOverHTTP walks there and back again, by URL and by body.
func TestCursorsOverHTTP(t *testing.T) {
	e := newEdge(t)
	for i := range 7 {
		e.create(fmt.Sprintf("u%d", i))
	}
	p := e.page("GET", "/Users?sortBy=userName&count=3&cursor", "")
	if p.names() != "u0 u1 u2" || p.Previous != nil || p.Next == nil || p.Items != 3 {
		t.Fatalf("first page: %+v", p)
	}
	second := e.page("POST", "/Users/.search", `{"sortBy":"username","count":3,"cursor":"`+*p.Next+`"}`)
	if second.names() != "u3 u4 u5" || second.Previous == nil || second.Next == nil {
		t.Fatalf("second page: %+v", second)
	}
	last := e.page("GET", "/Users?sortBy=userName&count=3&cursor="+*second.Next, "")
	if last.names() != "u6" || last.Next != nil || last.Total != 7 {
		t.Errorf("last page: %+v", last)
	}
	if back := e.page("GET", "/Users?sortBy=userName&count=3&cursor="+*last.Previous, ""); back.names() != "u3 u4 u5" {
		t.Errorf("the page before the last: %+v", back)
	}
	for target, want := range map[string]string{
		"/Users?count=3&cursor=" + *p.Next:                                       "invalidCursor",
		"/Users?sortBy=userName&count=3&filter=id+pr&cursor=" + *p.Next:          "invalidCursor",
		"/Users?sortBy=userName&count=3&cursor=" + (*p.Next)[1:]:                 "invalidCursor",
		"/Users?sortBy=userName&count=3&cursor=" + url.QueryEscape(*p.Next+"\n"): "invalidCursor",
		"/Users?sortBy=userName&count=3&cursor=" + *p.Next + "&cursor=":          "invalidValue",
		"/Users?sortBy=userName&count=3&startIndex=1&cursor=" + *p.Next:          "invalidValue",
	} {
		if p := e.page("GET", target, ""); p.ScimType != want {
			t.Errorf("%s: %+v, want %s", target, p, want)
		}
	}
}

// TestLocationFilter searches by the location that the client was shown.
func TestLocationFilter(t *testing.T) {
	e := newEdge(t)
	id := e.create("one")
	e.create("two")
	base := e.URL + "/scim/v2"
	for filter, want := range map[string]int{
		`meta.location eq "` + base + `/Users/` + id + `"`: 1,
		`meta.location ne "` + base + `/Users/` + id + `"`: 1,
		`meta.location eq "Users/` + id + `"`:              0,
		`meta.location eq "https://x/Users/` + id + `"`:    0,
		`meta.location sw "` + base + `"`:                  2,
		`meta.location ew "` + id + `"`:                    1,
	} {
		if p := e.page("GET", "/Users?filter="+url.QueryEscape(filter), ""); p.Total != want || len(p.Resources) != want {
			t.Errorf("%s: %+v, want %d", filter, p, want)
		}
	}
}

func TestPaginationIsAdvertised(t *testing.T) {
	e := newEdge(t)
	_, body := e.do("GET", "/ServiceProviderConfig", "")
	for _, want := range []string{`"sort":{"supported":true}`, `"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index","defaultPageSize":100,"maxPageSize":1000,"cursorTimeout":120}`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s does not have %s", body, want)
		}
	}
}
