package ldap

import (
	"strings"
	"sync"
	"time"

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
	mu    sync.Mutex
	notes map[connectors.Target]*note
	order []entryNote // oldest first; what was written again is in it again
	last  map[*server]time.Time
	// names holds what creations named their objects of which nobody knows
	// whether they were carried out.
	names map[unknownName]*note
}

type entryNote struct {
	target connectors.Target
	note   *note
}

type unknownName struct{ collection, value string }

// A note is one write. It is not changed after it was made, save proven, which
// the journal's mu guards.
type note struct {
	server  *server
	at      time.Time
	stamp   connectors.Stamp // of the entry afterwards
	created bool
	deleted bool
	proven  map[*server]bool // that have it
}

func newJournal() *journal {
	return &journal{notes: map[connectors.Target]*note{}, last: map[*server]time.Time{}, names: map[unknownName]*note{}}
}

func (j *journal) add(t connectors.Target, n *note) {
	n.at = time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notes[t], j.last[n.server] = n, n.at
	j.order = append(j.order, entryNote{t, n})
	for len(j.order) > maxNotes || time.Since(j.order[0].note.at) > keepNotes {
		if old := j.order[0]; j.notes[old.target] == old.note {
			delete(j.notes, old.target)
		}
		j.order = j.order[1:]
	}
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

// owed returns the objects of a collection that were created or changed within
// d by way of another server than s, and that s is not known to have.
func (j *journal) owed(collection string, s *server, d time.Duration) map[connectors.Anchor]*note {
	j.mu.Lock()
	defer j.mu.Unlock()
	others := false
	for o, at := range j.last {
		others = others || o != s && time.Since(at) <= d
	}
	if !others {
		return nil
	}
	owed := map[connectors.Anchor]*note{}
	for i := len(j.order) - 1; i >= 0 && time.Since(j.order[i].note.at) <= d; i-- {
		t, n := j.order[i].target, j.order[i].note
		if t.Collection == collection && j.notes[t] == n && n.server != s && !n.deleted && !n.proven[s] {
			owed[t.Anchor] = n
		}
	}
	return owed
}

// doubt notes a creation of which nobody knows whether it was carried out.
func (j *journal) doubt(collection string, name connectors.Value, s *server) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for k, n := range j.names {
		if time.Since(n.at) > keepNotes {
			delete(j.names, k)
		}
	}
	if len(j.names) < maxNotes {
		j.names[unknownName{collection, strings.ToLower(string(name))}] = &note{server: s, at: time.Now()}
	}
}

// doubted returns the doubtful creation by way of another server than s whose
// name a condition asks for, or nil.
func (j *journal) doubted(collection string, cond connectors.Cond, s *server) *note {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.names) == 0 {
		return nil
	}
	var find func(connectors.Cond) *note
	find = func(cond connectors.Cond) *note {
		var parts []connectors.Cond
		switch c := cond.(type) {
		case connectors.Equal:
			n := j.names[unknownName{collection, strings.ToLower(string(c.Value))}]
			if n != nil && n.server != s && time.Since(n.at) <= keepNotes {
				return n
			}
		case connectors.And:
			parts = c
		case connectors.Or:
			parts = c
		case connectors.Not:
			parts = []connectors.Cond{c.Cond}
		}
		for _, p := range parts {
			if n := find(p); n != nil {
				return n
			}
		}
		return nil
	}
	return find(cond)
}
