package adminapi

import (
	"context"
	"slices"
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
		kept, ok := h.kept(ctx, req.Ref)
		if !ok {
			return nil, err
		}
		r = kept
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

// kept returns what is kept of an entity that a reference meant before it was
// deleted.
func (h *Handler) kept(ctx context.Context, ref string) (r idstore.Record, ok bool) {
	entity, err := h.ever(ctx, ref)
	if err != nil {
		return r, false
	}
	err = h.Store.View(ctx, func(tx idstore.Tx) (err error) {
		r, err = idstore.Entity(tx, entity)
		return err
	})
	return r, err == nil && r.Retired
}

// ListRequest asks for entities, oldest first.
type ListRequest struct {
	Type string `json:"type,omitempty"` // "" is all
	// Names asks the backends what they call the objects, where that is one search
	// for many of them and they answer.
	Names bool `json:"names,omitempty"`
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
	silent := make(map[string]bool) // the types that can not be asked for names
	err := h.pages(ctx, func(page []idstore.Record) error {
		if req.Type != "" {
			page = slices.DeleteFunc(page, func(r idstore.Record) bool { return r.Type != req.Type })
		}
		var names map[idstore.Anchor]string
		if req.Names {
			names = h.names(ctx, page, silent)
		}
		for _, r := range page {
			n++
			e := s.entity(ctx, r)
			e.Called = names[r.Anchor()]
			if err := a.item(e); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// names returns what the backends call the objects of entities. A type that can not
// be asked is silent from then on.
func (h *Handler) names(ctx context.Context, page []idstore.Record, silent map[string]bool) map[idstore.Anchor]string {
	byType := make(map[string][]idstore.Anchor)
	for _, r := range page {
		byType[r.Type] = append(byType[r.Type], r.Anchor())
	}
	names := make(map[idstore.Anchor]string, len(page))
	for kind, anchors := range byType {
		for some := range slices.Chunk(anchors, 200) {
			if !silent[kind] {
				silent[kind] = !h.Gateway.CalledAll(ctx, kind, some, names)
			}
		}
	}
	return names
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
