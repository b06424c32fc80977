package gateway

import (
	"context"
	"errors"
	"io"
	"os"

	"postern/idstore"
)

// Import fills an empty table with an export (idstore.Import), and takes over the
// intents that it brings. All of it is received before the table is touched: who
// sends slowly holds up nobody.
func (g *Gateway) Import(ctx context.Context, from io.Reader) (sum idstore.Transferred, err error) {
	whole, err := spooled(from)
	if err != nil {
		return sum, &Fault{Kind: Unavailable, Err: err, Reason: "the export could not be received"}
	}
	defer func() { _ = errors.Join(whole.Close(), os.Remove(whole.Name())) }()
	var open []idstore.Intent
	err = g.Operate(ctx, nil, func(tx idstore.Tx) (err error) {
		if sum, err = idstore.Import(tx, whole); err != nil {
			return err
		}
		if open, err = openIntents(tx); err != nil {
			return err
		}
		return idstore.AbandonWork(tx, g.now())
	})
	if err != nil {
		return sum, err
	}
	for _, in := range open {
		g.leftovers.add(in.ID)
	}
	return sum, nil
}

// spooled returns a file with all that comes from r, open at its beginning.
func spooled(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "postern-import-")
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(f, r); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}
