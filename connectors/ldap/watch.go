package ldap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// unwatched says why nobody is told what happens in the collection, or "".
func (c *collection) unwatched(f *facts) string {
	if f.unwatched == "" && !sameAttr(f.anchor, c.anchor.attr) {
		return fmt.Sprintf("the anchor is %q, and the server tells of %q", c.anchor.attr, f.anchor)
	}
	return f.unwatched
}

// A telling is a way in which a server tells what happens.
type telling uint8

const (
	tellsContent telling = iota // content synchronization, RFC 4533
	tellsChanges                // the retro changelog of 389-DS
	tellsUSN                    // the numbers of writes in Active Directory
)

// probeWatch finds out why it can not be known what happens in the directory; "" where it can.
func (d *Directory) probeWatch(ctx context.Context, f *facts) (string, error) {
	switch {
	case slices.Contains(d.config.Without, WithoutWatch):
		return "the file says so", nil
	case len(d.names) == 0:
		return "there is no collection", nil
	case f.tells == tellsContent:
		return d.probeContent(ctx, f)
	case f.tells == tellsChanges:
		return d.probeChanges(ctx)
	default:
		return d.probeUSN(ctx, f)
	}
}

// A watch is one Watch of a collection.
type watch struct {
	*collection
	f       *facts
	server  *server
	conn    *wire.Conn // its own
	mark    string     // what cursors are bound to
	held    containers
	holders []byte // the filter for containers
	yield   func(connectors.Event, error) bool
	cookie  string // how far the server has come, if no event has been given with it

	missing int64     // the number of a change that is not visible
	since   time.Time // when that was found
}

// Watch implements connectors.Watcher. It keeps right what is remembered of where objects
// are, too.
func (c *collection) Watch(ctx context.Context, since connectors.Cursor) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		c.dir.pool.background.Go(func() { // Close ends it
			select {
			case <-c.dir.pool.ended:
				cancel()
			case <-ctx.Done():
			}
		})
		w, err := c.beginWatch(ctx, yield)
		if err == nil {
			err = w.from(ctx, since)
		}
		if err != nil {
			yield(connectors.Event{}, err)
		}
	}
}

// beginWatch watches the server that is in use.
func (c *collection) beginWatch(ctx context.Context, yield func(connectors.Event, error) bool) (*watch, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return nil, failure(err, false)
	}
	if why := c.unwatched(f); why != "" {
		return nil, &connectors.Error{Kind: connectors.Unsupported, Reason: "the directory does not tell what happens in it", Err: errors.New(why)}
	}
	w := &watch{collection: c, f: f, yield: yield}
	limited, cancel := c.dir.pool.limit(ctx)
	defer cancel()
	in, err := c.dir.pool.acquire(limited, false, false)
	if err != nil {
		return nil, failure(err, false)
	}
	w.server = in.server
	return w, w.bind(ctx)
}

// bind finds out what cursors are bound to (the server, the base itself and the scope),
// and which containers there are.
func (w *watch) bind(ctx context.Context) error {
	only, _ := followOnly(ctx, w.server)
	base, err := w.dir.lookUp(only, w.Base, "(objectClass=*)", string(w.anchor.attr))
	if err != nil {
		return w.watchFailure(err)
	}
	anchor, _ := w.anchor.form.anchor(strings.Join(base[strings.ToLower(string(w.anchor.attr))], ""))
	if anchor == "" {
		return w.baseless(wire.Result{Code: wire.NoSuchObject})
	}
	w.mark = strings.Join([]string{w.server.url, w.baseNorm, string(anchor), string(w.filter)}, "\x00")
	return w.load(only)
}

func (w *watch) watchFailure(err error) error {
	if e, ok := errors.AsType[*wire.ResultError](err); ok {
		return w.f.refused(operation{name: "search"}, e.Result)
	}
	return failure(err, false)
}

// from gives the events after a cursor.
func (w *watch) from(ctx context.Context, since connectors.Cursor) error {
	cookie, same, ok := w.place(since)
	reason := "there is no cursor"
	switch {
	case !ok && since != "":
		reason = "the cursor is of another server, base or filter"
	case ok && !same:
		w.dir.cache.forgetAll()
		if !w.emit(connectors.Event{Kind: connectors.Resync, Reason: containersMoved}) {
			return nil
		}
	}
	switch w.f.tells {
	case tellsChanges:
		return w.changes(ctx, cookie, reason)
	case tellsUSN:
		return w.usns(ctx, cookie, reason)
	default:
		return w.sync(ctx, cookie, reason)
	}
}

// checkSize is the length of a hash in a cursor, in digits.
const checkSize = 24

func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:checkSize/2])
}

// cursor is a place that the server calls so.
func (w *watch) cursor(cookie string) connectors.Cursor {
	held := w.held.digest()
	return connectors.Cursor(shortHash(w.mark, held, cookie) + held + cookie)
}

// place returns what the server calls a cursor. same says that the containers are now where
// they were.
func (w *watch) place(c connectors.Cursor) (cookie string, same, ok bool) {
	if len(c) < 2*checkSize {
		return "", false, false
	}
	check, held, cookie := string(c[:checkSize]), string(c[checkSize:2*checkSize]), string(c[2*checkSize:])
	if cookie == "" || check != shortHash(w.mark, held, cookie) {
		return "", false, false
	}
	return cookie, held == w.held.digest(), true
}

