package gateway

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"postern/connectors"
	"postern/scim"
)

// TestSortBudget sorts what does not fit into the memory for it.
func TestSortBudget(t *testing.T) {
	g := gathering{sorted: true}
	long := strings.Repeat("x", 1<<20)
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		err = g.add(item{0, connectors.Anchor(fmt.Sprint(n))}, long)
	}
	if e, ok := errors.AsType[*scim.Error](err); !ok || e.ScimType != scim.TypeTooMany || n != sortBudget>>20 {
		t.Errorf("after %d MiB: %v", n, err)
	}
}

// TestCursorsAreBound opens a cursor as it is, altered in every character, and
// for another list.
func TestCursorsAreBound(t *testing.T) {
	c, err := newCursors()
	if err != nil {
		t.Fatal(err)
	}
	key := listKey{1}
	want := bookmark{snapshot: 7, from: 100, most: 20}
	s := c.seal(key, want)
	if strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}) {
		t.Errorf("%q has characters that are reserved in a URL", s)
	}
	if got, ok := c.open(key, s); !ok || got != want {
		t.Errorf("opened: %v, %v", got, ok)
	}
	if c.seal(key, want) == s {
		t.Error("a nonce was used twice")
	}
	if _, ok := c.open(listKey{2}, s); ok {
		t.Error("opened for another list")
	}
	other, _ := newCursors()
	if _, ok := other.open(key, s); ok {
		t.Error("opened in another process")
	}
	for i := range s {
		for _, r := range "AB\n=+" {
			if altered := s[:i] + string(r) + s[i+1:]; altered != s {
				if _, ok := c.open(key, altered); ok {
					t.Errorf("opened with character %d as %q", i, r)
				}
			}
		}
	}
	for _, bad := range []string{"x", s + "A", s + "\n", "\n" + s, s[:len(s)-1], s[:8], strings.Repeat("A", len(s)), strings.Repeat("A", 100_000)} {
		if _, ok := c.open(key, bad); ok {
			t.Errorf("opened %.80q", bad)
		}
	}
}
