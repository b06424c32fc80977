package bolt

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"postern/idstore"
)

// maxGroup bounds how many updates become durable together, so that the first does not wait for an endless queue.
const maxGroup = 256

// group is a transaction of bbolt that one or more updates share, one after the other.
type group struct {
	bolt  *bbolt.Tx
	size  int
	wrote bool
	done  chan struct{} // closed when err is known
	err   error
}

// Update runs fn in the caller's goroutine, exactly once. Updates that wait for each other share one transaction of bbolt
// and so one flush of the disk: each does its writes in turn, and the last in the queue commits for all. One that fails is
// taken back row by row, so the others stand. One that nobody waits behind commits at once.
func (s *Store) Update(ctx context.Context, fn func(idstore.Tx) error) error {
	g, err := s.enter(ctx, fn)
	if err != nil {
		return err
	}
	<-g.done
	return g.err
}

// enter waits for its turn, runs fn as a part of the open group and commits the group if nobody comes after.
func (s *Store) enter(ctx context.Context, fn func(idstore.Tx) error) (*group, error) {
	s.waiting.Add(1)
	s.writing.Lock()
	s.waiting.Add(-1)
	defer s.writing.Unlock()
	// Whatever becomes of fn, a panic included, whoever came before waits for a commit.
	defer s.leave()

	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.broken != nil {
		return nil, s.broken
	}
	if s.group == nil {
		boltTx, err := s.db.Begin(true)
		if err != nil {
			return nil, classify(err)
		}
		s.group = &group{bolt: boltTx, done: make(chan struct{})}
	}
	g := s.group
	g.size++
	t := &tx{bolt: g.bolt, names: &s.names, writable: true, undoable: g.wrote}
	ok := false
	defer func() {
		if !ok && t.wrote {
			s.revoke(g, t)
		}
	}()
	if err := t.run(fn); err != nil {
		return nil, err
	}
	ok = true
	g.wrote = g.wrote || t.wrote
	return g, nil
}

// revoke takes back what a failed update wrote.
func (s *Store) revoke(g *group, t *tx) {
	if !t.undoable {
		// Nobody else wrote: the whole transaction goes, and those that only read were right.
		s.group = nil
		s.abandon(g, nil)
		return
	}
	if err := guarded(t.takeBack); err != nil || t.inside {
		s.group = nil
		s.abandon(g, fmt.Errorf("identity table: %w: an update could not be taken back", idstore.ErrCorrupt))
	}
}

// abandon rolls the group back and tells its updates why.
func (s *Store) abandon(g *group, err error) {
	if rollback := guarded(g.bolt.Rollback); rollback != nil {
		s.broken = rollback
	}
	g.err = err
	close(g.done)
}

// leave ends the open group unless another update is about to join it.
func (s *Store) leave() {
	g := s.group
	if g == nil || s.waiting.Load() > 0 && g.size < maxGroup {
		return
	}
	s.group = nil
	if !g.wrote {
		s.abandon(g, nil)
		return
	}
	g.err = s.commit(g.bolt)
	close(g.done)
}

// commit makes a transaction durable. After a failure the state before it holds, and a later update may succeed: the disk
// may have room again. Two failures are final until the file is opened again: one where bbolt lost its footing, and one
// where the new state is visible although it was not flushed.
func (s *Store) commit(boltTx *bbolt.Tx) error {
	id := boltTx.ID()
	err := guarded(boltTx.Commit)
	if err == nil {
		return nil
	}
	if errors.Is(err, idstore.ErrCorrupt) {
		s.broken = err
		s.stuck = guarded(boltTx.Rollback) != nil
		return err
	}
	err = classify(err)
	visible := guarded(func() error {
		present, err := s.db.Begin(false)
		if err != nil {
			return err
		}
		defer func() { _ = present.Rollback() }()
		if present.ID() >= id {
			return fmt.Errorf("transaction %d is visible", id)
		}
		return nil
	})
	if visible != nil {
		s.broken = fmt.Errorf("%w (no update is possible until a restart)", err)
	}
	return err
}
