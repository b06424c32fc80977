package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"postern/configs"
	"postern/connectors"
	"postern/gateway/adminapi"
	"postern/idstore"
	"postern/idstore/bolt"
	"postern/mapping"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// A need is what a command needs beside the table, where no gateway runs.
type need uint8

const (
	tableAlone need = 1 << iota // no backend, and so none of their secrets
	mayMake                     // the table's file may be made
)

// with calls fn with a client of the gateway that runs or, where none does, of
// the table's file.
func (o *ids) with(cmd *cobra.Command, n need, fn func(ctx context.Context, c *adminapi.Client) error) (err error) {
	ctx := cmd.Context()
	client, end, err := o.connect(ctx, cmd.ErrOrStderr(), n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(err == nil && !o.dryRun)) }()
	err = fn(ctx, client)
	if err != nil && ctx.Err() != nil {
		return errors.New("broken off; what it had done is whole and stays, and it goes on from there when it is run again")
	}
	refused, ok := errors.AsType[*adminapi.Error](err)
	if !ok {
		return err
	}
	for _, p := range refused.Problems {
		fmt.Fprintln(cmd.ErrOrStderr(), problemLine(p))
	}
	return refused
}

func problemLine(p adminapi.Problem) string {
	if p.Line == 0 {
		return p.Message
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Message)
}

// connect returns a client, and what ends it: done says that what was asked for
// was done.
func (o *ids) connect(ctx context.Context, stderr io.Writer, n need) (_ *adminapi.Client, end func(done bool) error, err error) {
	c, maps, problems, err := load(o.file)
	if err != nil {
		return nil, nil, err
	}
	// A secret is the gateway's, or for a backend: who asks neither can do without.
	secretless := problems.HasErrors()
	if secretless && slices.ContainsFunc(problems, func(p configs.Problem) bool { return !p.Warning && !p.Secret }) {
		return nil, nil, report(stderr, problems)
	}
	silence := errors.New("the file names none")
	if c.Admin != "" {
		client, err := adminapi.Dial(ctx, c.Admin)
		if err == nil {
			return client, func(bool) error { return client.Close() }, nil
		}
		silence = err
	}
	if secretless && n&tableAlone == 0 {
		return nil, nil, report(stderr, problems)
	}
	if c.Store.Bolt == "" {
		return nil, nil, fmt.Errorf("this identity table is in the memory of the gateway alone, and no gateway answers at a socket for administrators (%w): start it, and name a socket under `admin`", silence)
	}
	keep := func(bool) error { return nil }
	if _, err := os.Stat(c.Store.Bolt); errors.Is(err, os.ErrNotExist) {
		if n&mayMake == 0 {
			return nil, nil, fmt.Errorf("there is no identity table at %s yet; the gateway makes it when it first serves", c.Store.Bolt)
		}
		keep = makeTable(&c)
	}
	var a *app
	if secretless {
		a, err = openTable(ctx, c, maps, problems)
	} else {
		a, err = open(ctx, c, maps, zerolog.Nop())
	}
	switch {
	case errors.Is(err, idstore.ErrLocked):
		return nil, nil, fmt.Errorf("%w, and nobody answers at its socket for administrators (%w): is it a gateway with another `admin`, or another command?", err, silence)
	case err != nil:
		return nil, nil, err
	}
	// What a crash left open is resolved as at every start, where that can be.
	if _, err := a.gateway.Recover(ctx); err != nil {
		return nil, nil, errors.Join(err, a.close(), keep(false))
	}
	client := adminapi.Local(a.admin(c))
	return client, func(done bool) error {
		done = done || holdsSomething(a.store)
		return errors.Join(client.Close(), a.close(), keep(done))
	}, nil
}

// makeTable has a new table made beside its place, and put there when it is to be
// kept: what is refused leaves no file behind, and a gateway that makes its own
// table meanwhile does not lose that.
func makeTable(c *Config) (keep func(done bool) error) {
	place := c.Store.Bolt
	c.Store.Bolt = fmt.Sprintf("%s.%s.new", place, rand.Text()[:8])
	fresh := c.Store.Bolt
	return func(done bool) error {
		if !done {
			return os.Remove(fresh)
		}
		if err := os.Link(fresh, place); errors.Is(err, os.ErrExist) {
			return errors.Join(fmt.Errorf("somebody else has made %s meanwhile, which is left as it is; nothing was done", place), os.Remove(fresh))
		} else if err != nil {
			return fmt.Errorf("the table is made and can not be put in its place; rename %s to %s: %w", fresh, place, err)
		}
		return errors.Join(os.Remove(fresh), bolt.SyncFolder(filepath.Dir(place)))
	}
}

// holdsSomething reports whether there is an entity in a table. A table that can
// not be read is taken to hold one.
func holdsSomething(s idstore.Store) (some bool) {
	err := s.View(context.Background(), func(tx idstore.Tx) error {
		for _, err := range idstore.Records(tx, 0) {
			some = true
			return err
		}
		return nil
	})
	return some || err != nil
}

// openTable is open without the backends, whose secrets are not there.
func openTable(ctx context.Context, c Config, maps []*mapping.Mapping, missing configs.Problems) (_ *app, err error) {
	a := &app{patience: patience}
	if a.store, err = openStore(c.Store); err != nil {
		return nil, err
	}
	collections := make(map[string]connectors.Connector, len(c.Resources))
	for _, r := range c.Resources {
		collections[r.Name] = unasked{fmt.Errorf("a secret to ask backend %q with is missing: %w", r.Backend, missing.Err())}
	}
	c.Clients = nil // there are no requests, and their tokens may be missing as well
	if err := a.wire(ctx, c, maps, collections, zerolog.Nop()); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}
