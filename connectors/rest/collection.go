package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"postern/connectors"
)

// A collection is the connector of one Collection.
type collection struct {
	Collection
	app    *App
	anchor pointer
	paths  map[connectors.Attr]pointer
	caps   connectors.Capabilities
	parted bool // some attributes are read by calls of their own
	recent recent
	total  atomic.Int64 // of the last list that told; 0 is not known
	// called is how an attribute is called in what Try tells.
	called func(connectors.Attr) string
}

func newCollection(a *App, spec Collection) *collection {
	c := &collection{Collection: spec, app: a, anchor: pointerOf(spec.Anchor), paths: make(map[connectors.Attr]pointer)}
	c.recent.now = time.Now
	c.called = func(a connectors.Attr) string { return string(a) }
	c.caps = connectors.Capabilities{Server: "REST", Conds: connectors.AllConds, Guard: c.guard(), Matching: make(map[connectors.Attr]connectors.Matching)}
	double := make(map[connectors.Attr]bool)
	for _, attr := range spec.Attrs {
		c.paths[attr] = pointerOf(attr)
		m := spec.Types[attr].matching()
		if _, ok := spec.References[attr]; ok {
			m = connectors.Matching{Rule: connectors.RuleReference}
		}
		if _, ok := spec.Subs[attr]; ok {
			m.SingleValue = false
		}
		key := connectors.Attr(strings.ToLower(string(attr)))
		if _, twice := c.caps.Matching[key]; twice || strings.Contains(string(attr), ";") {
			double[key] = true // the schema tells no two such names apart
		}
		c.caps.Matching[key] = m
	}
	for key := range double {
		delete(c.caps.Matching, key)
	}
	c.parted = len(c.Subs) > 0
	for _, m := range c.Members {
		c.parted = c.parted || m.List.declared()
	}
	return c
}

// guard is how much of a write the application makes conditional. Where a change
// can take several calls, only the first of them could be.
func (c *collection) guard() connectors.GuardLevel {
	if !c.Version.has || len(c.Switches) > 0 || len(c.Subs) > 0 {
		return connectors.GuardNone
	}
	for _, m := range c.Members {
		if m.calls() {
			return connectors.GuardNone
		}
	}
	if !c.Version.Header && c.Collection.Delete.declared() && !c.Collection.Delete.Target.uses(phVersion) {
		return connectors.GuardNone
	}
	return connectors.GuardEntry
}

// Capabilities implements connectors.Connector. What the application can not find
// by itself is evaluated here on what it lists.
func (c *collection) Capabilities() connectors.Capabilities { return c.caps }

// An object is one object of the application, as JSON, and its entry.
type object struct {
	doc   any
	entry connectors.Entry
	stamp any // the version as the object has it
}

// longestAnchor bounds what is sent as one.
const longestAnchor = 1000

// Get implements connectors.Connector.
func (c *collection) Get(ctx context.Context, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	o, err := c.read(ctx, a, want)
	return o.entry, err
}

// read reads one object, with what has to be asked for besides.
func (c *collection) read(ctx context.Context, a connectors.Anchor, want []connectors.Attr) (object, error) {
	if a == "" || len(a) > longestAnchor {
		return object{}, &connectors.Error{Kind: connectors.NotFound, Unsent: true}
	}
	ans, err := c.app.client.do(ctx, request{call: &c.Read, values: map[string]string{phAnchor: string(a)}})
	if err != nil {
		return object{}, err
	}
	doc, ok := c.Read.Object.get(ans.doc)
	if !ok {
		return object{}, c.strange(&c.Read, "the object is not where it should be in the answer")
	}
	o, err := c.decode(&c.Read, doc, ans.header, want)
	if err != nil {
		return object{}, err
	}
	// Some applications take names, or 7abc for 7: that is another anchor.
	if o.entry.Anchor != a {
		return object{}, &connectors.Error{Kind: connectors.NotFound, Err: fmt.Errorf("the object that was answered with has the anchor %q", o.entry.Anchor)}
	}
	return o, c.complete(ctx, &o.entry, want)
}

