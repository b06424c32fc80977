package ldap

import (
	"slices"
	"strings"
	"time"

	"postern/connectors/ldap/wire"
)

// OpenLDAP keeps at the suffix how far its content is: contextCSN, one value for
// each server that takes writes. A copy has the same values once it has the same
// content. Other servers have nothing of the kind that compares between servers.

// marks are the values of contextCSN by the server id in them.
type marks map[string]string

// A sighting is the newest of the active server's marks: at the time, or a
// little later. Only that one counts: that of its own last writes a server
// forgets when it dies, although it has them.
type sighting struct {
	at        time.Time
	from, csn string
}

// shownBy reports whether a server with the marks has what was seen.
func (s sighting) shownBy(m marks) bool { return m[s.from] >= s.csn }

// marksOf reads the marks from the answer to a probe; there may be none.
func marksOf(reply wire.Reply) marks {
	m := marks{}
	for _, message := range reply.Entries {
		e, err := wire.ParseEntry(message)
		if err != nil {
			return nil
		}
		for name, values := range e.Attributes() {
			if !strings.EqualFold(name, "contextCSN") {
				continue
			}
			for v := range values.All() {
				if parts := strings.Split(v, "#"); len(parts) == 4 { // time#count#server#change
					m[strings.Clone(parts[2])] = strings.Clone(v)
				}
			}
		}
	}
	return m
}

// sight notes the marks of the active server, for which it was asked at a time.
// Of what was seen longer ago than replication may take, the last is kept. It is
// called with p.mu held.
func (p *pool) sight(m marks, at time.Time) {
	seen := sighting{at: at}
	for id, csn := range m {
		if csn > seen.csn {
			seen.from, seen.csn = id, csn
		}
	}
	if seen.csn == "" {
		return
	}
	p.sightings = append(p.sightings, seen)
	for len(p.sightings) > 1 && time.Since(p.sightings[1].at) >= p.pin {
		p.sightings = p.sightings[1:]
	}
}

// behind reports whether a server lacks what the active server had before
// replication would have had its time. It is called with p.mu held.
func (p *pool) behind(m marks) bool {
	return len(m) > 0 && len(p.sightings) > 0 && time.Since(p.sightings[0].at) >= p.pin && !p.sightings[0].shownBy(m)
}

// current returns until when a server has everything that was on the active one
// as far as its marks tell. It is called with p.mu held.
func (p *pool) current(m marks) time.Time {
	for _, seen := range slices.Backward(p.sightings) {
		if seen.shownBy(m) {
			return seen.at
		}
	}
	return time.Time{}
}

// fit reports whether a replica may answer: it is well, up to date, and has what
// was written through us, or at least has had the time to get it. It is called
// with p.mu held.
func (p *pool) fit(s *server) bool {
	if s.well.IsZero() || s.stale {
		return false
	}
	if !s.marked {
		return p.quiet(p.pin + 2*p.health.Interval)
	}
	for _, o := range p.servers {
		if !o.written.Before(s.current) && !o.written.IsZero() {
			return false
		}
	}
	return p.quiet(p.pin)
}

// suffixOf returns the naming context that holds a base, or "".
func suffixOf(contexts []string, base string) string {
	for _, c := range contexts {
		if n, ok := normalizeDN(c); ok && n != "" && within(base, n) {
			return c
		}
	}
	return ""
}
