package connectors

import (
	"context"
	"iter"
)

// A Watcher is a connector whose backend tells what happens to the objects of the
// collection, whoever does it. Whether it can be used is told by Capabilities.Watch.
type Watcher interface {
	// Watch gives the events after the cursor as they come, and does not end by
	// itself: it ends after its only error, when ctx has ended that of every method,
	// Unsupported when the backend tells nothing.
	//
	// Every creation, renaming, move and deletion gives an event; other writes may. The
	// events of one object come in order, several writes may be one event, and an event
	// may come again after a restart. Objects outside the collection may be named too.
	//
	// With no cursor, and with one that is not of this collection and backend or is too
	// old, the first event is a Resync. What is read after an event was received is at
	// least as new as the event, so that a snapshot taken after a Resync, kept up by
	// what follows, misses nothing.
	Watch(ctx context.Context, since Cursor) iter.Seq2[Event, error]
}

// A Cursor is a place in what a Watcher tells: opaque, bound to the collection and the
// backend, and good after a restart of either side. "" is none.
type Cursor string

// An EventKind says what an Event is about.
type EventKind uint8

const (
	// Resync says that anything may have happened before.
	Resync EventKind = iota
	// Changed says that an object is new, or not as it was.
	Changed
	// Gone says that an object was deleted, or is none of the collection's any more. It is
	// a reason to look, not a proof: the object may be back, or on its way elsewhere.
	Gone
)

// String returns the kind in one word.
func (k EventKind) String() string {
	return [...]string{"resync", "changed", "gone"}[min(k, Gone)]
}

// An Event is something that happened in a backend.
type Event struct {
	Kind   EventKind
	Anchor Anchor // of Changed and Gone
	// Cursor is where to go on once this event was dealt with, or "": from the last one.
	Cursor Cursor
	// Reason says of a Resync why, for the log: it names no object.
	Reason string
}
