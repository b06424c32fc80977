package scim

import "testing"

// FuzzSearch decodes the bodies of /.search, and parses what they ask for: nothing
// panics, and what is wrong is said in the terms of the protocol.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		`{"schemas":["` + searchRequestURN + `"],"filter":"userName sw \"a\"","sortBy":"name.familyName","sortOrder":"descending","startIndex":1,"count":10}`,
		`{"attributes":["userName","emails.value"],"excludedAttributes":"meta","cursor":"","count":-1}`,
		`{"attributes":null,"filter":null,"startIndex":99999999999999999999,"count":1.5,"cursor":"x"}`,
		`{"sortBy":"emails","FILTER":"emails[type eq \"work\"]","odd":{}}`,
	} {
		f.Add([]byte(s), uint16(0))
	}
	rt := userType(f)
	f.Fuzz(func(t *testing.T, body []byte, bits uint16) {
		dialect := dialectOfBits(bits)
		s, err := DecodeSearch(body, DecodeOptions{Dialect: dialect})
		if err != nil {
			checkProblem(t, err, TypeInvalidSyntax, TypeInvalidValue, TypeInvalidCount, "")
			return
		}
		if s.Filter != nil {
			if _, err := dialect.ParseFilter(rt, *s.Filter); err != nil {
				checkProblem(t, err, TypeInvalidFilter)
			}
		}
		if s.SortBy != nil {
			if _, err := ParseSortKey(*s.SortBy, rt); err != nil {
				checkProblem(t, err, TypeInvalidValue)
			}
		}
		if _, err := ParseSelection(rt, s.Attributes, s.ExcludedAttributes); err != nil {
			checkProblem(t, err, TypeInvalidValue)
		}
	})
}
