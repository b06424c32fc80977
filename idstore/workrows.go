package idstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"
)

// workVersion is the first byte of the row of work.
const workVersion = 1

// What the flags of work are.
const (
	workTaken = 1 << iota
	workHeld
)

// WorkByID returns a piece of work, or ErrNotFound.
func WorkByID(tx Tx, id WorkID) (Work, error) {
	key := appendOrdered(nil, uint64(id))
	value, err := tx.Get(TableWork, key)
	if err != nil {
		return Work{}, err
	}
	if value == nil {
		return Work{}, fmt.Errorf("work %d: %w", id, ErrNotFound)
	}
	return decodeWork(tx, Row{Key: key, Value: value})
}

// WorkFor returns the work for an object, if there is any.
func WorkFor(tx Tx, a Anchor) (w Work, ok bool, err error) {
	backend, err := tx.Names().number(tx, kindBackend, a.Backend)
	if err != nil || backend == 0 {
		return Work{}, false, err
	}
	prefix := appendWorkAnchor(nil, backend, a.Key)
	for row, err := range tx.Scan(TableWorkKeys, prefix) {
		if err != nil {
			return Work{}, false, err
		}
		id, sound := ordered(row.Key[len(prefix):])
		if !sound {
			return Work{}, false, errWorkKey()
		}
		if w, err = namedWork(tx, WorkID(id)); err != nil || w.Anchor == a {
			return w, err == nil, err
		}
	}
	return Work{}, false, nil
}

// dueWork returns at most n pieces of work that are due and not held, the longest due first.
func dueWork(tx Tx, at time.Time, n int) ([]Work, error) {
	var due []Work
	for row, err := range tx.Scan(TableWorkKeys, []byte{'d'}) {
		if err != nil {
			return nil, err
		}
		if len(row.Key) < 10 {
			return nil, errWorkKey()
		}
		if len(due) >= n || binary.BigEndian.Uint64(row.Key[1:]) > uint64(max(0, at.UnixMilli())) {
			break
		}
		id, ok := ordered(row.Key[9:])
		if !ok {
			return nil, errWorkKey()
		}
		w, err := namedWork(tx, WorkID(id))
		if err != nil {
			return nil, err
		}
		due = append(due, w)
	}
	return due, nil
}

// namedWork reads work that a key names.
func namedWork(tx Tx, id WorkID) (Work, error) {
	key := appendOrdered(nil, uint64(id))
	value, err := tx.Get(TableWork, key)
	if err == nil && value == nil {
		err = fmt.Errorf("a key names work that is missing: %w", ErrCorrupt)
	}
	if err != nil {
		return Work{}, err
	}
	return decodeWork(tx, Row{Key: key, Value: value})
}

func errWorkKey() error { return fmt.Errorf("the key of work can not be read: %w", ErrCorrupt) }

// appendWorkAnchor begins a key of TableWorkKeys; the work follows.
func appendWorkAnchor(b []byte, backend uint64, key string) []byte {
	return appendKeyText(binary.AppendUvarint(append(b, 'a'), backend), key)
}

// workKeys returns the keys of work in TableWorkKeys: by its anchor, and by when it is due unless it is held.
func workKeys(tx Tx, w Work) ([][]byte, error) {
	backend, err := tx.Names().intern(tx, kindBackend, w.Anchor.Backend)
	if err != nil {
		return nil, err
	}
	keys := [][]byte{appendOrdered(appendWorkAnchor(nil, backend, w.Anchor.Key), uint64(w.ID))}
	if !w.Held {
		due := binary.BigEndian.AppendUint64([]byte{'d'}, uint64(max(0, w.Next.UnixMilli())))
		keys = append(keys, appendOrdered(due, uint64(w.ID)))
	}
	return keys, nil
}

func putWork(tx Tx, w Work) error {
	keys, err := workKeys(tx, w)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.Put(TableWorkKeys, key, marker); err != nil {
			return err
		}
	}
	backend, err := tx.Names().intern(tx, kindBackend, w.Anchor.Backend)
	if err != nil {
		return err
	}
	return tx.Put(TableWork, appendOrdered(nil, uint64(w.ID)), encodeWork(backend, w))
}

func dropWorkKeys(tx Tx, w Work) error {
	keys, err := workKeys(tx, w)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.Delete(TableWorkKeys, key); err != nil {
			return err
		}
	}
	return nil
}

// changeWork rewrites one piece of work.
func changeWork(tx Tx, id WorkID, change func(*Work) error) (Work, error) {
	w, err := WorkByID(tx, id)
	if err != nil {
		return Work{}, err
	}
	if err := dropWorkKeys(tx, w); err != nil {
		return Work{}, err
	}
	if err := change(&w); err != nil {
		return Work{}, err
	}
	return w, putWork(tx, w)
}

// endWork forgets work and tells the operation what became of it.
func endWork(tx Tx, w Work, state LeftoverState, at time.Time) error {
	if err := dropWorkKeys(tx, w); err != nil {
		return err
	}
	if err := tx.Delete(TableWork, appendOrdered(nil, uint64(w.ID))); err != nil || w.Operation == 0 {
		return err
	}
	o, err := OperationByID(tx, w.Operation)
	if err != nil {
		return err
	}
	for i := range o.Leftovers {
		if l := &o.Leftovers[i]; l.Anchor == w.Anchor && l.State == LeftoverPending {
			l.State, l.At = state, at.UTC().Truncate(time.Millisecond)
		}
	}
	return putOperation(tx, o)
}

// encodeWork writes the fields in the order of the struct.
func encodeWork(backend uint64, w Work) []byte {
	b := binary.AppendUvarint([]byte{workVersion}, backend)
	b = appendText(b, w.Anchor.Key)
	b = append(b, byte(w.Action))
	b = binary.AppendUvarint(b, uint64(w.Operation))
	b = appendTime(appendTime(b, w.Queued), w.Next)
	var flags byte
	if w.Taken {
		flags |= workTaken
	}
	if w.Held {
		flags |= workHeld
	}
	b = binary.AppendUvarint(append(b, flags), uint64(w.Attempts))
	return appendText(b, w.LastError)
}

// decodeWork reads what encodeWork wrote.
func decodeWork(tx Tx, row Row) (Work, error) {
	id, ok := ordered(row.Key)
	c := cursor{rest: row.Value, broken: !ok}
	if c.uint() != workVersion {
		c.broken = true
		return Work{}, c.err("work")
	}
	backend, err := tx.Names().text(tx, kindBackend, c.uint())
	if err != nil {
		return Work{}, err
	}
	w := Work{ID: WorkID(id), Anchor: Anchor{Backend: backend, Key: c.text()}, Action: Action(c.uint()), Operation: OperationID(c.uint())}
	w.Queued, w.Next = c.time(), c.time()
	flags := c.uint()
	w.Taken, w.Held = flags&workTaken != 0, flags&workHeld != 0
	w.Attempts, w.LastError = int(c.uint()), c.text()
	return w, c.err("work")
}

// cutText cuts what a backend said to what is worth keeping.
func cutText(s string) string {
	const most = 500
	s = string(bytes.ToValidUTF8([]byte(s), []byte("?")))
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
