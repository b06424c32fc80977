package idstore

import (
	"fmt"
	"slices"
)

// SplitOptions says what leaves an entity, and who wants it. The Alias of an ExternalID says nothing here.
type SplitOptions struct {
	Links       []Anchor
	IDs         []PublicID
	ExternalIDs []ExternalID
	Note
}

// Split makes two entities of one: what is named leaves for a new entity, the rest stays. It returns the operation, whose second
// change is the new entity. With no id named, the new entity gets a fresh one when it is first seen. In each half and domain
// whatever was shown is shown still, and where that went with the other half the oldest alias is.
//
// ErrNotFound: there is no such entity, or it has none of something that is named. ErrInvalid: one of the two would be
// left without a link, or the old one without a public id. ErrBusy: an intent of it is open, or work for one of its
// objects is queued.
func Split(tx Tx, e EntityID, o SplitOptions) (Operation, error) {
	note, err := o.settled()
	if err != nil {
		return Operation{}, err
	}
	r, err := idle(tx, e)
	if err != nil {
		return Operation{}, err
	}
	if err := unworked(tx, r.Links); err != nil {
		return Operation{}, err
	}
	stays, leaves, err := r.divided(o)
	if err != nil {
		return Operation{}, err
	}
	first, err := next(tx, metaEntity, 1)
	if err != nil {
		return Operation{}, err
	}
	leaves.Entity, leaves.Created = EntityID(first), note.When
	return Operation{Kind: OperationSplit, Note: note, Changes: []Change{{Before: r, After: stays}, {After: leaves}}}.carryOut(tx)
}

// divided returns what stays of the record and what leaves.
func (r Record) divided(o SplitOptions) (stays, leaves Record, err error) {
	stays, leaves = r, Record{Type: r.Type}
	stays.Links, stays.IDs, stays.ExternalIDs = nil, nil, nil
	for _, a := range o.Links {
		if !r.linked(a) {
			return stays, leaves, fmt.Errorf("the object %s is not linked to it: %w", a.words(), ErrNotFound)
		}
	}
	for _, id := range o.IDs {
		if r.id(id).Public != id || id.IsZero() {
			return stays, leaves, fmt.Errorf("id %q does not name it: %w", id.String(), ErrNotFound)
		}
	}
	for _, x := range o.ExternalIDs {
		if !r.called(x.Domain, x.Value) {
			return stays, leaves, fmt.Errorf("it is not called %q in domain %q: %w", x.Value, string(x.Domain), ErrNotFound)
		}
	}
	for _, l := range r.Links {
		half := &stays
		if slices.Contains(o.Links, l.Anchor) {
			half = &leaves
		}
		l.Primary = len(half.Links) == 0
		half.Links = append(half.Links, l)
	}
	for _, id := range r.IDs {
		half := &stays
		if slices.Contains(o.IDs, id.Public) {
			half = &leaves
		}
		half.IDs = append(half.IDs, id)
	}
	for _, x := range r.ExternalIDs {
		half := &stays
		if slices.ContainsFunc(o.ExternalIDs, func(named ExternalID) bool { return named.Domain == x.Domain && named.Value == x.Value }) {
			half = &leaves
		}
		half.ExternalIDs = append(half.ExternalIDs, x)
	}
	switch {
	case len(leaves.Links) == 0:
		return stays, leaves, fmt.Errorf("no link would leave for the new entity: %w", ErrInvalid)
	case len(stays.Links) == 0:
		return stays, leaves, fmt.Errorf("no link would stay: %w", ErrInvalid)
	case len(stays.IDs) == 0:
		return stays, leaves, fmt.Errorf("no public id would stay: %w", ErrInvalid)
	}
	for _, half := range []*Record{&stays, &leaves} {
		promoteIDs(half.IDs)
		promoteExternalIDs(half.ExternalIDs, r)
	}
	return stays, leaves, nil
}

// promoteExternalIDs makes the oldest externalId of each domain that has none to show the one that is shown, where the whole record
// had one to show: clients that cleared theirs did so for all of it.
func promoteExternalIDs(all []ExternalID, whole Record) {
	has := map[Domain]bool{}
	for _, x := range all {
		has[x.Domain] = has[x.Domain] || !x.Alias
	}
	for i := range all {
		if x := &all[i]; !has[x.Domain] && whole.ExternalID(x.Domain) != "" {
			x.Alias, has[x.Domain] = false, true
		}
	}
}
