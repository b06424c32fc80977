package connectortest

import (
	"strconv"
	"testing"

	"postern/connectors"
)

// pages checks that a search gives everything exactly once, however it is cut.
func (s *suite) pages(t *testing.T) {
	const n = 12
	mine := make(map[connectors.Anchor]connectors.Entry)
	for range n {
		u := s.user(t, has(s.u.Plain, "paged"))
		mine[u.Anchor] = u
	}
	for _, size := range []int{0, 1, 2, n - 1, n, n + 1} {
		t.Run("size "+strconv.Itoa(size), func(t *testing.T) {
			o := s.open(t, Options{PageSize: size})
			mine := mine
			_, err := o.Users.Get(t.Context(), keys(mine)[0], nil)
			if err != nil && connectors.KindOf(err) == connectors.NotFound {
				// A backend in the test's memory, another one now.
				mine = make(map[connectors.Anchor]connectors.Entry)
				for range n {
					u := s.make(t, o.Users, set(s.u.Draft(s.name()), has(s.u.Plain, "paged")), s.want)
					mine[u.Anchor] = u
				}
			}
			s.pagesOf(t, o.Users, mine)
			if size < 2 {
				s.breakOff(t, o.Users)
			}
		})
	}
}

// open opens the backend once more, until the end of the test.
func (s *suite) open(t *testing.T, options Options) Opened {
	t.Helper()
	o := s.h.Open(t, options)
	if o.Close != nil {
		t.Cleanup(func() {
			if err := o.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	return o
}

// pagesOf reads these entries in all ways.
func (s *suite) pagesOf(t *testing.T, c connectors.Connector, mine map[connectors.Anchor]connectors.Entry) {
	t.Helper()
	n := len(mine)
	for _, where := range []connectors.Cond{
		nil, connectors.Equal{Attr: s.u.Plain, Value: "paged"}, connectors.AnchorIn(keys(mine)),
	} {
		if !s.caps.Conds.Has(connectors.KindsOf(where)) {
			continue
		}
		found := s.search(t, c, connectors.Query{Where: where, Want: s.want})
		if where != nil && len(found) != n {
			t.Errorf("%v gives %d entries, want %d", where, len(found), n)
		}
		for a, want := range mine {
			if got, ok := found[a]; !ok {
				t.Errorf("%v leaves an entry out", where)
			} else {
				s.sameEntry(t, "a page", got, want)
			}
		}
		for _, limit := range []int{1, 2, 3, n - 1, n} {
			if got := s.search(t, c, connectors.Query{Where: where, Limit: limit}); len(got) != limit {
				t.Errorf("%v with the limit %d gives %d entries", where, limit, len(got))
			}
		}
	}
}

// breakOff stops reading in the middle, more often than a driver has
// connections, and looks whether it still works.
func (s *suite) breakOff(t *testing.T, c connectors.Connector) {
	t.Helper()
	for i := range 40 {
		read := 0
		for _, err := range c.Search(t.Context(), connectors.Query{Want: s.want}) {
			if err != nil {
				t.Fatalf("search %d, when others were broken off: %v", i, err)
			}
			if read++; read == 1+i%3 {
				break
			}
		}
		if read == 0 {
			t.Fatalf("search %d, when others were broken off, gives nothing", i)
		}
	}
	// Two searches at a time, read in turns, from the one goroutine.
	outer := 0
	for e, err := range c.Search(t.Context(), connectors.Query{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		outer++
		inner := 0
		for _, err := range c.Search(t.Context(), connectors.Query{Limit: 3}) {
			if err != nil {
				t.Fatal(err)
			}
			inner++
		}
		if _, err := c.Get(t.Context(), e.Anchor, s.want); err != nil {
			t.Errorf("a get within a search: %v", err)
		}
		if inner != 3 {
			t.Errorf("a search within a search gives %d entries", inner)
		}
	}
	if outer != 3 {
		t.Errorf("a search with searches within gives %d entries", outer)
	}
}

func keys[V any](m map[connectors.Anchor]V) []connectors.Anchor {
	as := make([]connectors.Anchor, 0, len(m))
	for a := range m {
		as = append(as, a)
	}
	return as
}
