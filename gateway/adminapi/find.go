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

// find returns the entities that a reference may mean, and the objects that it may
// mean and that have no id yet.
func (h *Handler) find(ctx context.Context, ref string) (found []idstore.Record, unseen []object, err error) {
	prefix, rest, prefixed := cutPrefix(ref)
	switch {
	case ref == "":
		return nil, nil, refuse("REF is empty: give an id, an externalId, an anchor, or what the resource is called in its backend")
	case prefixed && rest == "" && h.means(prefix):
		return nil, nil, refuse("%q names nothing: the value is missing after %q", ref, prefix+":")
	case prefixed:
		switch prefix {
		case prefixID, prefixExternal, prefixAnchor:
			if found, err = h.inTable(ctx, rest, prefix); err != nil || len(found) > 0 || prefix != prefixAnchor {
				return found, nil, err
			}
			return nil, h.unseenAnchors(ctx, rest), nil
		}
		if found, unseen, known, err := h.having(ctx, prefix, rest); known {
			return found, unseen, err
		}
	}
	if found, err = h.inTable(ctx, ref, prefixID, prefixAnchor); err != nil {
		return nil, nil, err
	}
	exact := len(found) > 0
	external, err := h.inTable(ctx, ref, prefixExternal)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range external {
		found = appendOnce(found, r)
	}
	if exact {
		return found, nil, nil
	}
	for _, path := range []string{"userName", "displayName"} {
		called, without, _, err := h.having(ctx, path, ref)
		if err != nil && len(external) > 0 {
			return found, nil, nil // its externalId names it while the backend is away
		}
		if err != nil {
			return nil, nil, err
		}
		for _, r := range called {
			found = appendOnce(found, r)
		}
		unseen = append(unseen, without...)
		if len(called)+len(without) > 0 {
			break
		}
	}
	if len(found)+len(unseen) == 0 {
		unseen = h.unseenAnchors(ctx, ref)
	}
	return found, unseen, nil
}

// appendOnce adds an entity that is there and not among them yet.
func appendOnce(found []idstore.Record, r idstore.Record) []idstore.Record {
	if r.Entity == 0 || slices.ContainsFunc(found, func(same idstore.Record) bool { return same.Entity == r.Entity }) {
		return found
	}
	return append(found, r)
}

// means reports whether a prefix says what follows it.
func (h *Handler) means(prefix string) bool {
	if slices.Contains([]string{prefixID, prefixExternal, prefixAnchor}, prefix) {
		return true
	}
	for _, rt := range h.Gateway.ResourceTypes() {
		if _, ok := rt.Attribute(prefix); ok {
			return true
		}
	}
	return false
}

// cutPrefix parts a reference from what says how it is meant. The name of an
// attribute of an extension has colons itself (RFC 7643 §3.3).
func cutPrefix(ref string) (prefix, rest string, ok bool) {
	if i := strings.LastIndexByte(ref, ':'); strings.HasPrefix(strings.ToLower(ref), "urn:") && i > 0 {
		return ref[:i], ref[i+1:], true
	}
	return strings.Cut(ref, ":")
}

// An object is one of a backend that the table may not know.
type object struct {
	kind   string
	anchor idstore.Anchor
}

// unseenAnchors returns the objects that have the anchor which a text spells.
func (h *Handler) unseenAnchors(ctx context.Context, text string) (unseen []object) {
	for _, rt := range h.Gateway.ResourceTypes() {
		a, ok := h.Gateway.Unspell(ctx, rt.Name, text)
		if !ok {
			continue
		}
		if there, err := h.Gateway.There(ctx, rt.Name, []idstore.Anchor{a}); err == nil && there[0] {
			unseen = append(unseen, object{rt.Name, a})
		}
	}
	return unseen
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

// having asks the backends for the objects with a value: the entities that are
// linked to them, and those that have none. known says that the path is one that
// some resource type has.
func (h *Handler) having(ctx context.Context, path, value string) (found []idstore.Record, unseen []object, known bool, err error) {
	for _, rt := range h.Gateway.ResourceTypes() {
		if _, ok := rt.Attribute(path); !ok {
			continue
		}
		known = true
		anchors, err := h.Gateway.Having(ctx, rt.Name, path, value, 20)
		if err != nil {
			return nil, nil, true, refuse("the table does not know %q, and the backend of %s can not be asked for a %s (%v): is it reachable? Otherwise name the resource by an id, an externalId or an anchor", value, rt.Name, path, err)
		}
		err = h.Store.View(ctx, func(tx idstore.Tx) error {
			for _, a := range anchors {
				r, err := idstore.FindAnchor(tx, a)
				switch {
				case err != nil:
					return err
				case r.Entity == 0:
					unseen = append(unseen, object{rt.Name, a})
				default:
					found = appendOnce(found, r)
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, true, err
		}
	}
	return found, unseen, known, nil
}

// one returns the one entity that a reference means.
func (h *Handler) one(ctx context.Context, ref string) (idstore.Record, error) {
	found, unseen, err := h.find(ctx, ref)
	if err != nil {
		return idstore.Record{}, err
	}
	switch {
	case len(found) == 1 && len(unseen) == 0:
		return found[0], nil
	case len(found) == 0 && len(unseen) > 0:
		text, _ := h.Gateway.Spell(ctx, unseen[0].kind, unseen[0].anchor)
		return idstore.Record{}, refuse("%q is a %s in its backend (object %s) that has no id yet, since no client has seen it; `postern ids adopt --type %s` gives ids to all of them",
			ref, unseen[0].kind, text, unseen[0].kind)
	case len(found) == 0:
		return idstore.Record{}, h.none(ctx, ref)
	}
	var which []string
	for _, r := range found {
		which = append(which, fmt.Sprintf("%s %s", r.Type, h.handleOf(ctx, r)))
	}
	for _, o := range unseen {
		text, _ := h.Gateway.Spell(ctx, o.kind, o.anchor)
		which = append(which, fmt.Sprintf("%s without an id, object %s", o.kind, text))
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
	if prefix, _, ok := cutPrefix(ref); ok && !h.means(prefix) {
		return refuse("nothing is known by %q, and %q is no attribute: before a colon stands id, externalId, anchor or a SCIM path such as userName", ref, prefix)
	}
	return refuse("nothing is known by %q: give an id, an externalId, an anchor, or what the resource is called in its backend", ref)
}
