package rest

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
)

// Check asks the application, by reads alone, whether the declaration fits it: the
// first page of each list, one of its objects read by itself, and each call that
// finds. told is what is well. The App must not be used for anything else.
//
// uses says where the file names each attribute of a collection.
func (a *App) Check(ctx context.Context, uses map[string]map[connectors.Attr]configs.Pos) (told []string, ps configs.Problems) {
	t := a.client.trace(func(string) {}, func(*http.Request) bool { return false })
	for _, name := range a.names {
		k := &checker{c: a.collections[name], t: t, uses: uses[name]}
		k.check(ctx)
		told, ps = append(told, k.told...), append(ps, k.problems...)
	}
	return told, ps
}

// A checker asks for one collection.
type checker struct {
	c        *collection
	t        *tracer
	uses     map[connectors.Attr]configs.Pos
	told     []string
	problems configs.Problems
}

// wrong notes what is wrong with a call, and what to do about it.
func (k *checker) wrong(call Call, err error) {
	k.problems.Add(call.at.Problem("%s", k.t.clean(err.Error())).WithHint("%s", advice(err)))
}

func (k *checker) warn(at configs.At[string], hint, format string, args ...any) {
	k.problems.Add(at.Problem("%s", k.t.clean(fmt.Sprintf(format, args...))).WithHint("%s", hint).AsWarning())
}

func (k *checker) check(ctx context.Context) {
	c := k.c
	a, err := c.app.client.do(ctx, request{call: &c.List.Call, query: c.List.Page.query(place{})})
	if err != nil {
		k.wrong(c.List.Call, c.ruled(a, err))
		return
	}
	p, err := c.cut(&c.List, place{}, a)
	if err != nil {
		k.wrong(c.List.Call, fmt.Errorf("%w; %s", err, members(a.doc)))
		return
	}
	if c.List.Total != nil && p.total < 0 {
		k.wrong(c.List.Call, c.strange(&c.List.Call, fmt.Sprintf("there is no number at %s, where the total should be; %s", c.List.Total, members(a.doc))))
		return
	}
	r := c.survey(&c.List, p.objects)
	if r.err != nil {
		k.wrong(c.List.Call, r.err)
		return
	}
	of := ""
	if p.total >= 0 {
		of = fmt.Sprintf(" of %d", p.total)
	}
	if len(r.entries) == 0 {
		k.warn(c.List.at, "make one there, and ask again", "the list is empty: whether objects are read and found can not be seen")
		return
	}
	if !k.second(ctx, p) || !k.read(ctx, r) {
		return
	}
	found := k.finds(ctx, r)
	k.told = append(k.told, k.t.clean(fmt.Sprintf("%s: the list answers with %d%s objects; one was read by its anchor, and found by %s", c.Name, len(r.entries), of, attrList(found))))
}

// second looks whether the page after the first is another one.
func (k *checker) second(ctx context.Context, first page) bool {
	l := &k.c.List
	if first.last {
		return true
	}
	p, err := k.c.page(ctx, l, nil, first.next)
	if err != nil {
		k.wrong(l.Call, fmt.Errorf("the second page: %w", err))
		return false
	}
	if len(p.objects) > 0 && reflect.DeepEqual(p.objects, first.objects) {
		k.problems.Add(l.at.Problem("the second page is the first again: the application does not heed where a page is to begin").
			WithHint("see page: the name of the parameter, and whether the application counts objects or pages"))
		return false
	}
	return true
}

