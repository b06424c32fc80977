package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	idmemory "postern/idstore/memory"
	"postern/mapping"
	"postern/scim"

	"github.com/rs/zerolog"
)

const userMap = `
name: uid={userName}
map:
  userName: uid
  displayName: displayName
  title: title
  emails[type eq "work"].value: mail
  groups: { attr: memberOf, ref: Group, write: never }
`

const groupMap = `
name: cn={displayName}
map:
  displayName: cn
  members: { attr: member, ref: [User, Group] }
`

// bench is a gateway over the memory connector and the memory store.
type bench struct {
	*gateway.Gateway
	t        *testing.T
	store    idstore.Store
	backend  *memory.Backend
	user     *scim.ResourceType
	group    *scim.ResourceType
	clock    *atomic.Int64 // seconds
	pairwise bool          // what again makes of the ids of users and groups
	patience time.Duration
	keep     *gateway.Keep // what again makes of deletions of users
	log      zerolog.Logger
	again    func() *gateway.Gateway
	over     func(connectors.Connector) connectors.Connector // what again puts over a connector
}

var caller = gateway.Caller{Client: "idp", Domain: "idp"}

func newBench(t *testing.T, o memory.Options) *bench {
	t.Helper()
	return newBenchOf(t, o, userMap)
}

// newBenchOf is newBench with another mapping of users.
func newBenchOf(t *testing.T, o memory.Options, userMap string) *bench {
	t.Helper()
	b := &bench{t: t, clock: new(atomic.Int64), over: func(c connectors.Connector) connectors.Connector { return c }}
	users, groups := compile(t, "User", userMap), compile(t, "Group", groupMap)
	ignoreCase := connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Ordering: true, Substring: true}
	matching := func(m *mapping.Mapping) map[connectors.Attr]connectors.Matching {
		known := map[connectors.Attr]connectors.Matching{}
		for _, a := range m.Attrs() {
			if a == "displayName" {
				known["displayname"] = ignoreCase
				continue
			}
			known[a] = ignoreCase
		}
		return known
	}
	o.Collections = []memory.Collection{
		{Name: "User", Matching: matching(users), Reverse: map[connectors.Attr]memory.Reverse{"memberOf": {Collection: "Group", Attr: "member"}}},
		{Name: "Group", Matching: matching(groups), References: groups.References()},
	}
	b.backend = memory.New(o)
	store, err := idmemory.Open()
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
	b.again = func() *gateway.Gateway {
		g, err := gateway.New(gateway.Options{Store: b.store, Log: b.log, ScanLimit: 1000, Patience: b.patience,
			Now: func() time.Time { return time.Unix(1_700_000_000+b.clock.Load(), 0) },
			Targets: []gateway.Target{
				{Mapping: users, Connector: b.over(b.backend.Collection("User")), Backend: "corp", Pairwise: b.pairwise, Keep: b.keep},
				{Mapping: groups, Connector: b.over(b.backend.Collection("Group")), Backend: "corp", Pairwise: b.pairwise},
			}})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.TakeOver(t.Context()); err != nil {
			t.Fatal(err)
		}
		return g
	}
	b.Gateway, b.user, b.group = b.again(), users.ResourceType(), groups.ResourceType()
	return b
}

func compile(t *testing.T, typ, text string) *mapping.Mapping {
	t.Helper()
	root, ps := configs.Parse(typ, []byte(text))
	spec := mapping.Decode(root, &ps)
	spec.Type = typ
	spec.Resources = map[string]string{"User": "/Users", "Group": "/Groups"}
	core := scim.UserSchema()
	if typ == "Group" {
		core = scim.GroupSchema()
	}
	rt, err := scim.NewResourceType(typ, spec.Resources[typ], typ, core)
	if err != nil {
		t.Fatal(err)
	}
	m, more := mapping.Compile(spec, rt)
	ps.Add(more...)
	if ps.HasErrors() {
		t.Fatal(ps)
	}
	return m
}