// decode makes an object of its JSON, with the wanted attributes that are in it.
func (c *collection) decode(call *Call, doc any, header http.Header, want []connectors.Attr) (object, error) {
	v, _ := c.anchor.get(doc)
	anchor, ok := scalar(v)
	if !ok || anchor == "" {
		return object{}, c.strange(call, fmt.Sprintf("an object has no %s", c.Anchor))
	}
	o := object{doc: doc, entry: connectors.Entry{Anchor: connectors.Anchor(anchor)}}
	if c.Version.has {
		v, _ := c.Version.Field.get(doc)
		if s, ok := scalar(v); ok && c.Version.Field != nil {
			o.stamp, o.entry.Stamp = v, connectors.Stamp(s)
		}
		if etag := header.Get("ETag"); c.Version.Header && etag != "" {
			o.entry.Stamp = connectors.Stamp(etag)
		}
	}
	if len(want) > 0 {
		o.entry.Fields = make([]connectors.Field, 0, len(want))
	}
	for i, a := range want {
		if slices.Contains(want[:i], a) {
			continue
		}
		if f := c.field(doc, a); !f.Empty() {
			o.entry.Fields = append(o.entry.Fields, f)
		}
	}
	return o, nil
}

// path is the pointer of an attribute in the spelling that it is asked for.
func (c *collection) path(a connectors.Attr) (connectors.Attr, pointer) {
	if p, ok := c.paths[a]; ok {
		return a, p
	}
	for known, p := range c.paths {
		if strings.EqualFold(string(known), string(a)) {
			return known, p
		}
	}
	return a, pointerOf(a)
}

// field reads one attribute of an object.
func (c *collection) field(doc any, a connectors.Attr) connectors.Field {
	f := connectors.Field{Attr: a}
	known, p := c.path(a)
	if _, apart := c.Subs[known]; apart || c.Members[known].List.declared() {
		return f
	}
	v, ok := p.get(doc)
	if !ok {
		return f
	}
	if into, isRef := c.References[known]; isRef {
		f.Refs = c.targets(v, c.Members[known].Value, into)
		return f
	}
	f.Values = c.Types[known].values(v)
	return f
}

// targets reads references: one, or an array of them.
func (c *collection) targets(v any, at pointer, into []string) []connectors.Target {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var ts []connectors.Target
	for _, item := range list {
		v, _ := at.get(item)
		if s, ok := scalar(v); ok && s != "" && len(into) > 0 {
			ts = append(ts, connectors.Target{Collection: into[0], Anchor: connectors.Anchor(s)})
		}
	}
	return ts
}

// complete asks for the wanted attributes that are not in the object itself.
func (c *collection) complete(ctx context.Context, e *connectors.Entry, want []connectors.Attr) error {
	if !c.parted {
		return nil
	}
	for i, a := range want {
		known, _ := c.path(a)
		sub, isSub := c.Subs[known]
		m := c.Members[known]
		if slices.Contains(want[:i], a) || !isSub && !m.List.declared() {
			continue
		}
		f := connectors.Field{Attr: a}
		l, value := &sub.List, sub.Value
		if !isSub {
			l, value = &m.List, m.Value
		}
		again := 0 // values that pages had which pages before had too
		number := 0
		values, refs := make(map[connectors.Value]int), make(map[connectors.Target]int)
		for p, err := range c.pages(ctx, l, map[string]string{phAnchor: string(e.Anchor)}, nil) {
			if err != nil {
				return err
			}
			number++
			n := 0
			if isSub {
				var found []connectors.Value
				for _, item := range p.objects {
					v, _ := value.get(item)
					found = append(found, c.Types[known].values(v)...)
				}
				f.Values, n = unite(f.Values, found, values, number)
			} else {
				f.Refs, n = unite(f.Refs, c.targets(p.objects, value, c.References[known]), refs, number)
			}
			if !p.back {
				again += n
			}
			if p.last && p.next.offset-again < p.least {
				return c.strange(&l.Call, fmt.Sprintf("the list is cut: of %d objects %d are there again", p.least, again))
			}
		}
		if !f.Empty() {
			e.Fields = append(e.Fields, f)
		}
	}
	return nil
}

// unite adds what a page has to what those before it had, each once, and counts what
// they had already. first is the page that a value was first on.
func unite[T comparable](all, page []T, first map[T]int, number int) (united []T, again int) {
	for _, v := range page {
		switch at, ok := first[v]; {
		case !ok:
			first[v], all = number, append(all, v)
		case at < number:
			again++
		}
	}
	return all, again
}

// lacks reports whether objects of an answer lack a wanted attribute.
func (c *collection) lacks(call *Call, want []connectors.Attr) bool {
	return slices.ContainsFunc(want, func(a connectors.Attr) bool {
		known, _ := c.path(a)
		_, isSub := c.Subs[known]
		return isSub || c.Members[known].List.declared() || slices.Contains(call.Without, known)
	})
}

// errUnsupported is what is not declared.
func errUnsupported(what string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Unsupported, Unsent: true, Reason: "the application can not do that", Err: errors.New(what + " is not declared")}
}
