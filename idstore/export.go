package idstore

import (
	"encoding/json"
	"fmt"
	"io"
)

// Export writes all that is in the tables as JSON Lines. The same content is the same bytes, in any driver, and Import makes
// the same content of them. It takes no memory that grows with the table.
func Export(tx Tx, w io.Writer) (Transferred, error) {
	e := exporter{tx: tx, json: json.NewEncoder(w)}
	e.json.SetEscapeHTML(false)
	for _, part := range []func() error{e.header, e.records, e.spentIDs, e.intents, e.operations, e.works, e.end} {
		if err := part(); err != nil {
			return e.sum, err
		}
	}
	return e.sum, nil
}

// exporter is one run of Export.
type exporter struct {
	tx   Tx
	json *json.Encoder
	sum  Transferred
}

func (e *exporter) header() error {
	h := header{Format: exportFormat, Version: exportVersion}
	for _, c := range h.counters() {
		var err error
		if *c.n, err = counter(e.tx, c.name); err != nil {
			return err
		}
	}
	return e.json.Encode(line{Header: &h})
}

// counters pairs the numbers of a header with the rows of TableMeta.
func (h *header) counters() []struct {
	name string
	n    *uint64
} {
	return []struct {
		name string
		n    *uint64
	}{{metaEntity, &h.Entities}, {metaIntent, &h.Intents}, {metaHistory, &h.Operations}, {metaWork, &h.Work}}
}

func (e *exporter) records() error {
	for r, err := range Records(e.tx, 0) {
		if err != nil {
			return err
		}
		e.sum.Entities++
		if err := e.json.Encode(line{Entity: exportRecord(r)}); err != nil {
			return err
		}
	}
	return nil
}

func exportRecord(r Record) *recordLine {
	if r.Entity == 0 {
		return nil
	}
	l := &recordLine{Entity: r.Entity, Type: r.Type, Created: r.Created, Retired: r.Retired, Links: []anchorPart{}, IDs: []idPart{}, ExternalIDs: []externalPart{}}
	for _, link := range r.Links {
		l.Links = append(l.Links, exportAnchor(link.Anchor))
	}
	for _, id := range r.IDs {
		l.IDs = append(l.IDs, idPart{id.Domain, id.Public, id.Alias})
	}
	for _, x := range r.ExternalIDs {
		l.ExternalIDs = append(l.ExternalIDs, externalPart{x.Domain, opaque(x.Value), x.Alias})
	}
	return l
}

func exportAnchor(a Anchor) anchorPart { return anchorPart{Backend: a.Backend, Key: opaque(a.Key)} }

func (e *exporter) spentIDs() error {
	for row, err := range scanFrom(e.tx, TableSpentIDs, nil, nil) {
		if err != nil {
			return err
		}
		if len(row.Key) != len(PublicID{}) {
			return fmt.Errorf("the key of a spent id can not be read: %w", ErrCorrupt)
		}
		grave, deleted, err := decodeSpent(e.tx, row.Value)
		if err != nil {
			return err
		}
		e.sum.SpentIDs++
		if err := e.json.Encode(line{Spent: &spentLine{PublicID(row.Key), grave.Type, grave.IDs, deleted}}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) intents() error {
	for in, err := range Intents(e.tx) {
		if err != nil {
			return err
		}
		e.sum.Intents++
		l := &intentLine{
			ID: in.ID, Kind: in.Kind, Type: in.Scope.Type, IDs: in.Scope.IDs, Externals: in.Scope.Externals, Entity: in.Entity,
			Backend: in.Backend, Name: opaque(in.Name), ExternalID: opaque(in.ExternalID), Begun: in.Begun,
			Who: opaque(in.Who), Why: opaque(in.Why),
		}
		if !in.Public.IsZero() {
			l.Public = &in.Public
		}
		for _, a := range in.Anchors {
			l.Anchors = append(l.Anchors, exportAnchor(a))
		}
		if err := e.json.Encode(line{Intent: l}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) operations() error {
	for o, err := range History(e.tx, 0) {
		if err != nil {
			return err
		}
		e.sum.Operations++
		l := &operationLine{ID: o.ID, Kind: o.Kind, Who: opaque(o.Who), Why: opaque(o.Why), When: o.When, Undoes: o.Undoes, UndoneBy: o.UndoneBy}
		for _, c := range o.Changes {
			l.Changes = append(l.Changes, changePart{exportRecord(c.Before), exportRecord(c.After)})
		}
		for _, left := range o.Leftovers {
			l.Leftovers = append(l.Leftovers, leftoverPart{exportAnchor(left.Anchor), left.Action, left.State, left.At})
		}
		if err := e.json.Encode(line{Operation: l}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) works() error {
	for w, err := range Works(e.tx) {
		if err != nil {
			return err
		}
		e.sum.Work++
		if err := e.json.Encode(line{Work: &workLine{
			ID: w.ID, anchorPart: exportAnchor(w.Anchor), Action: w.Action, Operation: w.Operation, Queued: w.Queued, Next: w.Next,
			Taken: w.Taken, Held: w.Held, Attempts: w.Attempts, LastError: opaque(w.LastError),
		}}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) end() error {
	return e.json.Encode(line{End: &e.sum})
}
