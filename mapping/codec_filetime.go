package mapping

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"postern/connectors"
	"postern/scim"
)

// fileTime is the codec between a dateTime and Active Directory's times: the
// hundreds of nanoseconds since 1601 in UTC ([MS-DTYP] §2.3.3). Zero, what is
// negative and what is after the year 9999 says never, or not yet, and is
// hidden.
type fileTime struct{}

const (
	ticks      = 10_000_000     // in a second
	from1601   = 11_644_473_600 // seconds, to 1970
	lastSecond = 253_402_300_799
	lastTick   = (lastSecond+from1601)*ticks + ticks - 1
)

func (fileTime) decode(v connectors.Value) (scim.Value, bool) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n <= 0 || n > lastTick {
		return scim.Value{}, false
	}
	t := time.Unix(n/ticks-from1601, n%ticks*100).UTC()
	return scim.Str(t.Format(time.RFC3339Nano)), true
}

func (c fileTime) encode(v scim.Value) (connectors.Value, error) {
	n, _, err := ticksOf(v)
	if err != nil {
		return "", err
	}
	return connectors.Value(strconv.FormatInt(n, 10)), nil
}

// ticksOf returns the time as ticks, and whether that is all of it.
func ticksOf(v scim.Value) (n int64, whole bool, err error) {
	t, err := time.Parse(time.RFC3339Nano, v.Text())
	if err != nil {
		return 0, false, fmt.Errorf("%s is no dateTime with a time zone", v)
	}
	second := t.Unix()
	if second < -from1601 || second > lastSecond || second == -from1601 && t.Nanosecond() < 100 {
		return 0, false, fmt.Errorf("%s is not in the years 1601 to 9999", v)
	}
	return (second+from1601)*ticks + int64(t.Nanosecond()/100), t.Nanosecond()%100 == 0, nil
}

func (fileTime) total(connectors.Matching) bool { return false }

// lower leaves out what says never: it is greater, or less, than every time.
func (c fileTime) lower(q question) answer {
	if q.leaf.Type != scim.DateTime || q.matching.Rule != connectors.RuleInteger {
		return unknown
	}
	n, whole, err := ticksOf(q.value)
	if err != nil {
		return unknown
	}
	value := func(n int64) connectors.Value { return connectors.Value(strconv.FormatInt(n, 10)) }
	after := func(n int64) answer { return q.and(q.atLeast(value(n), true), q.atMost(value(lastTick), true)) }
	before := func(n int64) answer { return q.and(q.atMost(value(n), true), q.atLeast("1", true)) }
	switch q.op {
	case scim.Eq:
		if !whole {
			return nowhere
		}
		return q.equal(value(n), true)
	case scim.Ge:
		if !whole {
			n++
		}
		return after(n)
	case scim.Gt:
		return after(n + 1)
	case scim.Le:
		return before(n)
	case scim.Lt:
		if whole {
			n--
		}
		return before(n)
	default:
		return unknown
	}
}

// accountExpires is the codec of when an account ends. It never does while the
// value is 0 or the greatest there is ([MS-ADA1] §2.4): to take the time away is
// to write the latter.
type accountExpires struct{ fileTime }

func (accountExpires) blank() connectors.Value {
	return connectors.Value(strconv.FormatInt(math.MaxInt64, 10))
}

// A blanker is a codec for which the backend has a value that says that there is
// none, and that is written where a value is taken away.
type blanker interface{ blank() connectors.Value }
