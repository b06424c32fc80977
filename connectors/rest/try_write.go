package rest

import (
	"context"
	"slices"
	"strings"

	"postern/connectors"
)

// An edit is what an argument says of an attribute.
type edit struct {
	attr   connectors.Attr
	op     string // "" sets, "+" adds, "-" takes away
	values []connectors.Value
	refs   []connectors.Target
}

// edit reads an argument such as /login=anna or /user_ids+=7. Without a value an
// attribute is set to none.
func (c *collection) edit(arg string) (edit, error) {
	name, value, ok := strings.Cut(arg, "=")
	// A selector has an = of its own: /custom_fields[id=7]/value=x.
	for ok && strings.Count(name, "[") > strings.Count(name, "]") {
		var more string
		more, value, ok = strings.Cut(value, "=")
		name += "=" + more
	}
	if !ok {
		return edit{}, usage("%q is not an attribute, =, and a value, as in /login=anna", arg)
	}
	e := edit{}
	for _, op := range []string{"+", "-"} {
		if rest, has := strings.CutSuffix(name, op); has {
			name, e.op = rest, op
		}
	}
	known, _ := c.path(connectors.Attr(name))
	if !slices.Contains(c.Attrs, known) {
		return edit{}, usage("the mapping does not use %q; it uses %s", name, attrList(c.Attrs))
	}
	e.attr = known
	switch into, isRef := c.References[known]; {
	case value == "":
	case isRef && len(into) > 0:
		e.refs = []connectors.Target{{Collection: into[0], Anchor: connectors.Anchor(value)}}
	default:
		e.values = []connectors.Value{connectors.Value(value)}
	}
	return e, nil
}

func (c *collection) tryUpdate(ctx context.Context, a connectors.Anchor, edits []edit, tell tellf) error {
	var want []connectors.Attr
	for _, e := range edits {
		want = append(want, e.attr)
	}
	now, err := c.Get(ctx, a, want)
	if err != nil {
		return err
	}
	var changes []connectors.Change
	for _, e := range edits {
		ch := connectors.Change{Attr: e.attr}
		is := now.Field(e.attr)
		if e.op != "+" {
			ch.Delete, ch.DeleteRefs = e.values, e.refs
		}
		if e.op == "" {
			ch.Delete, ch.DeleteRefs = without(is.Values, e.values), without(is.Refs, e.refs)
		}
		if e.op != "-" {
			ch.Add, ch.AddRefs = without(e.values, is.Values), without(e.refs, is.Refs)
		}
		changes = append(changes, ch)
	}
	changes = slices.DeleteFunc(changes, connectors.Change.Empty)
	if len(changes) == 0 {
		tell("nothing to change: the object is so already")
		return nil
	}
	e, err := c.Apply(ctx, a, changes, connectors.Guard{}, c.Attrs)
	return c.tellEntry(e, err, tell)
}

// tellEntry tells what an object is after a write.
func (c *collection) tellEntry(e connectors.Entry, err error, tell tellf) error {
	if err != nil {
		return err
	}
	tell("the object is now %s %q", c.Anchor, string(e.Anchor))
	for _, a := range c.Attrs {
		tell("%s: %s", c.called(a), shown(e.Field(a)))
	}
	return nil
}
