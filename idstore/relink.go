package idstore

import "fmt"

// RelinkOptions says how far a relink may go, and who wants it.
type RelinkOptions struct {
	Absorb bool // take over the new object from an entity that nothing is known of but that it was seen once
	Note
}

// Relink puts one anchor of an entity in place of another: the object behind it has a new one, or another object is to stand for it.
// The link stays primary or secondary as it was.
//
// An object that a search met before Relink was called has an entity of its own by then. With Absorb that entity goes, and
// its ids lead to this one as after Merge, if it was only adopted: it has this one link, no externalId, and no history.
//
// ErrNotFound: there is no such entity, or it is not linked to the old anchor. ErrTaken: the new one is linked already, and
// Absorb is not set or its entity was more than adopted. ErrBusy: an intent of one of them is open, or work for the old
// object is queued. ErrInvalid: both anchors are the same, or the new one is none.
func Relink(tx Tx, e EntityID, before, now Anchor, o RelinkOptions) (Operation, error) {
	note, err := o.settled()
	if err != nil {
		return Operation{}, err
	}
	if err := now.check(); err != nil {
		return Operation{}, err
	}
	if before == now {
		return Operation{}, fmt.Errorf("a relink of the object %s to itself: %w", now.words(), ErrInvalid)
	}
	r, err := idle(tx, e)
	if err != nil {
		return Operation{}, err
	}
	if !r.linked(before) {
		return Operation{}, fmt.Errorf("the object %s is not linked to it: %w", before.words(), ErrNotFound)
	}
	if err := unworked(tx, []Link{{Anchor: before}}); err != nil {
		return Operation{}, err
	}
	after := r.relinked(before, now)
	changes := []Change{{Before: r, After: after}}
	holder, err := FindAnchor(tx, now)
	if err != nil {
		return Operation{}, err
	}
	switch {
	case holder.Entity == e:
		return Operation{}, fmt.Errorf("the object %s is linked to it already: %w", now.words(), ErrTaken)
	case holder.Entity != 0 && !o.Absorb:
		return Operation{}, fmt.Errorf("the object %s: %w", now.words(), ErrTaken)
	case holder.Entity != 0:
		if err := absorbable(tx, holder, r.Type); err != nil {
			return Operation{}, err
		}
		changes[0].After = after.named(holder)
		changes = append(changes, Change{Before: holder})
	}
	return Operation{Kind: OperationRelink, Note: note, Changes: changes}.carryOut(tx)
}

// relinked is the record with one anchor in place of another.
func (r Record) relinked(before, now Anchor) Record {
	links := make([]Link, len(r.Links))
	for i, l := range r.Links {
		if l.Anchor == before {
			l.Anchor = now
		}
		links[i] = l
	}
	r.Links = links
	return r
}

// absorbable checks that nothing would be lost with an entity but the ids that it got when it was seen.
func absorbable(tx Tx, r Record, resourceType string) error {
	what := ""
	switch {
	case r.Type != resourceType:
		what = "is a " + r.Type
	case len(r.ExternalIDs) > 0:
		what = "has an externalId"
	case len(r.Links) > 1:
		what = "has other links"
	default:
		for _, err := range HistoryOf(tx, r.Entity, 0) {
			if err != nil {
				return err
			}
			what = "has a history"
			break
		}
	}
	if what != "" {
		return fmt.Errorf("the object %s is of an entity that %s: %w", r.Anchor().words(), what, ErrTaken)
	}
	if err := unintended(tx, r.Entity); err != nil {
		return err
	}
	return unworked(tx, r.Links)
}
