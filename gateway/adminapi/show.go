package adminapi

import (
	"context"
	"strings"

	"postern/idstore"
)

// ShowRequest asks for all that is known of what a reference means.
type ShowRequest struct {
	Ref string `json:"ref"`
}

func (h *Handler) show(ctx context.Context, req ShowRequest, a *answer) (any, error) {
	r, err := h.one(ctx, req.Ref)
	if err != nil {
		return nil, err
	}
	s := h.speller()
	e := s.entity(ctx, r)
	e.Called = h.Gateway.Called(ctx, r)
	var intents []idstore.Intent
	var works []idstore.Work
	var history []idstore.Operation
	err = h.Store.View(ctx, func(tx idstore.Tx) (err error) {
		if intents, err = idstore.IntentsForEntity(tx, r.Entity); err != nil {
			return err
		}
		for _, l := range r.Links {
			w, ok, err := idstore.WorkFor(tx, l.Anchor)
			if err != nil {
				return err
			}
			if ok {
				works = append(works, w)
			}
		}
		for o, err := range idstore.HistoryOf(tx, r.Entity, 0) {
			if err != nil {
				return err
			}
			history = append(history, o)
		}
		return nil
	})
	for _, in := range intents {
		e.Intents = append(e.Intents, Intent{in.Kind.String(), in.Begun})
	}
	for _, w := range works {
		e.Work = append(e.Work, s.piece(ctx, r.Type, w))
	}
	for _, o := range history {
		e.History = append(e.History, s.operation(ctx, o))
	}
	return e, err
}

// ListRequest asks for entities, oldest first.
type ListRequest struct {
	Type string `json:"type,omitempty"` // "" is all
}

// listPage is how many entities are read in one transaction: none is held open
// while a slow reader is waited for.
const listPage = 500

func (h *Handler) list(ctx context.Context, req ListRequest, a *answer) (any, error) {
	if err := h.served(req.Type); err != nil {
		return nil, err
	}
	s := h.speller()
	n := 0
	err := h.pages(ctx, func(page []idstore.Record) error {
		for _, r := range page {
			if req.Type != "" && r.Type != req.Type {
				continue
			}
			n++
			if err := a.item(s.entity(ctx, r)); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// pages goes through all entities, a page at a time.
func (h *Handler) pages(ctx context.Context, each func([]idstore.Record) error) error {
	last := idstore.EntityID(0)
	for {
		var page []idstore.Record
		err := h.Store.View(ctx, func(tx idstore.Tx) error {
			for r, err := range idstore.Records(tx, last) {
				if err != nil {
					return err
				}
				if page = append(page, r); len(page) == listPage {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		last = page[len(page)-1].Entity
		if err := each(page); err != nil {
			return err
		}
	}
}

// served refuses a resource type that there is not; "" is all.
func (h *Handler) served(kind string) error {
	var known []string
	for _, rt := range h.Gateway.ResourceTypes() {
		if rt.Name == kind || kind == "" {
			return nil
		}
		known = append(known, rt.Name)
	}
	return refuse("there is no resource type %q; the file has %s", kind, strings.Join(known, ", "))
}

// HistoryRequest asks for operations, newest first.
type HistoryRequest struct {
	Ref  string `json:"ref,omitempty"` // "" is of all
	Most int    `json:"most,omitempty"`
}

func (h *Handler) history(ctx context.Context, req HistoryRequest, a *answer) (any, error) {
	entity := idstore.EntityID(0)
	if req.Ref != "" {
		var err error
		if entity, err = h.ever(ctx, req.Ref); err != nil {
			return nil, err
		}
	}
	var all []idstore.Operation
	err := h.Store.View(ctx, func(tx idstore.Tx) error {
		operations := idstore.History(tx, 0)
		if entity != 0 {
			operations = idstore.HistoryOf(tx, entity, 0)
		}
		for o, err := range operations {
			if err != nil {
				return err
			}
			if all = append(all, o); len(all) == req.Most {
				break
			}
		}
		return nil
	})
	s := h.speller()
	for _, o := range all {
		if err := a.item(s.operation(ctx, o)); err != nil {
			return nil, err
		}
	}
	return len(all), err
}

// ever returns the entity that a reference means, or did before it was deleted or
// merged away.
func (h *Handler) ever(ctx context.Context, ref string) (idstore.EntityID, error) {
	r, err := h.one(ctx, ref)
	if err == nil {
		return r.Entity, nil
	}
	id, ok := idstore.ParsePublicID(strings.TrimPrefix(ref, prefixID+":"))
	if !ok {
		return 0, err
	}
	var entity idstore.EntityID
	viewErr := h.Store.View(ctx, func(tx idstore.Tx) (err error) {
		entity, ok, err = h.past(tx, id)
		return err
	})
	if viewErr != nil {
		return 0, viewErr
	}
	if !ok {
		return 0, err
	}
	return entity, nil
}
