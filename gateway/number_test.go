package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
)

const numberedMap = `
name: { template: "cn={displayName}", collision: number }
map:
  userName: uid
  displayName: displayName
  title: title
`

func newNumbered(t *testing.T, o memory.Options) *bench {
	t.Helper()
	return newBenchOf(t, o, numberedMap)
}

// called creates a user of the name, and says who it is.
func (b *bench) called(name, userName string) (gateway.Result, error) {
	return b.Create(b.t.Context(), caller, "User", b.resource(b.user, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, userName, name)), gateway.WriteOptions{})
}

// held returns the values that an attribute of the users has in the backend.
func (b *bench) held(a connectors.Attr) (values []string) {
	b.t.Helper()
	for e, err := range b.backend.Collection("User").Search(b.t.Context(), connectors.Query{Want: []connectors.Attr{a}}) {
		if err != nil {
			b.t.Fatal(err)
		}
		for _, v := range e.Field(a).Values {
			values = append(values, string(v))
		}
	}
	slices.Sort(values)
	return values
}

// TestNumberedAtOnce makes many users of one name at the same time: each has a
// number of its own, and none is passed over.
func TestNumberedAtOnce(t *testing.T) {
	b := newNumbered(t, memory.Options{})
	var all sync.WaitGroup
	var want []string
	for i := range 20 {
		want = append(want, strings.TrimSuffix(fmt.Sprintf("Ann Lee %d", i+1), " 1"))
		all.Go(func() {
			if _, err := b.called("Ann Lee", fmt.Sprint("u", i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	slices.Sort(want)
	if got := b.held("cn"); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("they are called %q, want %q", got, want)
	}
}

// TestNumberedAnswerLost loses the answer to a creation under a number, with the
// process or without: the client that tries again is told of that object, once.
func TestNumberedAnswerLost(t *testing.T) {
	for _, done := range []bool{false, true} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprintf("made %v, another process %v", done, again), func(t *testing.T) {
				b := newNumbered(t, memory.Options{})
				for _, userName := range []string{"first", "second"} {
					if _, err := b.called("Ann Lee", userName); err != nil {
						t.Fatal(err)
					}
				}
				b.backend.Fail(func(op memory.Op, d bool) error {
					if op == memory.OpCreate && d == done {
						return &connectors.Error{Kind: connectors.Timeout}
					}
					return nil
				})
				if _, err := b.called("Ann Lee", "third"); kindOf(err) != gateway.Timeout {
					t.Fatalf("the answer was not lost: %v", err)
				}
				b.backend.Fail(nil)
				if again {
					b.Gateway = b.again()
				}
				made, err := b.called("Ann Lee", "third")
				if err != nil {
					t.Fatal(err)
				}
				want := []string{"Ann Lee", "Ann Lee 2", "Ann Lee 3"}
				if got := b.held("cn"); !slices.Equal(got, want) {
					t.Errorf("they are called %q, want %q", got, want)
				}
				if p := b.mustAsk(ask{kinds: []string{"User"}, count: 10}); p.Total != 3 || !slices.Contains(ids(p), made.Resource.ID()) {
					t.Errorf("%d users are listed", p.Total)
				}
				if _, err := b.called("Ann Lee", "third"); kindOf(err) != gateway.Conflict {
					t.Errorf("a later creation: %v, want a conflict", err)
				}
				if open := countIntents(t, b.store); open != 0 {
					t.Errorf("%d intents stay open", open)
				}
			})
		}
	}
}

// inUse refuses creations whose mail is not the one that is free, as a directory
// with a rule for it does.
type inUse struct {
	connectors.Connector
	free  connectors.Value
	tries int
}

func (c *inUse) Unwrap() connectors.Connector { return c.Connector }

func (c *inUse) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	if c.tries++; c.free == "" || d.Field("mail").Values[0] != c.free {
		return connectors.Entry{}, &connectors.Error{Kind: connectors.Exists, Attr: "MAIL"}
	}
	d.Fields = slices.DeleteFunc(slices.Clone(d.Fields), func(f connectors.Field) bool { return f.Attr == "mail" })
	return c.Connector.Create(ctx, d, want)
}

// TestDerivedNumbered makes a user whose derived value is taken: it gets a number,
// in the end, and the name none.
func TestDerivedNumbered(t *testing.T) {
	for free, want := range map[connectors.Value]int{"Ann@example.com4": 4, "": 1000} {
		b := newBenchOf(t, memory.Options{}, numberedMap+`derived: { mail: { from: "{displayName}@example.com", collision: number } }`)
		over := &inUse{free: free}
		b.over = func(c connectors.Connector) connectors.Connector {
			if _, ok := c.Capabilities().Matching["uid"]; ok && over.Connector == nil {
				over.Connector = c
				return over
			}
			return c
		}
		b.Gateway = b.again()
		_, err := b.called("Ann", "ann")
		if (free == "") != (kindOf(err) == gateway.Conflict && err != nil) || over.tries != want {
			t.Errorf("free %q: %v after %d tries, want %d", free, err, over.tries, want)
		}
		if open := countIntents(t, b.store); open != 0 {
			t.Errorf("free %q: %d intents stay open", free, open)
		}
	}
}
