package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// askEach is up to how many values the server is asked about one by one, at the
// same time. For more the attribute is read.
const askEach = 16

// reduce takes out of the lenient modifications what is done already: values to
// be added that are there, and values to be deleted that are not. It reports
// whether there was any.
func (w *rewrite) reduce(ctx context.Context) (bool, error) {
	changed := false
	for i := range w.mods {
		m := &w.mods[i]
		if !m.lenient {
			continue
		}
		all := append(slices.Clone(m.del), m.add...)
		there, err := w.present(ctx, m.attr, all)
		if err != nil {
			return false, err
		}
		missing := slices.DeleteFunc(slices.Clone(m.del), func(v connectors.Value) bool { return there[v] })
		if err := w.keepPrimary(ctx, m, missing); err != nil {
			return false, err
		}
		before := len(m.del) + len(m.add)
		// Deleted first, then added: a value in both must be there in the end.
		again := set(m.add)
		m.del = slices.DeleteFunc(m.del, func(v connectors.Value) bool { return !there[v] || again(v) })
		m.add = slices.DeleteFunc(m.add, func(v connectors.Value) bool { return there[v] })
		changed = changed || len(m.del)+len(m.add) != before
	}
	w.mods = slices.DeleteFunc(w.mods, modification.empty)
	return changed, nil
}

// present finds out which values an attribute of the entry has, by the
// attribute's own equality rule.
func (w *rewrite) present(ctx context.Context, attr connectors.Attr, values []connectors.Value) (map[connectors.Value]bool, error) {
	guids := 0
	for _, v := range values {
		if strings.HasPrefix(string(v), "<GUID=") {
			guids++
		}
	}
	byGUID := guids == len(values) && w.f.extDN
	if len(values) > askEach && w.c.References[attr] != nil && (byGUID || guids == 0) {
		return w.presentByReading(ctx, attr, values, byGUID)
	}
	has := make([]bool, len(values))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(searchesAtOnce)
	for i, v := range values {
		group.Go(func() (err error) {
			has[i], err = w.has(ctx, attr, v)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	there := make(map[connectors.Value]bool, len(values))
	for i, v := range values {
		there[v] = has[i]
	}
	return there, nil
}

// has asks by a search and not by a Compare, which slapd's dynlist overlay
// answers wrongly for the members of ordinary groups.
func (w *rewrite) has(ctx context.Context, attr connectors.Attr, v connectors.Value) (bool, error) {
	filter := wire.AppendString(nil, wire.TagOctetString, attr)
	filter = wire.AppendString(filter, wire.TagOctetString, v)
	filter = wire.AppendString(nil, filterEqual, filter)
	reply, err := w.c.dir.pool.read(ctx, request{
		Search: wire.Search{Base: w.target(), Scope: wire.BaseObject, Filter: filter},
	}.append(nil, 0, ""))
	switch {
	case err != nil:
		return false, failure(err, false)
	case reply.Code != wire.Success:
		return false, w.f.refused(operation{name: "search", attrs: []connectors.Attr{attr}}, reply.Result)
	}
	return len(reply.Entries) > 0, nil
}

// presentByReading reads the whole attribute, which holds DNs: extended ones
// where the values name objects by their GUIDs.
func (w *rewrite) presentByReading(ctx context.Context, attr connectors.Attr, values []connectors.Value, byGUID bool) (map[connectors.Value]bool, error) {
	stored := normalizeDN
	if byGUID {
		stored = func(name string) (string, bool) {
			guid, _ := splitExtendedDN(name)
			return strings.ToLower(guid), guid != ""
		}
	}
	wanted := make(map[string]connectors.Value, len(values))
	there := make(map[connectors.Value]bool, len(values))
	for _, v := range values {
		there[v] = false
		if guid, ok := strings.CutPrefix(string(v), "<GUID="); ok && byGUID {
			wanted[strings.TrimSuffix(guid, ">")] = v
		} else if n, ok := normalizeDN(string(v)); ok {
			wanted[n] = v
		}
	}
	for part := attr; part != ""; {
		next := connectors.Attr("")
		reply, err := w.c.dir.pool.read(ctx, request{
			Search: wire.Search{Base: w.target(), Scope: wire.BaseObject, Filter: w.c.filter},
			want:   []connectors.Attr{part},
			extDN:  byGUID,
		}.append(nil, 0, ""))
		switch {
		case err != nil:
			return nil, failure(err, false)
		case reply.Code != wire.Success:
			return nil, w.f.refused(operation{name: "search", attrs: []connectors.Attr{attr}}, reply.Result)
		case len(reply.Entries) == 0:
			return nil, w.c.absent()
		}
		e, err := wire.ParseEntry(reply.Entries[0])
		if err != nil {
			return nil, &connectors.Error{Kind: connectors.Internal, Err: err}
		}
		for name, set := range e.Attributes() {
			if _, n, ok := splitRange(name); ok && n > 0 {
				next = rangeFrom(attr, n)
			}
			for v := range set.All() {
				if n, ok := stored(v); ok {
					if v, ok := wanted[n]; ok {
						there[v] = true
					}
				}
			}
		}
		if next == part {
			return nil, &connectors.Error{Kind: connectors.Internal, Err: fmt.Errorf("attribute %q is given from %q on for ever", attr, part)}
		}
		part = next
	}
	return there, nil
}
