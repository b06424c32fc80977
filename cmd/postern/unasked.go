package main

import (
	"context"
	"iter"

	"postern/connectors"
)

// unasked stands for a collection whose backend can not be asked: every call is
// answered as by one that does not answer.
type unasked struct{ why error }

func (u unasked) err() error {
	return &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: u.why}
}

func (u unasked) Capabilities() connectors.Capabilities { return connectors.Capabilities{} }

func (u unasked) Get(context.Context, connectors.Anchor, []connectors.Attr) (connectors.Entry, error) {
	return connectors.Entry{}, u.err()
}

func (u unasked) Search(context.Context, connectors.Query) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) { yield(connectors.Entry{}, u.err()) }
}

func (u unasked) Create(context.Context, connectors.Draft, []connectors.Attr) (connectors.Entry, error) {
	return connectors.Entry{}, u.err()
}

func (u unasked) Apply(context.Context, connectors.Anchor, []connectors.Change, connectors.Guard, []connectors.Attr) (connectors.Entry, error) {
	return connectors.Entry{}, u.err()
}

func (u unasked) Delete(context.Context, connectors.Anchor, connectors.Guard) error { return u.err() }

// Spell and Unspell: the form of its anchors is not known (connectors.Speller).

func (u unasked) Spell(context.Context, connectors.Anchor) (string, bool) { return "", false }

func (u unasked) Unspell(context.Context, string) (connectors.Anchor, bool) { return "", false }
