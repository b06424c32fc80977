package idstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Undo takes back the newest operation that changed an entity and was not taken back yet, in all entities that it changed. An entity
// that an operation made to go is named by the number that it had. Work that the operation asked for is cancelled; what was
// done in a backend stays done, and the Leftovers of the operation that is named by Undoes say so.
//
// Undo again takes back the one before. The undo itself is in the history too and is never taken back.
//
// ErrNotFound: there is nothing to take back. ErrChanged: something else has changed there since; the error says what.
// ErrBusy: an intent of one of the entities is open, or someone is at work that is to be cancelled. ErrTaken: an object
// that was linked is linked to another entity by now, as when it was deleted and came back.
func Undo(tx Tx, e EntityID, n Note) (Operation, error) {
	note, err := n.settled()
	if err != nil {
		return Operation{}, err
	}
	undone, err := lastOperation(tx, e)
	if err != nil {
		return Operation{}, err
	}
	if err := undone.passDeleted(tx); err != nil {
		return Operation{}, err
	}
	if err := undone.stands(tx); err != nil {
		return Operation{}, err
	}
	for _, l := range undone.Leftovers {
		w, ok, err := WorkFor(tx, l.Anchor)
		if err != nil {
			return Operation{}, err
		}
		if ok && w.Operation == undone.ID {
			if err := w.cancel(tx, note.When); err != nil {
				return Operation{}, err
			}
		}
	}
	op := Operation{Kind: OperationUndo, Note: note, Undoes: undone.ID}
	for _, c := range undone.Changes {
		op.Changes = append(op.Changes, Change{Before: c.After, After: c.Before})
	}
	if op, err = op.carryOut(tx); err != nil {
		return Operation{}, err
	}
	// The cancelled work is in the row by now.
	if undone, err = OperationByID(tx, undone.ID); err != nil {
		return Operation{}, err
	}
	undone.UndoneBy = op.ID
	return op, putOperation(tx, undone)
}

// lastOperation is the newest operation of an entity that stands.
func lastOperation(tx Tx, e EntityID) (Operation, error) {
	for o, err := range HistoryOf(tx, e, 0) {
		if err != nil {
			return Operation{}, err
		}
		if o.Kind != OperationUndo && o.UndoneBy == 0 {
			return o, nil
		}
	}
	return Operation{}, fmt.Errorf("an operation to take back: %w", ErrNotFound)
}

// passDeleted takes the links away that the operation left and that went because its own work deleted their objects. They come
// back with what is taken back, and name the objects that return under the same anchor.
func (o *Operation) passDeleted(tx Tx) error {
	for i := range o.Changes {
		c := &o.Changes[i]
		now, err := entityRecord(tx, c.Entity())
		if err != nil {
			return err
		}
		c.After.Links = slices.DeleteFunc(slices.Clone(c.After.Links), func(l Link) bool {
			deleted := slices.ContainsFunc(o.Leftovers, func(left Leftover) bool {
				return left.Anchor == l.Anchor && left.Action == ActionDelete && left.State == LeftoverDone
			})
			return deleted && !slices.ContainsFunc(now.Links, func(is Link) bool { return is.Anchor == l.Anchor })
		})
	}
	return nil
}

// stands checks that all entities are as the operation left them and that nothing is under way with them.
func (o Operation) stands(tx Tx) error {
	var since []string
	for _, c := range o.Changes {
		r, err := entityRecord(tx, c.Entity())
		if err != nil {
			return err
		}
		found := differences(c.After, r)
		if len(found) == 0 {
			if err := unintended(tx, c.Entity()); err != nil {
				return err
			}
			continue
		}
		since = append(since, found...)
		last, err := lastOperation(tx, c.Entity())
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if last.ID > o.ID {
			since = append(since, fmt.Sprintf("operation %d is a later %s", last.ID, last.Kind))
		}
	}
	if len(since) > 0 {
		return fmt.Errorf("the %s (operation %d) can not be taken back: %s: %w", o.Kind, o.ID, strings.Join(since, ", "), ErrChanged)
	}
	return nil
}

// differences says in words how an entity that was one record became another. The order of externalIds makes none.
func differences(was, is Record) []string {
	switch {
	case was.Entity == is.Entity:
	case is.Entity == 0:
		return []string{"the entity is gone"}
	default:
		return []string{"the entity is back"}
	}
	var all []string
	switch {
	case is.Retired && !was.Retired:
		return []string{"it was deleted and its objects are kept"}
	case was.Retired && !is.Retired:
		return []string{"the deletion was undone"}
	}
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	compare(was.Links, is.Links, func(l Link) any { return l.Anchor }, func(l Link, how string) { say("the link to %s %s", l.words(), how) })
	compare(was.IDs, is.IDs, func(id ID) any { return id.Public }, func(id ID, how string) {
		say("id %q in domain %q %s", id.Public.String(), string(id.Domain), how)
	})
	compare(was.ExternalIDs, is.ExternalIDs, func(x ExternalID) any { return [2]string{string(x.Domain), x.Value} }, func(x ExternalID, how string) {
		say("externalId %q in domain %q %s", x.Value, string(x.Domain), how)
	})
	return all
}

// compare reports what went, what changed and what came.
func compare[T comparable](was, is []T, name func(T) any, report func(item T, how string)) {
	now := map[any]T{}
	for _, item := range is {
		now[name(item)] = item
	}
	before := map[any]bool{}
	for _, item := range was {
		before[name(item)] = true
		switch same, ok := now[name(item)]; {
		case !ok:
			report(item, "went")
		case same != item:
			report(item, "changed its rank")
		}
	}
	for _, item := range is {
		if !before[name(item)] {
			report(item, "came")
		}
	}
}
