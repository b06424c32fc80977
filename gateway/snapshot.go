package gateway

import (
	"slices"
	"sync"
	"time"

	"postern/connectors"
)

// A snapshot is the order of a list as it was found once: the anchors alone.
// Pages are cut from it, so that a walk neither skips nor repeats and its totals
// are exact for the moment when it was taken.
type snapshot struct {
	key     snapshotKey
	anchors []connectors.Anchor
	taken   time.Time
	used    time.Time
	next    int // where the walk that uses it is expected to go on
	bytes   int
}

const (
	// snapshotBudget bounds the memory of all snapshots of one client, in bytes.
	snapshotBudget = 16 << 20
	// snapshotLife is how many times its idle time a snapshot may live in use.
	snapshotLife = 15
)

// snapshotKey separates lists: one client's walk never moves another's.
type snapshotKey struct {
	client, domain, kind, filter string
}

// snapshots keeps the snapshots of lists while they are walked. A list that is
// begun again has a new one, beside those of walks that are under way. When a
// client's budget is used up, its snapshot that was used longest ago goes.
type snapshots struct {
	ttl time.Duration
	now func() time.Time

	mu   sync.Mutex
	kept map[string][]*snapshot // by client, in no order
	used map[string]int         // bytes by client
}

func newSnapshots(ttl time.Duration, now func() time.Time) *snapshots {
	return &snapshots{ttl: ttl, now: now, kept: make(map[string][]*snapshot), used: make(map[string]int)}
}

// find returns the snapshot that a page is to be cut from: that of the walk
// which is expected to ask for this start, else the newest of the list, or nil.
func (s *snapshots) find(k snapshotKey, start int) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(k.client)
	var best *snapshot
	for _, snap := range s.kept[k.client] {
		if snap.key != k {
			continue
		}
		expected, better := snap.next == start, best == nil || snap.taken.After(best.taken)
		if best != nil && (best.next == start) != expected {
			better = expected
		}
		if better {
			best = snap
		}
	}
	if best != nil {
		best.used = s.now()
	}
	return best
}

// expect says where the walk goes on.
func (s *snapshots) expect(snap *snapshot, next int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap.next = next
}

// keep stores a snapshot of the list just taken.
func (s *snapshots) keep(k snapshotKey, anchors []connectors.Anchor) *snapshot {
	now := s.now()
	snap := &snapshot{key: k, anchors: anchors, taken: now, used: now, bytes: 256 + len(k.filter)}
	for _, a := range anchors {
		snap.bytes += len(a) + 16
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(k.client)
	for len(s.kept[k.client]) > 0 && s.used[k.client]+snap.bytes > snapshotBudget {
		oldest := slices.MinFunc(s.kept[k.client], func(a, b *snapshot) int { return a.used.Compare(b.used) })
		s.drop(k.client, func(other *snapshot) bool { return other == oldest })
	}
	s.kept[k.client] = append(s.kept[k.client], snap)
	s.used[k.client] += snap.bytes
	return snap
}

// expire drops a client's snapshots that nobody has used for a while, or that
// have been used for too long.
func (s *snapshots) expire(client string) {
	now := s.now()
	s.drop(client, func(snap *snapshot) bool {
		return now.Sub(snap.used) > s.ttl || now.Sub(snap.taken) > snapshotLife*s.ttl
	})
}

func (s *snapshots) drop(client string, which func(*snapshot) bool) {
	s.kept[client] = slices.DeleteFunc(s.kept[client], func(snap *snapshot) bool {
		if which(snap) {
			s.used[client] -= snap.bytes
			return true
		}
		return false
	})
	if len(s.kept[client]) == 0 {
		delete(s.kept, client)
		delete(s.used, client)
	}
}
