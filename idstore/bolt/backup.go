package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"postern/idstore"
)

// Backup writes a copy of the file as it was when Backup was called. Updates go on meanwhile; the pages that they free can not be
// used again until the copy is complete, so the file may grow. Where it
// outgrows its mapping (mapSize, and then whenever it doubles), the update that needs the room waits for the end of the copy.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	boltTx, err := s.db.Begin(false)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = boltTx.Rollback() }()
	sink := &sink{ctx: ctx, w: w}
	err = guarded(func() error {
		_, err := boltTx.WriteTo(sink)
		return err
	})
	switch {
	case sink.err != nil:
		return sink.err
	case err == nil, errors.Is(err, idstore.ErrCorrupt):
		return err
	}
	// Whoever takes the copy did not fail, so reading the file did.
	return fmt.Errorf("identity table: %w: %w", idstore.ErrCorrupt, err)
}

// sink remembers why a write failed, which is no fault of the file, and fails once its context is over.
type sink struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (n int, err error) {
	if s.err = s.ctx.Err(); s.err == nil {
		n, s.err = s.w.Write(b)
	}
	return n, s.err
}
