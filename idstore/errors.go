package idstore

import "errors"

// The kinds of failure. Every error of a store and of an operation wraps one of these, is an error of the context, or
// is what the caller's own function returned.
var (
	// ErrNotFound: the public id was never given out, or it names an entity of another type or in another domain;
	// or the entity or the intent does not exist.
	ErrNotFound = errors.New("not found")

	// ErrGone: the public id named an entity that was deleted. It is never given out again.
	ErrGone = errors.New("deleted")

	// ErrTaken: the anchor or the public id belongs to another entity.
	ErrTaken = errors.New("belongs to another entity")

	// ErrBusy: something is under way with the entity, an intent or deferred work, and has to end first.
	ErrBusy = errors.New("under way")

	// ErrChanged: what was done can not be undone, since something else has changed there since.
	ErrChanged = errors.New("changed since")

	// ErrInvalid: an argument that no store could hold, such as an anchor without a backend.
	ErrInvalid = errors.New("invalid")

	// ErrReadOnly: a write in a View.
	ErrReadOnly = errors.New("transaction is read-only")

	// ErrClosed: the store or the transaction is over.
	ErrClosed = errors.New("closed")

	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("in use by another process")

	// ErrCorrupt: the file is damaged, or is no identity table at all.
	ErrCorrupt = errors.New("damaged or not an identity table")

	// ErrNewer: the file was written by a later version of the program.
	ErrNewer = errors.New("written by a newer version")

	// ErrUnwritable: the writes could not be made durable: the disk is full, the file is read-only, and so on.
	ErrUnwritable = errors.New("can not be written")
)
