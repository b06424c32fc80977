package memory

import (
	"context"
	"crypto/rand"
	"iter"
	"strconv"
	"strings"

	"postern/connectors"
)

// told is what a backend remembers of its writes, for those who watch. The backend's mu
// guards it.
type told struct {
	keep  int    // how many happenings are remembered
	mark  string // of this backend alone
	first uint64 // the number of the first one in list
	list  []happening
	more  chan struct{} // closed and replaced with each happening
}

// A happening is one write of an object.
type happening struct {
	collection string
	kind       connectors.EventKind
	anchor     connectors.Anchor
}

func newTold(keep int) told {
	if keep == 0 {
		keep = 10_000
	}
	return told{keep: keep, mark: rand.Text(), more: make(chan struct{})}
}

func (t *told) add(h happening) {
	if t.list = append(t.list, h); len(t.list) > max(t.keep, 0) {
		t.list = t.list[1:]
		t.first++
	}
	close(t.more)
	t.more = make(chan struct{})
}

// cursor is the place before the happening with the number, in one collection.
func (t *told) cursor(collection string, n uint64) connectors.Cursor {
	return connectors.Cursor(t.mark + " " + strconv.FormatUint(n, 10) + " " + collection)
}

// place returns the number that a cursor stands before, if it is one of the collection's
// and everything since is remembered.
func (t *told) place(c connectors.Cursor, collection string) (n uint64, ok bool) {
	parts := strings.SplitN(string(c), " ", 3)
	if len(parts) != 3 || parts[0] != t.mark || parts[2] != collection {
		return 0, false
	}
	n, err := strconv.ParseUint(parts[1], 10, 64)
	return n, err == nil && n >= t.first && n <= t.first+uint64(len(t.list))
}

// Watch implements connectors.Watcher.
func (c *connector) Watch(ctx context.Context, since connectors.Cursor) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		if !c.Capabilities().Watch {
			yield(connectors.Event{}, &connectors.Error{Kind: connectors.Unsupported, Reason: "the backend does not tell what happens"})
			return
		}
		for {
			if err := c.b.enter(ctx, OpWatch); err != nil {
				yield(connectors.Event{}, err)
				return
			}
			e, more := c.next(since)
			if more != nil {
				select {
				case <-more:
					continue
				case <-ctx.Done():
					yield(connectors.Event{}, timeout(ctx))
					return
				}
			}
			if !yield(e, nil) {
				return
			}
			since = e.Cursor
		}
	}
}

// next returns the first event after the cursor, or what tells that there may be one.
func (c *connector) next(since connectors.Cursor) (connectors.Event, <-chan struct{}) {
	c.b.mu.RLock()
	defer c.b.mu.RUnlock()
	t := &c.b.told
	n, ok := t.place(since, c.room.Name)
	if !ok {
		return connectors.Event{Kind: connectors.Resync, Cursor: t.cursor(c.room.Name, t.first+uint64(len(t.list))),
			Reason: "there is no cursor, or none that can be gone on from"}, nil
	}
	for ; n < t.first+uint64(len(t.list)); n++ {
		if h := t.list[n-t.first]; h.collection == c.room.Name {
			return connectors.Event{Kind: h.kind, Anchor: h.anchor, Cursor: t.cursor(c.room.Name, n+1)}, nil
		}
	}
	return connectors.Event{}, t.more
}
