package ldap

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"postern/connectors"
)

const (
	// keepNotes is how long the journal remembers at most what was written: a
	// server that died with it may be away for long.
	keepNotes = 10 * time.Minute
	maxNotes  = 20_000
)

// A journal remembers which server took which of our own last writes, so that
// another server, which may not have them yet, is not believed when it says
// that there is no such object. Only directories with several servers have one.
type journal struct {
	settled func(*note) bool // every server has it, as far as time tells

	mu    sync.Mutex
	notes map[connectors.Target]*note
	order []entryNote // oldest first; what was written again is in it again
	last  map[*server]time.Time
	tidy  time.Time // when what is settled was last forgotten
	// unknown holds the creations of which nobody knows whether they were
	// carried out, by collection.
	unknown map[string][]*note
}

type entryNote struct {
	target connectors.Target
	note   *note
}

// A note is one write. It is not changed after it was made, save proven, which
// the journal's mu guards.
type note struct {
	server  *server
	at      time.Time
	stamp   connectors.Stamp // of the entry afterwards
	values  map[string]bool  // that were written, as alike spells them; nil is any
	created bool
	deleted bool
	proven  map[*server]bool // that have it
}

func newJournal(settled func(*note) bool) *journal {
	return &journal{settled: settled, notes: map[connectors.Target]*note{}, last: map[*server]time.Time{}, unknown: map[string][]*note{}}
}

func (j *journal) add(t connectors.Target, n *note) {
	n.at = time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	if old := j.notes[t]; old != nil && !n.deleted { // another server may have neither
		n.values = union(old.values, n.values)
	}
	j.notes[t], j.last[n.server] = n, n.at
	j.order = append(j.order, entryNote{t, n})
	for len(j.order) > maxNotes || time.Since(j.order[0].note.at) > keepNotes {
		j.drop(j.order[0])
		j.order = j.order[1:]
	}
}

func (j *journal) drop(e entryNote) {
	if j.notes[e.target] == e.note {
		delete(j.notes, e.target)
	}
}

// forget drops what is settled, now and then. It is called with j.mu held.
func (j *journal) forget() {
	if time.Since(j.tidy) < time.Second {
		return
	}
	j.tidy = time.Now()
	j.order = slices.DeleteFunc(j.order, func(e entryNote) bool {
		gone := j.notes[e.target] != e.note || j.settled(e.note)
		if gone {
			j.drop(e)
		}
		return gone
	})
}

// elsewhere returns the last write of an object if another server than s took
// it and s is not known to have it.
func (j *journal) elsewhere(t connectors.Target, s *server) *note {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := j.notes[t]
	if n == nil || n.server == s || n.proven[s] || time.Since(n.at) > keepNotes {
		return nil
	}
	return n
}

// prove notes that a server has a write.
func (j *journal) prove(n *note, s *server) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n.proven == nil {
		n.proven = map[*server]bool{}
	}
	n.proven[s] = true
}

// owed returns the objects of a collection that were created or changed by way
// of another server than s, that s is not known to have, and that a condition
// may hold for because of it: within d, and where the condition names the value,
// for as long as s can not have them.
func (j *journal) owed(collection string, cond connectors.Cond, s *server, d time.Duration) map[connectors.Anchor]*note {
	j.mu.Lock()
	defer j.mu.Unlock()
	others := false
	for o, at := range j.last {
		others = others || o != s && time.Since(at) <= keepNotes
	}
	if !others {
		return nil
	}
	j.forget()
	named := names(cond)
	owed := map[connectors.Anchor]*note{}
	for i := len(j.order) - 1; i >= 0 && (named || time.Since(j.order[i].note.at) <= d); i-- {
		t, n := j.order[i].target, j.order[i].note
		late := time.Since(n.at) > d
		if t.Collection == collection && j.notes[t] == n && n.server != s && !n.deleted && !n.proven[s] && n.mayMatch(cond) &&
			!(late && (n.values == nil || j.settled(n))) {
			owed[t.Anchor] = n
		}
	}
	return owed
}

// names reports whether a condition only holds for entries with certain values.
func names(cond connectors.Cond) bool {
	switch c := cond.(type) {
	case connectors.Equal:
		return true
	case connectors.And:
		return slices.ContainsFunc(c, names)
	case connectors.Or:
		return !slices.ContainsFunc(c, func(part connectors.Cond) bool { return !names(part) })
	default:
		return false
	}
}

// doubt notes a creation of which nobody knows whether it was carried out.
func (j *journal) doubt(collection string, n *note) {
	n.at = time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	list := slices.DeleteFunc(j.unknown[collection], func(o *note) bool { return time.Since(o.at) > keepNotes })
	if len(list) < maxNotes {
		list = append(list, n)
	}
	j.unknown[collection] = list
}

// doubted returns a doubtful creation by way of another server than s that a
// condition may hold for, or nil.
func (j *journal) doubted(collection string, cond connectors.Cond, s *server) *note {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range j.unknown[collection] {
		if n.server != s && time.Since(n.at) <= keepNotes && n.mayMatch(cond) {
			return n
		}
	}
	return nil
}

// mayMatch reports whether the condition may hold because of what was written.
func (n *note) mayMatch(cond connectors.Cond) bool {
	switch c := cond.(type) {
	case connectors.Equal:
		return n.values == nil || n.values[alike(c.Value)]
	case connectors.And:
		return !slices.ContainsFunc(c, func(part connectors.Cond) bool { return !n.mayMatch(part) })
	case connectors.Or:
		return slices.ContainsFunc(c, n.mayMatch)
	default:
		return true
	}
}

// most bounds the values of a note.
const most = 64

// valuesOf returns written values for a note, or nil if they are many.
func valuesOf(written iter.Seq[connectors.Value]) map[string]bool {
	values := map[string]bool{}
	for v := range written {
		if len(values) == most {
			return nil
		}
		values[alike(v)] = true
	}
	return values
}

func union(a, b map[string]bool) map[string]bool {
	if a == nil || b == nil || len(a)+len(b) > most {
		return nil
	}
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// alike is the same for all values that some matching rule of RFC 4517 takes for
// equal. Of what is long it is the beginning.
func alike(v connectors.Value) string {
	s := strings.ToLower(string(v[:min(len(v), 256)]))
	return strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
