package idstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Damage is a place where the tables contradict each other or can not be read.
type Damage struct {
	Table Table
	Key   []byte // of the row that was looked at
	What  string
}

// Checked says how much a check has looked at.
type Checked struct {
	Entities, PublicIDs, Anchors, ExternalIDs int // records, and the postings of each index
	SpentIDs, Intents, Operations, Work       int
	Damages                                   int
}

// Check verifies every index against every record and back, and all else that one row says of another. It calls found with
// each damage, and goes on unless that fails. It takes no memory that grows with the table, and a time that does: some microseconds
// for each row.
func Check(tx Tx, found func(Damage) error) (Checked, error) {
	c := check{tx: tx, found: found}
	for _, part := range []func() error{
		c.names, c.records,
		func() error { return c.index(TablePublicIDs, &c.sum.PublicIDs) },
		func() error { return c.index(TableAnchors, &c.sum.Anchors) },
		func() error { return c.index(TableExternals, &c.sum.ExternalIDs) },
		c.spentIDs, c.intents, c.operations, c.work,
	} {
		if err := part(); err != nil {
			return c.sum, err
		}
	}
	return c.sum, nil
}

// check is one run of Check.
type check struct {
	tx    Tx
	found func(Damage) error
	sum   Checked
	stop  error // of found
}

// damage reports one.
func (c *check) damage(t Table, key []byte, format string, args ...any) error {
	c.sum.Damages++
	c.stop = c.found(Damage{Table: t, Key: bytes.Clone(key), What: fmt.Sprintf(format, args...)})
	return c.stop
}

// unread reports a row that can not be read, and returns an error that is none of the row's.
func (c *check) unread(t Table, key []byte, err error) error {
	if c.stop == nil && errors.Is(err, ErrCorrupt) {
		return c.damage(t, key, "%v", err)
	}
	return err
}

// names checks that no two names of a kind have one number.
func (c *check) names() error {
	seen := map[[2]uint64]bool{}
	for row, err := range c.tx.Scan(TableNames, nil) {
		if err != nil {
			return err
		}
		number, err := nameNumber(row.Value)
		if err == nil && seen[[2]uint64{uint64(row.Key[0]), number}] {
			err = c.damage(TableNames, row.Key, "another name has the number %d", number)
		} else if err != nil {
			err = c.unread(TableNames, row.Key, err)
		}
		if err != nil {
			return err
		}
		seen[[2]uint64{uint64(row.Key[0]), number}] = true
	}
	return nil
}

// counted checks that a number was given out.
func (c *check) counted(name string, t Table, key []byte, n uint64) error {
	last, err := counter(c.tx, name)
	if err != nil {
		return c.unread(TableMeta, []byte(name), err)
	}
	if n == 0 || n > last {
		return c.damage(t, key, "number %d, the greatest that was given out is %d", n, last)
	}
	return nil
}

// records checks each record by itself and that each index leads to it, and to it alone.
func (c *check) records() error {
	merged := uint64(0)
	for row, err := range scanFrom(c.tx, TableEntities, nil, nil) {
		if err != nil {
			return err
		}
		c.sum.Entities++
		r, err := rowRecord(c.tx, row)
		if err != nil {
			if err = c.unread(TableEntities, row.Key, err); err != nil {
				return err
			}
			continue
		}
		if r.merges() {
			merged++
		}
		for _, what := range r.faults() {
			if err := c.damage(TableEntities, row.Key, "%s", what); err != nil {
				return err
			}
		}
		if err := c.counted(metaEntity, TableEntities, row.Key, uint64(r.Entity)); err != nil {
			return err
		}
		if err := c.indexed(row, r); err != nil {
			return err
		}
		if err := c.alone(row, r); err != nil {
			return err
		}
	}
	counted, err := Merged(c.tx)
	if err != nil {
		return c.unread(TableMeta, []byte(metaMerged), err)
	}
	if counted != merged {
		return c.damage(TableMeta, []byte(metaMerged), "%d entities have more than one link or an alias or are retired, and there are said to be %d", merged, counted)
	}
	return nil
}

// faults says what in a record no operation makes.
func (r Record) faults() (all []string) {
	if len(r.Links) == 0 {
		all = append(all, "the entity has no link")
	}
	if r.Retired && len(r.IDs)+len(r.ExternalIDs) > 0 {
		all = append(all, "the entity is retired and has ids or externalIds")
	}
	shown := map[any]int{}
	seen := map[any]bool{}
	once := func(what string, name any) {
		if seen[name] {
			all = append(all, "the entity has "+what+" twice")
		}
		seen[name] = true
	}
	for _, l := range r.Links {
		once("a link", l.Anchor)
	}
	for _, id := range r.IDs {
		once("a public id", id.Public)
		if !id.Alias {
			shown[id.Domain]++
		}
	}
	for _, id := range r.IDs {
		if shown[id.Domain] != 1 {
			all = append(all, fmt.Sprintf("the entity has %d primary ids in domain %q", shown[id.Domain], string(id.Domain)))
			shown[id.Domain] = 1
		}
	}
	type external Domain // so that the domains of both are apart
	for _, x := range r.ExternalIDs {
		once("an externalId", [2]string{string(x.Domain), x.Value})
		if !x.Alias {
			shown[external(x.Domain)]++
		}
		if shown[external(x.Domain)] == 2 {
			all = append(all, fmt.Sprintf("the entity shows several externalIds in domain %q", string(x.Domain)))
		}
	}
	return all
}

