// Package memory is the reference connector: a backend in memory that keeps the
// contract of package connectors to the letter, and can be told to be as weak,
// as slow and as unreliable as a real one.
//
// It behaves like a directory. Attribute names do not depend on case. An object
// has a name among its siblings, taken from its naming attribute, and
// references hold names: they follow a rename, but the name of a deleted object
// stays behind in them, hidden, until Sweep takes it away or an object of that
// name appears again.
package memory

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"postern/connectors"
)

// Options say what the backend holds and what it can do.
type Options struct {
	Collections []Collection

	// Conds is what Search understands; nil is all there is.
	Conds *connectors.CondKind
	// Guard is the strongest guard; nil is the whole entry.
	Guard *connectors.GuardLevel
	// Integrity takes the references to an object away when it is deleted.
	Integrity bool

	// Latency is how long each operation takes. Its effect comes in the middle.
	Latency time.Duration
	// SearchLimit, if not 0, is the most entries that a search gives. One that
	// would give more ends with TooMany.
	SearchLimit int
	// Remember is how many writes a Watch can look back on; 0 is 10,000. A negative one
	// tells nothing at all.
	Remember int
	// Now is the clock of Created and Modified; nil is the system's.
	Now func() time.Time
}

// A Collection is one collection of objects.
type Collection struct {
	Name string

	// Matching is the schema, under lower-case names: other attributes are
	// refused. With nil any attribute goes and compares byte for byte.
	// References, Reverse, Created and Modified need no mention.
	Matching map[connectors.Attr]connectors.Matching
	Required []connectors.Attr
	// Unique attributes have no value twice in the collection. The naming
	// attribute is always unique.
	Unique []connectors.Attr
	// WriteOnly attributes (passwords) are never returned and never match.
	WriteOnly []connectors.Attr

	// References maps each reference attribute to the collections that it may
	// point into.
	References map[connectors.Attr][]string
	// Reverse maps an attribute to the references that it is computed from, as
	// memberOf is from member.
	Reverse map[connectors.Attr]Reverse

	// Created and Modified name the attributes, if any, that the backend sets
	// to the times of the first and the last write.
	Created, Modified connectors.Attr
}

// A Reverse is a reference attribute of another collection, seen from the
// objects that it points to.
type Reverse struct {
	Collection string
	Attr       connectors.Attr
}

// A Backend holds all collections. It needs no Close.
type Backend struct {
	options  Options
	declared connectors.CondKind
	guard    connectors.GuardLevel
	now      func() time.Time

	mu     sync.RWMutex
	rooms  map[string]*room
	named  map[name]*object
	holds  map[edge]map[connectors.Anchor]struct{}
	writes uint64 // counts every write; stamps and the order of creation come from it
	fault  func(op Op, done bool) error
	told   told
}

// New returns an empty backend.
func New(o Options) *Backend {
	b := &Backend{
		options:  o,
		declared: connectors.AllConds,
		guard:    connectors.GuardEntry,
		now:      time.Now,
		rooms:    make(map[string]*room, len(o.Collections)),
		named:    make(map[name]*object),
		holds:    make(map[edge]map[connectors.Anchor]struct{}),
		told:     newTold(o.Remember),
	}
	if o.Conds != nil {
		b.declared = *o.Conds
	}
	if o.Guard != nil {
		b.guard = *o.Guard
	}
	if o.Now != nil {
		b.now = o.Now
	}
	for _, c := range o.Collections {
		b.rooms[c.Name] = newRoom(c)
	}
	return b
}

// Collection returns the connector of a collection, or nil if there is none of
// that name. Every call gives an independent connector to the same objects, so
// that a test can write past the one that the gateway holds.
func (b *Backend) Collection(name string) connectors.Connector {
	r := b.rooms[name]
	if r == nil {
		return nil
	}
	return &connector{b: b, room: r}
}

