package adminapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern/idstore"
)

// past returns the entities that had something before the newest operation that
// took it away, by the history, the latest first. One whose ids have gone on to
// another of them, as by a merge, is that one.
func (h *Handler) past(tx idstore.Tx, had func(idstore.Record) bool) (all []idstore.Record, err error) {
	for o, err := range idstore.History(tx, 0) {
		if err != nil {
			return nil, err
		}
		for _, c := range o.Changes {
			same := func(r idstore.Record) bool {
				return r.Entity == c.Entity() || slices.ContainsFunc(r.IDs, func(id idstore.ID) bool { return hasID(c.Before, id.Public) })
			}
			if c.Before.Entity != 0 && had(c.Before) && !slices.ContainsFunc(all, same) {
				all = append(all, c.Before)
			}
		}
	}
	return all, nil
}

func hasID(r idstore.Record, id idstore.PublicID) bool {
	return slices.ContainsFunc(r.IDs, func(own idstore.ID) bool { return own.Public == id })
}

// ever returns the entity that a reference means, or did before it was deleted or
// merged away: by an id, an externalId or an anchor, since names are not in the
// table.
func (h *Handler) ever(ctx context.Context, ref string) (idstore.EntityID, error) {
	r, err := h.one(ctx, ref)
	if err == nil {
		return r.Entity, nil
	}
	prefix, text, _ := strings.Cut(ref, ":")
	var had []func(idstore.Record) bool
	meant := func(as string) (string, bool) {
		if prefix == as {
			return text, true
		}
		return ref, !h.means(prefix)
	}
	if text, ok := meant(prefixID); ok {
		if id, ok := idstore.ParsePublicID(text); ok {
			had = append(had, func(r idstore.Record) bool { return hasID(r, id) })
		}
	}
	if text, ok := meant(prefixExternal); ok {
		had = append(had, func(r idstore.Record) bool {
			return slices.ContainsFunc(r.ExternalIDs, func(x idstore.ExternalID) bool { return x.Value == text })
		})
	}
	if text, ok := meant(prefixAnchor); ok {
		for _, rt := range h.Gateway.ResourceTypes() {
			if a, ok := h.Gateway.Unspell(ctx, rt.Name, text); ok {
				had = append(had, func(r idstore.Record) bool { return linked(r, a) })
			}
		}
	}
	var all []idstore.Record
	for _, one := range had {
		viewErr := h.Store.View(ctx, func(tx idstore.Tx) (err error) {
			all, err = h.past(tx, one)
			return err
		})
		if viewErr != nil {
			return 0, viewErr
		}
		if len(all) > 0 {
			break
		}
	}
	switch len(all) {
	case 0:
		return 0, err
	case 1:
		return all[0].Entity, nil
	}
	var which []string
	for _, r := range all {
		which = append(which, fmt.Sprintf("%s %s", r.Type, h.handleOf(ctx, r)))
	}
	return 0, refuse("%q was any of these, which are deleted or merged away; name one by its id: %s", ref, strings.Join(which, ", "))
}
