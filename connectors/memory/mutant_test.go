package memory_test

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/connectortest"
)

// A mutant is a connector with one thing wrong. Methods that are nil are right.
type mutant struct {
	connectors.Connector
	get    func(c connectors.Connector, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error)
	search func(c connectors.Connector, ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error]
	create func(c connectors.Connector, ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error)
	apply  func(c connectors.Connector, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (connectors.Entry, error)
	delete func(c connectors.Connector, ctx context.Context, a connectors.Anchor, g connectors.Guard) error
	sweep  func(s connectors.Sweeper, ctx context.Context, trace string) error
	watch  func(w connectors.Watcher, ctx context.Context, since connectors.Cursor) iter.Seq2[connectors.Event, error]
}

func (m *mutant) Get(ctx context.Context, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	if m.get == nil {
		return m.Connector.Get(ctx, a, want)
	}
	return m.get(m.Connector, ctx, a, want)
}

func (m *mutant) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	if m.search == nil {
		return m.Connector.Search(ctx, q)
	}
	return m.search(m.Connector, ctx, q)
}

func (m *mutant) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	if m.create == nil {
		return m.Connector.Create(ctx, d, want)
	}
	return m.create(m.Connector, ctx, d, want)
}

func (m *mutant) Apply(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (connectors.Entry, error) {
	if m.apply == nil {
		return m.Connector.Apply(ctx, a, cs, g, want)
	}
	return m.apply(m.Connector, ctx, a, cs, g, want)
}

func (m *mutant) Delete(ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
	if m.delete == nil {
		return m.Connector.Delete(ctx, a, g)
	}
	return m.delete(m.Connector, ctx, a, g)
}

func (m *mutant) Trace(ctx context.Context, a connectors.Anchor) (string, error) {
	return m.Connector.(connectors.Sweeper).Trace(ctx, a)
}

func (m *mutant) Sweep(ctx context.Context, trace string) error {
	if m.sweep == nil {
		return m.Connector.(connectors.Sweeper).Sweep(ctx, trace)
	}
	return m.sweep(m.Connector.(connectors.Sweeper), ctx, trace)
}

func (m *mutant) Watch(ctx context.Context, since connectors.Cursor) iter.Seq2[connectors.Event, error] {
	if m.watch == nil {
		return m.Connector.(connectors.Watcher).Watch(ctx, since)
	}
	return m.watch(m.Connector.(connectors.Watcher), ctx, since)
}

type (
	conn  = connectors.Connector
	entry = connectors.Entry
)

// seen changes each entry of all methods.
func seen(change func(e entry) entry) func(*mutant) {
	return func(m *mutant) {
		m.get = func(c conn, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (entry, error) {
			e, err := c.Get(ctx, a, want)
			return change(e), err
		}
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			return func(yield func(entry, error) bool) {
				for e, err := range c.Search(ctx, q) {
					if !yield(change(e), err) {
						return
					}
				}
			}
		}
		m.create = func(c conn, ctx context.Context, d connectors.Draft, want []connectors.Attr) (entry, error) {
			e, err := c.Create(ctx, d, want)
			return change(e), err
		}
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			e, err := c.Apply(ctx, a, cs, g, want)
			return change(e), err
		}
	}
}

// watches keeps back the events for which keep does not hold.
func watches(keep func(connectors.Event) bool) func(*mutant) {
	return func(m *mutant) {
		m.watch = func(w connectors.Watcher, ctx context.Context, since connectors.Cursor) iter.Seq2[connectors.Event, error] {
			return func(yield func(connectors.Event, error) bool) {
				for e, err := range w.Watch(ctx, since) {
					if (err != nil || keep(e)) && !yield(e, err) {
						return
					}
				}
			}
		}
	}
}

// changes replaces what Apply is asked for.
func changes(to func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard)) func(*mutant) {
	return func(m *mutant) {
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			cs, g = to(slices.Clone(cs), g)
			return c.Apply(ctx, a, cs, g, want)
		}
	}
}

