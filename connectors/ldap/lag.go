package ldap

import (
	"strings"
	"time"

	"postern/connectors/ldap/wire"
)

// OpenLDAP keeps at the suffix how far its content is: contextCSN, one value for
// each server that takes writes. A copy has the same values once it has the same
// content. Other servers have nothing of the kind that compares between servers.

// marks are the values of contextCSN by the server id in them.
type marks map[string]string

// A sighting is what the active server's marks were at a time.
type sighting struct {
	at    time.Time
	marks marks
}

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

// sight notes the marks of the active server. Of what was seen longer ago than
// replication may take, the last is kept. It is called with p.mu held.
func (p *pool) sight(m marks) {
	if len(m) == 0 {
		return
	}
	p.sightings = append(p.sightings, sighting{time.Now(), m})
	for len(p.sightings) > 1 && time.Since(p.sightings[1].at) >= p.pin {
		p.sightings = p.sightings[1:]
	}
}

// behind reports whether a server lacks what the active server had before
// replication would have had its time. Only the newest mark counts: that of its
// own last writes a server forgets when it dies, although it has them. It is
// called with p.mu held.
func (p *pool) behind(m marks) bool {
	if len(m) == 0 || len(p.sightings) == 0 || time.Since(p.sightings[0].at) < p.pin {
		return false
	}
	var from, newest string
	for id, csn := range p.sightings[0].marks {
		if csn > newest {
			from, newest = id, csn
		}
	}
	return m[from] < newest
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
