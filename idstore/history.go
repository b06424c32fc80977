package idstore

import (
	"fmt"
	"iter"
	"time"
)

// OperationID names an operation of the history. Later operations have greater ids.
type OperationID uint64

// OperationKind says what an operation did.
type OperationKind uint8

// The kinds of operation. A row holds the numbers.
const (
	OperationMerge OperationKind = iota + 1
	OperationSplit
	OperationRelink
	OperationDelete   // of an entity, with all its ids
	OperationRemoveID // of one of several ids
	OperationUndo
)

// String is the kind in words.
func (k OperationKind) String() string {
	switch k {
	case OperationMerge:
		return "merge"
	case OperationSplit:
		return "split"
	case OperationRelink:
		return "relink"
	case OperationDelete:
		return "delete"
	case OperationRemoveID:
		return "removal of an id"
	case OperationUndo:
		return "undo"
	}
	return "unknown"
}

// Note says who wanted an operation, why, and when. A zero time becomes the present.
type Note struct {
	Who, Why string
	When     time.Time // UTC, milliseconds
}

// settled returns the note as a row can hold it.
func (n Note) settled() (Note, error) {
	n.When = n.When.UTC().Truncate(time.Millisecond)
	if n.When.UnixMilli() <= 0 {
		n.When = now()
	}
	if err := checkText("the name of who wants it", n.Who); err != nil {
		return Note{}, err
	}
	return n, checkText("the reason", n.Why)
}

// Operation is a row of the history: which entities were changed, and how. What a client does to an externalId and what is seen
// first is no operation.
type Operation struct {
	ID   OperationID
	Kind OperationKind
	Note
	Changes   []Change
	Leftovers []Leftover  // of a merge: what is to become of the objects that are secondary from then on
	Undoes    OperationID // of an undo: what it took back
	UndoneBy  OperationID // the undo that took this one back; 0 where it stands
}

// Change is one entity as it was before an operation and as it was after. A zero record: there was none.
type Change struct {
	Before, After Record
}

// Entity is whom the change is about.
func (c Change) Entity() EntityID {
	return max(c.Before.Entity, c.After.Entity)
}

// Leftover is a backend object with which something is still to be done after an operation, and what became of that.
type Leftover struct {
	Anchor
	Action Action
	State  LeftoverState
	At     time.Time // when it was done or cancelled
}

// LeftoverState says what became of a leftover.
type LeftoverState uint8

// The states of a leftover. A row holds the numbers.
const (
	LeftoverPending   LeftoverState = iota + 1 // in the queue of work
	LeftoverDone                               // the backend was told
	LeftoverCancelled                          // it will not be told
)

// String is the state in one word.
func (s LeftoverState) String() string {
	switch s {
	case LeftoverPending:
		return "pending"
	case LeftoverDone:
		return "done"
	case LeftoverCancelled:
		return "cancelled"
	}
	return "unknown"
}

// Done tells whether nothing is left to be done in a backend.
func (o Operation) Done() bool {
	for _, l := range o.Leftovers {
		if l.State == LeftoverPending {
			return false
		}
	}
	return true
}

// History yields the operations, newest first, from the one before the operation that is given; all where it is zero. The history
// must not be written meanwhile.
func History(tx Tx, before OperationID) iter.Seq2[Operation, error] {
	return func(yield func(Operation, error) bool) {
		for row, err := range after(tx, TableHistory, nil, before) {
			var o Operation
			if err == nil {
				o, err = decodeOperation(tx, row)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// HistoryOf yields the operations that changed an entity, newest first, from the one before the operation that is given; all where it
// is zero. An entity that was merged into another has its own history still.
func HistoryOf(tx Tx, e EntityID, before OperationID) iter.Seq2[Operation, error] {
	return func(yield func(Operation, error) bool) {
		prefix := appendEntityKey(nil, e)
		for row, err := range after(tx, TableHistoryKeys, prefix, before) {
			var o Operation
			if err == nil {
				var id OperationID
				if id, err = operationID(row.Key[len(prefix):]); err == nil {
					o, err = OperationByID(tx, id)
				}
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// OperationByID returns one operation, or ErrNotFound.
func OperationByID(tx Tx, id OperationID) (Operation, error) {
	key := appendOperation(nil, id)
	value, err := tx.Get(TableHistory, key)
	if err != nil {
		return Operation{}, err
	}
	if value == nil {
		return Operation{}, fmt.Errorf("operation %d: %w", id, ErrNotFound)
	}
	return decodeOperation(tx, Row{Key: key, Value: value})
}

// after walks the rows under a prefix that come after that of an operation; all where it is zero.
func after(tx Tx, t Table, prefix []byte, id OperationID) iter.Seq2[Row, error] {
	if id == 0 {
		return tx.Scan(t, prefix)
	}
	return scanFrom(tx, t, prefix, append(appendOperation(append([]byte(nil), prefix...), id), 0))
}
