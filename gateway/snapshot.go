package gateway

import (
	"sync"
	"time"

	"postern/connectors"
)

// A snapshot is the order of a list as it was found once: the anchors alone.
// Pages are cut from it, so that a walk neither skips nor repeats and its totals
// are exact for the moment when it was taken.
type snapshot struct {
	anchors []connectors.Anchor
	taken   time.Time
	bytes   int
}

// snapshotBudget bounds the memory of all snapshots of one client, in bytes.
const snapshotBudget = 16 << 20

// snapshotKey separates lists: one client's walk never moves another's.
type snapshotKey struct {
	client, domain, kind, filter string
}

// snapshots keeps the newest snapshot of each list for a while, the oldest of a
// client going first when the client's budget is used up.
type snapshots struct {
	ttl time.Duration
	now func() time.Time

	mu   sync.Mutex
	kept map[snapshotKey]*snapshot
	used map[string]int // bytes by client
}

func newSnapshots(ttl time.Duration, now func() time.Time) *snapshots {
	return &snapshots{ttl: ttl, now: now, kept: make(map[snapshotKey]*snapshot), used: make(map[string]int)}
}

// find returns the list's snapshot if there is one that is not too old.
func (s *snapshots) find(k snapshotKey) (*snapshot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, ok := s.kept[k]
	if ok && s.now().Sub(snap.taken) > s.ttl {
		s.drop(k)
		return nil, false
	}
	return snap, ok
}

// keep stores a snapshot of the list just taken, in place of an older one.
func (s *snapshots) keep(k snapshotKey, anchors []connectors.Anchor) *snapshot {
	snap := &snapshot{anchors: anchors, taken: s.now()}
	for _, a := range anchors {
		snap.bytes += len(a) + 16
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(k)
	for other, old := range s.kept {
		if s.now().Sub(old.taken) > s.ttl {
			s.drop(other)
		}
	}
	for s.used[k.client] > 0 && s.used[k.client]+snap.bytes > snapshotBudget {
		s.drop(s.oldest(k.client))
	}
	s.kept[k] = snap
	s.used[k.client] += snap.bytes
	return snap
}

func (s *snapshots) oldest(client string) (oldest snapshotKey) {
	var when time.Time
	for k, snap := range s.kept {
		if k.client == client && (when.IsZero() || snap.taken.Before(when)) {
			oldest, when = k, snap.taken
		}
	}
	return oldest
}

func (s *snapshots) drop(k snapshotKey) {
	if snap, ok := s.kept[k]; ok {
		delete(s.kept, k)
		if s.used[k.client] -= snap.bytes; s.used[k.client] <= 0 {
			delete(s.used, k.client)
		}
	}
}