// asks replaces what Search is asked for.
func asks(to func(where connectors.Cond) connectors.Cond) func(*mutant) {
	var deep func(where connectors.Cond) connectors.Cond
	deep = func(where connectors.Cond) connectors.Cond {
		parts := func(cs []connectors.Cond) []connectors.Cond {
			all := make([]connectors.Cond, 0, len(cs))
			for _, c := range cs {
				all = append(all, deep(c))
			}
			return all
		}
		switch c := where.(type) {
		case connectors.And:
			where = connectors.And(parts(c))
		case connectors.Or:
			where = connectors.Or(parts(c))
		case connectors.Not:
			where = connectors.Not{Cond: deep(c.Cond)}
		}
		return to(where)
	}
	return func(m *mutant) {
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			q.Where = deep(q.Where)
			return c.Search(ctx, q)
		}
	}
}

// stream replaces what a search gives, as a whole.
func stream(to func(es []entry) []entry) func(*mutant) {
	return func(m *mutant) {
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			return func(yield func(entry, error) bool) {
				var es []entry
				for e, err := range c.Search(ctx, q) {
					if err != nil {
						yield(e, err)
						return
					}
					es = append(es, e)
				}
				for _, e := range to(es) {
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

// errs replaces the kind of failure of all methods.
func errs(from, to connectors.Kind) func(*mutant) {
	change := func(err error) error {
		if err != nil && connectors.KindOf(err) == from {
			return &connectors.Error{Kind: to}
		}
		return err
	}
	return func(m *mutant) {
		m.get = func(c conn, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (entry, error) {
			e, err := c.Get(ctx, a, want)
			return e, change(err)
		}
		m.create = func(c conn, ctx context.Context, d connectors.Draft, want []connectors.Attr) (entry, error) {
			e, err := c.Create(ctx, d, want)
			return e, change(err)
		}
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			e, err := c.Apply(ctx, a, cs, g, want)
			return e, change(err)
		}
		m.delete = func(c conn, ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
			return change(c.Delete(ctx, a, g))
		}
	}
}

// fields changes each field that a method returns.
func fields(change func(f *connectors.Field)) func(*mutant) {
	return seen(func(e entry) entry {
		e.Fields = slices.Clone(e.Fields)
		for i := range e.Fields {
			change(&e.Fields[i])
		}
		return e
	})
}

// stepwise writes one change after the other.
func stepwise(m *mutant) {
	m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
		for i := range cs {
			if _, err := c.Apply(ctx, a, cs[i:i+1], g, want); err != nil {
				return entry{}, err
			}
			g = connectors.Guard{}
		}
		return c.Apply(ctx, a, nil, g, want)
	}
}

// mutantName is the variable that tells a child process what is to be wrong.
const mutantName = "CONNECTORTEST_MUTANT"

// seeds is how many random corpora a defect may stay hidden in.
const seeds = 8

// TestTheSuiteNotices runs the suite, in a process of its own, against
// connectors that have one defect each.
func TestTheSuiteNotices(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some fifty processes")
	}
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			var out []byte
			var err error
			for range seeds { // a random corpus need not show every defect
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestMutant$/^"+d.noticed+"$")
				cmd.Env = append(os.Environ(), mutantName+"="+d.name)
				if out, err = cmd.CombinedOutput(); err != nil {
					break
				}
			}
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestMutant/"+d.noticed) {
				t.Errorf("not noticed: %v\n%s", err, out)
			}
			if strings.Contains(string(out), "panic:") {
				t.Errorf("it panicked:\n%s", out)
			}
		})
	}
}

// TestMutant is what the child process runs.
func TestMutant(t *testing.T) {
	name := os.Getenv(mutantName)
	if name == "" {
		t.Skip("runs only as a child of TestTheSuiteNotices")
	}
	i := slices.IndexFunc(defects, func(d defect) bool { return d.name == name })
	h := harness(schema, defects[i].options)
	open := h.Open
	h.Open = func(t *testing.T, o connectortest.Options) connectortest.Opened {
		opened := open(t, o)
		for _, c := range []*connectors.Connector{&opened.Users, &opened.Groups, &opened.RivalUsers, &opened.RivalGroups} {
			m := &mutant{Connector: *c}
			defects[i].mutate(m)
			*c = m
		}
		return opened
	}
	connectortest.Run(t, h)
}
