package gateway_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	"postern/scim"
)

// past makes users past the gateway and returns their anchors.
func (b *bench) past(names ...string) (anchors []connectors.Anchor) {
	b.t.Helper()
	for _, name := range names {
		e, err := b.backend.Collection("User").Create(b.t.Context(), connectors.Draft{Name: "uid", Fields: []connectors.Field{
			{Attr: "uid", Values: []connectors.Value{connectors.Value(name)}}, {Attr: "title", Values: []connectors.Value{"x"}}}}, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		anchors = append(anchors, e.Anchor)
	}
	return anchors
}

func (b *bench) entities() (n int) {
	b.t.Helper()
	err := b.store.View(b.t.Context(), func(tx idstore.Tx) error {
		for _, err := range idstore.Records(tx, 0) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// TestAdopt adopts what is there, is broken off, and goes on.
func TestAdopt(t *testing.T) {
	b := newBench(t, memory.Options{})
	var names []string
	for i := range 2500 {
		names = append(names, fmt.Sprintf("u%04d", i))
	}
	b.past(names...)
	enough := errors.New("enough")
	sum, err := b.Adopt(t.Context(), "User", nil, func(a gateway.Adoption) error {
		if a.Seen == 1000 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || sum != (gateway.Adoption{Seen: 1000, New: 1000}) || b.entities() != 1000 {
		t.Fatalf("broken off after %+v, %v; %d entities", sum, err, b.entities())
	}
	calls := 0
	sum, err = b.Adopt(t.Context(), "User", nil, func(gateway.Adoption) error { calls++; return nil })
	if err != nil || sum != (gateway.Adoption{Seen: 2500, New: 1500}) || calls != 3 || b.entities() != 2500 {
		t.Errorf("then %+v in %d batches, %v; %d entities", sum, calls, err, b.entities())
	}
	if _, err := b.Adopt(t.Context(), "Device", nil, nil); kindOf(err) != gateway.NotFound {
		t.Errorf("an unknown type: %v", err)
	}
}

// TestAdoptPairwise gives an id in each domain.
func TestAdoptPairwise(t *testing.T) {
	b := newBench(t, memory.Options{})
	b.pairwise = true
	b.Gateway = b.again()
	b.past("a", "b")
	sum, err := b.Adopt(t.Context(), "User", []string{"idp", "lab"}, func(gateway.Adoption) error { return nil })
	if err != nil || sum != (gateway.Adoption{Seen: 2, New: 4}) || b.entities() != 2 {
		t.Errorf("%+v, %v; %d entities", sum, err, b.entities())
	}
	for _, id := range ids(b.mustAsk(ask{count: 10})) {
		if r := b.record(id); len(r.IDs) != 2 {
			t.Errorf("ids %v", r.IDs)
		}
	}
}

// TestAdoptKnown takes ids over from another product.
func TestAdoptKnown(t *testing.T) {
	const id = "2819c223-7f76-453a-919d-4138619046%02d"
	b := newBench(t, memory.Options{})
	anchors := b.past("anna", "bert", "carl", "dora")
	seen := b.mustAsk(ask{filter: `userName eq "dora"`, count: 1}).Results[0].Resource.ID()
	used := b.mustCreate("used")
	if err := b.Delete(t.Context(), caller, "User", used, scim.Precondition{}); err != nil {
		t.Fatal(err)
	}
	eq := func(attr, value string) scim.Compare {
		f, err := scim.ParseFilter(b.user, attr+` eq "`+value+`"`)
		if err != nil {
			t.Fatal(err)
		}
		return f.(scim.Compare)
	}
	good := []gateway.Known{
		{Line: 2, ID: fmt.Sprintf(id, 1), ExternalID: "x1", By: eq("userName", "ANNA")},
		{Line: 3, ID: fmt.Sprintf(id, 2), Anchor: anchors[1]},
	}
	for _, tt := range []struct {
		row  gateway.Known
		want string
	}{
		{gateway.Known{ID: "7", By: eq("userName", "carl")}, "is no UUID"},
		{gateway.Known{ID: fmt.Sprintf(id, 1), By: eq("userName", "carl")}, "in line 2 already"},
		{gateway.Known{ID: fmt.Sprintf(id, 3), Anchor: anchors[1]}, "the object is in line 3 already"},
		{gateway.Known{ID: fmt.Sprintf(id, 3), By: eq("userName", "nobody")}, `no User with userName eq "nobody"`},
		{gateway.Known{ID: fmt.Sprintf(id, 3), By: eq("title", "x")}, "more than one"},
		{gateway.Known{ID: fmt.Sprintf(id, 3), Anchor: "nothing"}, "no such object"},
		{gateway.Known{ID: fmt.Sprintf(id, 3), By: eq("userName", "dora")}, seen},
		{gateway.Known{ID: seen, By: eq("userName", "carl")}, "names something else"},
		{gateway.Known{ID: used, By: eq("userName", "carl")}, "names something else, or did"},
		{gateway.Known{ID: fmt.Sprintf(id, 3), By: eq("userName", "carl"), ExternalID: strings.Repeat("x", 5000)}, "longer than"},
	} {
		before := b.entities()
		tt.row.Line = 4
		sum, problems, err := b.AdoptKnown(t.Context(), caller, "User", append(good[:2:2], tt.row), gateway.KnownOptions{})
		if err != nil || len(problems) != 1 || problems[0].Line != 4 || !strings.Contains(problems[0].Err.Error(), tt.want) {
			t.Errorf("%+v: %+v, %v, %v; want line 4: %s", tt.row, sum, problems, err, tt.want)
		}
		if n := b.entities(); n != before {
			t.Errorf("%+v: %d entities, there were %d", tt.row, n, before)
		}
	}
	if sum, problems, err := b.AdoptKnown(t.Context(), caller, "User", good, gateway.KnownOptions{DryRun: true}); err != nil || len(problems) != 0 || sum.New != 2 || b.entities() != 1 {
		t.Errorf("dry: %+v, %v, %v; %d entities", sum, problems, err, b.entities())
	}
	bad := gateway.Known{Line: 9, ID: "7", By: eq("userName", "carl")}
	sum, problems, err := b.AdoptKnown(t.Context(), caller, "User", append(good[:2:2], bad), gateway.KnownOptions{KeepGoing: true})
	if err != nil || len(problems) != 1 || sum != (gateway.Adoption{Seen: 3, New: 2}) {
		t.Errorf("keep going: %+v, %v, %v", sum, problems, err)
	}
	if sum, problems, err = b.AdoptKnown(t.Context(), caller, "User", good, gateway.KnownOptions{}); err != nil || len(problems) != 0 || sum != (gateway.Adoption{Seen: 2}) {
		t.Errorf("again: %+v, %v, %v", sum, problems, err)
	}
	if p := b.mustAsk(ask{filter: `externalId eq "x1"`, count: 10}); len(p.Results) != 1 || p.Results[0].Resource.ID() != good[0].ID || listed(p, "userName") != "anna" {
		t.Errorf("found %v", ids(p))
	}
	b.backend.Fail(func(memory.Op, bool) error { return &connectors.Error{Kind: connectors.Unavailable, Unsent: true} })
	if _, _, err := b.AdoptKnown(t.Context(), caller, "User", good, gateway.KnownOptions{KeepGoing: true}); kindOf(err) != gateway.Unavailable {
		t.Errorf("with the backend down: %v", err)
	}
}

// TestDeletedDuringAdopt deletes a user whom the search of an adoption has
// brought already.
func TestDeletedDuringAdopt(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("goes")
	b.mustCreate("stays")
	deleting := b.deleteAtSearch(id)
	sum, err := b.Adopt(t.Context(), "User", nil, func(gateway.Adoption) error { return nil })
	if err != nil || !deleting.Load() || sum.New != 0 {
		t.Fatalf("%+v, %v, deleted %t", sum, err, deleting.Load())
	}
	if n := b.entities(); n != 1 {
		t.Errorf("%d entities for one user", n)
	}
}