func (b *bench) resource(rt *scim.ResourceType, body string) *scim.Resource {
	b.t.Helper()
	r, err := scim.DecodeResource(rt, []byte(body), scim.DecodeOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) create(name string) (string, error) {
	res, err := b.Create(b.t.Context(), caller, "User", b.resource(b.user, `{"userName":"`+name+`"}`), gateway.WriteOptions{})
	if err != nil {
		return "", err
	}
	return res.Resource.ID(), nil
}

func (b *bench) mustCreate(name string) string {
	b.t.Helper()
	id, err := b.create(name)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) list(filter string, start, count int) (gateway.Page, error) {
	part := gateway.Part{Kind: "User"}
	if filter != "" {
		f, err := scim.ParseFilter(b.user, filter)
		if err != nil {
			b.t.Fatal(err)
		}
		part.Filter = f
	}
	return b.List(b.t.Context(), caller, gateway.Query{Parts: []gateway.Part{part}, Start: start, Count: count})
}

func kindOf(err error) gateway.Kind {
	if f, ok := errors.AsType[*gateway.Fault](err); ok {
		return f.Kind
	}
	return gateway.Internal
}

func ids(p gateway.Page) []string {
	var ids []string
	for _, r := range p.Results {
		ids = append(ids, r.Resource.ID())
	}
	return ids
}

func TestFirstSightGivesOneID(t *testing.T) {
	b := newBench(t, memory.Options{})
	past := b.backend.Collection("User")
	for i := range 30 {
		if _, err := past.Create(t.Context(), connectors.Draft{Name: "uid", Fields: []connectors.Field{{Attr: "uid", Values: []connectors.Value{connectors.Value(fmt.Sprintf("u%02d", i))}}}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	pages := make([][]string, 20)
	var wg sync.WaitGroup
	for i := range pages {
		wg.Go(func() {
			p, err := b.list("", 1, 100)
			if err != nil {
				t.Error(err)
			}
			pages[i] = ids(p)
		})
	}
	wg.Wait()
	for i := range pages {
		if len(pages[i]) != 30 || !slices.Equal(pages[i], pages[0]) {
			t.Fatalf("list %d is %v, list 0 is %v", i, pages[i], pages[0])
		}
	}
}

// TestLostAnswers loses the backend's answer after, and the request before, it
// was carried out, at every operation of create and delete in turn, as a crash
// would; a new gateway on the same table must then hold what it promised.
func TestLostAnswers(t *testing.T) {
	lost := &connectors.Error{Kind: connectors.Timeout}
	for _, op := range []memory.Op{memory.OpCreate, memory.OpDelete} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v done %v", op, done), func(t *testing.T) {
				b := newBench(t, memory.Options{})
				kept := b.mustCreate("kept")
				b.backend.Fail(func(o memory.Op, d bool) error {
					if o == op && d == done {
						return lost
					}
					return nil
				})
				_, createErr := b.create("new")
				deleteErr := b.Delete(t.Context(), caller, "User", kept, scim.Precondition{})
				failed := createErr
				if op == memory.OpDelete {
					failed = deleteErr
				}
				if kindOf(failed) != gateway.Timeout {
					t.Fatalf("create: %v; delete: %v; want a time-out of %v", createErr, deleteErr, op)
				}
				b.backend.Fail(nil)

				// The process dies here; the next one looks at the backend.
				b.Gateway = b.again()
				if open, err := b.Recover(t.Context()); open != 0 || err != nil {
					t.Fatalf("%d intents stay open, %v", open, err)
				}
				if open := countIntents(t, b.store); open != 0 {
					t.Errorf("%d intents are still in the table", open)
				}
				found, err := b.list(`userName eq "new"`, 1, 10)
				if err != nil {
					t.Fatal(err)
				}
				if n := len(ids(found)); n != found.Total {
					t.Errorf("%d resources of a total of %d", n, found.Total)
				}
				if want := op != memory.OpCreate || done; want != (found.Total == 1) {
					t.Errorf("the new user is there %d times, want it there: %v", found.Total, want)
				}
				_, err = b.Read(t.Context(), caller, "User", kept, gateway.ReadOptions{})
				if gone := op != memory.OpDelete || done; gone != (kindOf(err) == gateway.NotFound && err != nil) {
					t.Errorf("reading the deleted user: %v, want it gone: %v", err, gone)
				}
				if op == memory.OpCreate {
					// The client tries again: one object with one id, whether the first
					// try came through or not. A later request is another one.
					id, err := b.create("new")
					if err != nil || found.Total == 1 && ids(found)[0] != id {
						t.Errorf("the client tried again and got %q, %v; there was %v", id, err, ids(found))
					}
				}
				if _, err := b.create("new"); kindOf(err) != gateway.Conflict {
					t.Errorf("a second creation: %v, want a conflict", err)
				}
			})
		}
	}
}

