package connectors

import (
	"context"
	"iter"
)

// A Connector drives one collection of objects in one backend: those under the
// configured base that the configured filter lets through. Every method checks
// that scope again: an anchor of an object outside it is NotFound.
//
// Errors are *Error. When a context ends, a method returns at once with Timeout
// (or Unavailable with Unsent set when nothing had been sent) and the connector
// stays usable. All methods may be called from many goroutines.
type Connector interface {
	Capabilities() Capabilities

	// Get returns the object with the wanted attributes. NotFound only when the
	// backend said so; a backend that does not answer is Unavailable.
	Get(ctx context.Context, a Anchor, want []Attr) (Entry, error)

	// Search streams the entries for which q.Where holds, each exactly once, in
	// the backend's order. It ends after the first error. A result that the
	// backend cut short ends with TooMany: never silently.
	Search(ctx context.Context, q Query) iter.Seq2[Entry, error]

	// Create makes the object and returns it as it is now stored. Exists names
	// the attribute in conflict where the backend tells. A Create that failed
	// leaves nothing behind, save with Timeout, when nobody knows.
	Create(ctx context.Context, d Draft, want []Attr) (Entry, error)

	// Apply carries out all changes, or none, under the guard, and returns the
	// entry as it is now stored. Changing the attribute that names the object
	// renames it; its anchor stays. No changes at all is a Get.
	Apply(ctx context.Context, a Anchor, cs []Change, g Guard, want []Attr) (Entry, error)

	// Delete removes the object. NotFound if it is gone already.
	Delete(ctx context.Context, a Anchor, g Guard) error
}

// A Query is a search in a collection.
type Query struct {
	Where Cond // nil is All
	Want  []Attr
	Limit int // stop after so many entries; 0 is no limit
}

// A Sweeper is a connector whose backend may leave references to a deleted
// object behind. A later object of the same name would inherit them.
type Sweeper interface {
	// Trace returns how other objects refer to this one now: opaque, to be
	// kept with the intent to delete.
	Trace(ctx context.Context, a Anchor) (string, error)
	// Sweep takes away every reference to the deleted object in all
	// collections of the backend. Sweeping twice is harmless.
	Sweep(ctx context.Context, trace string) error
}

// A Repairer is a connector whose backend may leave references to the former name
// of an object behind when that is renamed or moved. They would name nothing, or a
// later object of that name.
type Repairer interface {
	// TraceName returns how other objects refer to this one now: opaque, to be kept
	// with the intent to rename. It is empty where references follow by themselves.
	TraceName(ctx context.Context, a Anchor) (string, error)
	// Repair makes every reference by that trace, in all collections of the backend,
	// one to the object as it is called now, unless another object has that name
	// meanwhile. renamed is false where the object still has it. Repairing twice is
	// harmless. NotFound if the object is gone.
	Repair(ctx context.Context, trace string, a Anchor) (renamed bool, err error)
}

// A Replicated is a connector whose backend has copies that are only read.
type Replicated interface {
	// Replica returns a connector for requests that a client only reads with: its
	// Get and Search may be answered by a copy, but not by one that may lack what
	// was written through this process a moment ago. What a write depends on is
	// not to be read there.
	Replica() Connector
}

// An Asker is a connector that knows what its backend can do only when it has reached
// it. Until then Capabilities are a guess: conditions made by it may be such as the
// backend answers with nothing.
type Asker interface {
	// Ask reaches the backend if that has not happened yet, and says whether it had
	// to: then Capabilities are others now.
	Ask(ctx context.Context) (fresh bool, err error)
}

// As returns c, or what it wraps, as a T. A decorator offers what is below it
// with a method Unwrap() Connector.
func As[T any](c Connector) (T, bool) {
	for c != nil {
		if t, ok := c.(T); ok {
			return t, true
		}
		w, ok := c.(interface{ Unwrap() Connector })
		if !ok {
			break
		}
		c = w.Unwrap()
	}
	var zero T
	return zero, false
}
