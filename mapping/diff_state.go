package mapping

import (
	"slices"

	"postern/connectors"
	"postern/scim"
)

// unseen is a state whose attribute the backend makes something else of than what
// was written, so that what is there is not compared with what was read.
type unseen interface{ unseen() bool }

// state plans a state: it is changed, never taken away. Several states may share
// an attribute, and each begins with what those before it made of it.
func (pl *planner) state(r *rule, stored []connectors.Value, v scim.Value) {
	values, begun := pl.states[r.attr]
	if !begun {
		values = stored
	}
	next := values
	was := r.state.read(values)
	if v.IsAbsent() && pl.mode == creating {
		if v = pl.fallback(r); v.IsAbsent() {
			next = r.state.initial(values, pl.secures())
		}
	}
	switch {
	case !v.IsAbsent():
		if same(was, v) || !pl.may(r, !was.IsAbsent(), false) {
			return
		}
		if pl.mode == creating && v.Bool() && r.state.needsPassword() && !pl.secures() {
			pl.fail(scim.InvalidValue("%s: an account without a password can not be enabled", r.path))
			return
		}
		var err error
		if next, err = r.state.write(v.Bool(), values); err != nil {
			pl.fail(scim.InvalidValue("%s: %v", r.path, err))
			return
		}
	case pl.mode != creating:
		if pl.mode == patching && !was.IsAbsent() {
			pl.fail(scim.NotMutable("%s can be changed but not removed", r.path))
		}
		return
	}
	if pl.states == nil {
		pl.states = make(map[connectors.Attr][]connectors.Value)
	}
	pl.states[r.attr] = next
	pl.changeState(r, stateChange(r, stored, next))
}

// stateChange is how an attribute gets from some values to others.
func stateChange(r *rule, stored, next []connectors.Value) connectors.Change {
	c := connectors.Change{Attr: r.attr}
	if u, ok := r.state.(unseen); ok && u.unseen() {
		if !slices.Equal(stored, next) {
			c.Replace, c.Add = true, next
		}
		return c
	}
	for _, old := range stored {
		if !slices.Contains(next, old) {
			c.Delete = append(c.Delete, old)
		}
	}
	for _, b := range next {
		if !slices.Contains(stored, b) {
			c.Add = append(c.Add, b)
		}
	}
	return c
}

// changeState puts a change in the place of that which another state of the
// attribute made.
func (pl *planner) changeState(r *rule, c connectors.Change) {
	i := slices.IndexFunc(pl.plan.Changes, func(o connectors.Change) bool { return o.Attr == r.attr })
	if i >= 0 {
		pl.plan.Changes = slices.Delete(pl.plan.Changes, i, i+1)
		pl.plan.from = slices.Delete(pl.plan.from, i, i+1)
	}
	pl.change(r, c)
}
