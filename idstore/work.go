package idstore

import (
	"fmt"
	"iter"
	"time"
)

// WorkID names a piece of deferred work. Later work has greater ids.
type WorkID uint64

// Action says what becomes of a backend object.
type Action uint8

// The actions. A row holds the numbers.
const (
	ActionKeep    Action = iota // nothing
	ActionDisable               // it is disabled and stays
	ActionDelete                // it is deleted, and the link to it with it
)

// String is the action in one word.
func (a Action) String() string {
	switch a {
	case ActionKeep:
		return "keep"
	case ActionDisable:
		return "disable"
	case ActionDelete:
		return "delete"
	}
	return "unknown"
}

// Work is something that a backend has still to be told, at a time of its own choosing: the operation that asked for it is
// durable and does not wait.
type Work struct {
	ID        WorkID
	Anchor    Anchor
	Action    Action
	Operation OperationID // what asked for it; 0 where no operation did
	Queued    time.Time
	Next      time.Time // when it is due; of work that is taken: when it is due again if nothing is heard of it
	Taken     bool      // someone is at it, until Next
	Held      bool      // it is not to be taken
	Attempts  int       // how many were begun
	LastError string    // why the last one failed
}

// busy tells whether someone is at the work.
func (w Work) busy(at time.Time) bool { return w.Taken && at.Before(w.Next) }

const (
	firstBackOff = 30 * time.Second
	maxBackOff   = time.Hour
)

// BackOff is how long work waits after so many attempts: 30 s after the first, twice as long after each, an hour at most.
func BackOff(attempts int) time.Duration {
	wait := firstBackOff
	for ; attempts > 1 && wait < maxBackOff; attempts-- {
		wait *= 2
	}
	return min(wait, maxBackOff)
}

// Queue adds work that is due at once. ErrTaken: there is work for that object already. ErrNotFound: no entity is linked to it.
func Queue(tx Tx, a Anchor, action Action, at time.Time) (Work, error) {
	if err := a.check(); err != nil {
		return Work{}, err
	}
	r, err := FindAnchor(tx, a)
	if err != nil {
		return Work{}, err
	}
	if r.Entity == 0 {
		return Work{}, fmt.Errorf("the object %s: %w", a.words(), ErrNotFound)
	}
	return queue(tx, Work{Anchor: a, Action: action, Queued: at})
}

func queue(tx Tx, w Work) (Work, error) {
	if w.Action != ActionDisable && w.Action != ActionDelete {
		return Work{}, fmt.Errorf("work to %s an object: %w", w.Action, ErrInvalid)
	}
	if _, ok, err := WorkFor(tx, w.Anchor); err != nil {
		return Work{}, err
	} else if ok {
		return Work{}, fmt.Errorf("work for the object %s: %w", w.Anchor.words(), ErrTaken)
	}
	id, err := next(tx, metaWork, 1)
	if err != nil {
		return Work{}, err
	}
	w.ID = WorkID(id)
	w.Queued = w.Queued.UTC().Truncate(time.Millisecond)
	w.Next = w.Queued
	return w, putWork(tx, w)
}

// Due tells whether there is work for TakeWork.
func Due(tx Tx, at time.Time) (bool, error) {
	due, err := dueWork(tx, at, 1)
	return len(due) > 0, err
}

// TakeWork takes at most n pieces of work that are due, the longest due first. Whoever takes one ends it with FinishWork or FailWork;
// when neither comes within the lease, as after a crash, it is due again. So a backend may be told twice.
func TakeWork(tx Tx, at time.Time, lease time.Duration, n int) ([]Work, error) {
	due, err := dueWork(tx, at, n)
	if err != nil {
		return nil, err
	}
	for i := range due {
		w := &due[i]
		if err := dropWorkKeys(tx, *w); err != nil {
			return nil, err
		}
		w.Taken, w.Attempts = true, w.Attempts+1
		w.Next = at.Add(lease).UTC().Truncate(time.Millisecond)
		if err := putWork(tx, *w); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// FailWork notes that an attempt failed, and puts the work off. ErrNotFound: there is no such work any more.
func FailWork(tx Tx, id WorkID, at time.Time, why string) (Work, error) {
	return changeWork(tx, id, func(w *Work) error {
		w.Taken, w.LastError = false, cutText(why)
		w.Next = at.Add(BackOff(w.Attempts)).UTC().Truncate(time.Millisecond)
		return nil
	})
}

// HoldWork keeps work from being taken until ReleaseWork. An attempt that is under way goes on.
func HoldWork(tx Tx, id WorkID) (Work, error) {
	return changeWork(tx, id, func(w *Work) error { w.Held = true; return nil })
}

// ReleaseWork lets work be taken again, and at once unless someone is at it.
func ReleaseWork(tx Tx, id WorkID, at time.Time) (Work, error) {
	return changeWork(tx, id, func(w *Work) error {
		w.Held = false
		if !w.busy(at) {
			w.Taken, w.Next = false, at.UTC().Truncate(time.Millisecond)
		}
		return nil
	})
}

// AbandonWork says that nobody is at any work: what was taken is due at once. It is for a process that begins, and is alone with
// the store.
func AbandonWork(tx Tx, at time.Time) error {
	var taken []WorkID
	for w, err := range Works(tx) {
		if err != nil {
			return err
		}
		if w.Taken {
			taken = append(taken, w.ID)
		}
	}
	for _, id := range taken {
		_, err := changeWork(tx, id, func(w *Work) error {
			w.Taken, w.Next = false, at.UTC().Truncate(time.Millisecond)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FinishWork ends work that was done, and tells the operation that asked for it. A deleted object's link goes, unless it is the
// last of its entity: then the id still names the entity, until a Delete.
func FinishWork(tx Tx, id WorkID, at time.Time) error {
	w, err := WorkByID(tx, id)
	if err != nil {
		return err
	}
	if w.Action == ActionDelete {
		if err := unlink(tx, w.Anchor); err != nil {
			return err
		}
	}
	return endWork(tx, w, LeftoverDone, at)
}

// CancelWork ends work that is not to be done. ErrBusy: someone is at it.
func CancelWork(tx Tx, id WorkID, at time.Time) error {
	w, err := WorkByID(tx, id)
	if err != nil {
		return err
	}
	return w.cancel(tx, at)
}

func (w Work) cancel(tx Tx, at time.Time) error {
	if w.busy(at) {
		return fmt.Errorf("to %s the object %s is %w", w.Action, w.Anchor.words(), ErrBusy)
	}
	return endWork(tx, w, LeftoverCancelled, at)
}

// Works yields all work, oldest first. It must not be changed during the walk.
func Works(tx Tx) iter.Seq2[Work, error] {
	return func(yield func(Work, error) bool) {
		for row, err := range tx.Scan(TableWork, nil) {
			var w Work
			if err == nil {
				w, err = decodeWork(tx, row)
			}
			if !yield(w, err) || err != nil {
				return
			}
		}
	}
}
