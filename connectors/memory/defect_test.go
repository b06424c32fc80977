package memory_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
)

// A defect is a mutant and the part of the suite that must notice it.
type defect struct {
	name    string
	noticed string
	options memory.Options
	mutate  func(*mutant)
}

var defects = []defect{
	{name: "gives what was not asked for", noticed: "Get", mutate: func(m *mutant) {
		m.get = func(c conn, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (entry, error) {
			return c.Get(ctx, a, append(slices.Clone(want), "uid", "cn"))
		}
	}},
	{name: "spells attributes its own way", noticed: "Get", mutate: fields(func(f *connectors.Field) {
		if strings.ToUpper(string(f.Attr)) == string(f.Attr) {
			f.Attr = connectors.Attr(strings.ToLower(string(f.Attr)))
		}
	})},
	{name: "shares its memory", noticed: "Get", mutate: func(m *mutant) {
		var mu sync.Mutex
		kept := make(map[connectors.Stamp]entry)
		m.get = func(c conn, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (entry, error) {
			e, err := c.Get(ctx, a, want)
			mu.Lock()
			defer mu.Unlock()
			if k, ok := kept[e.Stamp]; ok && len(k.Fields) == len(e.Fields) {
				return k, err
			}
			kept[e.Stamp] = e
			return e, err
		}
	}},
	{name: "shows absent attributes", noticed: "Create", mutate: seen(func(e entry) entry {
		e.Fields = append(e.Fields, connectors.Field{Attr: "room"})
		return e
	})},
	{name: "answers with the draft", noticed: "Create", mutate: func(m *mutant) {
		m.create = func(c conn, ctx context.Context, d connectors.Draft, want []connectors.Attr) (entry, error) {
			e, err := c.Create(ctx, d, want)
			return entry{Anchor: e.Anchor, Fields: d.Fields}, err
		}
	}},
	{name: "calls a conflict invalid", noticed: "CreateFails", mutate: errs(connectors.Exists, connectors.Invalid)},
	{name: "leaves half an object behind", noticed: "CreateFails", mutate: func(m *mutant) {
		m.create = func(c conn, ctx context.Context, d connectors.Draft, want []connectors.Attr) (entry, error) {
			e, err := c.Create(ctx, d, want)
			if connectors.KindOf(err) == connectors.Invalid {
				_, _ = c.Create(ctx, connectors.Draft{Name: d.Name, Fields: d.Fields[:1]}, want)
			}
			return e, err
		}
	}},
	{name: "deletes twice", noticed: "Delete", mutate: func(m *mutant) {
		m.delete = func(c conn, ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
			if err := c.Delete(ctx, a, g); connectors.KindOf(err) != connectors.NotFound {
				return err
			}
			return nil
		}
	}},
	{name: "calls an unknown anchor invalid", noticed: "Scope", mutate: errs(connectors.NotFound, connectors.Invalid)},
	{name: "caches entries", noticed: "Delete", mutate: func(m *mutant) {
		var mu sync.Mutex
		kept := make(map[connectors.Anchor]entry)
		m.create = func(c conn, ctx context.Context, d connectors.Draft, want []connectors.Attr) (entry, error) {
			e, err := c.Create(ctx, d, want)
			mu.Lock()
			defer mu.Unlock()
			kept[e.Anchor] = e
			return e, err
		}
		m.get = func(c conn, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (entry, error) {
			mu.Lock()
			defer mu.Unlock()
			if e, ok := kept[a]; ok {
				return e, nil
			}
			return c.Get(ctx, a, want)
		}
	}},
	{name: "writes change by change", noticed: "ChangeIsWhole", mutate: stepwise},
	{name: "adds before it deletes", noticed: "Change", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		var split []connectors.Change
		for _, c := range cs {
			add, del := c, c
			add.Delete, add.DeleteRefs, del.Add, del.AddRefs = nil, nil, nil, nil
			split = append(split, add, del)
		}
		return split, g
	})},
	{name: "does not see case", noticed: "Change", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		return slices.DeleteFunc(cs, func(c connectors.Change) bool {
			return len(c.Add) == 1 && len(c.Delete) == 1 && strings.EqualFold(string(c.Add[0]), string(c.Delete[0]))
		}), g
	})},
	{name: "is never lenient", noticed: "Lenient", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		for i := range cs {
			cs[i].Lenient = false
		}
		return cs, g
	})},
	{name: "is always lenient", noticed: "GuardTouched", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		for i := range cs {
			cs[i].Lenient = true
		}
		return cs, g
	})},
	{name: "forgets the guard of values", noticed: "GuardValues", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		return cs, connectors.Guard{}
	})},
	{name: "forgets the guard of the entry", noticed: "GuardEntry", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		return cs, connectors.Guard{}
	})},
	{name: "guards references badly", noticed: "GuardValues", mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
		g.Read = slices.DeleteFunc(slices.Clone(g.Read), func(f connectors.Field) bool { return len(f.Refs) > 0 })
		return cs, g
	})},
	{name: "deletes without a guard", noticed: "GuardEntry", mutate: func(m *mutant) {
		m.delete = func(c conn, ctx context.Context, a connectors.Anchor, _ connectors.Guard) error {
			return c.Delete(ctx, a, connectors.Guard{})
		}
	}},
	{name: "gives no fresh stamp", noticed: "GuardEntry", mutate: func(m *mutant) {
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			e, err := c.Apply(ctx, a, cs, g, want)
			e.Stamp = g.Stamp
			return e, err
		}
	}},
	{
		name: "accepts a guard that it has not", noticed: "GuardAbove",
		options: memory.Options{Guard: new(connectors.GuardTouched)},
		mutate: changes(func(cs []connectors.Change, g connectors.Guard) ([]connectors.Change, connectors.Guard) {
			g.Level = min(g.Level, connectors.GuardTouched)
			return cs, g
		}),
	},
	{name: "compares, then writes", noticed: "Race", mutate: func(m *mutant) {
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			if len(cs) == 1 && len(cs[0].Delete) == 1 {
				e, err := c.Get(ctx, a, []connectors.Attr{cs[0].Attr})
				if err != nil || !slices.Contains(e.Field(cs[0].Attr).Values, cs[0].Delete[0]) {
					return entry{}, &connectors.Error{Kind: connectors.GuardFailed}
				}
				time.Sleep(time.Millisecond)
				cs = []connectors.Change{{Attr: cs[0].Attr, Replace: true, Add: cs[0].Add}}
			}
			return c.Apply(ctx, a, cs, g, want)
		}
	}},
	{name: "renames first, and leaves it so", noticed: "ChangeIsWhole", mutate: func(m *mutant) {
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			for i, ch := range cs {
				if ch.Attr == "uid" && len(cs) > 1 {
					if _, err := c.Apply(ctx, a, cs[i:i+1], g, want); err != nil {
						return entry{}, err
					}
					return c.Apply(ctx, a, slices.Delete(slices.Clone(cs), i, i+1), connectors.Guard{}, want)
				}
			}
			return c.Apply(ctx, a, cs, g, want)
		}
	}},
	{name: "renames by making a new object", noticed: "Rename", mutate: func(m *mutant) {
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			if len(cs) == 1 && cs[0].Attr == "uid" {
				if err := c.Delete(ctx, a, g); err != nil {
					return entry{}, err
				}
				return c.Create(ctx, connectors.Draft{Name: "uid", Fields: []connectors.Field{{Attr: "uid", Values: cs[0].Add}}}, want)
			}
			return c.Apply(ctx, a, cs, g, want)
		}
	}},
	{name: "takes a taken name for a mistake", noticed: "RenameFails", mutate: errs(connectors.Exists, connectors.Invalid)},
	{name: "cuts long values", noticed: "Values", mutate: fields(func(f *connectors.Field) {
		for i, v := range f.Values {
			f.Values[i] = v[:min(len(v), 255)]
		}
	})},
	{name: "has sixteen bits a character", noticed: "Values", mutate: fields(func(f *connectors.Field) {
		for i, v := range f.Values {
			f.Values[i] = connectors.Value(strings.Map(func(r rune) rune { return min(r, 0xfffd) }, string(v)))
		}
	})},
	{name: "ends at a NUL", noticed: "Values", mutate: fields(func(f *connectors.Field) {
		for i, v := range f.Values {
			until, _, _ := strings.Cut(string(v), "\x00")
			f.Values[i] = connectors.Value(until)
		}
	})},
	{name: "unescapes", noticed: "Names", mutate: fields(func(f *connectors.Field) {
		for i, v := range f.Values {
			f.Values[i] = connectors.Value(strings.ReplaceAll(string(v), `\`, ""))
		}
	})},
	{name: "takes * for a wildcard", noticed: "Conditions", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if eq, ok := c.(connectors.Equal); ok && strings.HasSuffix(string(eq.Value), "*") {
			return connectors.Substring{Attr: eq.Attr, Initial: eq.Value[:len(eq.Value)-1]}
		}
		return c
	})},
	{name: "negates only what is there", noticed: "Conditions", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if n, ok := c.(connectors.Not); ok {
			if eq, ok := n.Cond.(connectors.Equal); ok {
				return connectors.And{n, connectors.Present{Attr: eq.Attr}}
			}
		}
		return c
	})},
	{name: "takes an empty or for anything", noticed: "Conditions", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if or, ok := c.(connectors.Or); ok && len(or) == 0 {
			return connectors.All{}
		}
		return c
	})},
	{name: "compares greater alone", noticed: "ConditionsRandom", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if at, ok := c.(connectors.AtLeast); ok {
			return connectors.Not{Cond: connectors.AtMost(at)}
		}
		return c
	})},
	{name: "tests any of the bits", noticed: "ConditionsRandom", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if bits, ok := c.(connectors.Bits); ok {
			var or connectors.Or
			for mask := uint32(1); mask != 0; mask <<= 1 {
				if bits.Mask&mask != 0 {
					or = append(or, connectors.Bits{Attr: bits.Attr, Mask: mask})
				}
			}
			return or
		}
		return c
	})},
	{name: "ignores the middle of a substring", noticed: "ConditionsRandom", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if s, ok := c.(connectors.Substring); ok && len(s.Any) > 1 {
			s.Any = s.Any[:1]
			return s
		}
		return c
	})},
	{
		name: "gives nothing for what it can not search", noticed: "ConditionsUndeclared",
		options: memory.Options{Conds: new(connectors.CondAll | connectors.CondEqual)},
		mutate: func(m *mutant) {
			m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
				if !c.Capabilities().Conds.Has(connectors.KindsOf(q.Where)) {
					return func(func(entry, error) bool) {}
				}
				return c.Search(ctx, q)
			}
		},
	},
	{name: "gives an entry twice", noticed: "Pages", mutate: stream(func(es []entry) []entry {
		if len(es) > 3 {
			es = append(es, es[0])
		}
		return es
	})},
	{name: "loses the last page", noticed: "Pages", mutate: stream(func(es []entry) []entry {
		if len(es) > 3 {
			es = es[:len(es)-1]
		}
		return es
	})},
	{name: "knows no limit", noticed: "Pages", mutate: func(m *mutant) {
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			q.Limit = 0
			return c.Search(ctx, q)
		}
	}},
	{name: "takes anything for a reference", noticed: "References", mutate: asks(func(c connectors.Cond) connectors.Cond {
		if ref, ok := c.(connectors.RefTo); ok {
			return connectors.Present{Attr: ref.Attr}
		}
		return c
	})},
	{name: "drops references to nothing", noticed: "ReferencesRefused", mutate: func(m *mutant) {
		m.apply = func(c conn, ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (entry, error) {
			e, err := c.Apply(ctx, a, cs, g, want)
			if connectors.KindOf(err) == connectors.Invalid && err != nil {
				return c.Get(ctx, a, want)
			}
			return e, err
		}
	}},
	{name: "shows dead references", noticed: "ReferencesDead", mutate: func(m *mutant) {
		var mu sync.Mutex
		ever := make(map[connectors.Anchor][]connectors.Target)
		seen(func(e entry) entry {
			e.Fields = slices.Clone(e.Fields)
			mu.Lock()
			defer mu.Unlock()
			for i := range e.Fields {
				if f := &e.Fields[i]; f.Attr == "member" {
					for _, r := range f.Refs {
						if !slices.Contains(ever[e.Anchor], r) {
							ever[e.Anchor] = append(ever[e.Anchor], r)
						}
					}
					f.Refs = ever[e.Anchor]
				}
			}
			return e
		})(m)
	}},
	{name: "does not sweep", noticed: "Sweep", mutate: func(m *mutant) {
		m.sweep = func(connectors.Sweeper, context.Context, string) error { return nil }
	}},
	{name: "does not heed the context", noticed: "Cancel", mutate: func(m *mutant) {
		m.get = func(c conn, ctx context.Context, a connectors.Anchor, want []connectors.Attr) (entry, error) {
			return c.Get(context.WithoutCancel(ctx), a, want)
		}
	}},
	{name: "reads on when it was cancelled, and stops", noticed: "Cancel", mutate: func(m *mutant) {
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			return func(yield func(entry, error) bool) {
				for e, err := range c.Search(ctx, q) {
					if err != nil && ctx.Err() != nil {
						return
					}
					if !yield(e, err) {
						return
					}
				}
			}
		}
	}},
	{name: "takes an outage for an absence", noticed: "Break", mutate: errs(connectors.Unavailable, connectors.NotFound)},
	{name: "takes an outage for the end", noticed: "Break", mutate: func(m *mutant) {
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			return func(yield func(entry, error) bool) {
				for e, err := range c.Search(ctx, q) {
					if err != nil && connectors.KindOf(err) == connectors.Unavailable || !yield(e, err) {
						return
					}
				}
			}
		}
	}},
	{name: "reads 1,500 values", noticed: "Crowd", mutate: fields(func(f *connectors.Field) {
		f.Refs = f.Refs[:min(len(f.Refs), 1500)]
	})},
	{name: "leaves a goroutine", noticed: "Goroutines", mutate: func(m *mutant) {
		m.search = func(c conn, ctx context.Context, q connectors.Query) iter.Seq2[entry, error] {
			go func() { <-ctx.Done(); select {} }()
			return c.Search(ctx, q)
		}
	}},
	{name: "tells of no deletion", noticed: "Watch", mutate: watches(func(e connectors.Event) bool { return e.Kind != connectors.Gone })},
	{name: "never has to look at everything", noticed: "WatchElsewhere", mutate: func(m *mutant) {
		m.watch = func(w connectors.Watcher, ctx context.Context, since connectors.Cursor) iter.Seq2[connectors.Event, error] {
			return func(yield func(connectors.Event, error) bool) {
				for e, err := range w.Watch(ctx, since) {
					if since != "" && e.Kind == connectors.Resync && err == nil {
						e = connectors.Event{Kind: connectors.Changed, Anchor: "somebody", Cursor: e.Cursor}
					}
					if !yield(e, err) {
						return
					}
				}
			}
		}
	}},
	{name: "loses every tenth event", noticed: "WatchKeeps", mutate: func(m *mutant) {
		n := 0
		watches(func(connectors.Event) bool { n++; return n%10 != 0 })(m)
	}},
}
