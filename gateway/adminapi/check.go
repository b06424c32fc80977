package adminapi

import (
	"context"
	"errors"
	"fmt"

	"postern/idstore"
)

// CheckRequest asks for the check of the table, and with Backend also whether
// every linked object is there.
type CheckRequest struct {
	Backend bool `json:"backend,omitempty"`
}

// A Finding is something that is wrong.
type Finding struct {
	Message string `json:"message"`
}

// CheckResult says how much was looked at.
type CheckResult struct {
	Entities, PublicIDs, Anchors, ExternalIDs int
	SpentIDs, Intents, Operations, Work       int
	Damages                                   int
	Missing                                   int // links whose object is not there
	Unserved                                  int // links that no backend of the file serves
}

func (h *Handler) check(ctx context.Context, req CheckRequest, a *answer) (any, error) {
	var sum idstore.Checked
	err := h.Store.View(ctx, func(tx idstore.Tx) (err error) {
		sum, err = idstore.Check(tx, func(d idstore.Damage) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return a.item(Finding{idstore.Reword(d.String(), func(a idstore.Anchor) (string, bool) { return h.spellAs(ctx, a, nil) })})
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	res := CheckResult{Entities: sum.Entities, PublicIDs: sum.PublicIDs, Anchors: sum.Anchors, ExternalIDs: sum.ExternalIDs,
		SpentIDs: sum.SpentIDs, Intents: sum.Intents, Operations: sum.Operations, Work: sum.Work, Damages: sum.Damages}
	if !req.Backend {
		return res, nil
	}
	return res, h.checkBackends(ctx, &res, a)
}

// checkBackends asks the backends for every linked object. An intent that is open
// says that one may rightly be missing.
func (h *Handler) checkBackends(ctx context.Context, res *CheckResult, a *answer) error {
	types := make(map[string]bool)
	for _, rt := range h.Gateway.ResourceTypes() {
		types[rt.Name] = true
	}
	s := h.speller()
	seen := 0
	return h.pages(ctx, func(page []idstore.Record) error {
		links := make(map[string][]idstore.Anchor) // by resource type
		owners := make(map[idstore.Anchor]idstore.Record)
		for _, r := range page {
			if r.Retired { // where its object is now is nobody's business here
				continue
			}
			for _, anchor := range anchorsOf(r) {
				owners[anchor] = r
				links[r.Type] = append(links[r.Type], anchor)
			}
		}
		for kind, anchors := range links {
			if !types[kind] {
				res.Unserved += len(anchors)
				continue
			}
			for from := 0; from < len(anchors); from += 200 {
				batch := anchors[from:min(from+200, len(anchors))]
				there, err := h.Gateway.There(ctx, kind, batch)
				if err != nil {
					return err
				}
				for i, ok := range there {
					if ok {
						continue
					}
					r := owners[batch[i]]
					busy, err := h.busy(ctx, r)
					if err != nil {
						return err
					}
					if busy {
						continue
					}
					res.Missing++
					if err := a.item(Finding{fmt.Sprintf("%s %s: the object %s is not in the backend %q; relink it, or delete the resource", kind, h.handleOf(ctx, r), s.spell(ctx, kind, batch[i]), batch[i].Backend)}); err != nil {
						return err
					}
				}
			}
		}
		seen += len(page)
		return a.progress(seen, res.Entities)
	})
}

// busy tells whether an intent of an entity is open, or it is gone by now.
func (h *Handler) busy(ctx context.Context, r idstore.Record) (busy bool, err error) {
	err = h.Store.View(ctx, func(tx idstore.Tx) error {
		if _, err := idstore.Entity(tx, r.Entity); errors.Is(err, idstore.ErrNotFound) {
			busy = true
			return nil
		} else if err != nil {
			return err
		}
		intents, err := idstore.IntentsForEntity(tx, r.Entity)
		busy = len(intents) > 0
		return err
	})
	return busy, err
}
