package scim

import (
	"strings"
	"time"
)

// Time returns a dateTime value: t in UTC, to the millisecond where it has one.
func Time(t time.Time) Value { return Str(t.UTC().Format("2006-01-02T15:04:05.999Z07:00")) }

// ParseTime reads a dateTime value (xsd:dateTime with date and time, RFC 7643
// §2.3.5) of the years 1 to 9999. Without a zone it is UTC. The hour 24 is the
// first of the next day, and zones are at most 14 hours away (XML Schema Part 2,
// §3.2.7).
func ParseTime(s string) (time.Time, bool) {
	// Package time takes one digit for the hour, a comma for the point, the year
	// 0 and any zone.
	const plain = "2006-01-02T15:04:05"
	if len(s) < len(plain) || s[13] != ':' || s[:4] == "0000" || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	midnight := s[11:13] == "24"
	if midnight {
		if strings.Trim(s[13:19], ":0") != "" || strings.Trim(fraction(s[19:]), "0") != "" {
			return time.Time{}, false
		}
		s = s[:11] + "00" + s[13:]
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse(plain, s)
	}
	if _, zone := t.Zone(); err != nil || zone > 14*60*60 || zone < -14*60*60 {
		return time.Time{}, false
	}
	if midnight {
		t = t.AddDate(0, 0, 1)
	}
	return t, true
}

// fraction returns the digits after the point that s begins with.
func fraction(s string) string {
	s, found := strings.CutPrefix(s, ".")
	if !found {
		return ""
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return s[:i]
		}
	}
	return s
}
