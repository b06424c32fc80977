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
