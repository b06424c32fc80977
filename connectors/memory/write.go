package memory

import (
	"context"
	"crypto/rand"

	"postern/connectors"
)

func (c *connector) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	if err := c.b.enter(ctx, OpCreate); err != nil {
		return connectors.Entry{}, err
	}
	e, err := c.create(d, want)
	if err := c.b.leave(ctx, OpCreate); err != nil {
		return connectors.Entry{}, err
	}
	return e, err
}

func (c *connector) create(d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if !d.Place.IsZero() {
		return connectors.Entry{}, errPlaces
	}
	var anchor [16]byte
	_, _ = rand.Read(anchor[:]) // never fails since Go 1.24
	o := &object{
		collection: c.room.Name,
		anchor:     connectors.Anchor(anchor[:]),
		naming:     d.Name,
	}
	var touched []connectors.Attr
	for _, f := range d.Fields {
		touched = append(touched, f.Attr)
		// What is there twice in a draft is a mistake, not a conflict.
		if err := c.change(o, connectors.Change{Attr: f.Attr, Add: f.Values, AddRefs: f.Refs}); err != nil {
			if connectors.KindOf(err) == connectors.GuardFailed {
				return connectors.Entry{}, invalid(f.Attr, "has a value twice")
			}
			return connectors.Entry{}, err
		}
	}
	if err := c.check(nil, o, touched); err != nil {
		return connectors.Entry{}, err
	}
	if c.room.created != "" {
		o.edit(c.room.created).values = []connectors.Value{c.b.clock()}
	}
	c.b.store(o)
	return c.render(o, want), nil
}

func (c *connector) Apply(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard,
	want []connectors.Attr,
) (connectors.Entry, error) {
	if err := c.b.enter(ctx, OpApply); err != nil {
		return connectors.Entry{}, err
	}
	e, err := c.apply(a, cs, g, want)
	if err := c.b.leave(ctx, OpApply); err != nil {
		return connectors.Entry{}, err
	}
	return e, err
}

func (c *connector) apply(a connectors.Anchor, cs []connectors.Change, g connectors.Guard,
	want []connectors.Attr,
) (connectors.Entry, error) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	old, err := c.guarded(a, g)
	if err != nil {
		return connectors.Entry{}, err
	}
	o := old.clone()
	var touched []connectors.Attr
	for _, ch := range cs {
		touched = append(touched, ch.Attr)
		if err := c.change(o, ch); err != nil {
			return connectors.Entry{}, err
		}
	}
	if err := c.check(old, o, touched); err != nil {
		return connectors.Entry{}, err
	}
	if same(old, o) {
		return c.render(old, want), nil
	}
	c.b.store(o)
	// The object may hold a reference to itself, which followed the rename.
	return c.render(c.room.objects[a], want), nil
}

func (c *connector) Delete(ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
	if err := c.b.enter(ctx, OpDelete); err != nil {
		return err
	}
	err := c.delete(a, g)
	if err := c.b.leave(ctx, OpDelete); err != nil {
		return err
	}
	return err
}

func (c *connector) delete(a connectors.Anchor, g connectors.Guard) error {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	o, err := c.guarded(a, g)
	if err != nil {
		return err
	}
	c.b.remove(o)
	if c.b.options.Integrity {
		c.b.forget(o.name)
	}
	return nil
}

// guarded returns the object if the guard holds.
func (c *connector) guarded(a connectors.Anchor, g connectors.Guard) (*object, error) {
	if g.Level > c.b.guard {
		return nil, &connectors.Error{Kind: connectors.Unsupported, Reason: "a write can not be made conditional on that"}
	}
	o := c.room.objects[a]
	if o == nil {
		return nil, &connectors.Error{Kind: connectors.NotFound}
	}
	failed := &connectors.Error{Kind: connectors.GuardFailed}
	switch g.Level {
	case connectors.GuardEntry:
		if g.Stamp != o.stamp {
			return nil, failed
		}
	case connectors.GuardValues:
		for _, f := range g.Read {
			if !c.stillThere(o, f) {
				failed.Attr = f.Attr
				return nil, failed
			}
		}
	case connectors.GuardNone, connectors.GuardTouched:
		// The changes hold the values that they touch.
	}
	return o, nil
}

// stillThere reports whether each value that was read is in the object by the
// equality rule. Like a directory, which can be asked for no more in a modify,
// it does not see what was added.
func (c *connector) stillThere(o *object, read connectors.Field) bool {
	a := lower(read.Attr)
	if from, ok := c.room.reverse[a]; ok {
		return containsAll(c.b.holders(from, o.name), read.Refs)
	}
	f := o.field(a)
	m, _ := c.room.rule(a)
	for _, v := range read.Values {
		if find(m, f.values, v) < 0 {
			return false
		}
	}
	return containsAll(c.b.targets(f.refs, c.room.refs[a]), read.Refs)
}

func containsAll(all, some []connectors.Target) bool {
	if len(some) == 0 {
		return true
	}
	set := make(map[connectors.Target]bool, len(all))
	for _, t := range all {
		set[t] = true
	}
	for _, t := range some {
		if !set[t] {
			return false
		}
	}
	return true
}

// Trace returns the name of the object, which is what references hold.
func (c *connector) Trace(ctx context.Context, a connectors.Anchor) (string, error) {
	if err := c.b.enter(ctx, OpTrace); err != nil {
		return "", err
	}
	c.b.mu.RLock()
	o := c.room.objects[a]
	c.b.mu.RUnlock()
	if err := c.b.leave(ctx, OpTrace); err != nil {
		return "", err
	}
	if o == nil {
		return "", &connectors.Error{Kind: connectors.NotFound}
	}
	return string(o.name.value), nil
}

// Sweep takes away all references to that name, also where that leaves a
// required attribute without a value.
func (c *connector) Sweep(ctx context.Context, trace string) error {
	if err := c.b.enter(ctx, OpSweep); err != nil {
		return err
	}
	c.b.mu.Lock()
	c.b.forget(name{c.room.Name, connectors.Value(trace)})
	c.b.mu.Unlock()
	return c.b.leave(ctx, OpSweep)
}
