package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestDecodeSearch(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{}`, `[] [] filter - sort - - from - count - cursor -`},
		{`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"attributes":["userName","emails.value"],"filter":"title pr","sortBy":"title","sortOrder":"descending","startIndex":-3,"count":10}`,
			`[userName emails.value] [] filter title pr sort title descending from -3 count 10 cursor -`},
		{`{"FILTER":null,"sortBy":null,"sortOrder":null,"startIndex":null,"count":null,"cursor":null,"attributes":null,"excludedAttributes":null,"schemas":null}`,
			`[] [] filter - sort - - from - count - cursor -`},
		{`{"excludedAttributes":"members, meta","cursor":"","count":99999999999999999999}`,
			`[] [members, meta] filter - sort - - from - count 9223372036854775807 cursor `},
		{`{"unknown":[1]}`, `[] [] filter - sort - - from - count - cursor -`},
		{`[]`, `invalidSyntax`},
		{`{"schemas":["urn:other"]}`, `invalidSyntax`},
		{`{"filter":1}`, `invalidValue filter`},
		{`{"filter":["title pr"]}`, `invalidValue filter`},
		{`{"sortBy":true}`, `invalidValue sortBy`},
		{`{"sortOrder":{}}`, `invalidValue sortOrder`},
		{`{"startIndex":"1"}`, `invalidValue startIndex`},
		{`{"startIndex":1.5}`, `invalidValue startIndex`},
		{`{"count":"10"}`, `invalidValue count`},
		{`{"count":"10","cursor":""}`, `invalidCount count`},
		{`{"cursor":"","count":1.5}`, `invalidCount count`},
		{`{"cursor":7}`, `invalidValue cursor`},
		{`{"attributes":[1]}`, `invalidValue attributes`},
		{`{"attributes":{}}`, `invalidValue attributes`},
		{`{"filter":"a","Filter":"b"}`, `invalidSyntax`},
	} {
		s, err := DecodeSearch([]byte(tt.body), DecodeOptions{})
		got := fmt.Sprintf("%v %v filter %s sort %s %s from %s count %s cursor %s", s.Attributes, s.ExcludedAttributes,
			text(s.Filter), text(s.SortBy), text(s.SortOrder), number(s.StartIndex), number(s.Count), text(s.Cursor))
		if err != nil {
			e, _ := errors.AsType[*Error](err)
			got = e.ScimType
			if _, name, ok := strings.Cut(tt.want, " "); ok && strings.Contains(e.Detail, name) {
				got += " " + name
			}
		}
		if got != tt.want {
			t.Errorf("%s\n got %s (%v)\nwant %s", tt.body, got, err, tt.want)
		}
	}
	strict := DecodeOptions{Dialect: Dialect{RefuseUnknown: true}}
	for _, body := range []string{`{}`, `{"schemas":["urn:other"]}`, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"unknown":1}`} {
		if _, err := DecodeSearch([]byte(body), strict); err == nil {
			t.Errorf("%s is taken where unknown things are refused", body)
		}
	}
}

func text(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

func number(n *int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func TestAppendCursorList(t *testing.T) {
	each := func(dst []byte, i int) []byte { return append(dst, '{', '}') }
	for _, tt := range []struct{ previous, next, want string }{
		{"", "", `"totalResults":5,"itemsPerPage":2,"Resources":[{},{}]}`},
		{"", "n", `"totalResults":5,"nextCursor":"n","itemsPerPage":2,"Resources":[{},{}]}`},
		{"p", "n", `"totalResults":5,"previousCursor":"p","nextCursor":"n","itemsPerPage":2,"Resources":[{},{}]}`},
	} {
		got := string(AppendCursorList(nil, 5, tt.previous, tt.next, 2, each))
		if want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],` + tt.want; got != want || !json.Valid([]byte(got)) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestEvaluationAt compares what a client sees of what is relative in a resource.
func TestEvaluationAt(t *testing.T) {
	rt := userType(t)
	r := load(t, rt, `{"id":"1","meta":{"location":"Users/1"},"groups":[{"value":"2","$ref":"Groups/2"},{"value":"3","$ref":"https://else.where/3"}]}`)
	for filter, want := range map[string]bool{
		`meta.location eq "https://a.b/v2/Users/1"`:             true,
		`meta.location eq "Users/1"`:                            false,
		`meta.location ne "https://a.b/v2/Users/1"`:             false,
		`meta.location sw "https://a.b/"`:                       true,
		`meta.location co "v2/Users"`:                           true,
		`meta.location ew "/1"`:                                 true,
		`meta.location gt "https://a"`:                          true,
		`groups.$ref eq "https://a.b/v2/Groups/2"`:              true,
		`groups.$ref eq "https://else.where/3"`:                 true,
		`groups[value eq "2" and $ref ew "b/v2/Groups/2"]`:      true,
		`groups[value eq "3" and $ref sw "https://a.b"]`:        false,
		`not (groups[$ref eq "https://a.b/v2/Groups/2"])`:       false,
		`groups.value eq "2" and meta.location ew "v2/Users/1"`: true,
	} {
		f, err := ParseFilter(rt, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, base := range []string{"https://a.b/v2", "https://a.b/v2/"} {
			if got := (Evaluation{BaseURL: base}).Match(f, r); got != want {
				t.Errorf("%s under %s: %v, want %v", filter, base, got, want)
			}
		}
	}
}
