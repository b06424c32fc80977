package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	"postern/scim"
)

// family is two users, their groups, and what they became by a merge.
type family struct {
	*bench
	old, new, other string // ids; old was merged into new
	both, one       string // groups of old and new, and of old alone
}

// record is the entity that an id names.
func (b *bench) record(id string) idstore.Record {
	b.t.Helper()
	public, ok := idstore.ParsePublicID(id)
	if !ok {
		b.t.Fatalf("%q is no id", id)
	}
	var rec idstore.Record
	err := b.store.View(b.t.Context(), func(tx idstore.Tx) (err error) {
		rec, err = idstore.FindID(tx, public)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return rec
}

func (b *bench) merge(from, into string, leftover idstore.Action) {
	b.t.Helper()
	f, i := b.record(from), b.record(into)
	err := b.Operate(b.t.Context(), []idstore.Anchor{f.Anchor(), i.Anchor()}, func(tx idstore.Tx) error {
		_, err := idstore.Merge(tx, f.Entity, i.Entity, idstore.MergeOptions{Leftover: leftover, Note: idstore.Note{When: time.Unix(1_700_000_000, 0)}})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func newFamily(t *testing.T, leftover idstore.Action) *family {
	f := &family{bench: newBench(t, memory.Options{})}
	named := func(name string) string {
		res, err := f.Create(t.Context(), caller, "User", f.resource(f.user, `{"userName":"`+name+`","title":"of `+name+`","externalId":"x-`+name+`"}`), gateway.WriteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return res.Resource.ID()
	}
	f.old, f.new, f.other = named("old"), named("new"), named("other")
	f.both, f.one = f.makeGroup("both", f.old, f.new), f.makeGroup("one", f.old)
	f.groups() // the ids of all members are known to the cache
	f.merge(f.old, f.new, leftover)
	return f
}

// groups lists the members of all groups as clients see them.
func (f *family) groups() map[string][]string {
	f.t.Helper()
	members := map[string][]string{}
	for _, r := range f.mustAsk(ask{kinds: []string{"Group"}, count: 10}).Results {
		a, _ := r.Resource.Type.Attribute("members")
		value, _ := r.Resource.Type.Attribute("members.value")
		members[r.Resource.ID()] = []string{}
		for _, m := range r.Resource.Get(a).Items() {
			members[r.Resource.ID()] = append(members[r.Resource.ID()], m.Object().Get(value).Text())
		}
	}
	return members
}

func (f *family) patchGroup(id, op string) {
	f.t.Helper()
	p, err := scim.DecodePatch(f.group, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`), scim.DecodeOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.Patch(f.t.Context(), caller, "Group", id, p, gateway.WriteOptions{}); err != nil {
		f.t.Fatalf("%s: %v", op, err)
	}
}

// stored lists the references that a group has in the backend, by userName.
func (f *family) stored(group string) []string {
	f.t.Helper()
	e, err := f.backend.Collection("Group").Get(f.t.Context(), connectors.Anchor(f.record(group).Anchor().Key), []connectors.Attr{"member"})
	if err != nil {
		f.t.Fatal(err)
	}
	names := []string{}
	for _, ref := range e.Field("member").Refs {
		u, err := f.backend.Collection("User").Get(f.t.Context(), ref.Anchor, []connectors.Attr{"uid"})
		if err != nil {
			f.t.Fatal(err)
		}
		names = append(names, string(u.Field("uid").Values[0]))
	}
	slices.Sort(names)
	return names
}

// TestAliases speaks of one person by two ids.
func TestAliases(t *testing.T) {
	f := newFamily(t, idstore.ActionKeep)
	text := func(r *scim.Resource, path string) string {
		a, _ := r.Type.Attribute(path)
		if meta, sub, ok := strings.Cut(path, "."); ok {
			parent, _ := r.Type.Attribute(meta)
			a, _ = r.Type.Attribute(meta + "." + sub)
			return r.Get(parent).Object().Get(a).Text()
		}
		return r.Get(a).Text()
	}
	if err := f.patch(f.old, `{"op":"replace","path":"title","value":"Boss"}`, ""); err != nil {
		t.Fatal(err)
	}
	byNew, byOld := f.read(f.new), f.read(f.old)
	for id, r := range map[string]*scim.Resource{f.new: byNew.Resource, f.old: byOld.Resource} {
		if r.ID() != id || text(r, "meta.location") != "Users/"+id || text(r, "userName") != "new" || text(r, "title") != "Boss" || r.ExternalID() != "x-new" {
			t.Errorf("by %s: id %s at %s, userName %s, title %s, externalId %s", id, r.ID(), text(r, "meta.location"), text(r, "userName"), text(r, "title"), r.ExternalID())
		}
	}
	if byNew.Version != byOld.Version {
		t.Errorf("versions %s and %s", byNew.Version, byOld.Version)
	}
	if got := f.groups(); !slices.Equal(got[f.both], []string{f.new}) || !slices.Equal(got[f.one], []string{f.new}) {
		t.Errorf("members are %v, want %s alone, once", got, f.new)
	}
	user, group := []string{"User"}, []string{"Group"}
	for _, tt := range []struct {
		kinds  []string
		filter string
		want   []string
	}{
		{user, "", []string{f.new, f.other}},
		{user, `userName pr`, []string{f.new, f.other}},
		{user, `userName gt "a"`, []string{f.new, f.other}}, // evaluated here
		{user, `userName eq "old"`, nil},
		{user, `title eq "of old"`, nil},
		{user, `id eq "` + f.old + `"`, []string{f.new}},
		{user, `id eq "` + f.old + `" and userName gt "a"`, []string{f.new}},
		{user, `not (id eq "` + f.old + `")`, []string{f.other}},
		{user, `id ne "` + f.old + `" and userName gt "a"`, []string{f.other}},
		{user, `meta.location eq "Users/` + f.old + `"`, []string{f.new}},
		{user, `meta.location eq "Users/` + f.old + `" and userName gt "a"`, []string{f.new}},
		{user, `externalId eq "x-old"`, []string{f.new}},
		{user, `externalId eq "x-new"`, []string{f.new}},
		{user, `externalId eq "x-old" and userName gt "a"`, []string{f.new}},
		{user, `externalId ne "x-old"`, []string{f.other}},
		{user, `not (externalId eq "x-old") and userName gt "a"`, []string{f.other}},
		{group, `members.value eq "` + f.old + `"`, []string{f.both, f.one}},
		{group, `members.value eq "` + f.new + `"`, []string{f.both, f.one}},
		{group, `members[value eq "` + f.old + `"] and displayName gt "a"`, []string{f.both, f.one}},
		{group, `members.$ref eq "Users/` + f.old + `"`, []string{f.both, f.one}},
		{group, `members.value eq "` + f.other + `"`, nil},
		{[]string{"User", "Group"}, `id eq "` + f.old + `" or displayName gt "bz"`, []string{f.new, f.one}},
	} {
		p := f.mustAsk(ask{kinds: tt.kinds, filter: tt.filter, count: 10})
		got := ids(p)
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) || p.Total != len(tt.want) {
			t.Errorf("%s: %v of %d, want %v", tt.filter, got, p.Total, tt.want)
		}
		for start := range tt.want {
			if p := f.mustAsk(ask{kinds: tt.kinds, filter: tt.filter, start: start + 1, count: 1}); p.Total != len(tt.want) || len(p.Results) != 1 {
				t.Errorf("%s, page %d: %d of %d", tt.filter, start, len(p.Results), p.Total)
			}
		}
		if p := f.mustAsk(ask{kinds: tt.kinds, filter: tt.filter, count: 0}); p.Total != len(tt.want) {
			t.Errorf("%s, the total alone: %d, want %d", tt.filter, p.Total, len(tt.want))
		}
	}
}

// TestAliasesInMembers writes groups by both ids of a person.
func TestAliasesInMembers(t *testing.T) {
	for _, tt := range []struct {
		name, ops string // on the group that holds old and new; %[1]s is old, %[2]s new, %[3]s other
		want      []string
	}{
		{"add by alias", `{"op":"add","path":"members","value":[{"value":"%[1]s"},{"value":"%[2]s"},{"value":"%[3]s"}]}`, []string{"new", "old", "other"}},
		{"remove by alias", `{"op":"remove","path":"members[value eq \"%[1]s\"]"}`, []string{}},
		{"remove by id", `{"op":"remove","path":"members[value eq \"%[2]s\"]"}`, []string{}},
		{"remove by a filter that is applied here", `{"op":"remove","path":"members[value eq \"%[1]s\" and type eq \"User\"]"}`, []string{}},
		{"remove a list", `{"op":"remove","path":"members","value":[{"value":"%[1]s"}]}`, []string{}},
		{"remove by the alias what the same request added by the id", `{"op":"add","path":"members","value":[{"value":"%[2]s"}]},{"op":"remove","path":"members[value eq \"%[1]s\"]"}`, []string{}},
		{"and with a look", `{"op":"replace","path":"displayName","value":"x"},{"op":"replace","path":"members","value":[{"value":"%[3]s"},{"value":"%[2]s"}]},{"op":"remove","path":"members[value eq \"%[1]s\"]"}`, []string{"other"}},
		{"replace by alias", `{"op":"replace","path":"members","value":[{"value":"%[1]s"},{"value":"%[3]s"}]}`, []string{"new", "old", "other"}},
		{"replace by others", `{"op":"replace","path":"members","value":[{"value":"%[3]s"}]}`, []string{"other"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFamily(t, idstore.ActionKeep)
			f.patchGroup(f.both, fmt.Sprintf(tt.ops, f.old, f.new, f.other))
			if got := f.stored(f.both); !slices.Equal(got, tt.want) {
				t.Errorf("the group has %v, want %v", got, tt.want)
			}
			if got := f.groups()[f.both]; slices.Contains(got, f.old) || len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
				t.Errorf("shown are %v", got)
			}
		})
	}
}

// TestDeleteOfAlias deletes one id of a person after the other. The objects go
// with the last.
func TestDeleteOfAlias(t *testing.T) {
	for _, primaryFirst := range []bool{false, true} {
		f := newFamily(t, idstore.ActionKeep)
		first, second := f.old, f.new
		if primaryFirst {
			first, second = f.new, f.old
		}
		stale, err := scim.ParsePrecondition([]string{`"stale"`}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Delete(t.Context(), caller, "User", first, stale); kindOf(err) != gateway.Precondition {
			t.Errorf("with another version: %v", err)
		}
		if err := f.Delete(t.Context(), caller, "User", first, scim.Precondition{}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(t.Context(), caller, "User", first, gateway.ReadOptions{}); kindOf(err) != gateway.NotFound {
			t.Errorf("the deleted id: %v", err)
		}
		if r := f.read(second).Resource; r.ID() != second {
			t.Errorf("the other id reads %s", r.ID())
		}
		if got := f.groups(); !slices.Equal(got[f.one], []string{second}) {
			t.Errorf("the group shows %v, want %s", got[f.one], second)
		}
		if got := f.stored(f.both); !slices.Equal(got, []string{"new", "old"}) {
			t.Errorf("the objects are %v, want both", got)
		}
		if err := f.Delete(t.Context(), caller, "User", second, scim.Precondition{}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range f.backend.Collection("User").Search(t.Context(), connectors.Query{}) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 1 {
			t.Errorf("%d objects are left, want that of the other person alone", n)
		}
		if got := f.groups(); len(got[f.both])+len(got[f.one]) != 0 {
			t.Errorf("members are left: %v", got)
		}
	}
}

// TestDeleteOfSeveralObjectsIsCutOff loses the backend in the middle of a
// deletion of two objects: the id stays until both are gone.
func TestDeleteOfSeveralObjectsIsCutOff(t *testing.T) {
	for _, done := range []bool{false, true} {
		for at := range 2 {
			t.Run(fmt.Sprint(at, done), func(t *testing.T) {
				f := newFamily(t, idstore.ActionKeep)
				if err := f.Delete(t.Context(), caller, "User", f.old, scim.Precondition{}); err != nil {
					t.Fatal(err)
				}
				n := 0
				f.backend.Fail(func(o memory.Op, d bool) error {
					if o != memory.OpDelete || d != done {
						return nil
					}
					if n++; n == at+1 {
						return &connectors.Error{Kind: connectors.Timeout}
					}
					return nil
				})
				if err := f.Delete(t.Context(), caller, "User", f.new, scim.Precondition{}); kindOf(err) != gateway.Timeout {
					t.Fatalf("delete: %v", err)
				}
				f.backend.Fail(nil)
				f.Gateway = f.again()
				if open, err := f.Recover(t.Context()); open != 0 || err != nil {
					t.Fatal(open, err)
				}
				err := f.Delete(t.Context(), caller, "User", f.new, scim.Precondition{})
				if all := at == 1 && done; all != (kindOf(err) == gateway.NotFound) || !all && err != nil {
					t.Errorf("the client tried again: %v", err)
				}
				if p := f.mustAsk(ask{count: 10}); p.Total != 1 {
					t.Errorf("%d users are left, want 1", p.Total)
				}
				n = 0
				for range f.backend.Collection("User").Search(t.Context(), connectors.Query{}) {
					n++
				}
				if n != 1 {
					t.Errorf("%d objects are left, want 1", n)
				}
			})
		}
	}
}

// TestDeleteWithoutPrimary deletes a person whose primary object somebody else
// has deleted: the other account does not stay open behind a 404.
func TestDeleteWithoutPrimary(t *testing.T) {
	f := newFamily(t, idstore.ActionKeep)
	if err := f.Delete(t.Context(), caller, "User", f.old, scim.Precondition{}); err != nil {
		t.Fatal(err)
	}
	users, rec := f.backend.Collection("User"), f.record(f.new)
	if err := users.Delete(t.Context(), connectors.Anchor(rec.Anchor().Key), connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), caller, "User", f.new, scim.Precondition{}); err != nil {
		t.Errorf("delete: %v", err)
	}
	for _, l := range rec.Links {
		if _, err := users.Get(t.Context(), connectors.Anchor(l.Key), nil); connectors.KindOf(err) != connectors.NotFound {
			t.Errorf("the object %q: %v", l.Key, err)
		}
	}
	if err := f.Delete(t.Context(), caller, "User", f.new, scim.Precondition{}); kindOf(err) != gateway.NotFound {
		t.Errorf("deleted again: %v", err)
	}
	if open := countIntents(t, f.store); open != 0 {
		t.Errorf("%d intents are open", open)
	}
}

// TestDeleteOfWhatIsSeen lets a second domain see a user in the middle of its
// deletion by the first, which then takes no more than an id away.
func TestDeleteOfWhatIsSeen(t *testing.T) {
	for name, keep := range map[string]*gateway.Keep{"removed": nil, "kept": {Disable: true}} {
		t.Run(name, func(t *testing.T) {
			b := newBenchOf(t, memory.Options{}, userMap+"  active: { attr: pwdAccountLockedTime, codec: ppolicy-locked }\n")
			b.pairwise, b.keep = true, keep
			b.Gateway = b.again()
			id := b.mustCreate("seen")
			asked := memory.OpTrace
			if keep != nil {
				asked = memory.OpGet
			}
			var seen atomic.Bool
			b.backend.Fail(func(op memory.Op, done bool) error {
				if op == asked && seen.CompareAndSwap(false, true) {
					if _, err := b.Adopt(context.Background(), "User", []string{"hr"}, func(gateway.Adoption) error { return nil }); err != nil {
						t.Error(err)
					}
				}
				return nil
			})
			if err := b.Delete(t.Context(), caller, "User", id, scim.Precondition{}); err != nil || !seen.Load() {
				t.Fatal(err, seen.Load())
			}
			for e := range b.backend.Collection("User").Search(t.Context(), connectors.Query{}) {
				var rec idstore.Record
				err := b.store.View(t.Context(), func(tx idstore.Tx) (err error) {
					rec, err = idstore.FindAnchor(tx, idstore.Anchor{Backend: "corp", Key: string(e.Anchor)})
					return err
				})
				if err != nil || len(rec.IDs) != 1 || rec.Retired {
					t.Errorf("the entity is %+v, want it with the id of the other domain: %v", rec, err)
				}
				return
			}
			t.Error("the object is gone, and with it the id of the other domain")
		})
	}
}

// TestPairwise has two domains that see different ids for one person.
func TestPairwise(t *testing.T) {
	b := newBench(t, memory.Options{})
	b.pairwise = true
	b.Gateway = b.again()
	lab := gateway.Caller{Client: "lab", Domain: "lab"}
	mine := b.titled("anna", "Boss")
	b.makeGroup("crew", mine)
	p := b.mustAsk(ask{caller: lab, filter: `userName eq "anna"`, count: 10})
	theirs := ids(p)[0]
	if theirs == mine {
		t.Fatalf("both see %s", mine)
	}
	reads := func(c gateway.Caller, id string) gateway.Kind {
		_, err := b.Read(t.Context(), c, "User", id, gateway.ReadOptions{})
		if err == nil {
			return 255
		}
		return kindOf(err)
	}
	if reads(lab, theirs) != 255 || reads(caller, mine) != 255 || reads(lab, mine) != gateway.NotFound || reads(caller, theirs) != gateway.NotFound {
		t.Error("an id of one domain is known in the other, or none in its own")
	}
	for _, tt := range []struct {
		caller gateway.Caller
		kind   string
		filter string
		want   int
	}{
		{lab, "User", `id eq "` + theirs + `"`, 1}, {lab, "User", `id eq "` + mine + `"`, 0},
		{lab, "User", `id eq "` + theirs + `" and userName gt "a"`, 1}, {lab, "User", `id eq "` + mine + `" and userName gt "a"`, 0},
		{lab, "Group", `members.value eq "` + theirs + `"`, 1}, {lab, "Group", `members.value eq "` + mine + `"`, 0},
		{caller, "Group", `members.value eq "` + mine + `"`, 1}, {caller, "Group", `members.value eq "` + theirs + `"`, 0},
		{lab, "Group", `members[value eq "` + theirs + `"] and displayName gt "a"`, 1},
		{lab, "User", `meta.location eq "Users/` + theirs + `"`, 1}, {lab, "User", `meta.location eq "Users/` + mine + `"`, 0},
	} {
		if p := b.mustAsk(ask{kinds: []string{tt.kind}, caller: tt.caller, filter: tt.filter, count: 10}); p.Total != tt.want {
			t.Errorf("%s asks %s: %d, want %d", tt.caller.Client, tt.filter, p.Total, tt.want)
		}
	}
	shown := func(c gateway.Caller) string {
		for range 2 { // the second time from the cache
			b.mustAsk(ask{kinds: []string{"Group"}, caller: c, count: 10})
		}
		r := b.mustAsk(ask{kinds: []string{"Group"}, caller: c, count: 10}).Results[0].Resource
		a, _ := b.group.Attribute("members")
		value, _ := b.group.Attribute("members.value")
		ref, _ := b.group.Attribute("members.$ref")
		m := r.Get(a).Items()[0].Object()
		return m.Get(value).Text() + " " + m.Get(ref).Text()
	}
	if got, want := shown(lab), theirs+" Users/"+theirs; got != want && !strings.HasSuffix(got, "/Users/"+theirs) {
		t.Errorf("lab sees the member %s, want %s", got, want)
	}
	if got := shown(caller); !strings.HasPrefix(got, mine+" ") || !strings.HasSuffix(got, "Users/"+mine) {
		t.Errorf("idp sees the member %s", got)
	}
	refused := func(c gateway.Caller, id string) error {
		op, err := scim.DecodePatch(b.group, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`), scim.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		theirGroup := ids(b.mustAsk(ask{kinds: []string{"Group"}, caller: c, count: 10}))[0]
		_, err = b.Patch(t.Context(), c, "Group", theirGroup, op, gateway.WriteOptions{})
		return err
	}
	if err := refused(lab, mine); err == nil {
		t.Error("lab may add a member by an id of idp")
	}
	if err := refused(lab, theirs); err != nil {
		t.Errorf("lab adds a member by its own id: %v", err)
	}

	// Both set an externalId of their own; the version covers the caller's.
	before := b.read(mine).Version
	setExternal := func(c gateway.Caller, id, x string) {
		op, err := scim.DecodePatch(b.user, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"externalId","value":"`+x+`"}]}`), scim.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Patch(t.Context(), c, "User", id, op, gateway.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	setExternal(lab, theirs, "L1")
	if b.read(mine).Version != before {
		t.Error("what lab calls the user is in the version that idp sees")
	}
	setExternal(caller, mine, "I1")
	if b.read(mine).Version == before {
		t.Error("what idp calls the user is not in its version")
	}
	for _, tt := range []struct {
		c    gateway.Caller
		x    string
		want int
	}{{lab, "L1", 1}, {lab, "I1", 0}, {caller, "I1", 1}, {caller, "L1", 0}} {
		if p := b.mustAsk(ask{caller: tt.c, filter: `externalId eq "` + tt.x + `"`, count: 10}); p.Total != tt.want {
			t.Errorf("%s finds %d by %s, want %d", tt.c.Client, p.Total, tt.x, tt.want)
		}
	}

	// The id of one domain goes, the object stays for the other.
	if err := b.Delete(t.Context(), lab, "User", theirs, scim.Precondition{}); err != nil {
		t.Fatal(err)
	}
	if reads(lab, theirs) != gateway.NotFound || reads(caller, mine) != 255 {
		t.Error("the deletion by lab")
	}
	if err := b.Delete(t.Context(), caller, "User", mine, scim.Precondition{}); err != nil {
		t.Fatal(err)
	}
	if p := b.mustAsk(ask{caller: caller, count: 10}); p.Total != 0 {
		t.Errorf("%d users are left", p.Total)
	}
}
