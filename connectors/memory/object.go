package memory

import (
	"cmp"
	"maps"
	"slices"

	"postern/connectors"
)

// An object is one stored object. Once stored it never changes: a write stores
// a changed copy, so that whoever reads has a whole one.
type object struct {
	collection string
	anchor     connectors.Anchor
	serial     uint64
	stamp      connectors.Stamp
	naming     connectors.Attr  // the attribute that names it, as the draft spelled it
	rdn        connectors.Value // the value of it that does
	name       name
	fields     []field
}

// A field is one attribute under its lower-case name, never without a value.
type field struct {
	attr   connectors.Attr
	values []connectors.Value
	refs   []name
}

// A name is what references hold: the collection of an object and the normal
// form of its naming value.
type name struct {
	collection string
	value      connectors.Value
}

// An edge is one reference, seen from its target.
type edge struct {
	collection string // the holder's
	attr       connectors.Attr
	to         name
}

// normal returns the form of a naming value that equal ones share.
func normal(r *room, naming connectors.Attr, v connectors.Value) connectors.Value {
	if r == nil {
		return v
	}
	m, _ := r.rule(lower(naming))
	n, _ := m.Normal(v)
	return n
}

func (o *object) field(a connectors.Attr) field {
	for _, f := range o.fields {
		if f.attr == a {
			return f
		}
	}
	return field{attr: a}
}

// edit returns the attribute for writing, in a copy that is not stored yet. Its
// slices are still those of the stored object.
func (o *object) edit(a connectors.Attr) *field {
	for i := range o.fields {
		if o.fields[i].attr == a {
			return &o.fields[i]
		}
	}
	o.fields = append(o.fields, field{attr: a})
	return &o.fields[len(o.fields)-1]
}

func (o *object) clone() *object {
	c := *o
	c.fields = slices.Clone(o.fields)
	return &c
}

// store puts a new or changed object in its place, with a new stamp, and keeps
// the two indexes true.
func (b *Backend) store(o *object) {
	r := b.rooms[o.collection]
	o.stamp = b.nextStamp()
	o.fields = slices.DeleteFunc(o.fields, func(f field) bool { return len(f.values)+len(f.refs) == 0 })
	if r.modified != "" {
		o.edit(r.modified).values = []connectors.Value{b.clock()}
	}
	old := r.objects[o.anchor]
	if old == nil {
		o.serial = b.writes
		r.order = append(r.order, place{o.serial, o.anchor})
	} else if old.name != o.name {
		delete(b.named, old.name)
	}
	r.objects[o.anchor] = o
	b.named[o.name] = o
	b.told.add(happening{r.Name, connectors.Changed, o.anchor})
	b.index(old, o)
	if old != nil && old.name != o.name {
		b.follow(old.name, o.name)
	}
}

// remove takes an object out of its collection and the indexes.
func (b *Backend) remove(o *object) {
	r := b.rooms[o.collection]
	b.writes++
	delete(r.objects, o.anchor)
	delete(b.named, o.name)
	b.told.add(happening{r.Name, connectors.Gone, o.anchor})
	b.index(o, nil)
	i, found := slices.BinarySearchFunc(r.order, o.serial, func(p place, serial uint64) int {
		return cmp.Compare(p.serial, serial)
	})
	if found {
		r.order = slices.Delete(r.order, i, i+1)
	}
}

// index moves the edges of an object from its old state to its new one; nil is
// an object that is not there.
func (b *Backend) index(old, o *object) {
	var before, after []field
	if old != nil {
		before = old.fields
	}
	if o != nil {
		after = o.fields
	}
	for _, f := range before {
		if len(f.refs) == 0 || o != nil && slices.Equal(o.field(f.attr).refs, f.refs) {
			continue
		}
		for _, to := range f.refs {
			e := edge{old.collection, f.attr, to}
			delete(b.holds[e], old.anchor)
			if len(b.holds[e]) == 0 {
				delete(b.holds, e)
			}
		}
	}
	for _, f := range after {
		if len(f.refs) == 0 || old != nil && slices.Equal(old.field(f.attr).refs, f.refs) {
			continue
		}
		for _, to := range f.refs {
			e := edge{o.collection, f.attr, to}
			if b.holds[e] == nil {
				b.holds[e] = make(map[connectors.Anchor]struct{})
			}
			b.holds[e][o.anchor] = struct{}{}
		}
	}
}

// follow makes the references to a renamed object name it as it is called now.
func (b *Backend) follow(from, to name) {
	b.eachHolder(from, func(o *object, a connectors.Attr) {
		c := o.clone()
		f := c.edit(a)
		f.refs = slices.Clone(f.refs)
		for i := range f.refs {
			if f.refs[i] == from {
				f.refs[i] = to
			}
		}
		b.store(c)
	})
}

// forget takes away every reference to a name.
func (b *Backend) forget(gone name) {
	b.eachHolder(gone, func(o *object, a connectors.Attr) {
		c := o.clone()
		f := c.edit(a)
		f.refs = slices.DeleteFunc(slices.Clone(f.refs), func(n name) bool { return n == gone })
		b.store(c)
	})
}

// eachHolder calls do with every object and attribute that refer to a name. Do
// may store the object.
func (b *Backend) eachHolder(to name, do func(*object, connectors.Attr)) {
	for _, r := range b.rooms {
		for a := range r.refs {
			for _, holder := range slices.Sorted(maps.Keys(b.holds[edge{r.Name, a, to}])) {
				do(r.objects[holder], a)
			}
		}
	}
}

// clock returns the present as a generalizedTime.
func (b *Backend) clock() connectors.Value {
	return connectors.Value(b.now().UTC().Format("20060102150405Z"))
}
