package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"postern/scim"
)

// A querist makes up queries about resources that it knows: most of what it asks
// for is there, in one form or another.
type querist struct {
	*rand.Rand
	known []*scim.Resource
}

// storedTexts are what is stored in texts. Some differ in case or spaces alone.
var storedTexts = []string{"Anna", "anna", "ANNA", "Bert", "bert b", "Bert B", "Müller", "MÜLLER", "müller", "Ærø", "日本", "O'Malley", "a*b", "a(b", `a\b`,
	" lead", "lead", "trail ", "in  side", "in side", "10", "9", "09", "x", "X-ray", "zulu", "😀 smile",
	"Straße", "STRASSE", "stra\u1e9ee", "İzmir", "izmir", "\u212aelvin", "kelvin", "Kelvin", "a\tb", "a b", "a\u00a0b", "ﬁn", "Fin", "Σας", "σασ", "ΣΑΣ", "\u01c5a", "\u01c6a", "Ԁa", "ԁa"}

func pick[T any](q *querist, from []T) T { return from[q.IntN(len(from))] }

// types returns the resource types of what is known.
func (q *querist) types() []*scim.ResourceType {
	var rts []*scim.ResourceType
	for _, r := range q.known {
		found := false
		for _, rt := range rts {
			found = found || rt == r.Type
		}
		if !found {
			rts = append(rts, r.Type)
		}
	}
	return rts
}

// path draws an attribute or sub-attribute that can be compared.
func (q *querist) path() (path string, a, sub *scim.Attribute) {
	for {
		a := pick(q, pick(q, q.types()).Attributes())
		if a.Returned == scim.ReturnedNever {
			continue
		}
		if a.Type != scim.Complex {
			return a.String(), a, nil
		}
		if value, ok := a.SubAttribute("value"); ok && q.IntN(2) == 0 {
			return a.String(), a, value
		}
		sub := pick(q, a.Sub)
		return sub.String(), a, sub
	}
}

// sortBy draws what can be sorted by.
func (q *querist) sortBy() string {
	path, _, _ := q.path()
	return path
}

// value draws a value that some resource has there, or Absent.
func (q *querist) value(a, sub *scim.Attribute) scim.Value {
	for range 8 {
		r := pick(q, q.known)
		items := r.Get(a).Items()
		if len(items) == 0 {
			continue
		}
		v := pick(q, items)
		if sub != nil {
			v = v.Object().Get(sub)
		}
		if !v.IsAbsent() {
			return v
		}
	}
	return scim.Value{}
}

// compare draws a comparison with something like the value that was found.
func (q *querist) compare(path string, target *scim.Attribute, v scim.Value) string {
	if q.IntN(6) == 0 {
		return path + " pr"
	}
	ops := []string{"eq", "ne", "eq", "co", "sw", "ew", "gt", "ge", "lt", "le"}
	switch target.Type {
	case scim.Boolean, scim.Binary:
		ops = ops[:3]
	case scim.Integer, scim.Decimal, scim.DateTime:
		ops = append(ops[:3:3], ops[6:]...)
	}
	op := pick(q, ops)
	switch target.Type {
	case scim.Boolean:
		return path + " " + op + " " + strconv.FormatBool(q.IntN(2) == 0)
	case scim.Integer, scim.Decimal:
		return fmt.Sprintf("%s %s %d", path, op, v.Int()+int64(q.IntN(3))-1)
	case scim.DateTime:
		at, ok := scim.ParseTime(v.Text())
		if !ok {
			at = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
		}
		at = at.Add(pick(q, []time.Duration{0, 0, time.Second, -time.Second, 500 * time.Millisecond, -time.Hour}))
		return path + " " + op + " " + quote(at.In(pick(q, []*time.Location{time.UTC, time.FixedZone("", 3600)})).Format(time.RFC3339Nano))
	}
	text := v.Text()
	if text == "" || q.IntN(6) == 0 {
		text = pick(q, storedTexts)
	}
	switch q.IntN(6) {
	case 0:
		text = strings.ToUpper(text)
	case 1:
		text = strings.ToLower(text)
	}
	if op != "eq" && op != "ne" {
		runes := []rune(text)
		from := q.IntN(len(runes))
		to := from + 1 + q.IntN(len(runes)-from)
		switch op {
		case "co":
			text = string(runes[from:to])
		case "ew":
			text = string(runes[from:])
		default:
			text = string(runes[:to])
		}
	}
	return path + " " + op + " " + quote(text)
}

// filter draws a filter.
func (q *querist) filter(depth int) string {
	if depth > 0 {
		switch q.IntN(8) {
		case 0, 1:
			return q.filter(depth-1) + " and " + q.filter(depth-1)
		case 2:
			return "(" + q.filter(depth-1) + " or " + q.filter(depth-1) + ")"
		case 3:
			return "not (" + q.filter(depth-1) + ")"
		}
	}
	path, a, sub := q.path()
	if a.Type == scim.Complex && a.MultiValued && q.IntN(2) == 0 {
		return a.String() + "[" + q.element(a, depth) + "]"
	}
	target := a
	if sub != nil {
		target = sub
	}
	return q.compare(path, target, q.value(a, sub))
}

// element draws a filter on one element of an attribute.
func (q *querist) element(a *scim.Attribute, depth int) string {
	if depth > 0 {
		switch q.IntN(6) {
		case 0, 1:
			return q.element(a, depth-1) + " and " + q.element(a, depth-1)
		case 2:
			return "(" + q.element(a, depth-1) + " or " + q.element(a, depth-1) + ")"
		case 3:
			return "not (" + q.element(a, depth-1) + ")"
		}
	}
	sub := pick(q, a.Sub)
	return q.compare(sub.Name, sub, q.value(a, sub))
}
