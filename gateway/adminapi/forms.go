package adminapi

import (
	"context"
	"time"

	"postern/gateway"
	"postern/idstore"
)

// Entity is one thing that clients see as one resource, as administrators see it.
type Entity struct {
	Type        string       `json:"type"`
	Called      string       `json:"called,omitempty"` // in the backend: the userName, or else the displayName
	Created     time.Time    `json:"created"`
	IDs         []ID         `json:"ids"`
	ExternalIDs []ExternalID `json:"externalIds"`
	Links       []Link       `json:"links"`
	// Retired says that it was deleted while its objects were kept: no client sees
	// them, and an undo of the deletion brings the ids back.
	Retired bool        `json:"retired,omitempty"`
	Intents []Intent    `json:"intents,omitempty"`
	Work    []Work      `json:"work,omitempty"`
	History []Operation `json:"history,omitempty"` // newest first
}

// ID is a public id; Domain is "" where ids are shared.
type ID struct {
	ID     string `json:"id"`
	Domain string `json:"domain,omitempty"`
	Alias  bool   `json:"alias,omitempty"`
}

// ExternalID is what the clients of a domain call the entity.
type ExternalID struct {
	Value  string `json:"value"`
	Domain string `json:"domain"`
	Alias  bool   `json:"alias,omitempty"`
}

// Link is an object of the entity.
type Link struct {
	Backend string `json:"backend"`
	Anchor  string `json:"anchor"`
	Primary bool   `json:"primary,omitempty"`
}

// Intent is a write to a backend that is under way.
type Intent struct {
	Kind  string    `json:"kind"`
	Begun time.Time `json:"begun"`
}

// Work is something that a backend has still to be told.
type Work struct {
	Number    uint64    `json:"number"`
	Action    string    `json:"action"`
	Type      string    `json:"type"`
	Backend   string    `json:"backend"`
	Anchor    string    `json:"anchor"`
	Queued    time.Time `json:"queued"`
	Next      time.Time `json:"next"`
	Held      bool      `json:"held,omitempty"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"lastError,omitempty"`
}

// Operation is a row of the history.
type Operation struct {
	Number    uint64     `json:"number"`
	Kind      string     `json:"kind"`
	When      time.Time  `json:"when"`
	Who       string     `json:"who,omitempty"`
	Why       string     `json:"why,omitempty"`
	Changes   []Change   `json:"changes"`
	Leftovers []Leftover `json:"leftovers,omitempty"`
	Undoes    uint64     `json:"undoes,omitempty"`
	UndoneBy  uint64     `json:"undoneBy,omitempty"`
}

// Change is an entity before and after; nil is none.
type Change struct {
	Before *Entity `json:"before"`
	After  *Entity `json:"after"`
}

// Leftover is what becomes of an object.
type Leftover struct {
	Backend string `json:"backend"`
	Anchor  string `json:"anchor"`
	Action  string `json:"action"`
	State   string `json:"state"`
}

// A speller writes anchors, and asks no backend twice that did not answer once.
type speller struct {
	g      *gateway.Gateway
	silent map[string]bool // by resource type
}

func (h *Handler) speller() *speller { return &speller{h.Gateway, make(map[string]bool)} }

func (s *speller) spell(ctx context.Context, kind string, a idstore.Anchor) string {
	if s.silent[kind] {
		return gateway.SpellAlone(a)
	}
	text, ok := s.g.Spell(ctx, kind, a)
	s.silent[kind] = !ok
	return text
}

func (s *speller) entity(ctx context.Context, r idstore.Record) *Entity {
	if r.Entity == 0 {
		return nil
	}
	e := &Entity{Type: r.Type, Created: r.Created, Retired: r.Retired, IDs: []ID{}, ExternalIDs: []ExternalID{}, Links: []Link{}}
	for _, id := range r.IDs {
		e.IDs = append(e.IDs, ID{id.Public.String(), string(id.Domain), id.Alias})
	}
	for _, x := range r.ExternalIDs {
		e.ExternalIDs = append(e.ExternalIDs, ExternalID{x.Value, string(x.Domain), x.Alias})
	}
	for _, l := range r.Links {
		e.Links = append(e.Links, Link{l.Backend, s.spell(ctx, r.Type, l.Anchor), l.Primary})
	}
	return e
}

func (s *speller) operation(ctx context.Context, o idstore.Operation) Operation {
	out := Operation{Number: uint64(o.ID), Kind: o.Kind.String(), When: o.When, Who: o.Who, Why: o.Why, Changes: []Change{},
		Undoes: uint64(o.Undoes), UndoneBy: uint64(o.UndoneBy)}
	kind := ""
	for _, c := range o.Changes {
		if kind = c.Before.Type; kind == "" {
			kind = c.After.Type
		}
		out.Changes = append(out.Changes, Change{s.entity(ctx, c.Before), s.entity(ctx, c.After)})
	}
	for _, l := range o.Leftovers {
		out.Leftovers = append(out.Leftovers, Leftover{l.Backend, s.spell(ctx, kind, l.Anchor), l.Action.String(), l.State.String()})
	}
	return out
}

func (s *speller) piece(ctx context.Context, kind string, w idstore.Work) Work {
	return Work{uint64(w.ID), w.Action.String(), kind, w.Anchor.Backend, s.spell(ctx, kind, w.Anchor), w.Queued, w.Next, w.Held, w.Attempts, w.LastError}
}