// pause waits until the server is to be asked again.
func (w *watch) pause(ctx context.Context) error {
	select {
	case <-time.After(w.dir.config.Poll):
		return nil
	case <-ctx.Done():
		return &connectors.Error{Kind: connectors.Timeout, Reason: "the request was cancelled", Err: context.Cause(ctx)}
	}
}

// emit gives an event, with the place that the server has come to.
func (w *watch) emit(e connectors.Event) bool {
	if w.cookie != "" {
		e.Cursor, w.cookie = w.cursor(w.cookie), ""
	}
	return w.yield(e, nil)
}

const containersMoved = "a container was moved or renamed, of which the entries below are not told"

// changed tells of an entry that is new or otherwise. With others below it, these may have
// come with it.
func (w *watch) changed(a connectors.Anchor, name string, container bool) bool {
	w.dir.cache.moved(a, name)
	normal, _ := normalizeDN(name)
	w.held.under(normal, w.baseNorm)
	if !container || w.held.at[a] == normal {
		return w.emit(connectors.Event{Kind: connectors.Changed, Anchor: a})
	}
	w.held.at[a], w.held.sum = normal, ""
	w.dir.cache.forgetAll()
	return w.yield(connectors.Event{Kind: connectors.Changed, Anchor: a}, nil) &&
		w.emit(connectors.Event{Kind: connectors.Resync, Reason: containersMoved})
}

// gone tells of an entry that is there no more. With others below it, these went with it. The
// DN is "" where the server does not tell it.
func (w *watch) gone(a connectors.Anchor, name string) bool {
	w.dir.cache.forget(name)
	w.dir.cache.forgetObject(connectors.Target{Collection: w.Name, Anchor: a})
	normal, _ := normalizeDN(name)
	if _, ok := w.held.at[a]; !ok && !w.held.parents[normal] {
		return w.emit(connectors.Event{Kind: connectors.Gone, Anchor: a})
	}
	delete(w.held.at, a)
	delete(w.held.parents, normal)
	w.held.sum = ""
	w.dir.cache.forgetAll()
	return w.yield(connectors.Event{Kind: connectors.Gone, Anchor: a}, nil) &&
		w.emit(connectors.Event{Kind: connectors.Resync, Reason: containersMoved})
}

// containers are the entries with others below. What is below moves with them, and no server
// tells.
type containers struct {
	at      map[connectors.Anchor]string // where they are: DNs in normal form
	parents map[string]bool              // DNs that something was seen below
	sum     string                       // see digest; "" where it is to be made
}

// load asks which containers there are, but for the base, which stays.
func (w *watch) load(ctx context.Context) error {
	w.held = containers{at: map[connectors.Anchor]string{}, parents: map[string]bool{}}
	var err error
	if w.holders, err = compileFilter(w.f.containers); err != nil {
		return err
	}
	for messages, err := range w.dir.pages(ctx, request{
		Search: wire.Search{Base: w.Base, Scope: wire.WholeSubtree, Filter: w.holders},
		extra:  []connectors.Attr{w.anchor.attr}, paged: w.f.paging,
	}) {
		if err != nil {
			return w.watchFailure(err)
		}
		for _, m := range messages {
			e, err := wire.ParseEntry(m)
			if err != nil {
				return &connectors.Error{Kind: connectors.Internal, Err: err}
			}
			at, _ := normalizeDN(e.DN)
			for name, values := range e.Attributes() {
				if a, ok := w.anchor.form.anchor(values.First()); ok && sameAttr(name, w.anchor.attr) && at != w.baseNorm {
					w.held.at[a] = at
				}
			}
		}
	}
	return nil
}

// containersAmong returns those objects that may have others below.
func (w *watch) containersAmong(ctx context.Context, anchors []connectors.Anchor) (map[connectors.Anchor]bool, error) {
	found := map[connectors.Anchor]bool{}
	for chunk := range slices.Chunk(anchors, anchorTerms) {
		filter, m := wire.Begin(nil, filterAnd)
		filter = append(w.anchor.appendAny(filter, chunk), w.holders...)
		reply, err := w.dir.pool.read(ctx, wire.AppendSearch(nil,
			wire.Search{Base: w.Base, Scope: wire.WholeSubtree, Filter: wire.End(filter, m)}, []string{string(w.anchor.attr)}))
		if err != nil {
			return nil, failure(err, false)
		}
		if reply.Code != wire.Success {
			return nil, w.f.refused(operation{name: "search"}, reply.Result)
		}
		for _, message := range reply.Entries {
			e, err := wire.ParseEntry(message)
			if err != nil {
				return nil, &connectors.Error{Kind: connectors.Internal, Err: err}
			}
			for _, values := range e.Attributes() {
				if a, ok := w.anchor.form.anchor(values.First()); ok {
					found[a] = true
				}
			}
		}
	}
	return found, nil
}

// under notes that there is an entry under a DN, in normal form, so that all above it up to
// the base are containers.
func (c *containers) under(name, base string) {
	for {
		_, above, ok := cutRDN(name)
		if !ok || !within(above, base) || c.parents[above] {
			return
		}
		c.parents[above] = true
		name = above
	}
}

// cutRDN takes the first RDN off a DN.
func cutRDN(name string) (rdn, rest string, ok bool) {
	for i := range len(name) {
		if name[i] == ',' && !escapedAt(name, i) {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

// digest is the same where the same containers are in the same places.
func (c *containers) digest() string {
	if c.sum != "" {
		return c.sum
	}
	var all []string
	for _, a := range slices.Sorted(maps.Keys(c.at)) {
		all = append(all, string(a), c.at[a])
	}
	c.sum = shortHash(all...)
	return c.sum
}
