package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A Directory is one LDAP directory, reached through a pool of connections to
// its servers. It offers a connector for each of its collections.
type Directory struct {
	config      Config
	log         zerolog.Logger
	pool        *pool
	cache       *cache
	journal     *journal
	collections map[string]*collection
	names       []string // of the collections, in the order of the configuration
	facts       atomic.Pointer[facts]
	learning    chan struct{} // held by the one who asks the server what it is
	bodies      sync.Pool     // *[]byte: encoded requests
	smaller     atomic.Int32  // entries in a page, if the server does not take as many as configured
}

// Open makes a Directory and gets in touch with its first server. An error is a
// configuration that can not work. A directory that can not be reached is none:
// every request tries again, and is answered Unavailable until one succeeds.
func Open(ctx context.Context, c Config, collections []Collection, log zerolog.Logger) (*Directory, error) {
	c = c.withDefaults()
	for _, w := range c.Without {
		if !slices.Contains(Switches(), w) {
			return nil, fmt.Errorf("capability %q is not one of %q", w, Switches())
		}
	}
	if c.Dialect != "" {
		if _, err := dialectNamed(c.Dialect); err != nil {
			return nil, err
		}
	}
	p, err := newPool(c, log)
	if err != nil {
		return nil, err
	}
	d := &Directory{
		config:      c,
		log:         log,
		pool:        p,
		cache:       newCache(c.RefCache),
		journal:     newJournal(p.settled),
		collections: map[string]*collection{},
		learning:    make(chan struct{}, 1),
		bodies:      sync.Pool{New: func() any { return new([]byte) }},
	}
	for _, spec := range collections {
		col, err := newCollection(d, spec)
		if err == nil && d.collections[spec.Name] != nil {
			err = errors.New("there are two of that name")
		}
		if err != nil {
			p.close()
			return nil, fmt.Errorf("collection %q: %w", spec.Name, err)
		}
		d.collections[spec.Name] = col
		d.names = append(d.names, spec.Name)
	}
	for _, col := range d.collections {
		for attr, names := range col.References {
			for _, n := range names {
				if d.collections[n] == nil {
					p.close()
					return nil, fmt.Errorf("collection %q: attribute %q refers to collection %q, which is not in this directory", col.Name, attr, n)
				}
			}
		}
	}
	_, err = d.known(ctx)
	if _, unreachable := errors.AsType[*wire.Error](err); err != nil && !unreachable {
		if e, ok := errors.AsType[*wire.ResultError](err); !ok || e.Op != "bind" {
			p.close()
			return nil, err
		}
	}
	if err != nil {
		log.Warn().Err(err).Msg("the directory can not be used yet")
	}
	return d, nil
}

// Close breaks off what is under way and waits until nothing is left of it.
func (d *Directory) Close() error {
	d.pool.close()
	return nil
}

// Collection returns the connector of the named collection.
func (d *Directory) Collection(name string) (connectors.Connector, bool) {
	c, ok := d.collections[name]
	if ok && d.pool.several() {
		return tracked{c, false}, true
	}
	return c, ok
}

// Known reports whether a server has been reached yet.
func (d *Directory) Known() bool { return d.facts.Load() != nil }

// known returns what the server told at the first contact, after making that if
// there was none yet.
func (d *Directory) known(ctx context.Context) (*facts, error) {
	if f := d.facts.Load(); f != nil {
		return f, nil
	}
	ctx, cancel := d.pool.limit(ctx)
	defer cancel()
	select {
	case d.learning <- struct{}{}:
	case <-ctx.Done():
		return nil, &wire.Error{Unsent: true, Err: context.Cause(ctx)}
	}
	defer func() { <-d.learning }()
	if f := d.facts.Load(); f != nil {
		return f, nil
	}
	f, err := d.learn(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range d.collections {
		c.settle(f)
	}
	if len(d.names) > 0 && sameAttr(string(f.stamp), "entryCSN") {
		d.pool.mu.Lock()
		d.pool.suffix = suffixOf(f.root.contexts, d.collections[d.names[0]].baseNorm)
		d.pool.mu.Unlock()
	}
	d.facts.Store(f)
	d.log.Info().Str("dialect", f.name).Str("guard", f.answers.Guard.String()).
		Bool("assertion", f.assert).Bool("post_read", f.post).Bool("paging", f.paging).Bool("extended_dn", f.extDN).
		Int("attributes", len(f.schema.matching)).Msg("directory")
	return f, nil
}

// body returns an empty buffer for a request; it goes back with done.
func (d *Directory) body() *[]byte { return d.bodies.Get().(*[]byte) }

func (d *Directory) done(b *[]byte) {
	if cap(*b) <= 64<<10 {
		*b = (*b)[:0]
		d.bodies.Put(b)
	}
}

// lookUp reads attributes of one entry. The names in the answer are in lower case.
func (d *Directory) lookUp(ctx context.Context, base, filter string, attrs ...string) (map[string][]string, error) {
	compiled, err := compileFilter(filter)
	if err != nil {
		return nil, err
	}
	body := wire.AppendSearch(nil, wire.Search{Base: base, Scope: wire.BaseObject, Filter: compiled}, attrs)
	reply, err := d.pool.read(ctx, body)
	if err != nil {
		return nil, err
	}
	if reply.Code != wire.Success {
		return nil, &wire.ResultError{Op: "search", Result: reply.Result}
	}
	found := map[string][]string{}
	for _, m := range reply.Entries {
		e, err := wire.ParseEntry(m)
		if err != nil {
			return nil, err
		}
		for name, values := range e.Attributes() {
			found[strings.ToLower(name)] = slices.Collect(values.All())
		}
	}
	return found, nil
}

// listValues reads one attribute of every entry below base. OpenLDAP's
// configuration does not take the paged results control.
func (d *Directory) listValues(ctx context.Context, base, filter string, attr connectors.Attr, paged bool) ([]string, error) {
	compiled, err := compileFilter(filter)
	if err != nil {
		return nil, err
	}
	var list []string
	for messages, err := range d.pages(ctx, request{
		Search: wire.Search{Base: base, Scope: wire.WholeSubtree, Filter: compiled},
		want:   []connectors.Attr{attr}, paged: paged,
	}) {
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			e, err := wire.ParseEntry(m)
			if err != nil {
				return nil, err
			}
			for _, values := range e.Attributes() {
				list = slices.AppendSeq(list, values.All())
			}
		}
	}
	return list, nil
}
