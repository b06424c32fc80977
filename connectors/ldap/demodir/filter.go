package demodir

import (
	"slices"
	"strconv"
	"strings"
)

// filter is a search filter whose attributes are found and whose assertion
// values are normalised.
type filter interface {
	// matches is asked with the directory's lock held.
	matches(d *Directory, n *node) truth
}

// truth is the outcome of a filter (RFC 4511 §4.5.1.7).
type truth int8

const (
	no truth = iota
	undefined
	yes
)

func known(b bool) truth {
	if b {
		return yes
	}
	return no
}

type (
	all  []filter // no filter in it: absolute true (RFC 4526)
	some []filter // no filter in it: absolute false
	not  struct{ filter }
	// equal also stands for approxMatch, which is equality here.
	equal struct {
		typ  *attributeType
		norm string
	}
	// ordered is greaterOrEqual or lessOrEqual.
	ordered struct {
		typ     *attributeType
		norm    string
		atLeast bool
	}
	substring struct {
		typ     *attributeType
		initial string
		middle  []string
		final   string
	}
	present struct{ typ *attributeType }
	// extensible names a rule; without a type it is asked of every attribute
	// whose values are of the rule's syntax.
	extensible struct {
		rule *rule
		typ  *attributeType
		norm string
		inDN bool
	}
	// unknown is an item on what the schema does not know.
	unknown struct{}
)

func (f all) matches(d *Directory, n *node) truth {
	result := yes
	for _, sub := range f {
		if result = min(result, sub.matches(d, n)); result == no {
			return no
		}
	}
	return result
}

func (f some) matches(d *Directory, n *node) truth {
	result := no
	for _, sub := range f {
		if result = max(result, sub.matches(d, n)); result == yes {
			return yes
		}
	}
	return result
}

func (f not) matches(d *Directory, n *node) truth { return yes - f.filter.matches(d, n) }

func (unknown) matches(*Directory, *node) truth { return undefined }

func (f present) matches(d *Directory, n *node) truth {
	return known(d.attribute(n, f.typ) != nil)
}

func (f equal) matches(d *Directory, n *node) truth {
	a := d.attribute(n, f.typ)
	asked := d.schema.class(f.norm)
	if a == nil || asked == nil || f.typ != d.schema.objectClass && f.typ != d.schema.structuralClass {
		return known(a.has(f.norm))
	}
	// An entry is of a class also where it names only one that inherits from it.
	return known(slices.ContainsFunc(a.norms, func(name string) bool { return d.schema.class(name).is(asked) }))
}

func (f ordered) matches(d *Directory, n *node) truth {
	a := d.attribute(n, f.typ)
	if a == nil {
		return no
	}
	return known(slices.ContainsFunc(a.norms, func(norm string) bool {
		order := f.typ.ordering.compare(norm, f.norm)
		return order == 0 || order > 0 == f.atLeast
	}))
}

func (f substring) matches(d *Directory, n *node) truth {
	a := d.attribute(n, f.typ)
	if a == nil {
		return no
	}
	return known(slices.ContainsFunc(a.norms, f.in))
}

// in holds where the pieces stand in a value in their order, none over another.
func (f substring) in(norm string) bool {
	rest, ok := strings.CutPrefix(norm, f.initial)
	if !ok {
		return false
	}
	for _, piece := range f.middle {
		_, after, ok := strings.Cut(rest, piece)
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, f.final)
}

func (f extensible) matches(d *Directory, n *node) truth {
	if f.typ != nil {
		if a := d.attribute(n, f.typ); a != nil && f.among(a.values) {
			return yes
		}
	} else {
		for i := range n.entry.attrs {
			if a := &n.entry.attrs[i]; f.rule.takes(a.typ) && f.among(a.values) {
				return yes
			}
		}
	}
	if f.inDN {
		for _, r := range n.entry.dn.rdns {
			for _, p := range r.pairs {
				if (p.typ == f.typ || f.typ == nil && f.rule.takes(p.typ)) && f.among([]string{p.value}) {
					return yes
				}
			}
		}
	}
	return no
}

func (f extensible) among(values []string) bool {
	return slices.ContainsFunc(values, func(value string) bool {
		norm, ok := f.rule.normal(value, whole)
		if !ok || f.rule.bits == nil {
			return ok && norm == f.norm
		}
		have, err := strconv.ParseInt(norm, 10, 64)
		asked, askedErr := strconv.ParseInt(f.norm, 10, 64)
		return err == nil && askedErr == nil && f.rule.bits(have, asked)
	})
}

// takes holds where values of the type are of the rule's syntax, or of one that
// RFC 4517 §4.2 lets the rule be used with.
func (r *rule) takes(t *attributeType) bool {
	if t.equality == nil {
		return false
	}
	if r.syntax == syntaxArc+"15" {
		return strings.HasPrefix(t.equality.name, "case")
	}
	return r.syntax == t.equality.syntax
}

// candidates returns the nodes that a filter can hold for, each once and in the
// order of their ids, and false where the indices do not tell.
func (d *Directory) candidates(f filter) ([]*node, bool) {
	switch f := f.(type) {
	case equal:
		return d.indexed(f.typ, f.norm)
	case all:
		var fewest []*node
		found := false
		for _, sub := range f {
			if nodes, ok := d.candidates(sub); ok && (!found || len(nodes) < len(fewest)) {
				fewest, found = nodes, true
			}
		}
		return fewest, found
	case some:
		var union []*node
		for _, sub := range f {
			nodes, ok := d.candidates(sub)
			if !ok {
				return nil, false
			}
			union = append(union, nodes...)
		}
		slices.SortFunc(union, byID)
		return slices.Compact(union), true
	case unknown:
		return nil, true
	}
	return nil, false
}

// indexed returns the nodes that hold a value, and false for a type without an index.
func (d *Directory) indexed(t *attributeType, norm string) ([]*node, bool) {
	switch {
	case t.indexed:
		return d.index[posting{t, norm}], true
	case t == d.schema.entryDN:
		if n := d.byDN[norm]; n != nil {
			return []*node{n}, true
		}
		return nil, true
	case t == d.schema.memberOf:
		group := d.byDN[norm]
		if group == nil {
			return nil, true
		}
		members := group.entry.find(d.schema.member)
		if members == nil {
			return nil, true
		}
		var nodes []*node
		for _, name := range members.norms {
			if n := d.byDN[name]; n != nil {
				nodes = append(nodes, n)
			}
		}
		slices.SortFunc(nodes, byID)
		return nodes, true
	}
	return nil, false
}
