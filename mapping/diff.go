package mapping

import (
	"slices"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// mode says what kind of request is planned.
type mode uint8

const (
	patching mode = iota
	replacing
	creating
)

// A planner compares an entry with the resource that it is to become, rule by
// rule, and collects the changes. The first error ends the planning.
type planner struct {
	m    *Mapping
	e    *connectors.Entry
	refs Refs
	mode mode

	was     *scim.Resource
	now     *scim.Resource
	patch   scim.Patch                             // when patching
	touched []bool                                 // when patching, by property
	named   map[string]Referent                    // see tokens
	states  map[connectors.Attr][]connectors.Value // see state
	ignored map[string]bool                        // what plan.Ignored has

	plan Plan
	err  error
}

// property plans one property.
func (pl *planner) property(p *property) {
	v := pl.now.Get(p.attr)
	if pl.mode == replacing && v.IsAbsent() && p.attr.Returned == scim.ReturnedRequest {
		return // the client need not have seen it
	}
	if was := pl.was.Get(p.attr); p.attr.Mutability == scim.Immutable && p.shape == shapeComplex && pl.mode == replacing &&
		!was.IsAbsent() && !v.IsAbsent() && !scim.Equal(p.attr, was, v) {
		pl.fail(scim.NotMutable("%s can not be changed once it is set", p.attr))
		return
	}
	switch p.shape {
	case shapeSimple:
		pl.single(p.rules[0], v)
	case shapeList:
		pl.several(p.rules[0], v.Items())
	case shapeComplex:
		for _, r := range p.rules {
			v := v.Object().Get(r.leaf)
			if pl.mode == replacing && v.IsAbsent() && r.leaf.Returned == scim.ReturnedRequest {
				continue
			}
			pl.single(r, v)
		}
	case shapeElements:
		pl.elements(p, v.Items())
	default:
		pl.references(p, v)
	}
}

func (pl *planner) elements(p *property, items []scim.Value) {
	owners := make([]int, len(items))
	var old []scim.Value // nil where the client sent the whole list: then it alone decides, and doing it again changes nothing
	if pl.mode == patching && !pl.patch.Replaces(p.attr) {
		// What is there and is added again is as good as new: a repeated request says the same.
		added := pl.patch.Added(p.attr)
		old = slices.DeleteFunc(slices.Clone(pl.was.Get(p.attr).Items()), func(v scim.Value) bool { return p.among(v, added) })
	}
	p.assign(items, owners, old)
	for i, owner := range owners {
		if owner != surplus || p.among(items[i], old) {
			continue
		}
		if lost := pl.displaced(p, items[i], items, owners); !lost.IsAbsent() {
			pl.fail(scim.InvalidValue("%s is not mapped, and the value of %s would be lost; send a type that is mapped, or remove the value", p.describe(items[i]), p.describe(lost)))
			return
		}
		pl.ignore(p.describe(items[i]))
	}
	for k, el := range p.elements {
		if el.multi {
			if _, ok := el.rules[0].codec.(proxyAddresses); ok {
				var own []scim.Object
				for i, owner := range owners {
					if owner == k {
						own = append(own, items[i].Object())
					}
				}
				pl.addresses(el.rules[0], own)
				continue
			}
			var values []scim.Value
			for i, owner := range owners {
				if owner == k {
					values = append(values, items[i].Object().Get(el.rules[0].leaf))
				}
			}
			pl.several(el.rules[0], values)
			continue
		}
		var o scim.Object
		if i := slices.Index(owners, k); i >= 0 {
			o = items[i].Object()
		}
		for _, r := range el.rules {
			pl.single(r, o.Get(r.leaf))
		}
	}
}

// displaced returns the stored element of which the request makes one that no rule
// holds: its values are those of the item, and nothing keeps its place. Absent is
// none.
func (pl *planner) displaced(p *property, item scim.Value, items []scim.Value, owners []int) scim.Value {
	stored := pl.was.Get(p.attr).Items()
	places := make([]int, len(stored))
	p.assign(stored, places, nil)
	for i, k := range places {
		if k < 0 || !p.elements[k].sameLeaves(stored[i], item) {
			continue
		}
		kept := false
		for j, owner := range owners {
			kept = kept || owner == k && (!p.elements[k].multi || p.elements[k].sameLeaves(stored[i], items[j]))
		}
		if !kept {
			return stored[i]
		}
	}
	return scim.Value{}
}

// single plans a rule for one value. Values that it does not show stay.
func (pl *planner) single(r *rule, v scim.Value) {
	values := pl.stored(r)
	switch {
	case r.unread:
		pl.unread(r, v)
		return
	case r.state != nil:
		pl.state(r, values, v)
		return
	}
	stored, was := r.shown(values)
	switch {
	case v.IsAbsent() && pl.mode == replacing && r.fallback != nil && !was.IsAbsent():
		return // what a default keeps from being empty is not reset by leaving it out
	case v.IsAbsent() && (pl.mode == creating || !was.IsAbsent()):
		v = pl.fallback(r)
	}
	if same(was, v) || r.write == writeCreate && scim.Equal(r.leaf, was, v) || !pl.may(r, !was.IsAbsent(), v.IsAbsent()) {
		return
	}
	c := connectors.Change{Attr: r.attr}
	if stored != "" {
		c.Delete = []connectors.Value{stored}
	} else if len(values) == 1 {
		c.Delete = values[:1:1] // it means nothing to the codec and is in the way
	}
	if v.IsAbsent() {
		if pl.m.naming != nil && pl.m.naming.rule == r {
			pl.fail(scim.InvalidValue("%s is required: the object's name is made of it", r.path))
			return
		}
		if b, ok := r.codec.(blanker); ok && pl.mode != creating {
			c.Add = []connectors.Value{b.blank()}
		}
	} else {
		b, ok := pl.encode(r, v)
		if !ok {
			return
		}
		if back, ok := r.codec.decode(b); ok && same(back, was) {
			return // the same value in another writing
		}
		if !slices.Contains(values, b) {
			c.Add = []connectors.Value{b}
		}
	}
	pl.change(r, c)
}

// several plans a rule for many values. Values that do not decode stay.
func (pl *planner) several(r *rule, items []scim.Value) {
	if len(items) == 0 && pl.mode == creating {
		if v := pl.fallback(r); !v.IsAbsent() {
			items = []scim.Value{v}
		}
	}
	values := pl.stored(r)
	had := make(map[string]bool, len(values)) // what is shown, by its text: whether it is to stay
	for _, stored := range values {
		if v, ok := r.codec.decode(stored); ok && !r.unread {
			had[plain(v)] = false
		}
	}
	c := connectors.Change{Attr: r.attr, Replace: r.unread}
	stays := func(v scim.Value) bool {
		_, shown := had[plain(v)]
		if shown {
			had[plain(v)] = true
		}
		return shown
	}
	for _, v := range items {
		if stays(v) {
			continue
		}
		b, ok := pl.encode(r, v)
		if !ok {
			return
		}
		if back, ok := r.codec.decode(b); ok && stays(back) {
			continue
		}
		if !slices.Contains(c.Add, b) && !slices.Contains(values, b) {
			c.Add = append(c.Add, b)
		}
	}
	for _, stored := range values {
		if v, ok := r.codec.decode(stored); ok && !r.unread && !had[plain(v)] {
			c.Delete = append(c.Delete, stored)
		}
	}
	if c.Empty() || r.unread && len(c.Add) == 0 && pl.mode != patching {
		return
	}
	if pl.may(r, len(had) > 0, len(items) == 0) && pl.whole(r) {
		pl.change(r, c)
	}
}

// unread plans a rule that is never read, such as a password: what is there is
// replaced unseen, and stays where the client says nothing.
func (pl *planner) unread(r *rule, v scim.Value) {
	if v.IsAbsent() && pl.mode == creating {
		if v = pl.fallback(r); v.IsAbsent() && r.generate {
			v = scim.Str(randomPassword())
		}
	}
	if v.IsAbsent() && (pl.mode != patching || r.property.shape != shapeSimple) || !pl.may(r, true, v.IsAbsent()) {
		return
	}
	c := connectors.Change{Attr: r.attr, Replace: true}
	if v.IsAbsent() { // an empty password, say: what is there can not be seen, and is not taken away unseen
		pl.fail(scim.NotMutable("%s can be changed but not removed", r.path))
		return
	}
	b, ok := pl.encode(r, v)
	if !ok {
		return
	}
	c.Add = []connectors.Value{b}
	pl.change(r, c)
}

// rename plans the attribute that names the object when something changed that
// the name is made of.
func (pl *planner) rename() {
	n := pl.m.naming
	if pl.err != nil || n == nil || n.attr == "" || n.rule != nil || !pl.touches(n.uses) {
		return
	}
	was, unnamed := n.template.render(valuesOf(pl.was), depthOfName)
	now, missing := n.template.render(pl.after, depthOfName)
	switch {
	case missing != nil && unnamed == nil:
		pl.fail(missingName(missing))
		return
	case missing != nil, unnamed == nil && was == now:
		return
	}
	var values []connectors.Value
	if f := fieldAt(pl.e, n.attr, n.slot); f != nil {
		values = f.Values
	}
	c := connectors.Change{Attr: n.attr}
	former := func(v connectors.Value) bool {
		return unnamed == nil && (strings.EqualFold(string(v), was) || n.numbers && isNumbered(string(v), was))
	}
	if i := slices.IndexFunc(values, former); i >= 0 {
		c.Delete = values[i : i+1 : i+1]
	} else if len(values) == 1 {
		c.Delete = values[:1:1]
	} else if len(values) > 1 {
		pl.ignore(string(n.attr)) // which of them is the name can not be told
		return
	}
	if slices.Contains(c.Delete, connectors.Value(now)) {
		return
	}
	if !slices.Contains(values, connectors.Value(now)) {
		c.Add = []connectors.Value{connectors.Value(now)}
	}
	pl.plan.Changes = append(pl.plan.Changes, c)
	pl.plan.from = append(pl.plan.from, n.pos)
}

// touches reports whether the request may change a property that is used for
// something.
func (pl *planner) touches(used func(*property) bool) bool {
	for i, p := range pl.m.properties {
		if (pl.mode == replacing || pl.touched[i]) && used(p) {
			return true
		}
	}
	return false
}

func missingName(r *rule) error {
	return scim.InvalidValue("%s is required: the object's name is made of it", r.path)
}

// stored returns what an entry holds for a rule.
func (pl *planner) stored(r *rule) []connectors.Value {
	if f := fieldAt(pl.e, r.attr, r.slot); f != nil {
		return f.Values
	}
	return nil
}

// fallback is the rule's default for the resource, or Absent.
func (pl *planner) fallback(r *rule) scim.Value {
	if r.fallback == nil {
		return scim.Value{}
	}
	s := r.fallback.render(valuesOf(pl.now), depthOfDefault)
	if s == "" {
		return scim.Value{}
	}
	v, err := typed(r.leaf.Type, s)
	if err != nil {
		pl.fail(scim.InvalidValue("%s: %v", r.path, err))
	} else if err := r.leaf.Admits(v.Text()); err != nil {
		pl.fail(err)
	}
	return v
}

func (pl *planner) encode(r *rule, v scim.Value) (connectors.Value, bool) {
	b, err := r.codec.encode(v)
	if err != nil {
		pl.fail(scim.InvalidValue("%s: %v", r.path, err))
	}
	return b, err == nil
}

// may reports whether the rule allows a change. present says that there is a
// value now, cleared that there would be none.
func (pl *planner) may(r *rule, present, cleared bool) bool {
	switch {
	case r.write == writeAlways,
		r.write == writeCreate && (pl.mode == creating || !present):
		return true
	case pl.mode != patching && (r.write == writeNever || cleared):
		return false // RFC 7644 §3.3 and §3.5.1: what can not be written is passed over
	case r.lenient:
		pl.ignore(r.path)
		return false
	case r.write == writeCreate:
		pl.fail(scim.NotMutable("%s can not be changed once it is set", r.path))
	default:
		pl.fail(scim.NotMutable("%s can not be written", r.path))
	}
	return false
}

// whole refuses to write values beside others that were not read.
func (pl *planner) whole(r *rule) bool {
	if f := fieldAt(pl.e, r.attr, r.slot); f != nil && f.Partial {
		pl.fail(&connectors.Error{Kind: connectors.TooMany, Attr: r.attr, Reason: "the backend did not give all of the values, so they can not be replaced"})
		return false
	}
	return true
}

func (pl *planner) change(r *rule, c connectors.Change) {
	if pl.err == nil && !c.Empty() {
		pl.plan.Changes = append(pl.plan.Changes, c)
		pl.plan.from = append(pl.plan.from, r.pos)
	}
}

func (pl *planner) ignore(path string) {
	if pl.ignored[path] {
		return
	}
	if pl.ignored == nil {
		pl.ignored = make(map[string]bool)
	}
	pl.ignored[path] = true
	pl.plan.Ignored = append(pl.plan.Ignored, path)
}

func (pl *planner) fail(err error) {
	if pl.err == nil {
		pl.err = err
	}
}
