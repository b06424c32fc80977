package connectors

// A Change is what one request does to one attribute, as a difference: the
// values to take away, then the values to put in (in this order, so that a
// change of case alone works). Taking away a value that is not there fails with
// GuardFailed unless Lenient is set: the old values are the weakest guard, and
// every change has it.
type Change struct {
	Attr Attr

	Delete []Value
	Add    []Value

	// References, for reference attributes, instead of values.
	DeleteRefs []Target
	AddRefs    []Target

	// Replace writes Add in place of whatever is there, unseen. Only for
	// attributes that can not be read (passwords), and for those of which the
	// backend makes something else than was written (pwdLastSet). Delete is empty
	// then.
	Replace bool

	// Place, if not nil, says where the object is to lie. Such a change is of no
	// attribute and has nothing else. An object that lies there already stays.
	// Invalid, and no change at all, if the backend has no such container; Exists if
	// another object has its name there. Only for drivers that declare Places.
	Place *Place

	// Lenient makes the change one of sets: adding what is there and taking
	// away what is not changes nothing and is no failure. For membership, which
	// is written without being read.
	Lenient bool
}

// Empty reports whether the change does nothing.
func (c Change) Empty() bool {
	return !c.Replace && c.Place == nil && len(c.Delete)+len(c.Add)+len(c.DeleteRefs)+len(c.AddRefs) == 0
}

// A GuardLevel says how much of an entry a write can be made conditional on,
// in the backend, in one atomic step. The levels are ordered.
type GuardLevel uint8

const (
	// GuardNone: nothing but what the driver itself compares right before it writes.
	GuardNone GuardLevel = iota
	// GuardTouched: the old values of what is written (see Change).
	GuardTouched
	// GuardValues: also the values in Guard.Read, whether or not they are written.
	// Blind to a change that the attribute's equality rule does not see (case), to
	// values that were added to others, and, where the backend can not tell, to
	// a value that was added to an attribute that had none.
	GuardValues
	// GuardEntry: the entry is as it was when Guard.Stamp was read, entirely.
	GuardEntry
)

// String returns the level as `check` prints it.
func (l GuardLevel) String() string {
	return [...]string{"none", "touched values", "read values", "whole entry"}[min(l, GuardEntry)]
}

// A Guard is the condition under which a write may happen. The zero Guard asks
// for nothing beyond the old values in the changes themselves. A driver refuses
// a Level above the one it declared with Unsupported, and answers GuardFailed,
// with nothing written, when the condition does not hold.
type Guard struct {
	Level GuardLevel
	Stamp Stamp // for GuardEntry
	// Read is for GuardValues, and for a driver with GuardNone to compare itself: what
	// the caller's decision was made of; a field without values was absent.
	Read []Field
}
