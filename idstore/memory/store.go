// Package memory is an identity table that lives as long as its process: for tests, and the reference for other drivers.
package memory

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"postern/idstore"
)

// Store keeps each table as a persistent tree. A View holds on to the roots that it found, so it neither waits nor makes
// anyone wait.
type Store struct {
	writing sync.Mutex
	current atomic.Pointer[tables] // nil once closed
	names   idstore.Names
}

// tables are the roots of one state of the store. A published one never changes.
type tables [idstore.TableCount]*node

// Open returns an empty store.
func Open() (*Store, error) {
	s := new(Store)
	s.current.Store(new(tables))
	if err := s.Update(context.Background(), idstore.Prepare); err != nil {
		return nil, err
	}
	return s, nil
}

// View runs fn over the present state.
func (s *Store) View(ctx context.Context, fn func(idstore.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	roots := s.current.Load()
	if roots == nil {
		return errClosed()
	}
	t := &tx{tables: *roots, names: &s.names}
	defer t.end()
	return fn(t)
}

// Update runs fn over a copy of the roots and publishes it when fn succeeds.
func (s *Store) Update(ctx context.Context, fn func(idstore.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	roots := s.current.Load()
	if roots == nil {
		return errClosed()
	}
	t := &tx{tables: *roots, names: &s.names, writable: true}
	defer t.end()
	if err := fn(t); err != nil {
		return err
	}
	changed := t.tables
	s.current.Store(&changed)
	return nil
}

// Close waits for a running Update and gives up the tables. Running Views end undisturbed.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.current.Store(nil)
	return nil
}

func errClosed() error { return fmt.Errorf("identity table: %w", idstore.ErrClosed) }

// tx works on its own copy of the roots.
type tx struct {
	tables   tables
	names    *idstore.Names
	writable bool
	over     bool
}

func (t *tx) end() { t.over = true }

func (t *tx) Get(table idstore.Table, key []byte) ([]byte, error) {
	if t.over {
		return nil, errClosed()
	}
	return t.tables[table].get(key), nil
}

func (t *tx) Seek(table idstore.Table, key []byte) (idstore.Row, error) {
	if t.over {
		return idstore.Row{}, errClosed()
	}
	return t.tables[table].seek(key), nil
}

func (t *tx) Put(table idstore.Table, key, value []byte) error {
	if err := t.mayWrite(); err != nil {
		return err
	}
	t.tables[table] = t.tables[table].put(key, value)
	return nil
}

func (t *tx) Delete(table idstore.Table, key []byte) error {
	if err := t.mayWrite(); err != nil {
		return err
	}
	t.tables[table] = t.tables[table].without(key)
	return nil
}

func (t *tx) mayWrite() error {
	if t.over {
		return errClosed()
	}
	if !t.writable {
		return idstore.ErrReadOnly
	}
	return nil
}

func (t *tx) Scan(table idstore.Table, prefix []byte) iter.Seq2[idstore.Row, error] {
	return func(yield func(idstore.Row, error) bool) {
		if t.over {
			yield(idstore.Row{}, errClosed())
			return
		}
		t.tables[table].walk(prefix, func(row idstore.Row) bool { return yield(row, nil) })
	}
}

func (t *tx) Writable() bool { return t.writable }

func (t *tx) Names() *idstore.Names { return t.names }
