package gateway

import (
	"slices"
	"sync"
	"time"
)

// A snapshot is the order of a list as it was found once: the anchors alone.
// Pages are cut from it, so that a walk neither skips nor repeats and its totals
// are exact for the moment when it was taken.
type snapshot struct {
	id       uint64 // 0 for one that is not kept
	key      listKey
	byCursor bool // it is walked by cursor, and never found by index
	items    []item
	taken    time.Time
	used     time.Time
	next     int // where the walk by index that uses it is expected to go on
	bytes    int
}

const (
	// snapshotBudget bounds the memory of all snapshots of one client, in bytes.
	snapshotBudget = 16 << 20
	// snapshotLife is how many times its idle time a snapshot is found by index:
	// a client that asks for page 2 again and again wants what is there now. A
	// cursor names its snapshot, which lives as long as it is used.
	snapshotLife = 15
)

// snapshots keeps the snapshots of lists while they are walked. A list that is
// begun again has a new one, beside those of walks that are under way. When a
// client's budget is used up, its snapshot that was used longest ago goes.
type snapshots struct {
	ttl time.Duration
	now func() time.Time

	mu    sync.Mutex
	count uint64
	kept  map[string][]*snapshot // by client, in no order
	used  map[string]int         // bytes by client
}

func newSnapshots(ttl time.Duration, now func() time.Time) *snapshots {
	return &snapshots{ttl: ttl, now: now, kept: make(map[string][]*snapshot), used: make(map[string]int)}
}

// find returns the snapshot that a page by index is to be cut from: that of the
// walk which is expected to ask for this start, else the newest of the list, or
// nil.
func (s *snapshots) find(client string, k listKey, start int) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(client)
	now := s.now()
	var best *snapshot
	for _, snap := range s.kept[client] {
		if snap.key != k || snap.byCursor || now.Sub(snap.taken) > snapshotLife*s.ttl {
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
		best.used = now
	}
	return best
}

// get returns the client's snapshot with this id, or nil.
func (s *snapshots) get(client string, id uint64) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(client)
	for _, snap := range s.kept[client] {
		if snap.id == id {
			snap.used = s.now()
			return snap
		}
	}
	return nil
}

// touch begins the idle time of a snapshot anew, now that a page of it is done,
// and says where the walk goes on.
func (s *snapshots) touch(snap *snapshot, next int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap.used, snap.next = s.now(), next
}

// keep stores a snapshot of the list just taken.
func (s *snapshots) keep(client string, snap *snapshot) {
	snap.bytes = 256
	for _, i := range snap.items {
		snap.bytes += len(i.anchor) + 24
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(client)
	for len(s.kept[client]) > 0 && s.used[client]+snap.bytes > snapshotBudget {
		oldest := slices.MinFunc(s.kept[client], func(a, b *snapshot) int { return a.used.Compare(b.used) })
		s.drop(client, func(other *snapshot) bool { return other == oldest })
	}
	s.count++
	snap.id, snap.taken, snap.used = s.count, s.now(), s.now()
	s.kept[client] = append(s.kept[client], snap)
	s.used[client] += snap.bytes
}

// expire drops a client's snapshots that nobody has used for a while.
func (s *snapshots) expire(client string) {
	now := s.now()
	s.drop(client, func(snap *snapshot) bool { return now.Sub(snap.used) > s.ttl })
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
