package rest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"postern/connectors"
)

// atOnce is how many objects one search reads at the same time.
const atOnce = 4

// Search implements connectors.Connector. A condition is asked of the application
// as far as it has a call that finds at least what the condition is about; the
// whole of it is then evaluated here, on the whole list if there is no such call.
func (c *collection) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) {
		s := &search{c: c, q: q, where: q.Where, seen: make(map[connectors.Anchor]bool), yield: yield}
		if s.where == nil {
			s.where = connectors.All{}
		}
		s.need = slices.Clone(q.Want)
		for _, a := range connectors.AttrsOf(s.where) {
			if !slices.Contains(s.need, a) {
				s.need = append(s.need, a)
			}
		}
		if err := s.run(ctx); err != nil && !s.over {
			yield(connectors.Entry{}, err)
		}
	}
}

// A search is one Search on its way.
type search struct {
	c     *collection
	q     connectors.Query
	where connectors.Cond
	need  []connectors.Attr
	seen  map[connectors.Anchor]bool
	twice int // objects that were there again on their own page
	given int
	over  bool // nobody wants more
	yield func(connectors.Entry, error) bool
}

func (s *search) run(ctx context.Context) error {
	finds, anchors, ok := s.c.plan(s.where)
	switch {
	case !ok && isAll(s.where):
		return s.walk(ctx, false)
	case !ok:
		return s.walk(ctx, true)
	}
	if len(anchors) > 0 {
		if err := s.fetch(ctx, anchors); err != nil || s.over {
			return err
		}
	}
	for _, f := range finds {
		for p, err := range s.c.pages(ctx, f.list, map[string]string{phValue: f.value}, nil) {
			if kindIs(err, connectors.NotFound) && f.list.HasObject {
				break // the call answers with one object or says that there is none
			}
			if err != nil {
				return err
			}
			if _, err := s.take(ctx, &f.list.Call, p.objects, false); err != nil || s.over {
				return err
			}
		}
	}
	return nil
}

func isAll(c connectors.Cond) bool {
	if and, ok := c.(connectors.And); ok {
		return !slices.ContainsFunc(and, func(p connectors.Cond) bool { return !isAll(p) })
	}
	_, ok := c.(connectors.All)
	return ok
}

// A find is a call that finds what has a value.
type find struct {
	list  *List
	value string
}

// plan says by which calls everything can be found that a condition holds for; ok
// is false where there are none. What they find besides does not matter.
func (c *collection) plan(where connectors.Cond) (finds []find, anchors []connectors.Anchor, ok bool) {
	switch w := where.(type) {
	case connectors.Equal:
		known, _ := c.path(w.Attr)
		l, declared := c.Find[known]
		if !declared || !findable(&l, string(w.Value)) {
			return nil, nil, false
		}
		return []find{{&l, string(w.Value)}}, nil, true
	case connectors.AnchorIn:
		return nil, w, true
	case connectors.And:
		ok := false
		for _, part := range w {
			f, a, can := c.plan(part)
			if can && (!ok || len(f)+len(a) < len(finds)+len(anchors)) {
				finds, anchors, ok = f, a, true
			}
		}
		return finds, anchors, ok
	case connectors.Or:
		for _, part := range w {
			f, a, can := c.plan(part)
			if !can {
				return nil, nil, false
			}
			finds, anchors = append(finds, f...), append(anchors, a...)
		}
		return finds, anchors, true
	}
	return nil, nil, false
}

// findable reports whether a value can be looked for by a call. Where it is put
// among other text, into a language of the application's own that nobody here
// knows how to escape in, it must not have any character that may mean something
// there.
func findable(l *List, value string) bool {
	if value == "" || len(value) > longestAnchor {
		return false
	}
	if _, _, err := l.Target.expand(map[string]string{phValue: value}); err != nil {
		return false
	}
	return !l.Target.embeds(phValue) || !strings.ContainsFunc(value, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._@-", r))
	})
}

// walk goes through the whole list. Where a condition is evaluated on it, no
// further than to the limit.
func (s *search) walk(ctx context.Context, local bool) error {
	c := s.c
	moment := c.recent.moment()
	var known, read []page
	if !local {
		known = c.recent.resume()
	}
	scanned, stale := 0, 0
	for p, err := range c.pages(ctx, &c.List, nil, known) {
		if err != nil {
			return err
		}
		if scanned += len(p.objects); local && c.app.client.cfg.ScanLimit > 0 && scanned > c.app.client.cfg.ScanLimit {
			return &connectors.Error{Kind: connectors.TooMany, Reason: "the application can not search by that, and has too many objects to look at each"}
		}
		fresh, err := s.take(ctx, &c.List.Call, p.objects, !local && s.q.Limit == 0 && c.recent.moment() == moment)
		read = append(read, p)
		if s.over && !local && !p.last {
			c.recent.leave(read, moment)
		}
		if err != nil || s.over {
			return err
		}
		if stale++; fresh > 0 || len(p.objects) == 0 || p.back {
			stale = 0
		}
		if stale > 1 || stale > 0 && !p.last && c.List.Page.Style != PageOffset {
			return c.strange(&c.List.Call, "a page holds nothing but what the pages before had")
		}
		if p.last && len(s.seen)+s.twice < p.least {
			return c.strange(&c.List.Call, fmt.Sprintf("the list is cut: %d of %d objects, and others again", len(s.seen)+s.twice, p.least))
		}
		if s.q.Limit == 0 || local {
			read = nil
		}
	}
	return nil
}

