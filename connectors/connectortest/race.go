package connectortest

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"postern/connectors"
)

// racers is how many writers meet on one object.
const racers = 20

// race checks that of writers that read the same, one wins. Half of them write
// through the second connector.
func (s *suite) race(t *testing.T) {
	if s.caps.Guard >= connectors.GuardTouched {
		u := s.user(t, has(s.u.Plain, "v0"))
		now := connectors.Value("v0")
		for round := range 5 {
			win := s.contend(t, u.Anchor, func(i int) ([]connectors.Change, connectors.Guard) {
				to := connectors.Value("v" + strconv.Itoa(round+1) + "-" + strconv.Itoa(i))
				return []connectors.Change{swap(s.u.Plain, now, to)}, connectors.Guard{Level: connectors.GuardTouched}
			})
			now = connectors.Value("v" + strconv.Itoa(round+1) + "-" + strconv.Itoa(win))
			s.holds(t, s.read(t, u.Anchor), s.u.Plain, now)
		}
	}
	if s.caps.Guard >= connectors.GuardEntry {
		u := s.user(t)
		for round := range 3 {
			stamp := s.read(t, u.Anchor).Stamp
			s.contend(t, u.Anchor, func(i int) ([]connectors.Change, connectors.Guard) {
				v := connectors.Value(strconv.Itoa(round) + "-" + strconv.Itoa(i))
				return []connectors.Change{swap(s.u.Multi, "", v)}, connectors.Guard{Level: connectors.GuardEntry, Stamp: stamp}
			})
		}
		if got := s.read(t, u.Anchor).Field(s.u.Multi).Values; len(got) != 3 {
			t.Errorf("three rounds left %q", got)
		}
	}
	if s.caps.Guard >= connectors.GuardValues {
		u := s.user(t, has(s.u.Other, "0"))
		read := has(s.u.Other, "0")
		for round := range 3 {
			next := connectors.Value(strconv.Itoa(round + 1))
			s.contend(t, u.Anchor, func(i int) ([]connectors.Change, connectors.Guard) {
				v := connectors.Value(strconv.Itoa(round) + "-" + strconv.Itoa(i))
				return []connectors.Change{swap(s.u.Multi, "", v), swap(s.u.Other, read.Values[0], next)},
					connectors.Guard{Level: connectors.GuardValues, Read: []connectors.Field{read}}
			})
			read = has(s.u.Other, next)
		}
		if got := s.read(t, u.Anchor).Field(s.u.Multi).Values; len(got) != 3 {
			t.Errorf("three rounds left %q", got)
		}
	}
	s.raceForAName(t)
	s.raceIntoAGroup(t)
}

// contend lets all racers write at once and returns the one that won.
func (s *suite) contend(t *testing.T, a connectors.Anchor, write func(i int) ([]connectors.Change, connectors.Guard)) int {
	t.Helper()
	var winners atomic.Int64
	var won atomic.Int64
	together(func(i int) {
		c := s.users
		if i%2 == 1 {
			c = s.o.RivalUsers
		}
		changes, guard := write(i)
		_, err := c.Apply(t.Context(), a, changes, guard, s.want)
		if err == nil {
			winners.Add(1)
			won.Store(int64(i))
			return
		}
		fails(t, "a loser", err, connectors.GuardFailed)
	})
	if n := winners.Load(); n != 1 {
		t.Fatalf("%d of %d writers won", n, racers)
	}
	return int(won.Load())
}

// together runs do for every racer, all at the same time.
func together(do func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func (s *suite) raceForAName(t *testing.T) {
	name := s.name()
	var mu sync.Mutex
	var made []connectors.Anchor
	together(func(i int) {
		c := s.users
		if i%2 == 1 {
			c = s.o.RivalUsers
		}
		e, err := c.Create(t.Context(), s.u.Draft(name), nil)
		if err != nil {
			fails(t, "a loser", err, connectors.Exists)
			return
		}
		mu.Lock()
		made = append(made, e.Anchor)
		mu.Unlock()
	})
	for _, a := range made {
		s.discard(t, s.users, a)
	}
	if len(made) != 1 {
		t.Errorf("%d of %d objects of one name were made", len(made), racers)
	}
}

// raceIntoAGroup checks that membership changes, which read nothing, do not
// undo each other.
func (s *suite) raceIntoAGroup(t *testing.T) {
	var in, out []connectors.Target
	for range racers / 2 {
		in = append(in, s.toUser(s.user(t)))
		out = append(out, s.toUser(s.user(t)))
	}
	g := s.group(t, out...)
	together(func(i int) {
		change := connectors.Change{Attr: s.g.Ref, Lenient: true}
		c := s.groups
		if i%2 == 0 {
			change.AddRefs = in[i/2 : i/2+1]
		} else {
			change.DeleteRefs = out[i/2 : i/2+1]
			c = s.o.RivalGroups
		}
		if _, err := c.Apply(t.Context(), g.Anchor, []connectors.Change{change}, connectors.Guard{}, nil); err != nil {
			t.Errorf("a membership change: %v", err)
		}
	})
	refersTo(t, "the group", s.members(t, g.Anchor), in...)
}