// Stored returns the values of one attribute as they are stored, also those of
// a write-only one, and nil for an object that there is not.
func (b *Backend) Stored(collection string, a connectors.Anchor, attr connectors.Attr) []connectors.Value {
	b.mu.RLock()
	defer b.mu.RUnlock()
	r := b.rooms[collection]
	if r == nil {
		return nil
	}
	o := r.objects[a]
	if o == nil {
		return nil
	}
	return slices.Clone(o.field(lower(attr)).values)
}

// Plant puts a reference to the object of that name into a reference attribute,
// whatever the collection and whether or not there is one, as a careless
// administrator would. It reports whether the holder exists.
func (b *Backend) Plant(holder connectors.Target, attr connectors.Attr, collection string, named connectors.Value) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rooms[holder.Collection]
	if r == nil || r.objects[holder.Anchor] == nil {
		return false
	}
	o := r.objects[holder.Anchor].clone()
	f := o.edit(lower(attr))
	f.refs = append(slices.Clone(f.refs), name{collection, normal(b.rooms[collection], o.naming, named)})
	b.store(o)
	return true
}

// A room is the state of one collection.
type room struct {
	Collection
	matching  map[connectors.Attr]connectors.Matching // with the computed and reference attributes; nil without a schema
	readable  map[connectors.Attr]connectors.Matching // what conditions may see of it
	writeOnly map[connectors.Attr]bool
	refs      map[connectors.Attr][]string
	reverse   map[connectors.Attr]Reverse
	created   connectors.Attr
	modified  connectors.Attr

	objects map[connectors.Anchor]*object
	order   []place // by creation
}

type place struct {
	serial uint64
	anchor connectors.Anchor
}

func newRoom(c Collection) *room {
	r := &room{
		Collection: c,
		writeOnly:  make(map[connectors.Attr]bool),
		refs:       make(map[connectors.Attr][]string),
		reverse:    make(map[connectors.Attr]Reverse),
		created:    lower(c.Created),
		modified:   lower(c.Modified),
		objects:    make(map[connectors.Anchor]*object),
	}
	for a, to := range c.References {
		r.refs[lower(a)] = to
	}
	for a, from := range c.Reverse {
		r.reverse[lower(a)] = Reverse{from.Collection, lower(from.Attr)}
	}
	for _, a := range c.WriteOnly {
		r.writeOnly[lower(a)] = true
	}
	if c.Matching == nil {
		return r
	}
	r.matching = make(map[connectors.Attr]connectors.Matching)
	for a, m := range c.Matching {
		r.matching[lower(a)] = m
	}
	for a := range r.refs {
		m := r.matching[a]
		m.Rule = connectors.RuleReference
		r.matching[a] = m
	}
	for a := range r.reverse {
		r.matching[a] = connectors.Matching{Rule: connectors.RuleReference, ReadOnly: true}
	}
	for _, a := range []connectors.Attr{r.created, r.modified} {
		if a != "" {
			r.matching[a] = connectors.Matching{
				Rule: connectors.RuleTime, Ordering: true, SingleValue: true, ReadOnly: true,
			}
		}
	}
	r.readable = make(map[connectors.Attr]connectors.Matching)
	for a, m := range r.matching {
		if !r.writeOnly[a] {
			r.readable[a] = m
		}
	}
	return r
}

// rule returns the matching of an attribute under its lower-case name.
func (r *room) rule(a connectors.Attr) (connectors.Matching, bool) {
	if r.matching == nil {
		_, computed := r.reverse[a]
		computed = computed || a == r.created || a == r.modified
		return connectors.Matching{Rule: connectors.RuleExact, ReadOnly: computed}, true
	}
	m, ok := r.matching[a]
	return m, ok
}

func lower(a connectors.Attr) connectors.Attr { return connectors.Attr(strings.ToLower(string(a))) }

func (b *Backend) nextStamp() connectors.Stamp {
	b.writes++
	return connectors.Stamp(strconv.FormatUint(b.writes, 10))
}
