package gateway

import (
	"context"
	"errors"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// A Keep says what becomes of the objects of a resource that a client deletes, where
// they are not deleted: they are disabled, moved, or both.
type Keep struct {
	Disable   bool   // by the mapping's `active`
	Container string // where they are moved to, in the backend's notation; "" is nowhere
}

// name is the policy as an intent holds it, so that what was begun under it is
// recognised whatever the configuration says then, with the trace of what is moved.
func (k Keep) name(trace string) string {
	how := ""
	if k.Disable {
		how = "disable"
	}
	return how + "\x00" + k.Container + "\x00" + trace
}

// keepNamed reads what name wrote.
func keepNamed(name string) (k Keep, trace string) {
	how, rest, _ := strings.Cut(name, "\x00")
	k.Disable = how == "disable"
	k.Container, trace, _ = strings.Cut(rest, "\x00")
	return k, trace
}

var errNoActive = errors.New("the mapping has no `active` that could be written")

// keep puts one object away as the policy says. check is asked about the entry as it
// was read, before anything is written; nil asks nothing. What is done already is
// not done again. wrote says that something may have been written, also where the
// rest failed.
func (g *Gateway) keep(ctx context.Context, k Keep, w written, check func(connectors.Entry) error) (wrote bool, err error) {
	t, a := w.t, connectors.Anchor(w.anchor.Key)
	p, closing, err := t.closing(k)
	if err != nil {
		return false, err
	}
	level := t.Connector.Capabilities().Guard
	for try := 1; ; try++ {
		var guard connectors.Guard
		want := closing
		if check != nil {
			want = t.want
		}
		e, err := t.Connector.Get(ctx, a, want)
		if err != nil {
			return wrote, err
		}
		if check != nil {
			if err := check(e); err != nil {
				return wrote, err
			}
			guard = t.Mapping.Guard(level, e)
		}
		if k.Disable {
			plan, err := t.Mapping.Plan(e, p, nil)
			if err != nil {
				return wrote, err
			}
			if len(plan.Changes) > 0 {
				if check != nil {
					plan = plan.Conditional(level, e)
				}
				_, err = g.apply(ctx, w, plan, e, nil)
				wrote = wrote || connectors.KindOf(err) != connectors.GuardFailed
			}
			if connectors.KindOf(err) == connectors.GuardFailed && try < attempts {
				continue
			}
			if err != nil || k.Container == "" {
				return wrote, err
			}
			if len(plan.Changes) > 0 { // by our own hand it is no longer what was checked
				check, guard = nil, connectors.Guard{}
			}
		}
		err = t.moveOut(ctx, a, k.Container, guard)
		if connectors.KindOf(err) != connectors.GuardFailed || try == attempts {
			return wrote || err == nil || connectors.KindOf(err) == connectors.Timeout, err
		}
	}
}

// closing is what disables an object, and the attributes to be read for it. There is
// none of either where the policy does not disable.
func (t *target) closing(k Keep) (p scim.Patch, want []connectors.Attr, err error) {
	if !k.Disable {
		return p, nil, nil
	}
	inactive := t.inactive()
	if inactive == nil {
		return p, nil, errNoActive
	}
	return *inactive, t.Mapping.Needs(*inactive).Want, nil
}

func (t *target) moveOut(ctx context.Context, a connectors.Anchor, container string, g connectors.Guard) error {
	m, ok := connectors.As[connectors.Mover](t.Connector)
	if !ok {
		return errors.New("the backend has no containers to move to")
	}
	return m.MoveOut(ctx, a, container, g)
}

// isKept reports whether an object is as the policy puts it away. One that is not in
// the collection any more is: it was moved out of it, or is gone.
func (t *target) isKept(ctx context.Context, k Keep, a connectors.Anchor) (bool, error) {
	p, want, err := t.closing(k)
	if err != nil {
		return false, err
	}
	e, err := t.Connector.Get(ctx, a, want)
	if connectors.KindOf(err) == connectors.NotFound {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if k.Disable {
		plan, err := t.Mapping.Plan(e, p, nil)
		if err != nil || len(plan.Changes) > 0 {
			return false, err
		}
	}
	if k.Container == "" {
		return true, nil
	}
	m, ok := connectors.As[connectors.Mover](t.Connector)
	if !ok {
		return false, nil
	}
	lies, err := m.LiesIn(ctx, a, k.Container)
	if connectors.KindOf(err) == connectors.NotFound {
		return true, nil
	}
	return lies, err
}
