package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
)

// The calls that can be tried.
const (
	TryList   = "list"
	TryFind   = "find"
	TryRead   = "read"
	TryCreate = "create"
	TryUpdate = "update"
	TryDelete = "delete"
)

// A Trial is a declared call that an administrator tries out: Call is one of the
// constants, Args are
//
//	list
//	find ATTRIBUTE VALUE
//	read ANCHOR
//	create ATTRIBUTE=VALUE…
//	update ANCHOR ATTRIBUTE=VALUE…      also ATTRIBUTE+=VALUE and ATTRIBUTE-=VALUE
//	delete ANCHOR
//
// An attribute that refers to other objects has their anchors as values.
type Trial struct {
	Collection string
	Call       string
	Args       []string
	// Dry shows what a call would send. Nothing is sent, save what a write has to
	// read before.
	Dry bool
	// Path returns the SCIM path that an attribute is mapped to, or "".
	Path func(connectors.Attr) string
}

// Writes reports whether the trial changes something in the application.
func (t Trial) Writes() bool {
	return slices.Contains([]string{TryCreate, TryUpdate, TryDelete}, t.Call)
}

// ErrUsage is in the chain of an error of a Trial that can not be tried.
var ErrUsage = errors.New("usage")

// usage says what is wrong with a trial.
func usage(format string, args ...any) error {
	return fmt.Errorf("%s%w", fmt.Sprintf(format, args...), silent{ErrUsage})
}

// silent is an error to be recognised and not to be read.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// Try makes the call, and tells, line by line, what is sent, what comes back and
// what is found where in it; secrets are taken out. The error says what it comes
// to: nil where the gateway could work with the answer. The App must not be used
// for anything else.
func (a *App) Try(ctx context.Context, t Trial, tell func(line string)) error {
	c, ok := a.collections[t.Collection]
	if !ok {
		return usage("there is no collection %q", t.Collection)
	}
	c.called = func(a connectors.Attr) string {
		if path := t.Path(a); path != "" {
			return fmt.Sprintf("%s (%s)", a, path)
		}
		return string(a)
	}
	run, err := c.trial(t)
	if err != nil {
		return err
	}
	a.client.http.RetryMax = 0 // what is answered is what is asked for
	tr := a.client.trace(tell, func(req *http.Request) bool { return t.Dry && (!t.Writes() || req.Method != http.MethodGet) })
	for _, arg := range t.Args {
		if e, err := c.edit(arg); err == nil && t.Path(e.attr) == "password" {
			for _, v := range e.values {
				tr.hide(string(v))
			}
		}
	}
	err = run(ctx, func(format string, args ...any) { tell(tr.clean(fmt.Sprintf(format, args...))) })
	switch {
	case errors.Is(err, errHeld):
		tell("not sent")
		return nil
	case err != nil:
		if e, ok := errors.AsType[*connectors.Error](err); ok && e.Reason != "" {
			tell(tr.clean("clients are told: " + e.Reason))
		}
		return errors.New(tr.clean(err.Error() + hint(advice(err))))
	}
	return nil
}

func hint(s string) string {
	if s == "" {
		return ""
	}
	return "; " + s
}

// tellf tells a line of what was found.
type tellf func(format string, args ...any)

