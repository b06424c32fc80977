package scim

import (
	"net/http"
	"testing"
)

// FuzzBulk decodes bulk requests and all of their operations: nothing panics,
// and every operation has its turn.
func FuzzBulk(f *testing.F) {
	for _, seed := range []string{
		string(bulkBody(post("a", "b"), post("b", "a"))),
		string(bulkBody(`{"method":"PATCH","path":"/Groups/bulkId:a","version":"W/\"1\"","data":[{"op":"remove","path":"members[value eq \"bulkId:b\"]"}]}`)),
		`{"failOnErrors":1,"Operations":[{"method":"PUT","path":"Groups/1","data":{"schemas":[],"members":[{"value":"bulkId:"}]}},{"method":"DELETE","path":"//"}]}`,
		`{"Operations":[{"bulkId":"bulkId:a","method":"post","path":"/Groups","data":{"members":"bulkId:bulkId:a","bulkId:a":["bulkId:a"]}}]}`,
	} {
		f.Add([]byte(seed))
	}
	rt := groupType(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, dialect := range []Dialect{{}, lenient, strict} {
			b, err := DecodeBulk(body, 1000, dialect)
			if err != nil {
				continue
			}
			turns := make([]int, len(b.Operations))
			for _, s := range b.Steps() {
				if !s.Complete {
					turns[s.Index]++
				}
				op := &b.Operations[s.Index]
				if op.Err != nil {
					continue
				}
				opt := DecodeOptions{Dialect: dialect, BulkID: func(name string) (string, bool) { return "id-" + name, len(name)%2 == 0 }}
				op.Target(opt.BulkID)
				switch op.Method {
				case http.MethodPost, http.MethodPut:
					if r, err := op.Resource(rt, opt); err == nil {
						ReferencesOf(r)
					}
				case http.MethodPatch:
					if p, err := op.Patch(rt, opt); err == nil {
						p.Apply(&Resource{Type: rt})
					}
				}
			}
			for i, n := range turns {
				if n != 1 {
					t.Fatalf("operation %d has its turn %d times", i, n)
				}
			}
		}
	})
}
