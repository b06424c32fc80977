package gateway

import (
	"context"
	"errors"
	"fmt"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

// adoptBatch is how many objects get their ids in one transaction.
const adoptBatch = 1000

// An Adoption is how far an adoption has come.
type Adoption struct {
	Seen int // objects, or rows
	New  int // those that had no id before
}

// Adopt gives every object of a resource type its entity and its id before the
// first request does, in each of the domains where ids are pairwise. What has been
// done stays when it is broken off, and is passed over the next time. progress is
// called after each batch, and ends the adoption by an error.
func (g *Gateway) Adopt(ctx context.Context, kind string, domains []string, progress func(Adoption) error) (Adoption, error) {
	var sum Adoption
	t, err := g.target(kind)
	if err != nil {
		return sum, err
	}
	if !t.Pairwise || len(domains) == 0 {
		domains = []string{""}
	}
	var batch []idstore.Anchor
	flush := func() error {
		for _, d := range domains {
			scope := t.scope(Caller{Domain: d})
			var missing []int
			err := g.store.View(ctx, func(tx idstore.Tx) (err error) {
				_, missing, err = idstore.References(tx, scope, batch)
				return err
			})
			if err == nil && len(missing) > 0 {
				fresh := make([]idstore.Anchor, len(missing))
				for at, i := range missing {
					fresh[at] = batch[i]
				}
				var adopted []idstore.Record
				adopted, err = g.firstSight(ctx, scope, fresh)
				for _, rec := range adopted {
					if rec.Entity != 0 {
						sum.New++
					}
				}
			}
			if err != nil {
				return fault(t.Mapping, err)
			}
		}
		sum.Seen += len(batch)
		batch = batch[:0]
		return progress(sum)
	}
	for e, err := range t.Connector.Search(ctx, connectors.Query{}) {
		if err != nil {
			return sum, fault(t.Mapping, err)
		}
		if batch = append(batch, t.anchor(e.Anchor)); len(batch) == adoptBatch {
			if err := flush(); err != nil {
				return sum, err
			}
		}
	}
	if len(batch) > 0 {
		if err := flush(); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// A Known is an object that clients know by an id already, as from the product
// that was there before.
type Known struct {
	Line       int    // where it stands in a file, for messages
	ID         string // a UUID in canonical form
	ExternalID string // "" for none

	// Anchor is the object; where it is "", By is what finds it and nothing else.
	Anchor connectors.Anchor
	By     scim.Compare
}

// Lookup returns the comparison that finds a resource by an attribute, named by
// its SCIM path, for Known.By.
func (g *Gateway) Lookup(kind, path, value string) (scim.Compare, error) {
	t, err := g.target(kind)
	if err != nil {
		return scim.Compare{}, err
	}
	f, err := scim.ParseFilter(t.rt, path+" eq "+scim.Str(value).String())
	if err != nil {
		return scim.Compare{}, err
	}
	by, ok := f.(scim.Compare)
	if !ok {
		return by, scim.InvalidValue("%q is no attribute path", path)
	}
	return by, nil
}

// A KnownProblem says why one of them is not adopted.
type KnownProblem struct {
	Line int
	Err  error
}

// KnownOptions is how AdoptKnown goes about it.
type KnownOptions struct {
	DryRun    bool // look only
	KeepGoing bool // adopt the good ones even where others are not
	Progress  func(Adoption) error
}

// AdoptKnown gives objects the ids and externalIds that the clients of a domain
// know them by. All are looked at first; nothing is written where one has a
// problem, unless KeepGoing is set. Rows that are adopted already are passed over,
// so that a list can be gone through again.
func (g *Gateway) AdoptKnown(ctx context.Context, c Caller, kind string, rows []Known, o KnownOptions) (Adoption, []KnownProblem, error) {
	var sum Adoption
	t, err := g.target(kind)
	if err != nil {
		return sum, nil, err
	}
	scope := t.scope(c)
	var problems []KnownProblem
	ids, objects := make(map[idstore.PublicID]int, len(rows)), make(map[connectors.Anchor]int, len(rows))
	type pair struct {
		anchor   idstore.Anchor
		id       idstore.PublicID
		external string
		line     int
	}
	good := make([]pair, 0, len(rows))
	for _, row := range rows {
		p := pair{line: row.Line, external: row.ExternalID}
		err := func() error {
			var ok bool
			if p.id, ok = idstore.ParsePublicID(row.ID); !ok {
				return fmt.Errorf("%q is no UUID such as 2819c223-7f76-453a-919d-413861904646", row.ID)
			}
			if before, twice := ids[p.id]; twice {
				return fmt.Errorf("the id is in line %d already", before)
			}
			ids[p.id] = row.Line
			if len(row.ExternalID) > maxExternalID {
				return fmt.Errorf("the externalId is longer than %d bytes", maxExternalID)
			}
			a, err := t.the(ctx, row)
			if err != nil {
				return err
			}
			if before, twice := objects[a]; twice {
				return fmt.Errorf("the object is in line %d already", before)
			}
			objects[a] = row.Line
			p.anchor = t.anchor(a)
			return g.store.View(ctx, func(tx idstore.Tx) error {
				rec, err := idstore.Adoptable(tx, scope, p.anchor, p.id)
				if _, has := rec.PublicID(scope.IDs); err == nil && !has {
					sum.New++
				}
				return err
			})
		}()
		if ctx.Err() != nil || isUnreachable(err) {
			return sum, problems, fault(t.Mapping, errors.Join(err, ctx.Err()))
		}
		sum.Seen++
		if err != nil {
			problems = append(problems, KnownProblem{row.Line, err})
		} else {
			good = append(good, p)
		}
		if o.Progress != nil && sum.Seen%adoptBatch == 0 {
			if err := o.Progress(sum); err != nil {
				return sum, problems, err
			}
		}
	}
	if o.DryRun || len(problems) > 0 && !o.KeepGoing {
		return sum, problems, nil
	}
	for len(good) > 0 {
		batch := good[:min(adoptBatch, len(good))]
		err := g.store.Update(ctx, func(tx idstore.Tx) error {
			for _, p := range batch {
				if _, err := idstore.AdoptAs(tx, scope, p.anchor, p.id, p.external); err != nil {
					return fmt.Errorf("line %d: %w", p.line, err)
				}
			}
			return nil
		})
		if err != nil {
			return sum, problems, err
		}
		good = good[len(batch):]
	}
	g.ids.forgetAll()
	return sum, problems, nil
}

// isUnreachable reports whether the backend, and not the row, is at fault.
func isUnreachable(err error) bool {
	e, ok := errors.AsType[*connectors.Error](err)
	return ok && (e.Kind == connectors.Unavailable || e.Kind == connectors.Timeout || e.Kind == connectors.Denied)
}

// the returns the one object that a row is about.
func (t *target) the(ctx context.Context, row Known) (connectors.Anchor, error) {
	if row.Anchor != "" {
		e, err := t.Connector.Get(ctx, row.Anchor, nil)
		if connectors.KindOf(err) == connectors.NotFound && err != nil {
			return "", errors.New("there is no such object")
		}
		return e.Anchor, err
	}
	var found connectors.Anchor
	for a, err := range t.agreeing(ctx, row.By, 0) {
		switch {
		case err != nil:
			return "", err
		case found != "":
			return "", fmt.Errorf("there is more than one %s with %s", t.kind, row.By)
		}
		found = a
	}
	if found == "" {
		return "", fmt.Errorf("there is no %s with %s", t.kind, row.By)
	}
	return found, nil
}
