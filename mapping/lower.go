package mapping

import (
	"slices"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// A Lookup resolves what a filter says about ids. The zero Lookup knows none.
type Lookup struct {
	// Refs holds the ids that FilterRefs named.
	Refs Refs
	// Anchors answers `id eq`, `externalId eq` and `meta.location eq` with the
	// objects that have it; known is false where it can not tell.
	Anchors func(scim.Compare) (anchors []connectors.Anchor, known bool)
}

// Lower turns a filter into a condition that holds wherever the filter holds;
// exact says that it holds nowhere else. Where nothing is known the condition is
// All. An attribute that can not be read can not be searched for: invalidFilter.
// One of another resource type has no value here (RFC 7644 §3.4.2.1).
func (m *Mapping) Lower(f scim.Filter, c connectors.Capabilities, look Lookup) (cond connectors.Cond, exact bool, err error) {
	l := &lowering{m: m, look: look, conds: c.Conds, matching: c.Matching}
	a := l.filter(f)
	if l.err != nil {
		return connectors.All{}, false, l.err
	}
	if a.isUnknown() {
		return connectors.All{}, false, nil
	}
	return a.cond, a.exact, nil
}

// lowering is one filter on its way into a backend.
type lowering struct {
	m        *Mapping
	look     Lookup
	conds    connectors.CondKind
	matching map[connectors.Attr]connectors.Matching
	err      error
}

func (l *lowering) filter(f scim.Filter) answer {
	switch f := f.(type) {
	case scim.And:
		parts := make([]answer, len(f))
		for i := range f {
			parts[i] = l.filter(f[i])
		}
		return l.and(parts...)
	case scim.Or:
		parts := make([]answer, len(f))
		for i := range f {
			parts[i] = l.filter(f[i])
		}
		return l.or(parts...)
	case scim.Not:
		return l.not(l.filter(f.Filter))
	case scim.Compare:
		if f.Op == scim.Ne {
			f.Op = scim.Eq
			return l.not(l.compare(f))
		}
		return l.compare(f)
	case scim.Present:
		return l.present(f)
	case scim.ValuePath:
		return l.valuePath(f.Attr, f.Filter)
	default:
		return unknown
	}
}

// compare lowers a comparison other than Ne.
func (l *lowering) compare(f scim.Compare) answer {
	attr, sub := f.Path.Attr, f.Path.Sub
	p := l.m.property(attr)
	switch {
	case p == nil && l.m.foreign(attr):
		return nowhere
	case p == nil:
		return l.common(f)
	}
	switch p.shape {
	case shapeSimple, shapeList:
		return l.rule(p.rules[0], f.Op, f.Value)
	case shapeComplex:
		for _, r := range p.rules {
			if r.leaf == sub {
				return l.rule(r, f.Op, f.Value)
			}
		}
		return l.common(f)
	case shapeElements:
		f.Path = scim.AttrPath{Attr: sub}
		return l.valuePath(attr, f)
	default:
		return l.reference(p, sub, f.Op, f.Value)
	}
}

// present lowers the operator pr.
func (l *lowering) present(f scim.Present) answer {
	attr, sub := f.Path.Attr, f.Path.Sub
	p := l.m.property(attr)
	switch {
	case l.m.always(attr, sub):
		return everywhere
	case p == nil && l.m.foreign(attr):
		return nowhere
	case p == nil:
		return unknown
	}
	if p.shape == shapeElements {
		return l.valuePath(attr, scim.Present{Path: scim.AttrPath{Attr: sub}})
	}
	var parts []answer
	for _, r := range p.rules {
		if sub == nil || p.value != nil || r.leaf == sub {
			parts = append(parts, l.has(r))
		}
	}
	if len(parts) == 0 {
		return unknown
	}
	return l.or(parts...)
}

// valuePath lowers a filter that one element must satisfy.
func (l *lowering) valuePath(attr *scim.Attribute, f scim.Filter) answer {
	p := l.m.property(attr)
	switch {
	case p == nil && l.m.foreign(attr):
		return nowhere
	case p == nil:
		return unknown
	}
	switch p.shape {
	case shapeElements:
		parts := make([]answer, 0, len(p.elements))
		for _, e := range p.elements {
			a := l.element(p, e, f)
			if !a.present {
				a = l.and(l.exists(e), a)
			}
			parts = append(parts, a)
		}
		return l.or(parts...)
	case shapeReferences:
		if c, ok := f.(scim.Compare); ok && c.Op != scim.Ne {
			return l.reference(p, c.Path.Attr, c.Op, c.Value)
		}
		return l.has(p.rules[0]).inexact()
	default:
		return unknown
	}
}

// exists asks whether an element has anything but constants.
func (l *lowering) exists(e *element) answer {
	parts := make([]answer, len(e.rules))
	for i, r := range e.rules {
		parts[i] = l.has(r)
	}
	return l.or(parts...)
}

// element lowers a filter on one element, given that it exists. What it says of
// constants is decided here.
func (l *lowering) element(p *property, e *element, f scim.Filter) answer {
	switch f := f.(type) {
	case scim.And:
		parts := make([]answer, len(f))
		open := 0
		for i := range f {
			if parts[i] = l.element(p, e, f[i]); !parts[i].isEverywhere() {
				open++
			}
		}
		a := l.and(parts...)
		if e.multi && open > 1 {
			return a.inexact() // the parts may hold for different values
		}
		return a
	case scim.Or:
		parts := make([]answer, len(f))
		for i := range f {
			parts[i] = l.element(p, e, f[i])
		}
		return l.or(parts...)
	case scim.Not:
		return l.elementNot(e, l.element(p, e, f.Filter))
	case scim.Compare:
		if f.Op == scim.Ne {
			f.Op = scim.Eq
			return l.elementNot(e, l.elementCompare(p, e, f))
		}
		return l.elementCompare(p, e, f)
	case scim.Present:
		if f.Path.Attr == nil {
			return everywhere // the element is there
		}
		for _, r := range e.rules {
			if r.leaf == f.Path.Attr {
				return l.has(r)
			}
		}
		return l.constant(p, e, f.Path.Attr, f)
	default:
		return unknown
	}
}

// elementNot negates within an element. Where every value is an element of its
// own, "some value is not so" is not "not: some value is so".
func (l *lowering) elementNot(e *element, a answer) answer {
	if e.multi && !a.isEverywhere() && !a.isNowhere() {
		return unknown
	}
	return l.not(a)
}

func (l *lowering) elementCompare(p *property, e *element, f scim.Compare) answer {
	for _, r := range e.rules {
		if r.leaf == f.Path.Attr {
			return l.rule(r, f.Op, f.Value)
		}
	}
	return l.constant(p, e, f.Path.Attr, f)
}

// constant decides what a filter says of a sub-attribute that no rule holds.
func (l *lowering) constant(p *property, e *element, sub *scim.Attribute, f scim.Filter) answer {
	if sub == e.primaryAt && e.primary && e.multi {
		return unknown // only the first of the values is primary
	}
	for _, s := range e.slots {
		if s.attr == sub {
			element := scim.Obj(scim.NewObject(scim.Field{Attr: sub, Value: s.constant}))
			if scim.Match(scim.ValuePath{Attr: p.attr, Filter: f}, l.constantResource(p.attr, element)) {
				return everywhere
			}
			return nowhere
		}
	}
	return nowhere
}

func (l *lowering) constantResource(attr *scim.Attribute, v scim.Value) *scim.Resource {
	if attr.MultiValued {
		v = scim.List(v)
	}
	return &scim.Resource{Type: l.m.rt, Attrs: scim.NewObject(scim.Field{Attr: attr, Value: v})}
}

// reference lowers a comparison with the id that a reference names.
func (l *lowering) reference(p *property, sub *scim.Attribute, op scim.Op, v scim.Value) answer {
	r := p.rules[0]
	if sub != nil && sub != p.value {
		return l.has(r).inexact()
	}
	if op != scim.Eq {
		return unknown
	}
	ref, ok := l.look.Refs[v.Text()]
	if !ok || !slices.Contains(r.refs, ref.Collection) {
		return nowhere
	}
	if !l.conds.Has(connectors.CondRefTo) {
		return unknown
	}
	m, known := l.match(r.attr)
	if !known && l.matching != nil || m.Unsearchable {
		return unknown
	}
	exact := p.shape == shapeReferences || m.SingleValue // else references are found that are not shown
	var parts []answer
	for t := range ref.all {
		parts = append(parts, answer{cond: connectors.RefTo{Attr: r.attr, Target: t}, exact: exact, defined: known, present: true})
	}
	return l.or(parts...)
}

// rule lowers a comparison with what a rule reads.
func (l *lowering) rule(r *rule, op scim.Op, v scim.Value) answer {
	q := l.question(r)
	q.op, q.value = op, v
	if !q.possible() {
		return unknown
	}
	if r.state != nil {
		if op != scim.Eq {
			return unknown
		}
		return r.state.lower(q, v.Bool())
	}
	a := r.codec.lower(q)
	if !r.multi && !q.matching.SingleValue && !a.isNowhere() {
		return a.inexact() // values that the rule does not show are found too
	}
	return a
}

// has asks whether a rule has a value to show.
func (l *lowering) has(r *rule) answer {
	q := l.question(r)
	switch {
	case !q.possible():
		return unknown
	case r.refs != nil:
		return q.isPresent(false) // references that lead nowhere are hidden
	case r.state != nil:
		if !r.state.read(nil).IsAbsent() {
			return everywhere // having no value is a state too
		}
		return q.isPresent(false)
	default:
		return q.isPresent(r.codec.total(q.matching))
	}
}

// question begins a question about a rule's attribute. A rule that is never
// read can not be asked about (RFC 7644 §7.5.1 says why).
func (l *lowering) question(r *rule) question {
	if r.unread && l.err == nil {
		l.err = scim.InvalidFilter("%s can not be used in a filter", r.path)
	}
	m, known := l.match(r.attr)
	return question{lowering: l, attr: r.attr, leaf: r.leaf, matching: m, known: known}
}

// possible reports whether there is any use in asking: an attribute that a
// backend has no definition of can not be searched for, even if entries have it, nor
// one that it makes up as it is read.
func (q question) possible() bool {
	return q.err == nil && (q.known || q.lowering.matching == nil) && !q.matching.Unsearchable
}

// match returns how the backend compares an attribute. LDAP's options, such as
// ";binary", are no part of its definition (RFC 4512 §2.5.2).
func (l *lowering) match(a connectors.Attr) (connectors.Matching, bool) {
	name := strings.ToLower(string(a)) // as Capabilities.Matching has them
	if !isPointer(a) {
		name, _, _ = strings.Cut(name, ";")
	}
	m, ok := l.matching[connectors.Attr(name)]
	return m, ok
}