// read reads the first object by itself, and holds what it has against what the
// list showed.
func (k *checker) read(ctx context.Context, r survey) bool {
	c, anchor := k.c, string(r.entries[0].Anchor)
	o, err := c.tryRead(ctx, anchor, func(string, ...any) {})
	if err != nil {
		k.wrong(c.Read, err)
		return false
	}
	if c.Version.has && o.entry.Stamp == "" {
		k.problems.Add(c.Read.at.Problem("the answer has no version where version says").WithHint("see the answer with postern try; without a version leave version out"))
	}
	for _, a := range c.Attrs {
		at := configs.At[string]{Pos: k.uses[a], Path: c.at.Path}
		if at.Pos.Line == 0 {
			at = c.Read.at
		}
		f := o.entry.Field(a)
		if what, hint := c.misfit(&c.Read, o.doc, a); what != "" {
			k.warn(at, hint, "%s is %s", a, what)
		}
		switch {
		case f.Empty() && !c.apartly(a) && strings.Contains(c.found(o.doc, f), ", and no value"):
			k.problems.Add(at.Problem("%s", k.t.clean(fmt.Sprintf("%s is %s", a, c.found(o.doc, f)))).WithHint("name the member that holds the value"))
		case f.Empty() && r.with[a] == 0 && !c.apartly(a):
			k.warn(at, "if it should be there, see how it is spelled", "no object that was looked at has %s", a)
		case !f.Empty() && r.with[a] == 0 && !c.apartly(a) && !slices.Contains(c.List.Without, a):
			k.problems.Add(c.List.at.Problem("the object %q has %s when it is read by itself, and no object of the list has it", anchor, a).
				WithHint("say without: [%s] in list, and it is read with each object", a))
		}
	}
	return true
}

// finds asks each call that finds for an object by a value that it has, and by one
// that nobody has.
func (k *checker) finds(ctx context.Context, r survey) (found []connectors.Attr) {
	c := k.c
	for _, attr := range slices.Sorted(maps.Keys(c.Find)) {
		l := c.Find[attr]
		i := slices.IndexFunc(r.entries, func(e connectors.Entry) bool {
			return len(e.Field(attr).Values) == 1 && findable(&l, string(e.Field(attr).Values[0]))
		})
		if i < 0 {
			k.warn(l.at, "", "no object that was looked at has a %s to be found by", attr)
			continue
		}
		value := string(r.entries[i].Field(attr).Values[0])
		there, n, err := k.asks(ctx, &l, value, r.entries[i].Anchor)
		switch {
		case err != nil:
			k.wrong(l.Call, err)
			continue
		case !there:
			k.problems.Add(l.at.Problem("%s", k.t.clean(fmt.Sprintf("the object %q is not found by its own %s %q, but %d others are", string(r.entries[i].Anchor), attr, value, n))).
				WithHint("find has to give every object with the value; leave it out, and the list is walked"))
			continue
		}
		nobody := "nobody" + strings.ToLower(rand.Text()[:12])
		if c.Types[attr].Kind != KindText {
			found = append(found, attr)
			continue
		}
		if _, n, err = k.asks(ctx, &l, nobody, ""); err != nil {
			k.wrong(l.Call, fmt.Errorf("for a value that nobody has: %w", err))
			continue
		}
		if n > 0 {
			k.warn(l.at, "see the name of the parameter", "a %s that nobody has finds %d objects too: the application does not seem to heed it", attr, n)
			continue
		}
		found = append(found, attr)
	}
	return found
}

// mostPages bounds how far a call that finds is walked.
const mostPages = 20

// asks makes a call that finds, and reports whether the object is among what it
// gives, and how many others are.
func (k *checker) asks(ctx context.Context, l *List, value string, object connectors.Anchor) (there bool, others int, err error) {
	n := 0
	for p, err := range k.c.pages(ctx, l, map[string]string{phValue: value}, nil) {
		if kindIs(err, connectors.NotFound) && l.HasObject {
			break
		}
		if err != nil {
			return false, 0, err
		}
		for _, doc := range p.objects {
			o, err := k.c.decode(&l.Call, doc, nil, nil)
			if err != nil {
				return false, 0, fmt.Errorf("%w; %s", err, members(doc))
			}
			if o.entry.Anchor == object {
				there = true
			} else {
				others++
			}
		}
		if n++; there || n == mostPages {
			break
		}
	}
	return there, others, nil
}
