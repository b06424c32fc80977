package mapping

import (
	"fmt"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// table is the codec that a configuration spells out: { values: { "1": true } }.
// Several backend values may stand for one SCIM value; the first is written.
type table []tableRow

type tableRow struct {
	backend connectors.Value
	scim    scim.Value
}

func (t table) decode(v connectors.Value) (scim.Value, bool) {
	for i := range t {
		if t[i].backend == v {
			return t[i].scim, true
		}
	}
	return scim.Value{}, false
}

func (t table) encode(v scim.Value) (connectors.Value, error) {
	for i := range t {
		if same(t[i].scim, v) {
			return t[i].backend, nil
		}
	}
	for i := range t {
		if v.Kind() == scim.KindString && strings.EqualFold(t[i].scim.Text(), v.Text()) {
			return t[i].backend, nil
		}
	}
	known := make([]string, len(t))
	for i := range t {
		known[i] = plain(t[i].scim)
	}
	return "", fmt.Errorf("%s is not one of %s", v, strings.Join(known, ", "))
}

func (table) total(connectors.Matching) bool { return false }

func (t table) lower(q question) answer {
	if q.op != scim.Eq {
		return unknown
	}
	// Only these very bytes decode, so that any rule finds them; one that finds
	// no others makes it exact.
	exact := q.matching.Rule == connectors.RuleExact && !wide(q.matching)
	var parts []answer
	for i := range t {
		v := t[i].scim
		if same(v, q.value) || !q.leaf.CaseExact && v.Kind() == scim.KindString && scim.EqualFold(v.Text(), q.value.Text()) {
			parts = append(parts, q.equal(t[i].backend, exact))
		}
	}
	return q.or(parts...)
}
