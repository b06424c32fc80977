package rest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
)

// tryRead makes the call that reads an object, and those for what lies apart.
func (c *collection) tryRead(ctx context.Context, anchor string, tell tellf) (o object, err error) {
	a, err := c.app.client.do(ctx, request{call: &c.Read, values: map[string]string{phAnchor: anchor}})
	if err != nil {
		return o, c.ruled(a, err)
	}
	doc, ok := c.Read.Object.get(a.doc)
	if !ok {
		return o, c.strange(&c.Read, fmt.Sprintf("there is nothing at %s, where the object should be; %s", c.Read.Object, members(a.doc)))
	}
	if len(c.Read.Object) > 0 {
		tell("object at %s: found", c.Read.Object)
	}
	if o, err = c.decode(&c.Read, doc, a.header, c.Attrs); err != nil {
		return o, c.strange(&c.Read, fmt.Sprintf("there is no anchor at %s in the object; %s", c.Anchor, members(doc)))
	}
	tell("anchor at %s: %q", c.Anchor, string(o.entry.Anchor))
	if string(o.entry.Anchor) != anchor {
		return o, c.strange(&c.Read, fmt.Sprintf("the object has the anchor %q and not %q, and is taken for another one", o.entry.Anchor, anchor))
	}
	if c.Version.has {
		tell("version: %s", cmpText(string(o.entry.Stamp), "nothing there"))
	}
	if err := c.complete(ctx, &o.entry, c.Attrs); err != nil {
		return o, err
	}
	for _, attr := range c.Attrs {
		tell("%s: %s", c.called(attr), c.found(doc, o.entry.Field(attr)))
		if what, hint := c.misfit(&c.Read, doc, attr); what != "" {
			tell("  it is %s; %s", what, hint)
		}
	}
	return o, nil
}

func cmpText(text, instead string) string {
	if text == "" {
		return instead
	}
	return fmt.Sprintf("%q", text)
}

// found is what there is of an attribute, and why there is none where the object
// has something that its type can not read.
func (c *collection) found(doc any, f connectors.Field) string {
	if v, ok := pointerOf(f.Attr).get(doc); ok && f.Empty() && v != nil && v != "" && !c.apartly(f.Attr) {
		switch v := v.(type) {
		case map[string]any:
			return "an object, and no value; " + members(v)
		case []any:
			if len(v) > 0 {
				return "a list without any value that could be read"
			}
		}
	}
	return shown(f)
}

// apartly reports whether an attribute is read by calls of its own.
func (c *collection) apartly(a connectors.Attr) bool {
	return c.isSub(a) || c.Members[a].List.declared()
}

// tryList makes the call for the first page of a list.
func (c *collection) tryList(ctx context.Context, l *List, values map[string]string, tell tellf) error {
	a, err := c.app.client.do(ctx, request{call: &l.Call, values: values, query: l.Page.query(place{})})
	if err != nil {
		return c.ruled(a, err)
	}
	p, err := c.cut(l, place{}, a)
	if err != nil {
		return fmt.Errorf("%w; %s", err, members(a.doc))
	}
	tell("items at %s: %d", cmpPointer(l.Items), len(p.objects))
	if l.Total != nil {
		if p.total < 0 {
			return c.strange(&l.Call, fmt.Sprintf("there is no number at %s, where the total should be; %s", l.Total, members(a.doc)))
		}
		tell("total at %s: %d", l.Total, p.total)
	}
	tell("next page: %s", l.Page.tells(p))
	r := c.survey(l, p.objects)
	if r.err != nil {
		return r.err
	}
	if len(p.objects) == 0 {
		return nil
	}
	tell("anchor at %s: in each, such as %q", c.Anchor, string(r.entries[0].Anchor))
	for _, a := range c.Attrs {
		switch {
		case c.apartly(a):
			tell("%s: asked for with each object, by a call of its own", c.called(a))
		case slices.Contains(l.Without, a):
			tell("%s: not looked for here (without)", c.called(a))
		case r.with[a] == 0:
			tell("%s: in none of them; the first: %s", c.called(a), c.found(p.objects[0], connectors.Field{Attr: a}))
		default:
			tell("%s: in %d of them, such as %s", c.called(a), r.with[a], shown(r.example[a]))
		}
	}
	return nil
}

func cmpPointer(p pointer) string {
	if len(p) == 0 {
		return "the whole answer"
	}
	return p.String()
}

// tells says where the page after one begins.
func (p Page) tells(got page) string {
	switch {
	case got.last:
		return "none, this is the last"
	case got.next.url != nil:
		return got.next.url.String()
	}
	return p.query(got.next)
}

// A survey is what the objects of a page have.
type survey struct {
	entries []connectors.Entry
	with    map[connectors.Attr]int // how many have it
	example map[connectors.Attr]connectors.Field
	err     error // an object without an anchor, or two with one
}

func (c *collection) survey(l *List, docs []any) survey {
	r := survey{with: make(map[connectors.Attr]int), example: make(map[connectors.Attr]connectors.Field)}
	seen := make(map[connectors.Anchor]bool)
	for _, doc := range docs {
		o, err := c.decode(&l.Call, doc, nil, c.Attrs)
		if err != nil {
			r.err = c.strange(&l.Call, fmt.Sprintf("an object has no anchor at %s; %s", c.Anchor, members(doc)))
			return r
		}
		if seen[o.entry.Anchor] {
			r.err = c.strange(&l.Call, fmt.Sprintf("two objects have the anchor %q", o.entry.Anchor))
			return r
		}
		seen[o.entry.Anchor] = true
		r.entries = append(r.entries, o.entry)
		for _, f := range o.entry.Fields {
			if r.with[f.Attr]++; r.with[f.Attr] == 1 {
				r.example[f.Attr] = f
			}
		}
	}
	return r
}

// members says what an object has, for whoever looks for something else in it.
func members(doc any) string {
	o, ok := doc.(map[string]any)
	if !ok {
		switch doc := doc.(type) {
		case nil:
			return "the answer has no body that could be read"
		case []any:
			return fmt.Sprintf("it is a list of %d", len(doc))
		default:
			return "it is no object"
		}
	}
	const most = 20
	names := sortedKeys(o)
	if len(names) == 0 {
		return "it is an object without members"
	}
	for i, name := range names {
		names[i] = (pointer{name}).String()
	}
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return "it has " + strings.Join(names, " ")
}

// shown are the values of an attribute for people to read.
func shown(f connectors.Field) string {
	var texts []string
	for _, v := range f.Values {
		texts = append(texts, fmt.Sprintf("%q", string(v)))
	}
	for _, t := range f.Refs {
		texts = append(texts, fmt.Sprintf("%s %q", t.Collection, string(t.Anchor)))
	}
	const most = 5
	if more := len(texts) - most; more > 0 {
		texts = append(texts[:most], fmt.Sprintf("and %d more", more))
	}
	if len(texts) == 0 {
		return "nothing there"
	}
	return strings.Join(texts, ", ")
}

func attrList(attrs []connectors.Attr) string {
	if len(attrs) == 0 {
		return "nothing"
	}
	texts := make([]string, len(attrs))
	for i, a := range attrs {
		texts[i] = string(a)
	}
	return strings.Join(texts, ", ")
}
