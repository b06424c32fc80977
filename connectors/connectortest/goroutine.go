package connectortest

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"testing"

	"postern/connectors"
)

// goroutines checks that none is left after Close, whatever was under way.
func (s *suite) goroutines(t *testing.T) {
	before := stacks()
	o := s.h.Open(t, Options{PageSize: 2})
	for range 5 {
		e, err := o.Users.Create(t.Context(), s.u.Draft(s.name()), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.discard(t, s.users, e.Anchor) // o is closed by then
	}
	for range 5 {
		for _, err := range o.Users.Search(t.Context(), connectors.Query{}) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range o.RivalUsers.Search(ctx, connectors.Query{}) {
			cancel()
		}
		cancel()
	}
	// Closed while a search is being read.
	closed := o.Close == nil
	for range o.Users.Search(t.Context(), connectors.Query{}) {
		if closed {
			continue
		}
		closed = true
		if err := o.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	var left []string
	if !eventually(patience/6, func() bool {
		left = nil
		for id, stack := range stacks() {
			if _, old := before[id]; !old {
				left = append(left, stack)
			}
		}
		return len(left) == 0
	}) {
		t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	}
}

// stacks returns the stacks of all goroutines by their names, such as
// "goroutine 7".
func stacks() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := make(map[string]string)
	for stack := range bytes.SplitSeq(buf, []byte("\n\n")) {
		id, _, _ := strings.Cut(string(stack), " [")
		all[id] = string(stack)
	}
	return all
}
