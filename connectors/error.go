package connectors

import (
	"errors"
	"fmt"
)

// A Kind classifies what went wrong in a backend: a closed list, so that one
// table can turn it into an answer for the client.
type Kind uint8

const (
	Internal    Kind = iota // a defect, here or there
	NotFound                // no such object in the collection
	Exists                  // another object has this name or unique value
	GuardFailed             // the entry is not as the guard or a change expects
	Invalid                 // the backend refuses the value (schema, syntax, policy)
	Denied                  // the bind identity may not do this
	Unavailable             // the backend can not be reached or is not serving
	Timeout                 // no answer in time; a write may or may not have happened
	Unsupported             // this backend can not do that
	TooMany                 // more results than the backend or a limit allows
)

var kindNames = [...]string{"internal", "not found", "exists", "guard failed", "invalid", "denied",
	"unavailable", "timeout", "unsupported", "too many"}

func (k Kind) String() string { return kindNames[min(int(k), len(kindNames)-1)] }

// An Error is a classified failure of a backend.
type Error struct {
	Kind Kind
	// Attr is the attribute that the failure is about, if the backend told.
	Attr Attr
	// Reason is a sentence fragment that may be shown to a client: it holds no
	// DN, no host, no value.
	Reason string
	// Unsent says of a write that nothing of it can have reached the backend.
	Unsent bool
	// Err is the whole story, for the log.
	Err error
}

// Error returns the whole story, for the log.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Attr != "" {
		s += fmt.Sprintf(" (attribute %q)", e.Attr)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first Error in err's chain, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
