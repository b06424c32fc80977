package gateway

import (
	"context"
	"errors"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// A Kind classifies a failure for the edge, which has one table from kinds to
// SCIM errors.
type Kind uint8

const (
	Internal Kind = iota
	NotFound
	Conflict     // another resource has this name or unique value
	Precondition // If-Match or If-None-Match does not hold
	Contended    // others kept changing the resource while we tried to write it
	Invalid
	Denied
	Unavailable
	Timeout
	Unsupported
	TooMany
)

// A Fault is a failure of a use case. Reason may be shown to a client: it names
// SCIM attributes only.
type Fault struct {
	Kind   Kind
	Attr   string // the SCIM path that it is about, if known
	Reason string
	Err    error // the whole story, for the log
}

func (f *Fault) Error() string {
	var parts []string
	for _, s := range []string{f.Attr, f.Reason} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if f.Err != nil {
		parts = append(parts, f.Err.Error())
	}
	return strings.Join(parts, ": ")
}

func (f *Fault) Unwrap() error { return f.Err }

var faultKinds = map[connectors.Kind]Kind{
	connectors.Internal:    Internal,
	connectors.NotFound:    NotFound,
	connectors.Exists:      Conflict,
	connectors.GuardFailed: Contended,
	connectors.Invalid:     Invalid,
	connectors.Denied:      Denied,
	connectors.Unavailable: Unavailable,
	connectors.Timeout:     Timeout,
	connectors.Unsupported: Unsupported,
	connectors.TooMany:     TooMany,
}

// fault classifies an error of a room below. A *scim.Error is the client's own
// mistake, found by a parser or the mapping, and passes as it is.
func fault(m *mapping.Mapping, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*scim.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*Fault](err); ok {
		return err
	}
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		f := &Fault{Kind: faultKinds[e.Kind], Reason: e.Reason, Err: err}
		switch {
		case m == nil:
		case e.Attr != "":
			f.Attr = m.PathOf(e.Attr)
		case errors.Is(err, connectors.ErrNoContainer):
			f.Attr = m.PlacedBy()
		}
		return f
	}
	switch {
	case errors.Is(err, idstore.ErrNotFound), errors.Is(err, idstore.ErrGone):
		return &Fault{Kind: NotFound, Err: err}
	case errors.Is(err, idstore.ErrUnwritable):
		return &Fault{Kind: Unavailable, Reason: "the identity table can not be written at the moment", Err: err}
	case errors.Is(err, idstore.ErrCorrupt):
		return &Fault{Kind: Unavailable, Reason: "the identity table is damaged; an administrator has to put a backup in its place", Err: err}
	case errors.Is(err, idstore.ErrInvalid):
		return &Fault{Kind: Invalid, Reason: "the identity table can not hold the value", Err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Fault{Kind: Timeout, Err: err}
	}
	return &Fault{Kind: Internal, Err: err}
}
