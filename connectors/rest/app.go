package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"postern/connectors"

	"github.com/rs/zerolog"
)

// An App is an application, with one connector for each collection.
type App struct {
	client      *client
	names       []string
	collections map[string]*collection
	locks       locks
	log         zerolog.Logger

	closed context.Context // ends what is under way when the App is closed
	end    context.CancelFunc
	writes sync.WaitGroup // that nobody waits for any more
}

// Open makes the connectors of an application. It makes no call: an application
// that does not answer is found out by the first one that is needed.
func Open(cfg Config, collections []Collection, log zerolog.Logger) (*App, error) {
	cfg = cfg.withDefaults()
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	a := &App{client: c, collections: make(map[string]*collection, len(collections)), log: log}
	a.closed, a.end = context.WithCancel(context.Background())
	c.closed = a.closed
	for _, spec := range collections {
		if !spec.List.declared() || !spec.Read.declared() || spec.Anchor == "" {
			return nil, fmt.Errorf("collection %q: list, read and anchor are needed", spec.Name)
		}
		a.names = append(a.names, spec.Name)
		a.collections[spec.Name] = newCollection(a, spec)
	}
	return a, nil
}

// Collection returns the connector of a collection.
func (a *App) Collection(name string) (connectors.Connector, bool) {
	c, ok := a.collections[name]
	return c, ok
}

// Close ends what is under way and closes the connections.
func (a *App) Close() error {
	a.end()
	a.writes.Wait()
	a.client.open.Lock() // no call is under way any more, and none begins
	defer a.client.open.Unlock()
	a.client.http.HTTPClient.CloseIdleConnections()
	return nil
}

// detached runs a write that is not broken off when its caller is: it goes on
// until the application has answered, so that the entity's lock is not given away
// while a write is on its way. The caller gets Timeout as soon as it gives up.
func (a *App) detached(ctx context.Context, release func(), write func(context.Context) (connectors.Entry, error)) (connectors.Entry, error) {
	type result struct {
		e   connectors.Entry
		err error
	}
	done := make(chan result, 1)
	if a.closed.Err() != nil {
		release()
		return connectors.Entry{}, errClosed
	}
	a.writes.Go(func() {
		defer release()
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*a.client.cfg.Timeout)
		defer cancel()
		defer context.AfterFunc(a.closed, cancel)()
		e, err := write(own)
		done <- result{e, err}
	})
	select {
	case r := <-done:
		return r.e, r.err
	case <-ctx.Done():
		return connectors.Entry{}, &connectors.Error{Kind: connectors.Timeout, Err: ctx.Err()}
	}
}

var errClosed = &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: errors.New("the connector is closed")}

// changed forgets what lists have told of an object, and what other collections
// may say about it.
func (a *App) changed(of *collection, anchor connectors.Anchor) {
	for _, c := range a.collections {
		switch {
		case c == of:
			c.recent.drop(anchor)
		case len(c.References) > 0:
			c.recent.dropAll()
		}
	}
}

// locks serialises the writes to one entity within the process.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// acquire waits for an entity, until the context ends.
func (l *locks) acquire(ctx context.Context, key string) (release func(), err error) {
	for {
		l.mu.Lock()
		if l.held == nil {
			l.held = make(map[string]chan struct{})
		}
		wait, taken := l.held[key]
		if !taken {
			free := make(chan struct{})
			l.held[key] = free
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.held, key)
				l.mu.Unlock()
				close(free)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, gaveUp(ctx.Err())
		}
	}
}

// recent remembers what lists have brought: the entries of a walk, which the
// gateway asks for again page by page, and the first pages of a list that was
// broken off to be walked from the beginning. Nothing else is answered from it.
type recent struct {
	mu      sync.Mutex
	now     func() time.Time
	writes  uint64 // of this process, to any object of the collection
	entries map[connectors.Anchor]remembered
	order   []connectors.Anchor
	bytes   int
	pages   []page
	broken  time.Time
}

type remembered struct {
	e  connectors.Entry
	at time.Time
}

const (
	// walkTime is how long the entries of a walk are answered from memory.
	walkTime = 2 * time.Minute
	// walkBudget bounds the memory of one collection, in bytes.
	walkBudget = 32 << 20
	// resumeTime is how long a list that was broken off can be gone on with.
	resumeTime = 2 * time.Second
	// resumeObjects is how many objects of it are kept at most.
	resumeObjects = 2000
)

func (r *recent) keep(e connectors.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = make(map[connectors.Anchor]remembered)
	}
	if old, again := r.entries[e.Anchor]; again {
		r.bytes -= sizeOf(old.e)
	} else {
		r.order = append(r.order, e.Anchor)
	}
	r.bytes += sizeOf(e)
	r.entries[e.Anchor] = remembered{e, r.now()}
	if len(r.order) > 2*len(r.entries)+64 {
		r.forgetOrder()
	}
	for r.bytes > walkBudget && len(r.order) > 0 {
		if old, ok := r.entries[r.order[0]]; ok {
			r.bytes -= sizeOf(old.e)
			delete(r.entries, r.order[0])
		}
		r.order = r.order[1:]
	}
}

// forgetOrder leaves each entry the newest of its places, and takes out those of
// entries that were dropped.
func (r *recent) forgetOrder() {
	seen := make(map[connectors.Anchor]bool, len(r.entries))
	kept := make([]connectors.Anchor, 0, len(r.entries))
	for _, a := range slices.Backward(r.order) {
		if _, there := r.entries[a]; there && !seen[a] {
			seen[a] = true
			kept = append(kept, a)
		}
	}
	slices.Reverse(kept)
	r.order = kept
}

func sizeOf(e connectors.Entry) int {
	n := 200 + len(e.Anchor)
	for _, f := range e.Fields {
		n += 80 + len(f.Attr) + 40*len(f.Refs)
		for _, v := range f.Values {
			n += 16 + len(v)
		}
	}
	return n
}

func (r *recent) find(a connectors.Anchor) (connectors.Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.entries[a]
	return m.e, ok && r.now().Sub(m.at) < walkTime
}

func (r *recent) drop(a connectors.Anchor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	r.pages = nil
	if m, ok := r.entries[a]; ok {
		r.bytes -= sizeOf(m.e)
		delete(r.entries, a)
	}
}

func (r *recent) dropAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	r.entries, r.order, r.bytes, r.pages = nil, nil, 0, nil
}

// moment counts the writes: what was read at one moment is not kept at another.
func (r *recent) moment() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes
}

func (r *recent) leave(pages []page, moment uint64) {
	n := 0
	for _, p := range pages {
		n += len(p.objects)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n <= resumeObjects && r.writes == moment {
		r.pages, r.broken = pages, r.now()
	}
}

// resume takes the pages of a list that was broken off a moment ago.
func (r *recent) resume() []page {
	r.mu.Lock()
	defer r.mu.Unlock()
	pages := r.pages
	r.pages = nil
	if r.now().Sub(r.broken) > resumeTime {
		return nil
	}
	return pages
}
