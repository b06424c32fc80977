package mapping

import (
	"strings"

	"postern/scim"
)

// Owners that assign gives to elements that no rule holds.
const (
	surplus = -1 // nothing is mapped for it, or another element has the place
	blank   = -2 // it has no value that any rule could hold
)

// assign finds for each element of a multi-valued complex attribute the mapped
// element that holds it (an index into p.elements). Elements whose constants
// agree go first, then those that leave some out (an e-mail without a type
// takes the first place that is free). Of several for one place those that are
// not in old are preferred, so that what a client adds to what is there takes its
// place; then those that are primary where the place is.
func (p *property) assign(items []scim.Value, owners []int, old []scim.Value) {
	for i := range items {
		owners[i] = blank
		o := items[i].Object()
		for _, r := range p.rules {
			if !o.Get(r.leaf).IsAbsent() {
				owners[i] = surplus
				break
			}
		}
	}
	taken := make([]bool, len(p.elements))
	place := func(fit int, fresh, primary bool) {
		for i := range items {
			if owners[i] != surplus || p.among(items[i], old) == fresh {
				continue
			}
			for k, el := range p.elements {
				if (el.multi || !taken[k]) && el.fit(items[i].Object()) == fit && (!primary || el.agrees(items[i].Object())) {
					owners[i], taken[k] = k, true
					break
				}
			}
		}
	}
	for _, fit := range []int{agrees, silent} {
		for _, fresh := range []bool{true, false} {
			place(fit, fresh, true)
			place(fit, fresh, false)
		}
	}
}

func (p *property) among(v scim.Value, list []scim.Value) bool {
	for _, o := range list {
		if scim.Equal(p.attr, o, v) {
			return true
		}
	}
	return false
}

// sameLeaves reports whether two values have the same in all that the rules of an
// element hold.
func (el *element) sameLeaves(a, b scim.Value) bool {
	for _, r := range el.rules {
		if !scim.Equal(r.leaf, a.Object().Get(r.leaf), b.Object().Get(r.leaf)) {
			return false
		}
	}
	return true
}

// How well an element that a client sent fits the constants of a mapped one.
const (
	differs = iota // one is another
	silent         // one is left out
	agrees
)

func (el *element) fit(o scim.Object) int {
	fit := agrees
	for _, c := range el.constants {
		switch v := o.Get(c.Attr); {
		case v.IsAbsent():
			fit = silent
		case !scim.Equal(c.Attr, v, c.Value):
			return differs
		}
	}
	return fit
}

// agrees reports whether both or neither are primary.
func (el *element) agrees(o scim.Object) bool {
	return el.primaryAt == nil || o.Get(el.primaryAt).Bool() == el.primary
}

// describe names an element by its type, never by its value.
func (p *property) describe(v scim.Value) string {
	path := scim.AttrPath{Attr: p.attr}.String()
	for _, f := range v.Object() {
		if strings.EqualFold(f.Attr.Name, "type") {
			return path + "[type eq " + f.Value.String() + "]"
		}
	}
	return path
}
