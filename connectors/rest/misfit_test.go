package rest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/rest"
)

const misfits = `
anchor: /id
rest:
  list:   { get: /users, items: /users, page: { offset: OFFSET, limit: limit, max: 2 } }
  read:   { get: "/users/{anchor}", object: /user }
  types:  { TYPES }
`

// TestMisfits finds values that are written in another way than is declared, which
// would be sent back to the application in that.
func TestMisfits(t *testing.T) {
	for _, c := range []struct{ value, types, want string }{
		{`"a"`, "", ""},
		{`null`, "", ""},
		{`7`, "", "a number in the answer, and declared as text; types: { /x: integer }"},
		{`7.5`, "", "types: { /x: number }"},
		{`7`, "/x: integer", ""},
		{`7`, "/x: number", ""},
		{`"7"`, "/x: integer", "text in the answer, and declared as a number; types: { /x: text }"},
		{`true`, "", "true or false in the answer, and declared as text; types: { /x: boolean }"},
		{`true`, "/x: boolean", ""},
		{`true`, "/x: 0/1", "types: { /x: boolean }"},
		{`1`, "/x: boolean", "types: { /x: 0/1 }"},
		{`1`, "/x: 0/1", ""},
		{`"1"`, "/x: 0/1", ""},
		{`["a","b"]`, "", "a list in the answer, and declared as one value; types: { /x: { list: true } }"},
		{`["a"]`, "/x: { list: true }", ""},
		{`[]`, "", "types: { /x: { list: true } }"},
		{`"a"`, "/x: { list: true }", "one value in the answer, and declared as a list"},
		{`"a,b"`, `/x: { join: "," }`, ""},
		{`[1,2]`, "/x: { list: true }", "types: { /x: { type: integer, list: true } }"},
		{`"2026-01-02"`, "/x: { time: 02.01.2006 }", "in another layout"},
		{`"02.01.2026"`, "/x: { time: 02.01.2006 }", ""},
	} {
		t.Run(c.value+" "+c.types, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/users" {
					fmt.Fprintf(w, `{"users":[{"id":1,"x":%s}]}`, c.value)
					return
				}
				fmt.Fprintf(w, `{"user":{"id":1,"x":%s}}`, c.value)
			}))
			defer server.Close()
			users := decodeCollection(t, "User", strings.NewReplacer("OFFSET", "offset", ", page: { offset: OFFSET, limit: limit, max: 2 }", "", "TYPES", c.types).Replace(misfits))
			users.Attrs = []connectors.Attr{"/x"}
			told, warnings := askMisfits(t, server.URL, users)
			if c.want == "" && (strings.Contains(told, "declared as") || strings.Contains(warnings, "declared as")) {
				t.Errorf("tells %s\nwarns %s", told, warnings)
			}
			if !strings.Contains(told, c.want) || !strings.Contains(warnings, c.want) {
				t.Errorf("tells %s\nwarns %s\nwant %q", told, warnings, c.want)
			}
		})
	}
}

// askMisfits reads the object 1, and checks.
func askMisfits(t *testing.T, url string, users rest.Collection) (told, problems string) {
	t.Helper()
	try := openRest(t, rest.Config{URL: url}, []rest.Collection{users})
	defer try.Close()
	var lines strings.Builder
	if err := try.Try(t.Context(), rest.Trial{Collection: "User", Call: rest.TryRead, Args: []string{"1"}, Path: noPath}, func(l string) { lines.WriteString(l + "\n") }); err != nil {
		t.Error(err)
	}
	check := openRest(t, rest.Config{URL: url}, []rest.Collection{users})
	defer check.Close()
	_, ps := check.Check(t.Context(), nil)
	return lines.String(), ps.Error()
}

// TestSecondPage finds an application that does not heed where a page is to begin.
func TestSecondPage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/users" {
			fmt.Fprint(w, `{"user":{"id":1,"x":"a"}}`)
			return
		}
		from, _ := strconv.Atoi(r.FormValue("from"))
		fmt.Fprintf(w, `{"users":[{"id":%d,"x":"a"},{"id":%d,"x":"b"}]}`, from+1, from+2)
	}))
	defer server.Close()
	for offset, want := range map[string]string{"from": "", "offset": "the second page is the first again"} {
		users := decodeCollection(t, "User", strings.NewReplacer("OFFSET", offset, "TYPES", "").Replace(misfits))
		users.Attrs = []connectors.Attr{"/x"}
		if _, problems := askMisfits(t, server.URL, users); want == "" && problems != "" || !strings.Contains(problems, want) {
			t.Errorf("%s: %q, want %q", offset, problems, want)
		}
	}
}
