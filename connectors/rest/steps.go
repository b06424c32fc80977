package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
)

// steps are the calls that make up one change. Where one fails, what those before
// it did is undone, the last first.
type steps struct {
	c       *collection
	anchor  connectors.Anchor
	version string
	undo    []func(context.Context) error
}

// fail undoes what was done and returns why. If that fails too, or if nobody
// knows what the last call did, nobody knows what there is: Timeout.
func (s *steps) fail(ctx context.Context, why error) error {
	if len(s.undo) == 0 {
		return why
	}
	unsure := kindIs(why, connectors.Timeout)
	for _, undo := range slices.Backward(s.undo) {
		if err := undo(ctx); err != nil {
			unsure, why = true, fmt.Errorf("%w; and to undo what was done before: %w", why, err)
		}
	}
	if unsure {
		return &connectors.Error{Kind: connectors.Timeout, Err: why}
	}
	return why
}

// call makes a call that a step consists of.
func (s *steps) call(ctx context.Context, call *Call, more map[string]string) error {
	if !call.declared() {
		return errUnsupported("the call")
	}
	values := map[string]string{phAnchor: string(s.anchor), phVersion: s.version}
	for k, v := range more {
		values[k] = v
	}
	_, err := s.c.app.client.do(ctx, request{call: call, values: values})
	// The object itself was there a moment ago.
	return err
}

// flip gives a switched attribute its value.
func (s *steps) flip(ctx context.Context, a connectors.Attr, was, now []connectors.Value) error {
	find := func(vs []connectors.Value) (*Call, bool) {
		if len(vs) != 1 {
			return nil, false
		}
		for v, call := range s.c.Switches[a] {
			if strings.EqualFold(string(v), string(vs[0])) {
				return &call, true
			}
		}
		return nil, false
	}
	call, ok := find(now)
	if !ok {
		return invalid(a, "can not have that value")
	}
	if err := s.call(ctx, call, nil); err != nil {
		return err
	}
	if back, ok := find(was); ok {
		s.undo = append(s.undo, func(ctx context.Context) error { return s.call(ctx, back, nil) })
	}
	return nil
}

// sub adds and removes values that are objects of their own.
func (s *steps) sub(ctx context.Context, a connectors.Attr, was, now []connectors.Value) error {
	sub := s.c.Subs[a]
	for _, v := range without(was, now) {
		id, err := s.idOf(ctx, a, v)
		if err != nil {
			return err
		}
		if err := s.call(ctx, &sub.Remove, map[string]string{phValue: string(v), phID: id}); err != nil {
			return err
		}
		s.undo = append(s.undo, func(ctx context.Context) error {
			return s.call(ctx, &sub.Add, map[string]string{phValue: string(v)})
		})
	}
	for _, v := range without(now, was) {
		if err := s.call(ctx, &sub.Add, map[string]string{phValue: string(v)}); err != nil {
			return err
		}
		s.undo = append(s.undo, func(ctx context.Context) error {
			id, err := s.idOf(ctx, a, v)
			if err != nil {
				return err
			}
			return s.call(ctx, &sub.Remove, map[string]string{phValue: string(v), phID: id})
		})
	}
	return nil
}

// idOf finds what the element with a value is called by.
func (s *steps) idOf(ctx context.Context, a connectors.Attr, v connectors.Value) (string, error) {
	sub := s.c.Subs[a]
	if sub.ID == nil {
		return string(v), nil
	}
	for p, err := range s.c.pages(ctx, &sub.List, map[string]string{phAnchor: string(s.anchor)}, nil) {
		if err != nil {
			return "", err
		}
		for _, item := range p.objects {
			found, _ := sub.Value.get(item)
			if !slices.Contains(s.c.Types[a].values(found), v) {
				continue
			}
			id, _ := sub.ID.get(item)
			if text, ok := scalar(id); ok {
				return text, nil
			}
		}
	}
	return "", &connectors.Error{Kind: connectors.GuardFailed, Attr: a, Reason: "a value is not there"}
}

// memberBatch is how many members one call adds, where a call can add several.
const memberBatch = 100

// members takes members out and puts members in, by calls of their own. One that
// is in, or out, already is no failure: somebody else was faster.
func (s *steps) members(ctx context.Context, a connectors.Attr, in, out []connectors.Target) error {
	m := s.c.Members[a]
	add := func(ctx context.Context, ts []connectors.Target) error {
		anchors := make([]string, len(ts))
		for i, t := range ts {
			anchors[i] = string(t.Anchor)
		}
		return s.call(ctx, &m.Add, map[string]string{phMember: anchors[0], phMembers: strings.Join(anchors, "\x00")})
	}
	remove := func(ctx context.Context, t connectors.Target) error {
		err := s.call(ctx, &m.Remove, map[string]string{phMember: string(t.Anchor)})
		if kindIs(err, connectors.NotFound) || kindIs(err, connectors.Invalid) {
			return s.settled(ctx, a, []connectors.Target{t}, false, err)
		}
		return err
	}
	for _, t := range out {
		if err := remove(ctx, t); err != nil {
			return err
		}
		s.undo = append(s.undo, func(ctx context.Context) error { return add(ctx, []connectors.Target{t}) })
	}
	size := 1
	if mentions(m.Add.Body, "{members") {
		size = memberBatch
	}
	for batch := range slices.Chunk(in, size) {
		err := add(ctx, batch)
		if err != nil && !kindIs(err, connectors.Timeout) && !kindIs(err, connectors.Unavailable) {
			if len(batch) > 1 { // one of them may be in already
				err = nil
				for _, t := range batch {
					if one := add(ctx, []connectors.Target{t}); one != nil {
						err = errors.Join(err, s.settled(ctx, a, []connectors.Target{t}, true, one))
					}
				}
			} else {
				err = s.settled(ctx, a, batch, true, err)
			}
		}
		if err != nil {
			return err
		}
		s.undo = append(s.undo, func(ctx context.Context) error {
			for _, t := range batch {
				if err := remove(ctx, t); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return nil
}

// settled looks whether members are in, or out, after a call was refused, and
// returns why it was if they are not.
func (s *steps) settled(ctx context.Context, a connectors.Attr, ts []connectors.Target, in bool, why error) error {
	e, err := s.c.Get(ctx, s.anchor, []connectors.Attr{a})
	if err != nil {
		return why
	}
	refs := e.Field(a).Refs
	for _, t := range ts {
		if slices.Contains(refs, t) != in {
			if in && kindIs(why, connectors.NotFound) {
				return invalid(a, "names no object")
			}
			return why
		}
	}
	return nil
}

// mentions reports whether a declared body holds a text.
func mentions(tree any, text string) bool {
	return slices.ContainsFunc(texts(tree, nil), func(s string) bool { return strings.Contains(s, text) })
}
