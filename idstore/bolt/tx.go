package bolt

import (
	"bytes"
	"fmt"
	"iter"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"postern/idstore"
)

// bucketName is the bucket that holds all tables, one after the other. One is faster than many: each that a transaction
// uses has to be looked up.
var bucketName = []byte("identity")

// tx is the part of one View or one Update in a transaction of bbolt; several updates may share one.
type tx struct {
	bolt     *bbolt.Tx
	bucket   *bbolt.Bucket // all tables; opened when first used
	cursor   *bbolt.Cursor // whoever uses it moves it
	key      []byte        // of the row in question: the table's number and the key in the table
	names    *idstore.Names
	writable bool
	over     bool
	inside   bool     // in a call of bbolt: a panic is then the file's fault
	wrote    bool     // something was put or deleted
	undoable bool     // others share the transaction: keep what is needed to take this update back
	undo     []change // in the order in which they were made
}

// change is what a row is to be, or was before it was written. No value: there is no row.
type change struct {
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

// open opens the bucket, once, and puts the key of a row together. Call it inside.
func (t *tx) open(table idstore.Table, key []byte) error {
	if t.over {
		return fmt.Errorf("identity table: %w", idstore.ErrClosed)
	}
	t.key = append(append(t.key[:0], byte(table)), key...)
	if t.bucket != nil {
		return nil
	}
	t.bucket = t.bolt.Bucket(bucketName)
	if t.bucket == nil {
		return fmt.Errorf("identity table: %w", idstore.ErrCorrupt)
	}
	t.bucket.FillPercent = fillPercent
	t.cursor = t.bucket.Cursor()
	return nil
}

func (t *tx) Get(table idstore.Table, key []byte) ([]byte, error) {
	t.inside = true
	err := t.open(table, key)
	var found, value []byte
	if err == nil {
		found, value = t.cursor.Seek(t.key)
	}
	t.inside = false
	if !bytes.Equal(found, t.key) {
		return nil, err
	}
	return value, err
}

func (t *tx) Seek(table idstore.Table, key []byte) (idstore.Row, error) {
	t.inside = true
	err := t.open(table, key)
	var found, value []byte
	if err == nil {
		found, value = t.cursor.Seek(t.key)
	}
	t.inside = false
	if len(found) == 0 || found[0] != byte(table) {
		return idstore.Row{}, err
	}
	return idstore.Row{Key: found[1:], Value: value}, err
}

func (t *tx) Put(table idstore.Table, key, value []byte) error {
	return t.write(table, key, value)
}

func (t *tx) Delete(table idstore.Table, key []byte) error {
	return t.write(table, key, nil)
}

// write puts a row, or deletes it where there is no value.
func (t *tx) write(table idstore.Table, key, value []byte) error {
	if !t.writable {
		return fmt.Errorf("identity table: %w", idstore.ErrReadOnly)
	}
	t.inside = true
	err := t.open(table, key)
	if err == nil {
		if t.undoable {
			t.undo = append(t.undo, change{bytes.Clone(t.key), t.bucket.Get(t.key)})
		}
		t.wrote = true
		err = change{t.key, value}.apply(t.bucket)
	}
	t.inside = false
	return err
}

// apply makes the row what the change says.
func (c change) apply(b *bbolt.Bucket) error {
	var err error
	if c.value == nil {
		err = b.Delete(c.key)
	} else {
		err = b.Put(c.key, c.value)
	}
	if err != nil {
		return classify(err)
	}
	return nil
}

// takeBack undoes what the update wrote, newest first.
func (t *tx) takeBack() error {
	for i := len(t.undo) - 1; i >= 0; i-- {
		if err := t.undo[i].apply(t.bucket); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) Scan(table idstore.Table, prefix []byte) iter.Seq2[idstore.Row, error] {
	return func(yield func(idstore.Row, error) bool) {
		t.inside = true
		if err := t.open(table, prefix); err != nil {
			t.inside = false
			yield(idstore.Row{}, err)
			return
		}
		prefix := bytes.Clone(t.key)
		c := t.bucket.Cursor()
		for key, value := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, value = c.Next() {
			t.inside = false
			if !yield(idstore.Row{Key: key[1:], Value: value}, nil) {
				return
			}
			t.inside = true
		}
		t.inside = false
	}
}

func (t *tx) Writable() bool { return t.writable }

func (t *tx) Names() *idstore.Names { return t.names }