func countIntents(t *testing.T, s idstore.Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx idstore.Tx) error {
		for _, err := range idstore.Intents(tx) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNothingIsBegunThatCanNotBeRecorded(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("there")
	b.store = full{b.store}
	b.Gateway = b.again()
	if _, err := b.create("new"); kindOf(err) != gateway.Unavailable {
		t.Errorf("create on a full disk: %v", err)
	}
	if err := b.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(err) != gateway.Unavailable {
		t.Errorf("delete on a full disk: %v", err)
	}
	p, err := b.list("", 1, 10)
	if err != nil || p.Total != 1 {
		t.Errorf("the backend holds %d users, %v; want the one that was there", p.Total, err)
	}
}

// full is a store whose disk is full.
type full struct{ idstore.Store }

func (full) Update(context.Context, func(idstore.Tx) error) error {
	return fmt.Errorf("no space left: %w", idstore.ErrUnwritable)
}

func TestBackendDownIsNeverNotFound(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("there")
	b.backend.Fail(func(memory.Op, bool) error { return &connectors.Error{Kind: connectors.Unavailable, Unsent: true} })
	if _, err := b.Read(t.Context(), caller, "User", id, gateway.ReadOptions{}); kindOf(err) != gateway.Unavailable {
		t.Errorf("read: %v", err)
	}
	if _, err := b.list(`userName eq "there"`, 1, 10); kindOf(err) != gateway.Unavailable {
		t.Errorf("list: %v", err)
	}
	if _, err := b.create("new"); kindOf(err) != gateway.Unavailable {
		t.Errorf("create: %v", err)
	}
	if err := b.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(err) != gateway.Unavailable {
		t.Errorf("delete: %v", err)
	}
}

// TestWalkWhileOthersWrite walks a list page by page while users come and go:
// what is there all the time is seen exactly once.
func TestWalkWhileOthersWrite(t *testing.T) {
	b := newBench(t, memory.Options{})
	const n = 530
	want := map[string]bool{}
	for i := range n {
		want[b.mustCreate(fmt.Sprintf("stays%03d", i))] = true
	}
	goes := b.mustCreate("goes")
	seen := map[string]int{}
	for start := 1; start <= n+1; start += 50 {
		p, err := b.list("", start, 50)
		if err != nil {
			t.Fatal(err)
		}
		if p.Total != n+1 {
			t.Errorf("page at %d: total %d", start, p.Total)
		}
		for _, id := range ids(p) {
			seen[id]++
		}
		b.mustCreate(fmt.Sprintf("comes%03d", start))
		if start == 1 {
			if err := b.Delete(t.Context(), caller, "User", goes, scim.Precondition{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for id := range want {
		if seen[id] != 1 {
			t.Errorf("%s was seen %d times", id, seen[id])
		}
	}
	b.clock.Add(1000) // the snapshot is too old now
	p, err := b.list("", 51, 50)
	if err != nil || p.Total <= n+1 {
		t.Errorf("a page after the snapshot's time: total %d, %v; want what is there now", p.Total, err)
	}
}

func TestScanLimit(t *testing.T) {
	conds := connectors.CondAll | connectors.CondAnchorIn
	b := newBench(t, memory.Options{Conds: &conds})
	for i := range 1001 {
		past := connectors.Draft{Name: "uid", Fields: []connectors.Field{{Attr: "uid", Values: []connectors.Value{connectors.Value(fmt.Sprintf("u%d", i))}}}}
		if _, err := b.backend.Collection("User").Create(t.Context(), past, nil); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.list(`userName eq "u7"`, 1, 10)
	if e, ok := errors.AsType[*scim.Error](err); !ok || e.ScimType != scim.TypeTooMany {
		t.Errorf("a filter over 1,001 users with a limit of 1,000: %v, want tooMany", err)
	}
}

// TestLostUpdate lets two gateways on one backend change different attributes
// and the same attribute of one user at the same time: no change is lost.
func TestLostUpdate(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("contended")
	other := b.again()
	var wg sync.WaitGroup
	var won atomic.Int64
	for i := range 40 {
		g := b.Gateway
		if i%2 == 1 {
			g = other
		}
		wg.Go(func() {
			p, err := scim.DecodePatch(b.user, []byte(fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"t%d"}]}`, i)), scim.DecodeOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			switch _, err := g.Patch(t.Context(), caller, "User", id, p, gateway.WriteOptions{}); {
			case err == nil:
				won.Add(1)
			case kindOf(err) != gateway.Contended:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() < 20 {
		t.Errorf("%d of 40 writes came through", won.Load())
	}
}

func (b *bench) patch(id, op string, pre string) error {
	b.t.Helper()
	p, err := scim.DecodePatch(b.user, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`), scim.DecodeOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var o gateway.WriteOptions
	if pre != "" {
		if o.Precondition, err = scim.ParsePrecondition([]string{pre}, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	_, err = b.Patch(b.t.Context(), caller, "User", id, p, o)
	return err
}

func (b *bench) read(id string) gateway.Result {
	b.t.Helper()
	res, err := b.Read(b.t.Context(), caller, "User", id, gateway.ReadOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// TestIfMatchCoversExternalID lets many writers of the externalId race under one
// version: it is a part of it.
func TestIfMatchCoversExternalID(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("one")
	version := b.read(id).Version.String()
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			switch err := b.patch(id, fmt.Sprintf(`{"op":"replace","path":"externalId","value":"e%d"}`, i), version); {
			case err == nil:
				won.Add(1)
			case kindOf(err) != gateway.Precondition:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 writers won under one If-Match", won.Load())
	}
}

// TestRefusedWriteKeepsExternalID changes the externalId together with something
// that the backend refuses: nothing is changed.
func TestRefusedWriteKeepsExternalID(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("one")
	if err := b.patch(id, `{"op":"add","path":"externalId","value":"before"}`, ""); err != nil {
		t.Fatal(err)
	}
	b.backend.Fail(func(op memory.Op, done bool) error {
		if op == memory.OpApply && !done {
			return &connectors.Error{Kind: connectors.Denied}
		}
		return nil
	})
	err := b.patch(id, `{"op":"replace","value":{"externalId":"after","title":"x"}}`, "")
	if kindOf(err) != gateway.Denied {
		t.Fatalf("the write: %v", err)
	}
	b.backend.Fail(nil)
	if r := b.read(id).Resource; r.ExternalID() != "before" {
		t.Errorf("externalId is %q after a refused write", r.ExternalID())
	}
}

// deleteAtSearch deletes a user when the backend has answered the next search.
// The result says that this was begun.
func (b *bench) deleteAtSearch(id string) *atomic.Bool {
	deleting := new(atomic.Bool)
	b.backend.Fail(func(op memory.Op, done bool) error {
		if op == memory.OpSearch && done && deleting.CompareAndSwap(false, true) {
			if err := b.Delete(context.Background(), caller, "User", id, scim.Precondition{}); err != nil {
				b.t.Error(err)
			}
		}
		return nil
	})
	return deleting
}

// TestDeletedDuringAList deletes a user between the backend's answer to a list
// and the list's own: no new id is given out for it.
func TestDeletedDuringAList(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("goes")
	b.mustCreate("stays")
	deleting := b.deleteAtSearch(id)
	p, err := b.list("", 1, 10)
	if err != nil || !deleting.Load() {
		t.Fatal(err, deleting.Load())
	}
	for _, r := range p.Results {
		if name, _ := b.user.Attribute("userName"); r.Resource.Get(name).Text() == "goes" {
			t.Errorf("the deleted user is listed as %s; it was %s", r.Resource.ID(), id)
		}
	}
}

// TestLeftoverBindsNoStranger loses the request of a create under a name that an
// object which nobody has met yet bears too.
func TestLeftoverBindsNoStranger(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("known")
	past := b.backend.Collection("User")
	b.backend.Fail(func(op memory.Op, done bool) error {
		if op == memory.OpCreate && !done {
			return &connectors.Error{Kind: connectors.Timeout} // nothing was made
		}
		return nil
	})
	if _, err := b.create("later"); kindOf(err) != gateway.Timeout {
		t.Fatal(err)
	}
	b.backend.Fail(nil)
	// The name is taken by an object that has its id already.
	anchor := connectors.Anchor("")
	for e, err := range past.Search(t.Context(), connectors.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		anchor = e.Anchor
	}
	if _, err := past.Apply(t.Context(), anchor, []connectors.Change{{Attr: "uid", Delete: []connectors.Value{"known"}, Add: []connectors.Value{"later"}}}, connectors.Guard{}, nil); err != nil {
		t.Fatal(err)
	}
	if open, err := b.Recover(t.Context()); open != 0 || err != nil || countIntents(t, b.store) != 0 {
		t.Errorf("%d intents stay open, %v", open, err)
	}
	if _, err := b.create("later"); kindOf(err) != gateway.Conflict {
		t.Errorf("creating a user of that name: %v, want a conflict", err)
	}
	if name, _ := b.user.Attribute("userName"); b.read(id).Resource.Get(name).Text() != "later" {
		t.Error("the object lost its id")
	}
}
