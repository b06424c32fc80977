package adminapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/idstore"
)

// How a reference says what it is: "id:…", "externalId:…", "anchor:…", or a SCIM
// path such as "userName:…". Without that it may be any of the first three, and
// where it is no id and no anchor also a userName, or else a displayName.
const (
	prefixID       = "id"
	prefixExternal = "externalId"
	prefixAnchor   = "anchor"
)

// find returns the entities that a reference may mean.
func (h *Handler) find(ctx context.Context, ref string) ([]idstore.Record, error) {
	prefix, rest, prefixed := strings.Cut(ref, ":")
	if prefixed {
		switch prefix {
		case prefixID, prefixExternal, prefixAnchor:
			return h.inTable(ctx, rest, prefix)
		}
		if found, known, err := h.having(ctx, prefix, rest); known {
			return found, err
		}
	}
	found, err := h.inTable(ctx, ref, prefixID, prefixAnchor)
	if err != nil {
		return nil, err
	}
	exact := len(found) > 0
	external, err := h.inTable(ctx, ref, prefixExternal)
	if err != nil {
		return nil, err
	}
	for _, r := range external {
		found = appendOnce(found, r)
	}
	if exact {
		return found, nil
	}
	for _, path := range []string{"userName", "displayName"} {
		called, _, err := h.having(ctx, path, ref)
		if err != nil && len(external) > 0 {
			return found, nil // its externalId names it while the backend is away
		}
		if err != nil {
			return nil, err
		}
		for _, r := range called {
			found = appendOnce(found, r)
		}
		if len(called) > 0 {
			break
		}
	}
	return found, nil
}

// appendOnce adds an entity that is there and not among them yet.
func appendOnce(found []idstore.Record, r idstore.Record) []idstore.Record {
	if r.Entity == 0 || slices.ContainsFunc(found, func(same idstore.Record) bool { return same.Entity == r.Entity }) {
		return found
	}
	return append(found, r)
}

// inTable looks a text up as each of some things that the table knows.
func (h *Handler) inTable(ctx context.Context, text string, as ...string) (found []idstore.Record, err error) {
	var anchors []idstore.Anchor // the backends are not asked within a transaction
	if slices.Contains(as, prefixAnchor) {
		for _, rt := range h.Gateway.ResourceTypes() {
			if a, ok := h.Gateway.Unspell(ctx, rt.Name, text); ok && !slices.Contains(anchors, a) {
				anchors = append(anchors, a)
			}
		}
	}
	add := func(r idstore.Record) { found = appendOnce(found, r) }
	err = h.Store.View(ctx, func(tx idstore.Tx) error {
		if id, ok := idstore.ParsePublicID(text); ok && slices.Contains(as, prefixID) {
			r, err := idstore.FindID(tx, id)
			if err != nil && !errors.Is(err, idstore.ErrNotFound) && !errors.Is(err, idstore.ErrGone) {
				return err
			}
			add(r)
		}
		for _, a := range anchors {
			r, err := idstore.FindAnchor(tx, a)
			if err != nil {
				return err
			}
			add(r)
		}
		if slices.Contains(as, prefixExternal) {
			records, err := idstore.FindExternalID(tx, text)
			if err != nil {
				return err
			}
			for _, r := range records {
				add(r)
			}
		}
		return nil
	})
	return found, err
}

// having asks the backends for the objects with a value. known says that the path
// is one that some resource type has.
func (h *Handler) having(ctx context.Context, path, value string) (found []idstore.Record, known bool, err error) {
	for _, rt := range h.Gateway.ResourceTypes() {
		if _, ok := rt.Attribute(path); !ok {
			continue
		}
		known = true
		anchors, err := h.Gateway.Having(ctx, rt.Name, path, value, 20)
		if err != nil {
			return nil, true, refuse("the table does not know %q, and the backend of %s can not be asked for a %s (%v): is it reachable? Otherwise name the resource by an id, an externalId or an anchor", value, rt.Name, path, err)
		}
		err = h.Store.View(ctx, func(tx idstore.Tx) error {
			for _, a := range anchors {
				r, err := idstore.FindAnchor(tx, a)
				if err != nil {
					return err
				}
				found = appendOnce(found, r)
			}
			return nil
		})
		if err != nil {
			return nil, true, err
		}
	}
	return found, known, nil
}

// one returns the one entity that a reference means.
func (h *Handler) one(ctx context.Context, ref string) (idstore.Record, error) {
	found, err := h.find(ctx, ref)
	if err != nil {
		return idstore.Record{}, err
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return idstore.Record{}, h.none(ctx, ref)
	}
	var which []string
	for _, r := range found {
		which = append(which, fmt.Sprintf("%s %s", r.Type, h.handleOf(ctx, r)))
	}
	return idstore.Record{}, refuse("%q may be any of these; name one by its id: %s", ref, strings.Join(which, ", "))
}

// handleOf is a reference to an entity: an id, or an anchor where it has none.
func (h *Handler) handleOf(ctx context.Context, r idstore.Record) string {
	for _, id := range r.IDs {
		if !id.Alias {
			return id.Public.String()
		}
	}
	text, _ := h.Gateway.Spell(ctx, r.Type, r.Anchor())
	return prefixAnchor + ":" + text
}

// none says that a reference means nothing.
func (h *Handler) none(ctx context.Context, ref string) error {
	text := strings.TrimPrefix(ref, prefixID+":")
	if id, ok := idstore.ParsePublicID(text); ok {
		err := h.Store.View(ctx, func(tx idstore.Tx) error {
			_, err := idstore.FindID(tx, id)
			return err
		})
		if errors.Is(err, idstore.ErrGone) {
			return refuse("what %q named was deleted; `postern ids history %s` shows how, and `postern ids undo %s` takes that back", text, text, text)
		}
	}
	return refuse("nothing is known by %q: give an id, an externalId, an anchor, or what the resource is called in its backend", ref)
}

// past returns the entity that an id named before the newest operation that took
// it away, by the history.
func (h *Handler) past(tx idstore.Tx, id idstore.PublicID) (idstore.EntityID, bool, error) {
	for o, err := range idstore.History(tx, 0) {
		if err != nil {
			return 0, false, err
		}
		for _, c := range o.Changes {
			if slices.ContainsFunc(c.Before.IDs, func(own idstore.ID) bool { return own.Public == id }) {
				return c.Entity(), true, nil
			}
		}
	}
	return 0, false, nil
}
