package mapping

import (
	"postern/connectors"
	"postern/scim"
)

// An answer is what a filter, or a part of one, becomes in a backend. The
// condition holds wherever the filter holds.
type answer struct {
	cond    connectors.Cond // nil: the backend can not tell (unknown)
	exact   bool            // the condition holds nowhere else
	defined bool            // it is never undefined (RFC 4511 §4.5.1.7), so that it may be negated
	present bool            // it holds only where the attribute has a value
}

var (
	unknown    = answer{}
	everywhere = answer{cond: connectors.All{}, exact: true, defined: true}
	nowhere    = answer{cond: connectors.Or{}, exact: true, defined: true, present: true}
)

func (a answer) isUnknown() bool { return a.cond == nil }

func (a answer) isEverywhere() bool {
	_, ok := a.cond.(connectors.All)
	return ok
}

func (a answer) isNowhere() bool {
	or, ok := a.cond.(connectors.Or)
	return ok && len(or) == 0
}

// inexact is the answer with the promise taken back that it holds nowhere else.
func (a answer) inexact() answer {
	a.exact = false
	return a
}

// and joins what must all hold: parts that are unknown are left out, and the
// whole is then not exact.
func (l *lowering) and(parts ...answer) answer {
	out := answer{exact: true, defined: true}
	var conds connectors.And
	for _, p := range parts {
		switch {
		case p.isNowhere() && p.exact:
			return nowhere
		case p.isUnknown(), !l.conds.Has(connectors.CondAnd) && len(conds) > 0:
			out.exact = false
			continue
		case p.isEverywhere():
			out.exact = out.exact && p.exact
			continue
		}
		out.exact = out.exact && p.exact
		out.defined = out.defined && p.defined
		out.present = out.present || p.present
		conds = append(conds, p.cond)
	}
	switch len(conds) {
	case 0:
		out.cond = connectors.All{}
		if !out.exact {
			return unknown
		}
	case 1:
		out.cond = conds[0]
	default:
		out.cond = conds
	}
	return out
}

// or joins what may hold: where one part is unknown, all is.
func (l *lowering) or(parts ...answer) answer {
	out := answer{exact: true, defined: true, present: true}
	var conds connectors.Or
	var anchors connectors.AnchorIn // of all parts that are about these: one question
	for _, p := range parts {
		if p.isEverywhere() && p.exact {
			return everywhere
		}
	}
	for _, p := range parts {
		if p.isUnknown() {
			return unknown
		}
		if p.isNowhere() {
			continue
		}
		out.exact = out.exact && p.exact
		out.defined = out.defined && p.defined
		out.present = out.present && p.present
		if in, ok := p.cond.(connectors.AnchorIn); ok {
			anchors = append(anchors, in...)
			continue
		}
		conds = append(conds, p.cond)
	}
	if anchors != nil {
		conds = append(conds, anchors)
	}
	switch {
	case len(conds) == 0:
		return nowhere
	case len(conds) == 1:
		out.cond = conds[0]
	case !l.conds.Has(connectors.CondOr):
		return unknown
	default:
		out.cond = conds
	}
	return out
}

// not negates what is exact and never undefined.
func (l *lowering) not(a answer) answer {
	switch {
	case a.isUnknown() || !a.exact || !a.defined:
		return unknown
	case a.isEverywhere():
		return nowhere
	case a.isNowhere():
		return everywhere
	}
	if n, ok := a.cond.(connectors.Not); ok {
		return answer{cond: n.Cond, exact: true, defined: true}
	}
	if !l.conds.Has(connectors.CondNot) {
		return unknown
	}
	return answer{cond: connectors.Not{Cond: a.cond}, exact: true, defined: true}
}

// A question asks a codec about one backend attribute.
type question struct {
	*lowering
	attr     connectors.Attr
	leaf     *scim.Attribute
	op       scim.Op
	value    scim.Value
	matching connectors.Matching
	known    bool // the backend's schema has the attribute
}

// equal asks for a value. Where the schema has no rule for it, or another syntax, a
// directory would find nothing.
func (q question) equal(v connectors.Value, exact bool) answer {
	if v == "" || !q.conds.Has(connectors.CondEqual) || q.known && q.matching.Rule == connectors.RuleUnknown || !q.matching.Alphabet.Holds(v) {
		return unknown
	}
	return answer{cond: connectors.Equal{Attr: q.attr, Value: v}, exact: exact, defined: q.known, present: true}
}

func (q question) atLeast(v connectors.Value, exact bool) answer {
	if !q.matching.Ordering || !q.conds.Has(connectors.CondAtLeast) {
		return unknown
	}
	return answer{cond: connectors.AtLeast{Attr: q.attr, Value: v}, exact: exact, defined: q.known, present: true}
}

func (q question) atMost(v connectors.Value, exact bool) answer {
	if !q.matching.Ordering || !q.conds.Has(connectors.CondAtMost) {
		return unknown
	}
	return answer{cond: connectors.AtMost{Attr: q.attr, Value: v}, exact: exact, defined: q.known, present: true}
}

func (q question) isPresent(exact bool) answer {
	if !q.conds.Has(connectors.CondPresent) {
		return unknown
	}
	return answer{cond: connectors.Present{Attr: q.attr}, exact: exact, defined: q.known, present: true}
}