// indexed checks that all names of a record are in their indexes, once.
func (c *check) indexed(row Row, r Record) error {
	all, err := r.postings(c.tx)
	if err != nil {
		return err
	}
	for _, table := range []Table{TablePublicIDs, TableAnchors, TableExternals} {
		index := postings{tx: c.tx, table: table}
		for _, p := range all[table] {
			n := 0
			err := index.each(p.hash(), func(e EntityID) (bool, error) {
				if e == r.Entity {
					n++
				}
				return false, nil
			})
			if err == nil && n != 1 {
				err = c.damage(TableEntities, row.Key, "the index %s leads to it %d times by one name", table, n)
			}
			if err = c.unread(table, p[:], err); err != nil {
				return err
			}
		}
	}
	return nil
}

// alone checks that no other entity has an id or a link of the record, and that its ids are not spent.
func (c *check) alone(row Row, r Record) error {
	other := func(table Table, hash uint64, has func(Record) bool) (found bool, err error) {
		index := postings{tx: c.tx, table: table}
		err = index.each(hash, func(e EntityID) (bool, error) {
			if e == r.Entity {
				return false, nil
			}
			// One that can not be read, or is missing, is found elsewhere.
			same, err := entityRecord(c.tx, e)
			found = found || err == nil && has(same)
			return found, nil
		})
		return found, err
	}
	for _, id := range r.IDs {
		twice, err := other(TablePublicIDs, idHash(id.Public), func(same Record) bool { return same.id(id.Public).Public == id.Public })
		if err == nil && twice {
			err = c.damage(TableEntities, row.Key, "id %q names another entity too", id.Public.String())
		}
		if err == nil {
			_, buried, failed := spent(c.tx, id.Public)
			if err = failed; buried && failed == nil {
				err = c.damage(TableSpentIDs, id.Public[:], "id %q names an entity and is spent", id.Public.String())
			}
		}
		if err = c.unread(TablePublicIDs, id.Public[:], err); err != nil {
			return err
		}
	}
	for _, l := range r.Links {
		backend, err := c.tx.Names().number(c.tx, kindBackend, l.Backend)
		if err != nil {
			return err
		}
		twice, err := other(TableAnchors, textHash(backend, l.Key), func(same Record) bool { return same.linked(l.Anchor) })
		if err == nil && twice {
			err = c.damage(TableEntities, row.Key, "the object %s is linked to another entity too", l.words())
		}
		if err = c.unread(TableAnchors, row.Key, err); err != nil {
			return err
		}
	}
	return nil
}

// index checks the rows of an index, and that each posting leads to an entity that has such a name.
func (c *check) index(t Table, n *int) error {
	var counts [generations]uint64
	var last []byte
	for row, err := range scanFrom(c.tx, t, nil, nil) {
		if err != nil {
			return err
		}
		if len(row.Key) != 1+postingSize || row.Key[0] >= generations || len(row.Value) == 0 || len(row.Value)%postingSize != 0 {
			if err := c.damage(t, row.Key, "the row can not be read"); err != nil {
				return err
			}
			continue
		}
		if len(last) > 0 && last[0] != row.Key[0] {
			last = nil
		}
		all := chunk(row.Value)
		for i := range all.len() {
			p := posting(all.at(i))
			*n++
			counts[row.Key[0]]++
			if len(last) > 0 && bytes.Compare(last[1:], p[:]) >= 0 || bytes.Compare(p[:], row.Key[1:]) > 0 {
				if err := c.damage(t, row.Key, "a posting is out of order"); err != nil {
					return err
				}
			}
			last = append(append(last[:0], row.Key[0]), p[:]...)
			if err := c.leads(t, row, p, all.entity(i)); err != nil {
				return err
			}
		}
	}
	x := postings{tx: c.tx, table: t}
	full, err := x.fullness()
	if err != nil {
		return c.unread(TableMeta, []byte(t.String()), err)
	}
	for i, f := range full {
		if f.count != counts[i] {
			if err := c.damage(TableMeta, []byte(t.String()), "generation %d of the index has %d postings and is said to have %d", i, counts[i], f.count); err != nil {
				return err
			}
		}
	}
	return nil
}

// leads checks that a posting leads to an entity that has such a name.
func (c *check) leads(t Table, row Row, p posting, e EntityID) error {
	r, err := entityRecord(c.tx, e)
	switch {
	case errors.Is(err, ErrCorrupt):
		return nil // found by records
	case err != nil:
		return err
	case r.Entity == 0:
		return c.damage(t, row.Key, "a posting leads to entity %d, which is missing", e)
	}
	all, err := r.postings(c.tx)
	if err == nil && !slices.Contains(all[t], p) {
		err = c.damage(t, row.Key, "a posting leads to entity %d, which has no such name", e)
	}
	return err
}