// take gives on those of some objects that the condition holds for, each once,
// and says how many were not seen before.
func (s *search) take(ctx context.Context, call *Call, docs []any, keep bool) (fresh int, err error) {
	c := s.c
	lacks := c.lacks(call, s.need)
	want := s.need
	if keep {
		want = c.Attrs
	}
	var todo []object
	there := make(map[connectors.Anchor]bool, len(docs)) // first seen on this page
	for _, doc := range docs {
		o, err := c.decode(call, doc, nil, want)
		if err != nil {
			return fresh, err
		}
		if s.seen[o.entry.Anchor] {
			if there[o.entry.Anchor] {
				s.twice++
			}
			continue
		}
		s.seen[o.entry.Anchor], there[o.entry.Anchor] = true, true
		fresh++
		if keep && !c.lacks(call, nil) {
			c.recent.keep(o.entry)
			o.entry = pick(o.entry, s.need)
		}
		todo = append(todo, o)
	}
	if !lacks {
		for _, o := range todo {
			if s.offer(o.entry) {
				return fresh, nil
			}
		}
		return fresh, nil
	}
	anchors := make([]connectors.Anchor, len(todo))
	for i, o := range todo {
		anchors[i] = o.entry.Anchor
	}
	return fresh, s.each(ctx, anchors)
}

// each reads objects one by one, some at the same time, and gives them on in
// their order. One that is gone is passed over.
func (s *search) each(ctx context.Context, anchors []connectors.Anchor) error {
	for chunk := range slices.Chunk(anchors, 4*atOnce) {
		if left := s.q.Limit - s.given; isAll(s.where) && s.q.Limit > 0 && left < len(chunk) {
			chunk = chunk[:left]
		}
		entries := make([]connectors.Entry, len(chunk))
		there := make([]bool, len(chunk))
		group, inner := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for i, a := range chunk {
			group.Go(func() error {
				e, err := s.c.Get(inner, a, s.need)
				if err != nil && connectors.KindOf(err) != connectors.NotFound {
					return err
				}
				entries[i], there[i] = e, err == nil
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for i, e := range entries {
			if there[i] && s.offer(e) {
				return nil
			}
		}
	}
	return nil
}

// fetch gives on the objects with these anchors. Those that a walk has just
// brought are taken from there; for many others the list is walked.
func (s *search) fetch(ctx context.Context, anchors []connectors.Anchor) error {
	c := s.c
	var missing []connectors.Anchor
	for _, a := range anchors {
		if s.seen[a] {
			continue
		}
		s.seen[a] = true
		if e, ok := c.recent.find(a); ok && !c.lacks(&c.List.Call, s.need) {
			if s.offer(pick(e, s.need)) {
				return nil
			}
			continue
		}
		missing = append(missing, a)
	}
	if !c.worthAWalk(len(missing)) || c.lacks(&c.List.Call, s.need) {
		return s.each(ctx, missing)
	}
	wanted := make(map[connectors.Anchor]bool, len(missing))
	for _, a := range missing {
		wanted[a] = true
	}
	for p, err := range c.pages(ctx, &c.List, nil, nil) {
		if err != nil {
			return err
		}
		for _, doc := range p.objects {
			o, err := c.decode(&c.List.Call, doc, nil, s.need)
			if err != nil {
				return err
			}
			if !wanted[o.entry.Anchor] {
				continue
			}
			delete(wanted, o.entry.Anchor)
			if s.offer(o.entry) {
				return nil
			}
		}
		if len(wanted) == 0 {
			return nil
		}
	}
	return nil
}

// worthAWalk reports whether to walk the list costs fewer calls than to read n
// objects one by one.
func (c *collection) worthAWalk(n int) bool {
	pages := 1
	if c.List.Page.Style != PageNone {
		total, size := int(c.total.Load()), c.List.Page.Size
		if total == 0 || size == 0 {
			return false
		}
		pages = total/size + 1
	}
	return n > pages+1
}

// offer gives an entry on if the condition holds, and reports whether that was
// all that is wanted.
func (s *search) offer(e connectors.Entry) bool {
	if connectors.Match(s.where, e, s.c.caps.Matching) != connectors.True {
		return false
	}
	if len(s.need) > len(s.q.Want) {
		e = pick(e, s.q.Want)
	}
	s.given++
	if !s.yield(e, nil) || s.given == s.q.Limit {
		s.over = true
	}
	return s.over
}

// pick copies an entry with these attributes of it, for keeps.
func pick(e connectors.Entry, want []connectors.Attr) connectors.Entry {
	to := connectors.Entry{Anchor: e.Anchor, Stamp: e.Stamp}
	for _, f := range e.Fields {
		if slices.Contains(want, f.Attr) {
			f.Values, f.Refs = slices.Clone(f.Values), slices.Clone(f.Refs)
			to.Fields = append(to.Fields, f)
		}
	}
	return to
}
