package idstore

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

const maxLine = 64 << 20 // bytes in a line of an export

// Import fills an empty store with what Export wrote, all of it or, where it fails, nothing: whoever calls it lets the update fail
// with it. Afterwards the tables are checked as Check does.
//
// The error names the line. ErrInvalid: the text is no export, is cut off, contradicts itself, or the store is not empty.
// ErrNewer: a later version of the program wrote it.
func Import(tx Tx, r io.Reader) (Transferred, error) {
	if err := empty(tx); err != nil {
		return Transferred{}, err
	}
	tx = ownNames{tx, new(Names)}
	i := importer{tx: tx, phase: TableEntities, fresh: map[Table][]posting{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if err := i.line(n, lines.Bytes()); err != nil {
			return i.sum, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return i.sum, fmt.Errorf("line %d is longer than %d bytes: %w", n+1, maxLine, ErrInvalid)
	} else if err != nil {
		return i.sum, err
	}
	if !i.ended {
		return i.sum, fmt.Errorf("cut off after line %d: %w", n, ErrInvalid)
	}
	_, err := Check(tx, func(d Damage) error { return fmt.Errorf("%s: %w", d.What, ErrInvalid) })
	return i.sum, err
}

// ownNames remembers the names that a long update itself has made, for that update alone: should it fail, what it remembers goes
// with it.
type ownNames struct {
	Tx
	names *Names
}

func (t ownNames) Names() *Names { return t.names }

// Writable says no to the cache of names, which remembers nothing of an update otherwise.
func (t ownNames) Writable() bool { return false }

// empty checks that a store was never used.
func empty(tx Tx) error {
	for t := range Table(TableCount) {
		if t == TableMeta || t == TableNames {
			continue
		}
		row, err := tx.Seek(t, nil)
		if err != nil {
			return err
		}
		if row.Key != nil {
			return fmt.Errorf("the identity table is not empty: %w", ErrInvalid)
		}
	}
	var h header
	for _, c := range h.counters() {
		n, err := counter(tx, c.name)
		if err != nil {
			return err
		}
		if n != 0 {
			return fmt.Errorf("the identity table was used before: %w", ErrInvalid)
		}
	}
	return nil
}

// importer is one run of Import. It writes the tables in the order of their numbers, each in the order of its keys: a driver may keep all that
// a transaction wrote as one sorted list, and to put a row before a million others a million times would take hours. So what
// belongs to a later table waits in memory: 11 bytes for each name of an entity, some more for each change of the history.
type importer struct {
	tx          Tx
	phase       Table // what is read
	fresh       map[Table][]posting
	historyKeys [][]byte
	sum         Transferred
	last        EntityID
	merged      uint64 // entities that Merged counts
	ended       bool
}

// line reads and stores one line.
func (i *importer) line(n int, text []byte) error {
	if i.ended {
		return fmt.Errorf("something follows the end: %w", ErrInvalid)
	}
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	// A later version may say more in the header.
	if n > 1 {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(&l); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one value: %w", ErrInvalid)
	}
	if (n == 1) != (l.Header != nil) {
		return fmt.Errorf("an export begins with one header: %w", ErrInvalid)
	}
	if err := i.enter(l.table()); err != nil {
		return err
	}
	switch {
	case l.Header != nil:
		return i.header(l.Header)
	case l.Entity != nil:
		i.sum.Entities++
		return i.record(l.Entity)
	case l.Spent != nil:
		i.sum.SpentIDs++
		return i.spent(l.Spent)
	case l.Intent != nil:
		i.sum.Intents++
		return i.intent(l.Intent)
	case l.Operation != nil:
		i.sum.Operations++
		return i.operation(l.Operation)
	case l.Work != nil:
		i.sum.Work++
		return i.work(l.Work)
	case l.End != nil:
		if *l.End != i.sum {
			return fmt.Errorf("the end speaks of %+v, there were %+v: %w", *l.End, i.sum, ErrInvalid)
		}
		i.ended = true
		if i.merged == 0 {
			return nil
		}
		return setCounter(i.tx, metaMerged, i.merged)
	}
	return fmt.Errorf("an empty line: %w", ErrInvalid)
}

// table is where the line belongs. The header comes before all tables and the end after them.
func (l *line) table() Table {
	switch {
	case l.Header != nil, l.Entity != nil:
		return TableEntities
	case l.Spent != nil:
		return TableSpentIDs
	case l.Intent != nil:
		return TableIntents
	case l.Operation != nil:
		return TableHistory
	case l.Work != nil:
		return TableWork
	}
	return TableCount
}

// enter writes what has to be in the tables before that of a line.
func (i *importer) enter(t Table) error {
	if t < i.phase {
		return fmt.Errorf("a line of %s after lines of %s: %w", t, i.phase, ErrInvalid)
	}
	for ; i.phase < t; i.phase++ {
		if i.phase == TableHistoryKeys {
			slices.SortFunc(i.historyKeys, bytes.Compare)
			for _, key := range i.historyKeys {
				if err := i.tx.Put(TableHistoryKeys, key, marker); err != nil {
					return err
				}
			}
		}
		if fresh := i.fresh[i.phase]; len(fresh) > 0 {
			index := postings{tx: i.tx, table: i.phase}
			if err := index.add(fresh); err != nil {
				return err
			}
			delete(i.fresh, i.phase)
		}
	}
	return nil
}

func (i *importer) header(h *header) error {
	if h.Format != exportFormat {
		return fmt.Errorf("the format is %q, not %q: %w", h.Format, exportFormat, ErrInvalid)
	}
	if h.Version > exportVersion {
		return fmt.Errorf("the export has version %d, this program knows up to %d: %w", h.Version, exportVersion, ErrNewer)
	}
	for _, c := range h.counters() {
		if *c.n == 0 {
			continue
		}
		if err := setCounter(i.tx, c.name, *c.n); err != nil {
			return err
		}
	}
	return nil
}

func (i *importer) record(l *recordLine) error {
	r, err := l.record()
	if err != nil {
		return err
	}
	if r.Entity <= i.last {
		return fmt.Errorf("entity %d after entity %d: %w", r.Entity, i.last, ErrInvalid)
	}
	i.last = r.Entity
	for _, what := range r.faults() {
		return fmt.Errorf("%s: %w", what, ErrInvalid)
	}
	if err := putRecord(i.tx, r); err != nil {
		return err
	}
	if r.merges() {
		i.merged++
	}
	all, err := r.postings(i.tx)
	if err != nil {
		return err
	}
	for table, postings := range all {
		i.fresh[table] = append(i.fresh[table], postings...)
	}
	return nil
}

func (i *importer) spent(l *spentLine) error {
	if _, ok, err := spent(i.tx, l.ID); err != nil {
		return err
	} else if ok || l.ID.IsZero() {
		return fmt.Errorf("id %q twice, or none: %w", l.ID.String(), ErrInvalid)
	}
	if l.Type == "" {
		return reserveID(i.tx, l.ID)
	}
	return buryID(i.tx, l.Type, ID{Domain: l.Domain, Public: l.ID}, l.Deleted)
}
