package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// probeContent asks for the content of one entry by content synchronization (RFC 4533), since a
// server may know of that and not do it.
func (d *Directory) probeContent(ctx context.Context, f *facts) (string, error) {
	if !slices.Contains(f.root.controls, wire.ControlSync) {
		return "the server has no content synchronization (the overlay syncprov)", nil
	}
	body := wire.AppendSearch(nil, wire.Search{Base: d.collections[d.names[0]].Base, Filter: appendEverything(nil)}, []string{"1.1"})
	body, m := wire.BeginControls(body)
	reply, err := d.pool.read(ctx, wire.EndControls(wire.AppendSync(body, false, ""), m))
	switch {
	case err != nil:
		return "", err
	case reply.Code != wire.Success && reply.Code != wire.NoSuchObject:
		return fmt.Sprintf("the server refuses content synchronization: %v", &wire.ResultError{Op: "search", Result: reply.Result}), nil
	}
	return "", nil
}

// sync follows the content of the collection, and the containers, by content
// synchronization, on a connection of its own: first what happened since the cookie, then
// what happens.
func (w *watch) sync(ctx context.Context, cookie, reason string) error {
	limited, cancel := w.dir.pool.limit(ctx)
	conn, err := w.server.dial(limited)
	cancel()
	if err != nil {
		return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory can not be reached", Err: err}
	}
	defer conn.Close()
	for {
		s := syncing{watch: w, fresh: cookie == "", reason: reason}
		res, err := conn.Stream(ctx, w.appendSync(nil, cookie), s.take)
		switch {
		case s.failed != nil:
			return s.failed
		case s.ended:
			return nil
		case err != nil:
			return failure(err, false)
		case cookie != "" && (res.Code == wire.SyncRefreshRequired || res.Code == wire.UnwillingToPerform):
			// The latter is OpenLDAP's, when it was killed and is not back yet where the cookie is.
			cookie, reason = "", "the server does not know any more what has happened since"
		case res.Code == wire.Success:
			return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory has ended the watch"}
		default:
			return w.f.refused(operation{name: "search"}, res)
		}
	}
}

func (w *watch) appendSync(b []byte, cookie string) []byte {
	filter, or := wire.Begin(nil, filterOr)
	filter = append(filter, w.filter...)
	filter = append(filter, w.holders...)
	b = wire.AppendSearch(b, wire.Search{Base: w.Base, Scope: wire.WholeSubtree, Filter: wire.End(filter, or)}, []string{attrSubordinates})
	b, m := wire.BeginControls(b)
	return wire.EndControls(wire.AppendSync(b, true, cookie), m)
}

// attrSubordinates tells whether others are below an entry.
const attrSubordinates = "hasSubordinates"

// A syncing is one sync search.
type syncing struct {
	*watch
	fresh     bool // without a cookie: the content itself is of no interest
	refreshed bool // what happened before has been told
	unknown   bool // not all of what is gone was named
	reason    string
	failed    error
	ended     bool
}

// take takes one message, and returns false to end the search.
func (s *syncing) take(message string) bool {
	m, ok, err := wire.ParseSync(message)
	if err != nil {
		s.failed = &connectors.Error{Kind: connectors.Internal, Err: err}
		return false
	}
	if ok && !s.heed(m) {
		s.ended = true
	}
	return !s.ended
}

func (s *syncing) heed(m wire.Sync) bool {
	done := m.Done && (m.Kind == wire.SyncDeletePhase || m.Kind == wire.SyncPresentPhase)
	if m.Cookie != "" && (s.refreshed || done) { // before, it is not all that it stands for that was told
		s.cookie = m.Cookie
	}
	switch m.Kind {
	case wire.SyncEntry:
		return s.entry(m)
	case wire.SyncIDs:
		for _, id := range m.UUIDs {
			if !m.Deletes {
				s.unknown = true
			} else if !s.fresh && !s.gone(connectors.Anchor(strings.Clone(id)), "") {
				return false
			}
		}
	case wire.SyncPresentPhase:
		s.unknown = true
	case wire.SyncCookie, wire.SyncDeletePhase:
	}
	if !done || s.refreshed {
		return true
	}
	s.refreshed = true
	if !s.fresh && !s.unknown {
		return true
	}
	if !s.fresh {
		s.reason = "the server names what is there and not what is gone"
	}
	s.fresh = false
	s.dir.cache.forgetAll()
	return s.emit(connectors.Event{Kind: connectors.Resync, Reason: s.reason})
}

// entry takes an entry.
func (s *syncing) entry(m wire.Sync) bool {
	a := connectors.Anchor(strings.Clone(m.UUIDs[0]))
	container := false
	for name, values := range m.Entry.Attributes() {
		if sameAttr(name, attrSubordinates) {
			container = strings.EqualFold(values.First(), "TRUE")
		}
	}
	switch {
	case m.State == wire.SyncPresent:
		s.unknown = true
		return true
	case s.fresh:
		return true
	case m.State == wire.SyncDelete:
		return s.gone(a, m.Entry.DN)
	}
	return s.changed(a, m.Entry.DN, container)
}
