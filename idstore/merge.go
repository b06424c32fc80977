package idstore

import (
	"fmt"
	"slices"
)

// MergeOptions says what becomes of the objects of the entity that goes, and who wants it.
type MergeOptions struct {
	Leftover Action // of each object that the entity was linked to; ActionKeep where nothing is said
	Note
}

// Merge makes one entity of two: into stays, from goes. All ids of from lead to into. They become aliases, save that where into has
// none in a domain the primary one of from is primary there. Its externalIds move likewise: where both have one in a domain,
// the one of into is shown and both are found. Its links become secondary ones; what is to become of their objects is
// queued and named in the operation.
//
// ErrInvalid: both are the same, or of two types. ErrNotFound: one does not exist. ErrBusy: an intent of one of them is
// open, or work for an object of from is queued.
func Merge(tx Tx, from, into EntityID, o MergeOptions) (Operation, error) {
	note, err := o.settled()
	if err != nil {
		return Operation{}, err
	}
	if o.Leftover > ActionDelete {
		return Operation{}, fmt.Errorf("a merge that leaves objects to nothing known: %w", ErrInvalid)
	}
	if from == into {
		return Operation{}, fmt.Errorf("a merge of an entity with itself: %w", ErrInvalid)
	}
	gone, err := idle(tx, from)
	if err != nil {
		return Operation{}, err
	}
	stays, err := idle(tx, into)
	if err != nil {
		return Operation{}, err
	}
	if gone.Type != stays.Type {
		return Operation{}, fmt.Errorf("a merge of a %s into a %s: %w", gone.Type, stays.Type, ErrInvalid)
	}
	if err := unworked(tx, gone.Links); err != nil {
		return Operation{}, err
	}
	op := Operation{Kind: OperationMerge, Note: note, Changes: []Change{{Before: stays, After: stays.merged(gone)}, {Before: gone}}}
	if o.Leftover != ActionKeep {
		for _, l := range gone.Links {
			op.Leftovers = append(op.Leftovers, Leftover{Anchor: l.Anchor, Action: o.Leftover, State: LeftoverPending})
		}
	}
	if op, err = op.carryOut(tx); err != nil {
		return Operation{}, err
	}
	for _, l := range op.Leftovers {
		if _, err := queue(tx, Work{Anchor: l.Anchor, Action: l.Action, Operation: op.ID, Queued: note.When}); err != nil {
			return Operation{}, err
		}
	}
	return op, nil
}

// merged is the record once gone is a part of it.
func (r Record) merged(gone Record) Record {
	links := slices.Clone(r.Links)
	for _, l := range gone.Links {
		l.Primary = false
		links = append(links, l)
	}
	m := r.named(gone)
	m.Links = links
	return m
}

// named is the record once the names of gone, its ids and externalIds, lead to it.
func (r Record) named(gone Record) Record {
	ids := slices.Clone(r.IDs)
	for _, id := range gone.IDs {
		if _, has := r.ownID(id.Domain); has {
			id.Alias = true
		}
		ids = append(ids, id)
	}
	externals := slices.Clone(r.ExternalIDs)
	for _, x := range gone.ExternalIDs {
		if r.called(x.Domain, x.Value) {
			if !x.Alias && r.ExternalID(x.Domain) == "" {
				for i, same := range externals {
					if same.Domain == x.Domain && same.Value == x.Value {
						externals[i].Alias = false
					}
				}
			}
			continue
		}
		if r.ExternalID(x.Domain) != "" {
			x.Alias = true
		}
		externals = append(externals, x)
	}
	r.IDs, r.ExternalIDs = ids, externals
	return r
}

// idle returns the record of an entity that is not retired and that no open intent concerns.
func idle(tx Tx, e EntityID) (Record, error) {
	r, err := Entity(tx, e)
	if err != nil {
		return Record{}, err
	}
	if r.Retired {
		return Record{}, fmt.Errorf("the %s was deleted, and its object %s alone is kept; undo the deletion first: %w", r.Type, r.Anchor().words(), ErrInvalid)
	}
	return r, unintended(tx, e)
}

// unintended checks that no open intent concerns an entity.
func unintended(tx Tx, e EntityID) error {
	intents, err := IntentsForEntity(tx, e)
	if err != nil {
		return err
	}
	if len(intents) > 0 {
		return fmt.Errorf("an intent to %s is %w", intents[0].Kind, ErrBusy)
	}
	return nil
}

// unworked checks that no work for the objects is queued.
func unworked(tx Tx, links []Link) error {
	for _, l := range links {
		w, ok, err := WorkFor(tx, l.Anchor)
		if err != nil {
			return err
		}
		if ok {
			return fmt.Errorf("work %d, to %s the object %s, is %w: finish or cancel it first", w.ID, w.Action, w.Anchor.words(), ErrBusy)
		}
	}
	return nil
}
