package mapping

import (
	"fmt"
	"strings"
	"time"

	"postern/connectors"
	"postern/scim"
)

// generalizedTime is the codec between a dateTime (RFC 7643 §2.3.5) and LDAP's
// Generalized Time (RFC 4517 §3.3.13). Both are written in UTC. A fraction is
// always written, since Active Directory demands one.
type generalizedTime struct{}

func (generalizedTime) decode(v connectors.Value) (scim.Value, bool) {
	t, ok := parseGeneralizedTime(string(v))
	if !ok {
		return scim.Value{}, false
	}
	return scim.Str(t.Format(time.RFC3339Nano)), true
}

func (generalizedTime) encode(v scim.Value) (connectors.Value, error) {
	t, err := time.Parse(time.RFC3339Nano, v.Text())
	if err != nil {
		return "", fmt.Errorf("%s is no dateTime with a time zone", v)
	}
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "", fmt.Errorf("%s is not in the years 0 to 9999", v)
	}
	return formatGeneralizedTime(t), nil
}

func formatGeneralizedTime(t time.Time) connectors.Value {
	s := t.Format("20060102150405.999999999")
	if t.Nanosecond() == 0 {
		s += ".0"
	}
	return connectors.Value(s + "Z")
}

func (generalizedTime) total(m connectors.Matching) bool { return m.Rule == connectors.RuleTime }

func (c generalizedTime) lower(q question) answer {
	if q.leaf.Type != scim.DateTime {
		return unknown
	}
	v, err := c.encode(q.value)
	if err != nil {
		return unknown
	}
	t, _ := parseGeneralizedTime(string(v))
	floor := t.Truncate(time.Second)
	whole := floor.Equal(t)
	ceil := floor
	if !whole {
		ceil = floor.Add(time.Second)
	}
	switch {
	case q.matching.Rule == connectors.RuleExact && q.matching.ReadOnly:
		return q.aboutTime(floor.Add(-time.Second), ceil.Add(time.Second))
	case q.matching.Rule != connectors.RuleTime || ceil.Year() > 9999:
		return unknown
	}
	// Not every server takes fractions in an order: ask for the whole second. Nor
	// does every one store them: Active Directory finds the second without.
	switch q.op {
	case scim.Eq:
		return q.equal(v, whole)
	case scim.Ge, scim.Gt:
		return q.atLeast(formatGeneralizedTime(floor), whole && q.op == scim.Ge)
	case scim.Le, scim.Lt:
		return q.atMost(formatGeneralizedTime(ceil), whole && q.op == scim.Le)
	default:
		return unknown
	}
}

// aboutTime asks a backend that compares times as texts. What it sets itself it
// writes in UTC to the second, with or without a fraction: then the order of
// texts is that of times but within a second, so that a second more on either
// side finds all there is to find.
func (q question) aboutTime(from, to time.Time) answer {
	if from.Year() < 0 || to.Year() > 9999 {
		return unknown
	}
	const second = "20060102150405Z"
	after := q.atLeast(connectors.Value(from.Format(second)), false)
	before := q.atMost(connectors.Value(to.Format(second)), false)
	switch q.op {
	case scim.Eq:
		return q.and(after, before).inexact()
	case scim.Ge, scim.Gt:
		return after
	case scim.Le, scim.Lt:
		return before
	default:
		return unknown
	}
}

// parseGeneralizedTime reads every form of RFC 4517 §3.3.13: minutes and seconds
// may be missing, the last of what is there may have a fraction, and the zone is
// Z or an offset.
func parseGeneralizedTime(s string) (time.Time, bool) {
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	var unit time.Duration
	var layout string
	switch digits {
	case 10:
		unit, layout = time.Hour, "2006010215"
	case 12:
		unit, layout = time.Minute, "200601021504"
	case 14:
		unit, layout = time.Second, "20060102150405"
	default:
		return time.Time{}, false
	}
	head, rest := s[:digits], s[digits:]
	leap := digits == 14 && head[12:] == "60" // a leap second is the one before it, and one more
	if leap {
		head = head[:12] + "59"
	}
	t, err := time.Parse(layout, head)
	if err != nil {
		return time.Time{}, false
	}
	if leap {
		t = t.Add(time.Second)
	}
	if rest != "" && (rest[0] == '.' || rest[0] == ',') {
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		if end == 1 {
			return time.Time{}, false
		}
		t = t.Add(fraction(rest[1:end], unit))
		rest = rest[end:]
	}
	offset, ok := parseZone(rest)
	t = t.Add(-offset)
	return t, ok && t.Year() >= 0 && t.Year() <= 9999
}

// fraction is the given decimal digits of a unit, cut to nanoseconds.
func fraction(digits string, unit time.Duration) time.Duration {
	digits = strings.TrimRight(digits[:min(len(digits), 12)], "0")
	var d time.Duration
	rest := unit
	for i := range len(digits) {
		// rest is unit/10^i exactly as long as it divides; hours and minutes do
		// up to the nanosecond.
		d += time.Duration(digits[i]-'0') * rest / 10
		rest /= 10
	}
	return d
}

// parseZone reads Z, +hh, -hh, +hhmm and -hhmm.
func parseZone(s string) (time.Duration, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 3 && len(s) != 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	n := [4]int{}
	for i := range len(s) - 1 {
		if s[i+1] < '0' || s[i+1] > '9' {
			return 0, false
		}
		n[i] = int(s[i+1] - '0')
	}
	hours, minutes := n[0]*10+n[1], n[2]*10+n[3]
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		d = -d
	}
	return d, true
}
