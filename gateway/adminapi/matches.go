package adminapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postern/idstore"
)

// matches finds, for every entity whose primary object is gone, the one object
// that agrees. What is ambiguous, or has no match, is reported and let alone.
func (h *Handler) matches(ctx context.Context, req RelinksRequest, res *RelinksResult, a *answer) (good []relink, err error) {
	taken := make(map[idstore.Anchor][]string) // by which entities
	seen := 0
	err = h.pages(ctx, func(page []idstore.Record) error {
		var mine []idstore.Record
		for _, r := range page {
			if r.Type == req.Type && !r.Retired {
				mine = append(mine, r)
			}
		}
		lost, err := h.lost(ctx, req.Type, mine)
		if err != nil {
			return err
		}
		seen += len(page)
		for _, r := range lost {
			res.Looked++
			now, err := h.match(ctx, req, r)
			if err != nil {
				if _, refused := errors.AsType[*Error](err); !refused {
					return err
				}
				res.Problems = append(res.Problems, Problem{0, h.handleOf(ctx, r) + ": " + err.Error()})
				continue
			}
			taken[now] = append(taken[now], h.handleOf(ctx, r))
			good = append(good, relink{entity: r.Entity, before: r.Anchor(), now: now})
		}
		return a.progress(seen, 0)
	})
	kept := good[:0:0]
	for _, one := range good {
		switch who := taken[one.now]; len(who) {
		case 0: // told already
		case 1:
			kept = append(kept, one)
		default:
			text, _ := h.Gateway.Spell(ctx, req.Type, one.now)
			res.Problems = append(res.Problems, Problem{0, fmt.Sprintf("the object %s agrees with %d of them: %s; relink the right one to it by hand", text, len(who), strings.Join(who, ", "))})
			delete(taken, one.now)
		}
	}
	return kept, err
}

// lost returns the entities whose primary object is gone.
func (h *Handler) lost(ctx context.Context, kind string, records []idstore.Record) (lost []idstore.Record, err error) {
	for from := 0; from < len(records); from += 200 {
		batch := records[from:min(from+200, len(records))]
		anchors := make([]idstore.Anchor, len(batch))
		for i, r := range batch {
			anchors[i] = r.Anchor()
		}
		there, err := h.Gateway.There(ctx, kind, anchors)
		if err != nil {
			return nil, err
		}
		for i, r := range batch {
			if !there[i] {
				lost = append(lost, r)
			}
		}
	}
	return lost, nil
}

// match returns the one object that agrees with an entity.
func (h *Handler) match(ctx context.Context, req RelinksRequest, r idstore.Record) (idstore.Anchor, error) {
	value := r.ExternalID(idstore.Domain(req.Domain))
	if value == "" {
		return idstore.Anchor{}, refuse("it has no externalId in the domain %q to be found by", req.Domain)
	}
	const most = 5 // to be named
	found, err := h.Gateway.Having(ctx, req.Type, req.Match, value, most)
	switch {
	case err != nil:
		return idstore.Anchor{}, err
	case len(found) == 0:
		return idstore.Anchor{}, refuse("no object has %s %q", req.Match, value)
	case len(found) > 1:
		var which []string
		for _, a := range found {
			text, _ := h.Gateway.Spell(ctx, req.Type, a)
			which = append(which, text)
		}
		if len(which) == most {
			which = append(which, "…")
		}
		return idstore.Anchor{}, refuse("more than one object has %s %q: %s", req.Match, value, strings.Join(which, ", "))
	}
	return found[0], nil
}
