package bolt

import (
	"bytes"
	"fmt"
	"iter"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"postern/idstore"
)

// tx is the part of one View or one Update in a transaction of bbolt; several updates may share one.
type tx struct {
	bolt     *bbolt.Tx
	cursors  [idstore.TableCount]*bbolt.Cursor // one for each table in use
	names    *idstore.Names
	writable bool
	over     bool
	inside   bool     // in a call of bbolt: a panic is then the file's fault
	wrote    bool     // something was put or deleted
	undoable bool     // others share the transaction: keep what is needed to take this update back
	undo     []change // in the order in which they were made
}

// change is what a row was before it was written; no value, no row.
type change struct {
	table      idstore.Table
	key, value []byte
}

// run calls fn and turns a panic that a damaged file caused into an error. A page that can not be read, because the
// file shrank under the mapping or the disk failed, is a fault at an address of the mapping.
func (t *tx) run(fn func(idstore.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	done := false
	defer func() {
		t.over = true
		if done {
			return
		}
		p := recover()
		if t.inside || isFault(p) {
			err = damaged(p)
			return
		}
		if p != nil {
			panic(p)
		}
	}()
	err = fn(t)
	done = true
	return err
}

// isFault tells a fault at an address apart from the panics of ordinary mistakes, a nil pointer among them.
func isFault(p any) bool {
	_, ok := p.(interface{ Addr() uintptr })
	return ok
}

func damaged(p any) error {
	return fmt.Errorf("identity table: %w: %v", idstore.ErrCorrupt, p)
}

// cursor opens the bucket of a table, once. Whoever uses the cursor moves it. Call it inside.
func (t *tx) cursor(table idstore.Table) (*bbolt.Cursor, error) {
	if t.over {
		return nil, fmt.Errorf("identity table: %w", idstore.ErrClosed)
	}
	if c := t.cursors[table]; c != nil {
		return c, nil
	}
	b := t.bolt.Bucket([]byte(table.String()))
	if b == nil {
		return nil, fmt.Errorf("identity table: %w: table %q is missing", idstore.ErrCorrupt, table)
	}
	b.FillPercent = fillPercent
	t.cursors[table] = b.Cursor()
	return t.cursors[table], nil
}

func (t *tx) Get(table idstore.Table, key []byte) ([]byte, error) {
	t.inside = true
	c, err := t.cursor(table)
	if err != nil {
		t.inside = false
		return nil, err
	}
	found, value := c.Seek(key)
	t.inside = false
	if !bytes.Equal(found, key) {
		return nil, nil
	}
	return value, nil
}

func (t *tx) Seek(table idstore.Table, key []byte) (idstore.Row, error) {
	t.inside = true
	c, err := t.cursor(table)
	if err != nil {
		t.inside = false
		return idstore.Row{}, err
	}
	found, value := c.Seek(key)
	t.inside = false
	return idstore.Row{Key: found, Value: value}, nil
}

func (t *tx) Put(table idstore.Table, key, value []byte) error {
	return t.write(table, key, func(b *bbolt.Bucket) error { return b.Put(key, value) })
}

func (t *tx) Delete(table idstore.Table, key []byte) error {
	return t.write(table, key, func(b *bbolt.Bucket) error { return b.Delete(key) })
}

func (t *tx) write(table idstore.Table, key []byte, do func(*bbolt.Bucket) error) error {
	if !t.writable {
		return fmt.Errorf("identity table: %w", idstore.ErrReadOnly)
	}
	t.inside = true
	c, err := t.cursor(table)
	if err == nil {
		b := c.Bucket()
		if t.undoable {
			t.undo = append(t.undo, change{table, bytes.Clone(key), b.Get(key)})
		}
		t.wrote = true
		if err = do(b); err != nil {
			err = classify(err)
		}
	}
	t.inside = false
	return err
}

// takeBack undoes what the update wrote, newest first.
func (t *tx) takeBack() error {
	for i := len(t.undo) - 1; i >= 0; i-- {
		c := t.undo[i]
		b := t.cursors[c.table].Bucket()
		var err error
		if c.value == nil {
			err = b.Delete(c.key)
		} else {
			err = b.Put(c.key, c.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) Scan(table idstore.Table, prefix []byte) iter.Seq2[idstore.Row, error] {
	return func(yield func(idstore.Row, error) bool) {
		t.inside = true
		shared, err := t.cursor(table)
		if err != nil {
			t.inside = false
			yield(idstore.Row{}, err)
			return
		}
		c := shared.Bucket().Cursor()
		for key, value := c.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, value = c.Next() {
			t.inside = false
			if !yield(idstore.Row{Key: key, Value: value}, nil) {
				return
			}
			t.inside = true
		}
		t.inside = false
	}
}

func (t *tx) Writable() bool { return t.writable }

func (t *tx) Names() *idstore.Names { return t.names }
