package scim

import (
	"strings"
	"time"
)

// Time returns a dateTime value: t in UTC, to the millisecond where it has one.
func Time(t time.Time) Value { return Str(t.UTC().Format("2006-01-02T15:04:05.999Z07:00")) }

// ParseTime reads a dateTime value (xsd:dateTime with date and time, RFC 7643
// §2.3.5). Without a zone it is UTC.
func ParseTime(s string) (time.Time, bool) {
	// Package time takes one digit for the hour and a comma for the point.
	if len(s) < len("2006-01-02T15:04:05") || s[13] != ':' || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	t, err := time.Parse("2006-01-02T15:04:05.999999999", s)
	return t, err == nil
}
