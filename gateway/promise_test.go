package gateway_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
)

// blinded is a store that can not be read once something was bound.
type blinded struct {
	idstore.Store
	updates atomic.Int32
}

func (b *blinded) Update(ctx context.Context, fn func(idstore.Tx) error) error {
	defer b.updates.Add(1)
	return b.Store.Update(ctx, fn)
}

func (b *blinded) View(ctx context.Context, fn func(idstore.Tx) error) error {
	if b.updates.Load() == 2 {
		return errors.New("not now")
	}
	return b.Store.View(ctx, fn)
}

// TestMadeAndNotTold makes a group whose answer fails after it was made: the client
// that tries again is told of it.
func TestMadeAndNotTold(t *testing.T) {
	b := newBench(t, memory.Options{})
	member := b.mustCreate("member")
	store := &blinded{Store: b.store}
	b.store = store
	b.Gateway = b.again()
	body := b.resource(b.group, `{"displayName":"made","members":[{"value":"`+member+`"}]}`)
	create := func() (gateway.Result, error) {
		return b.Create(t.Context(), caller, "Group", body, gateway.WriteOptions{})
	}
	if _, err := create(); err == nil {
		t.Fatal("the answer did not fail")
	}
	store.updates.Add(1)
	made, err := create()
	if err != nil {
		t.Fatalf("the client tried again: %v", err)
	}
	p := b.mustAsk(ask{kinds: []string{"Group"}, count: 10})
	if p.Total != 1 || p.Results[0].Resource.ID() != made.Resource.ID() {
		t.Errorf("there are %d groups, want the one that was told", p.Total)
	}
	if _, err := create(); kindOf(err) != gateway.Conflict {
		t.Errorf("a later creation: %v, want a conflict", err)
	}
}

// TestMadeAndAskedOtherwise asks for another group of the name of one that was made
// without an answer: it is in the way, and not what the client asks for.
func TestMadeAndAskedOtherwise(t *testing.T) {
	b := newBench(t, memory.Options{})
	member, other := b.mustCreate("member"), b.mustCreate("other")
	store := &blinded{Store: b.store}
	b.store = store
	b.Gateway = b.again()
	create := func(member string) error {
		body := b.resource(b.group, `{"displayName":"made","members":[{"value":"`+member+`"}]}`)
		_, err := b.Create(t.Context(), caller, "Group", body, gateway.WriteOptions{})
		return err
	}
	if create(member) == nil {
		t.Fatal("the answer did not fail")
	}
	store.updates.Add(2)
	if err := create(other); kindOf(err) != gateway.Conflict {
		t.Errorf("a creation with another member: %v, want a conflict", err)
	}
	if err := create(member); err != nil {
		t.Errorf("the first creation once more, after the other: %v", err)
	}
}
