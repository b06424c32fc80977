package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A Plan is what one request changes in a backend: one Change for each
// attribute, and no change at all where everything is as it was asked to be.
type Plan struct {
	Changes []connectors.Change
	Guard   connectors.Guard
	// Ignored names what the client sent and no rule can hold.
	Ignored []string

	m    *Mapping
	from []configs.Pos // the rule of each change
	name string        // without a number, where the mapping numbers names
}

// Conditional returns the plan under the condition, of at most the given level,
// that the entry is still what the plan was made from.
func (p Plan) Conditional(level connectors.GuardLevel, e connectors.Entry) Plan {
	p.Guard = p.m.Guard(level, e)
	return p
}

// Shows reports whether the plan changes anything that can be read: everything but
// passwords.
func (p Plan) Shows() bool {
	return slices.ContainsFunc(p.Changes, func(c connectors.Change) bool { return !p.m.secret(c.Attr) })
}

// String prints the plan for logs and for `explain`, a line for each change.
// What may not be read is not shown.
func (p Plan) String() string {
	var b strings.Builder
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Place != nil {
			fmt.Fprintf(&b, "move to %q%s\n", c.Place, p.at(i))
			continue
		}
		fmt.Fprintf(&b, "change %s:", c.Attr)
		if c.Lenient {
			b.WriteString(" leniently")
		}
		printValues(&b, "delete", c.Delete, c.DeleteRefs)
		switch {
		case p.m.secret(c.Attr):
			b.WriteString(" replace (hidden)")
		case c.Replace:
			b.WriteString(" replace")
			printValues(&b, "with", c.Add, c.AddRefs)
		default:
			printValues(&b, "add", c.Add, c.AddRefs)
		}
		b.WriteString(p.at(i) + "\n")
	}
	if len(p.Changes) == 0 {
		b.WriteString("nothing to change\n")
	}
	if p.Guard.Level != connectors.GuardNone {
		fmt.Fprintf(&b, "guard %s", p.Guard.Level)
		var absent strings.Builder
		for _, f := range p.Guard.Read {
			if f.Empty() {
				fmt.Fprintf(&absent, " %s", f.Attr)
			} else {
				fmt.Fprintf(&b, " %s", f.Attr)
			}
		}
		if absent.Len() > 0 {
			b.WriteString("; absent" + absent.String())
		}
		b.WriteByte('\n')
	}
	for _, path := range p.Ignored {
		fmt.Fprintf(&b, "ignored %s\n", path)
	}
	return b.String()
}

// at is the rule of a change, in brackets, where it is known.
func (p Plan) at(i int) string {
	if i >= len(p.from) {
		return ""
	}
	return fmt.Sprintf(" (%s)", p.from[i])
}

func printValues(b *strings.Builder, verb string, values []connectors.Value, refs []connectors.Target) {
	if len(values)+len(refs) == 0 {
		return
	}
	b.WriteString(" " + verb)
	for _, v := range values {
		b.WriteString(" " + strconv.Quote(string(v)))
	}
	for _, t := range refs {
		fmt.Fprintf(b, " %s/%x", t.Collection, string(t.Anchor))
	}
}

func (m *Mapping) secret(a connectors.Attr) bool {
	return slices.ContainsFunc(m.rules, func(r *rule) bool { return r.unread && r.attr == a })
}

// Plan returns the changes that make the entry what the PATCH asks for (RFC 7644
// §3.5.2). The patch is applied to the entry as a client sees it; only what it
// touches is written, value by value. An entry that was not read (Needs.Blind)
// gets its members added and removed leniently.
func (m *Mapping) Plan(e connectors.Entry, p scim.Patch, refs Refs) (Plan, error) {
	pl := planner{m: m, e: &e, refs: refs, mode: patching, patch: p}
	pl.touched = make([]bool, len(m.properties))
	direct := make([]bool, len(m.properties)) // whose elements come and go one by one
	rest := p
	rest.Ops = nil
	for i, prop := range m.properties {
		if pl.touched[i] = p.Touches(prop.attr); !pl.touched[i] {
			continue
		}
		_, _, direct[i] = prop.elementwise(p)
	}
	for _, op := range p.Ops {
		if err := m.plannable(op); err != nil {
			return Plan{}, err
		}
		i := slices.IndexFunc(m.properties, func(prop *property) bool { return prop.attr == op.Path.Attr })
		if i >= 0 && !direct[i] {
			rest.Ops = append(rest.Ops, op)
		}
	}
	pl.was = &scim.Resource{Type: m.rt, Attrs: m.project(&e, pl.tokens(rest), nil)}
	pl.now = pl.was
	if len(rest.Ops) > 0 {
		var err error
		if pl.now, err = rest.Apply(pl.was); err != nil {
			return Plan{}, err
		}
	}
	for i, prop := range m.properties {
		switch {
		case direct[i]:
			add, remove, _ := prop.elementwise(p)
			pl.elementwise(prop, add, remove)
		case pl.touched[i]:
			pl.property(prop)
		}
	}
	return pl.finish()
}

// PlanReplace returns the changes that make the entry the resource that a client
// sent with PUT (RFC 7644 §3.5.1): mapped attributes that it left out are
// cleared, save those that it can not read or write, and states.
func (m *Mapping) PlanReplace(e connectors.Entry, r *scim.Resource, refs Refs) (Plan, error) {
	pl := planner{m: m, e: &e, refs: refs, mode: replacing, now: r}
	pl.was = m.Project(e, nil)
	for _, prop := range m.properties {
		pl.property(prop)
	}
	return pl.finish()
}

func (pl *planner) finish() (Plan, error) {
	pl.rename()
	pl.move()
	if pl.err != nil {
		return Plan{}, pl.err
	}
	pl.plan.m = pl.m
	if pl.m.Numbers() && pl.plan.Renames() {
		pl.plan.name, _ = pl.m.naming.template.render(pl.after, depthOfName)
	}
	return pl.plan, nil
}

// tokens gives the references of the entry names for the time of a patch: the
// id that the patch calls the target by, or one that can not be an id.
func (pl *planner) tokens(p scim.Patch) Names {
	var names Names
	for _, prop := range pl.m.properties {
		if prop.value == nil || !p.Touches(prop.attr) {
			continue
		}
		r := prop.rules[0]
		f := fieldAt(pl.e, r.attr, r.slot)
		if f == nil || len(f.Refs) == 0 || r.unread {
			continue
		}
		if pl.named == nil {
			names, pl.named = make(Names), make(map[string]Referent, len(f.Refs))
		}
		ids := make(map[connectors.Target]string, len(pl.refs))
		for id, ref := range pl.refs {
			for t := range ref.all {
				if old, ok := ids[t]; !ok || id < old {
					ids[t] = id
				}
			}
		}
		list := make([]string, len(f.Refs))
		for i, t := range f.Refs {
			if list[i] = ids[t]; list[i] == "" {
				list[i] = "\x00" + strconv.Itoa(len(pl.named))
				pl.named[list[i]] = Referent{Target: t}
			} else {
				pl.named[list[i]] = pl.refs[list[i]]
			}
		}
		names[r.attr] = list
	}
	return names
}
