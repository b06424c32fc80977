// Package bolt keeps the identity table in one bbolt file, which one process at a time has open.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"postern/idstore"
)

// Store is an identity table in a file.
type Store struct {
	db    *bbolt.DB
	names idstore.Names

	// waiting counts the updates that want to write but do not yet; whoever writes last of them commits.
	waiting atomic.Int64
	writing sync.Mutex
	group   *group // the updates that will become durable together; nil where there are none
	broken  error  // why no update is possible any more
	stuck   bool   // bbolt lost its footing in a commit and holds its own lock for ever
}

// View runs fn over the state that was durable last.
func (s *Store) View(ctx context.Context, fn func(idstore.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	boltTx, err := s.db.Begin(false)
	if err != nil {
		return classify(err)
	}
	t := &tx{bolt: boltTx, names: &s.names}
	return t.view(fn)
}

// view runs fn and ends the transaction, whatever fn does.
func (t *tx) view(fn func(idstore.Tx) error) (err error) {
	defer func() { _ = t.bolt.Rollback() }()
	return t.run(fn)
}

// Close waits for running transactions, then closes the file.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.stuck {
		return s.broken
	}
	if err := s.db.Close(); err != nil {
		return classify(err)
	}
	return nil
}

// classify names the kind of an error of bbolt or of the operating system.
func classify(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen), errors.Is(err, bolterrors.ErrTxClosed):
		return fmt.Errorf("identity table: %w", idstore.ErrClosed)
	case errors.Is(err, idstore.ErrCorrupt), errors.Is(err, idstore.ErrUnwritable):
		return err
	}
	return fmt.Errorf("identity table: %w: %w", idstore.ErrUnwritable, err)
}
