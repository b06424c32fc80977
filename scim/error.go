package scim

import (
	"fmt"
	"net/http"
	"strconv"
)

// The scimType keywords of RFC 7644 §3.12.
const (
	TypeInvalidFilter = "invalidFilter"
	TypeTooMany       = "tooMany"
	TypeUniqueness    = "uniqueness"
	TypeMutability    = "mutability"
	TypeInvalidSyntax = "invalidSyntax"
	TypeInvalidPath   = "invalidPath"
	TypeNoTarget      = "noTarget"
	TypeInvalidValue  = "invalidValue"
	TypeInvalidVers   = "invalidVers"
	TypeSensitive     = "sensitive"
)

// The scimType keywords of RFC 9865 §2.1.
const (
	TypeInvalidCursor = "invalidCursor"
	TypeExpiredCursor = "expiredCursor"
	TypeInvalidCount  = "invalidCount"
)

// An Error is an answer that refuses a request (RFC 7644 §3.12). Detail is
// written for the client and holds nothing of what is behind the gateway; Err is
// the cause, for the log alone.
type Error struct {
	Status   int    // the HTTP status
	ScimType string // empty where the RFC has no keyword
	Detail   string
	Err      error
}

// Error returns the detail, and the cause when there is one.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error with the given status and keyword.
func Errorf(status int, scimType, format string, args ...any) *Error {
	return &Error{Status: status, ScimType: scimType, Detail: fmt.Sprintf(format, args...)}
}

// InvalidFilter says that a filter is malformed or not supported.
func InvalidFilter(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeInvalidFilter, format, args...)
}

// InvalidPath says that the path of a PATCH operation is malformed or unknown.
func InvalidPath(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeInvalidPath, format, args...)
}

// InvalidSyntax says that a body is not what the request demands.
func InvalidSyntax(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeInvalidSyntax, format, args...)
}

// InvalidValue says that a required value is missing or that a value does not
// fit its attribute.
func InvalidValue(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeInvalidValue, format, args...)
}

// NotMutable says that an attribute's mutability forbids the change (scimType
// mutability).
func NotMutable(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeMutability, format, args...)
}

// NoTarget says that a path selects nothing to operate on.
func NoTarget(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeNoTarget, format, args...)
}

// TooMany says that a query has more results, or costs more, than is allowed.
func TooMany(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeTooMany, format, args...)
}

// InvalidCursor says that a cursor is none that was given out for this query to
// this client. Why it is not is never said (RFC 9865 §5.2).
func InvalidCursor() *Error {
	return Errorf(http.StatusBadRequest, TypeInvalidCursor, "the cursor is not one that was given out for this query; leave it empty for the first page")
}

// ExpiredCursor says that what the cursor belongs to is not kept any more.
func ExpiredCursor() *Error {
	return Errorf(http.StatusBadRequest, TypeExpiredCursor, "the cursor has expired; begin again with an empty one")
}

// InvalidCount says that the count of a query with a cursor is no count.
func InvalidCount(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, TypeInvalidCount, format, args...)
}

// AppendError appends e as a SCIM error message (RFC 7644 §3.12). The status is
// a string there.
func AppendError(dst []byte, e *Error) []byte {
	dst = append(dst, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"`...)
	dst = strconv.AppendInt(dst, int64(e.Status), 10)
	dst = append(dst, '"')
	if e.ScimType != "" {
		dst = append(dst, `,"scimType":`...)
		dst = appendString(dst, e.ScimType)
	}
	if e.Detail != "" {
		dst = append(dst, `,"detail":`...)
		dst = appendString(dst, e.Detail)
	}
	return append(dst, '}')
}
