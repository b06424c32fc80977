package adminapi

import (
	"context"
	"errors"
	"time"

	"postern/idstore"
)

// WorkRequest asks for the deferred work, or for a change of one piece of it.
type WorkRequest struct {
	Do     string `json:"do,omitempty"` // "" lists all; hold, release or cancel
	Number uint64 `json:"number,omitempty"`
}

func (h *Handler) work(ctx context.Context, req WorkRequest, a *answer) (any, error) {
	id := idstore.WorkID(req.Number)
	var change func(idstore.Tx) error
	switch req.Do {
	case "":
		return h.works(ctx, a)
	case "hold":
		change = func(tx idstore.Tx) error { _, err := idstore.HoldWork(tx, id); return err }
	case "release":
		change = func(tx idstore.Tx) error { _, err := idstore.ReleaseWork(tx, id, time.Now()); return err }
	case "cancel":
		change = func(tx idstore.Tx) error { return idstore.CancelWork(tx, id, time.Now()) }
	default:
		return nil, refuse("there is no %q for work", req.Do)
	}
	err := h.Gateway.Operate(ctx, nil, change)
	if errors.Is(err, idstore.ErrNotFound) {
		return nil, refuse("there is no work %d; it may be done by now: see `postern ids work`", req.Number)
	}
	return nil, err
}

func (h *Handler) works(ctx context.Context, a *answer) (any, error) {
	var all []idstore.Work
	kinds := make(map[idstore.Anchor]string)
	err := h.Store.View(ctx, func(tx idstore.Tx) error {
		for w, err := range idstore.Works(tx) {
			if err != nil {
				return err
			}
			r, err := idstore.FindAnchor(tx, w.Anchor)
			if err != nil {
				return err
			}
			all, kinds[w.Anchor] = append(all, w), r.Type
		}
		return nil
	})
	s := h.speller()
	for _, w := range all {
		if err := a.item(s.piece(ctx, kinds[w.Anchor], w)); err != nil {
			return nil, err
		}
	}
	return len(all), err
}
