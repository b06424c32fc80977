// Package gateway holds the use cases: create, read, list, write and delete of
// SCIM resources that live in backends. It orchestrates and nothing else: it
// knows no HTTP, no JSON, no LDAP and no YAML. Each use case is one file.
package gateway

import (
	"fmt"
	"sync/atomic"
	"time"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"

	"github.com/rs/zerolog"
)

// A Target is one resource type with where it lives: the mapping and the
// connector of its collection.
type Target struct {
	Mapping   *mapping.Mapping
	Connector connectors.Connector
	Backend   string // the name that anchors carry in the identity table
	Pairwise  bool   // each provisioning domain sees ids of its own
	Keep      *Keep  // what is done with what a client deletes; nil deletes it
}

// Options is what a Gateway is made of.
type Options struct {
	Store   idstore.Store
	Targets []Target
	// ScanLimit bounds how many entries a filter may be evaluated on here that
	// the backend can not evaluate; beyond it a list is refused. Default 20,000.
	ScanLimit int
	// FirstLook is how many entries the first search of a list may bring before it
	// is walked as a whole instead: most filters name one entry. Default 200.
	FirstLook int
	// SnapshotTTL is how long the order of a list is kept for the next page.
	// Default 2 minutes.
	SnapshotTTL time.Duration
	// Patience is for how long after its beginning a write may yet be carried out
	// that a backend shows nothing of after a crash or a time-out: it may have the
	// request still. Only then is such an intent given up. Default 0.
	Patience time.Duration
	Log      zerolog.Logger
	Now      func() time.Time
}

// A Gateway serves SCIM resources. It may be used by many goroutines.
type Gateway struct {
	store     idstore.Store
	targets   map[string]*target
	order     []*target
	scanLimit int
	firstLook int
	snapshots *snapshots
	cursors   *cursors
	sorting   chan struct{} // one token for each list that is being sorted
	locks     locks
	leftovers leftovers
	promised  promises
	removed   removals
	ids       idCache
	patience  time.Duration
	wake      chan struct{} // see Wake
	workLost  atomic.Bool   // the table has it that someone is at work, and nobody is
	log       zerolog.Logger
	now       func() time.Time
}

type target struct {
	Target
	kind string // the resource type's name
	// reader is the connector for what a client only reads.
	reader connectors.Connector
	rt     *scim.ResourceType
	want   []connectors.Attr // a full read
	meta   struct{ resourceType, location, version *scim.Attribute }
}

// A Caller is who asks: the provisioning domain whose ids and externalIds the
// request speaks of, the client's name, which separates lists in progress, and how
// the log calls the request.
type Caller struct {
	Client  string
	Domain  string
	Request string
}

// A Result is a resource as the backend now has it, with its version. Resource
// is nil where the request was carried out without reading it back, and Version
// is empty where part of what it covers was deliberately not read.
type Result struct {
	Resource    *scim.Resource
	Version     scim.Version
	NotModified bool // a read whose precondition says that the client has it
}

// DefaultScanLimit is how many entries a filter is evaluated on here at most,
// where nothing else is said.
const DefaultScanLimit = 20_000

// New returns a gateway over its parts. Nothing is asked of a backend yet.
func New(o Options) (*Gateway, error) {
	if o.ScanLimit == 0 {
		o.ScanLimit = DefaultScanLimit
	}
	if o.FirstLook == 0 {
		o.FirstLook = 200
	}
	if o.SnapshotTTL == 0 {
		o.SnapshotTTL = 2 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	cursors, err := newCursors()
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		store:     o.Store,
		targets:   make(map[string]*target, len(o.Targets)),
		scanLimit: o.ScanLimit,
		firstLook: o.FirstLook,
		snapshots: newSnapshots(o.SnapshotTTL, o.Now),
		cursors:   cursors,
		sorting:   make(chan struct{}, maxSorting),
		log:       o.Log,
		now:       o.Now,
		promised:  promises{now: o.Now},
		removed:   removals{now: o.Now},
		patience:  o.Patience,
		wake:      make(chan struct{}, 1),
	}
	for _, t := range o.Targets {
		rt := t.Mapping.ResourceType()
		if _, ok := g.targets[rt.Name]; ok {
			return nil, fmt.Errorf("resource type %q is served twice", rt.Name)
		}
		wired := &target{Target: t, kind: rt.Name, reader: t.Connector, rt: rt, want: t.Mapping.Attrs()}
		if r, ok := connectors.As[connectors.Replicated](t.Connector); ok {
			wired.reader = r.Replica()
		}
		for _, sub := range rt.Meta().Sub {
			switch sub.Name {
			case "resourceType":
				wired.meta.resourceType = sub
			case "location":
				wired.meta.location = sub
			case "version":
				wired.meta.version = sub
			}
		}
		g.targets[rt.Name] = wired
		g.order = append(g.order, wired)
	}
	return g, nil
}

// ResourceTypes returns what is served, in the order of the options.
func (g *Gateway) ResourceTypes() []*scim.ResourceType {
	rts := make([]*scim.ResourceType, len(g.order))
	for i, t := range g.order {
		rts[i] = t.rt
	}
	return rts
}

// CursorTimeout returns for how long a cursor holds at least, between one page
// and the next.
func (g *Gateway) CursorTimeout() time.Duration { return g.snapshots.ttl }

func (g *Gateway) target(kind string) (*target, error) {
	if t, ok := g.targets[kind]; ok {
		return t, nil
	}
	return nil, &Fault{Kind: NotFound, Reason: "no such resource type"}
}

func (t *target) scope(c Caller) idstore.Scope {
	s := idstore.Scope{Type: t.kind, Externals: idstore.Domain(c.Domain)}
	if t.Pairwise {
		s.IDs = idstore.Domain(c.Domain)
	}
	return s
}

// idOf is the id that a caller is shown of an entity.
func (t *target) idOf(rec idstore.Record, c Caller) string {
	id, _ := rec.PublicID(t.scope(c).IDs)
	return id.String()
}

func (t *target) anchor(a connectors.Anchor) idstore.Anchor {
	return idstore.Anchor{Backend: t.Backend, Key: string(a)}
}
