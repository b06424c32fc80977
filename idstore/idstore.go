// Package idstore is the identity table: it stands between the ids that SCIM clients were promised and the
// identifiers of the backend objects behind them, so that an id never changes whatever happens behind it.
//
// A driver gives transactions over a small closed set of byte-ordered tables and nothing else. Every operation
// (Resolve, Adopt, Begin, Bind and so on) is a plain function over a Tx, written once here, and may be combined with
// others in one transaction.
package idstore

import (
	"context"
	"iter"
)

// Store is a set of tables with transactions. It is safe for use by many goroutines at once.
type Store interface {
	// View runs fn once over a consistent snapshot. A write in it fails with ErrReadOnly.
	View(ctx context.Context, fn func(Tx) error) error

	// Update runs fn once, alone among writers. When fn returns nil its writes are durable once Update returns
	// nil. When fn fails or panics nothing of it remains, and Update returns the error of fn unchanged. When the
	// writes could not be made durable Update returns an error that wraps ErrUnwritable or ErrCorrupt and
	// nothing of them remains.
	//
	// A driver may make several updates durable together; then each sees the writes of those before it, and all
	// of them succeed or fail. Calling Update or View inside fn may block for ever.
	Update(ctx context.Context, fn func(Tx) error) error

	// Close waits for running transactions and releases the store. Later calls fail with ErrClosed.
	Close() error
}

// Tx is a transaction, for use by one goroutine and only until the function it was given to returns. What Get and
// Scan return belongs to the store and is valid only as long.
type Tx interface {
	// Get returns the value under key, or nil when there is none. It does not keep key.
	Get(t Table, key []byte) ([]byte, error)

	// Seek returns the row with the least key that is not less than key, or the zero Row when there is none. It does
	// not keep key.
	Seek(t Table, key []byte) (Row, error)

	// Put stores value, which is not empty, under key. It does not keep key, but value belongs to the transaction
	// from now on and must not be changed.
	Put(t Table, key, value []byte) error

	// Delete removes the row under key, if there is one. It does not keep key.
	Delete(t Table, key []byte) error

	// Scan walks the rows whose keys begin with prefix, in the order of the bytes of their keys. The table must
	// not be written meanwhile. An error ends the walk.
	Scan(t Table, prefix []byte) iter.Seq2[Row, error]

	// Writable tells whether the transaction was begun by Update.
	Writable() bool

	// Names is the cache of interned names that all transactions of a store share.
	Names() *Names
}

// Row is one row of a table.
type Row struct {
	Key, Value []byte
}

// Table names one of the tables that a driver keeps.
type Table uint8

// The tables. Only the operations of this package know what is in them. A driver may store the numbers, so they are part
// of the layout.
const (
	TableMeta        Table = iota // the schema version and the counters
	TableNames                    // kind, name → number
	TableEntities                 // entity → record
	TablePublicIDs                // postings: public id → entity
	TableSpentIDs                 // public id → tombstone or reservation
	TableAnchors                  // postings: anchor → entity
	TableExternals                // postings: domain, externalId → entity
	TableIntents                  // intent → intent
	TableIntentKeys               // entity, or backend and name, then intent → nothing
	TableHistory                  // operation, the newest first → operation
	TableHistoryKeys              // entity, then operation, the newest first → nothing
	TableWork                     // work → work
	TableWorkKeys                 // when it is due, or its anchor, then work → nothing

	// TableCount is how many tables there are.
	TableCount = iota
)

// String is the lasting name of the table.
func (t Table) String() string {
	switch t {
	case TableMeta:
		return "meta"
	case TableNames:
		return "names"
	case TableEntities:
		return "entities"
	case TablePublicIDs:
		return "publicIds"
	case TableSpentIDs:
		return "spentIds"
	case TableAnchors:
		return "anchors"
	case TableExternals:
		return "externalIds"
	case TableIntents:
		return "intents"
	case TableIntentKeys:
		return "intentKeys"
	case TableHistory:
		return "history"
	case TableHistoryKeys:
		return "historyKeys"
	case TableWork:
		return "work"
	case TableWorkKeys:
		return "workKeys"
	}
	return "unknown"
}