// trial reads the arguments and returns what carries the trial out.
func (c *collection) trial(t Trial) (run func(context.Context, tellf) error, err error) {
	wants := func(n int, what string) error {
		if len(t.Args) != n {
			return usage("%s takes %s", t.Call, what)
		}
		return nil
	}
	missing := func(call Call) error {
		if call.declared() {
			return nil
		}
		return usage("the call %q is not declared for %s", t.Call, c.Name)
	}
	switch t.Call {
	case TryList:
		return func(ctx context.Context, tell tellf) error { return c.tryList(ctx, &c.List, nil, tell) }, wants(0, "no argument")
	case TryFind:
		if err := wants(2, "an attribute and a value"); err != nil {
			return nil, err
		}
		attr, _ := c.path(connectors.Attr(t.Args[0]))
		l, ok := c.Find[attr]
		if !ok {
			return nil, usage("nothing is declared to find by %q; what is: %s", t.Args[0], attrList(slices.Sorted(maps.Keys(c.Find))))
		}
		if !findable(&l, t.Args[1]) {
			return nil, usage("the value %q is not sent in this call, since it could mean something else there; the list is walked for it", t.Args[1])
		}
		return func(ctx context.Context, tell tellf) error {
			return c.tryList(ctx, &l, map[string]string{phValue: t.Args[1]}, tell)
		}, nil
	case TryRead:
		return func(ctx context.Context, tell tellf) error {
			_, err := c.tryRead(ctx, t.Args[0], tell)
			return err
		}, wants(1, "the anchor of an object")
	case TryCreate:
		draft := connectors.Draft{}
		for _, arg := range t.Args {
			e, err := c.edit(arg)
			if err != nil || e.op != "" {
				return nil, cmpErr(err, usage("%q: a new object has nothing to add to", arg))
			}
			draft.Fields = append(draft.Fields, connectors.Field{Attr: e.attr, Values: e.values, Refs: e.refs})
			if draft.Name == "" {
				draft.Name = e.attr
			}
		}
		if len(t.Args) == 0 {
			return nil, usage("create takes the values of the new object, as in /login=anna")
		}
		return func(ctx context.Context, tell tellf) error {
			e, err := c.Create(ctx, draft, c.Attrs)
			return c.tellEntry(e, err, tell)
		}, missing(c.Collection.Create)
	case TryUpdate:
		if len(t.Args) < 2 {
			return nil, usage("update takes the anchor of an object and what is to change, as in 7 /firstname=Anna")
		}
		var edits []edit
		for _, arg := range t.Args[1:] {
			e, err := c.edit(arg)
			if err != nil {
				return nil, err
			}
			edits = append(edits, e)
		}
		return func(ctx context.Context, tell tellf) error {
			return c.tryUpdate(ctx, connectors.Anchor(t.Args[0]), edits, tell)
		}, nil
	case TryDelete:
		return func(ctx context.Context, tell tellf) error {
			err := c.Delete(ctx, connectors.Anchor(t.Args[0]), connectors.Guard{})
			if err == nil {
				tell("deleted")
			}
			return err
		}, errors.Join(wants(1, "the anchor of an object"), missing(c.Collection.Delete))
	}
	names := []string{TryList, TryFind, TryRead, TryCreate, TryUpdate, TryDelete}
	near := configs.Nearest(t.Call, names)
	if near != "" {
		return nil, usage("there is no call %q; did you mean %q?", t.Call, near)
	}
	return nil, usage("there is no call %q; there are %s", t.Call, strings.Join(names, ", "))
}

func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
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

// ruled adds to the error of an answer which declared rule has made it one.
func (c *collection) ruled(a answer, err error) error {
	for i, rule := range c.app.client.cfg.Errors {
		if _, fits := rule.fits(a); fits && a.status != 0 {
			return fmt.Errorf("by rule %d of errors: %w", i+1, err)
		}
	}
	return err
}

// advice says what to do about an error.
func advice(err error) string {
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		return ""
	}
	text := err.Error()
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case says("certificate signed by unknown authority"):
		return "name the authority that signed its certificate: tls: { ca: FILE }"
	case says("certificate is valid for", "certificate is not valid for"):
		return "see the host in url, or say which name the certificate has: tls: { serverName: NAME }"
	case says("server gave HTTP response to HTTPS client"):
		return "url begins with https://, and the application speaks plain HTTP there"
	case says("malformed HTTP response"):
		return "see whether url should begin with https://"
	case says("connection refused", "no such host", "no route to host", "network is unreachable"):
		return "see host and port in url, whether the application runs, and whether a proxy is needed"
	case says(errElsewhere.Error()):
		return "put the address that it redirects to into url"
	case says("the answer is not JSON"):
		return "see the answer: a page for people means another path or a log-in; for XML say as: xml"
	case says(errTooLarge.Error()):
		return "ask for smaller pages, or raise maxAnswer"
	case e.Kind == connectors.Denied:
		return "see auth, and what the account may do"
	case e.Kind == connectors.NotFound:
		return "see the path of the call, or whether there is such an object"
	case e.Kind == connectors.Timeout && !says("answers"):
		return "raise timeout, if it needs longer"
	case says("there is nothing at", "where it should be", "should be"):
		return "see the pointers of the call"
	}
	return ""
}
