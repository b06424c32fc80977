package ldap

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A move gives an entry another name: another RDN, another parent, or both.
type move struct {
	w        *rewrite
	from, to dn
}

// carryOut renames the entry and returns the server's last answer, which may
// hold the entry.
func (m move) carryOut(ctx context.Context) (wire.Result, error) {
	defer m.w.forgetNames(m.from.String(), m.to.String())
	res, err := m.send(ctx, m.from, m.to, true)
	if err != nil {
		return wire.Result{}, err
	}
	if res.Code == wire.Success {
		return res, nil
	}
	if err := m.homeless(ctx, res); err != nil {
		return wire.Result{}, err
	}
	if m.needsDetour(res) {
		return m.detour(ctx)
	}
	return wire.Result{}, m.refusal(res)
}

func (m move) send(ctx context.Context, from, to dn, deleteOld bool) (wire.Result, error) {
	superior := ""
	if !sameParent(from, to) {
		superior = to[1:].String()
	}
	body := wire.AppendModifyDN(nil, from.String(), to[:1].String(), deleteOld, superior)
	body, controls := wire.BeginControls(body)
	body = m.w.appendAssertion(body)
	if m.w.f.post {
		body = wire.AppendPostRead(body, m.w.want, m.w.c.extra)
	}
	reply, err := m.w.c.dir.pool.write(ctx, wire.EndControls(body, controls))
	if err != nil {
		return wire.Result{}, failure(err, true)
	}
	return reply.Result, nil
}

func sameParent(a, b dn) bool { return a[1:].normalize() == b[1:].normalize() }

// homeless returns the error of a refused move if there is no such container.
// Servers say that with various codes, and with those of a missing entry.
func (m move) homeless(ctx context.Context, res wire.Result) error {
	if sameParent(m.from, m.to) {
		return nil
	}
	return m.w.c.homeless(ctx, m.to[1:], &wire.ResultError{Op: "modify DN", Result: res})
}

// homeless returns why an entry can not be put into a container if that is not
// there, and nil if it is, or nobody can tell.
func (c *collection) homeless(ctx context.Context, container dn, refused error) error {
	e, ok := errors.AsType[*wire.ResultError](c.dir.Holds(ctx, container.String()))
	if !ok || e.Code != wire.NoSuchObject {
		return nil
	}
	return &connectors.Error{Kind: connectors.Invalid, Reason: "the directory has no container where this is to lie; an administrator has to make it",
		Err: fmt.Errorf("container %q: %w: %w", container.String(), connectors.ErrNoContainer, refused)}
}

func (m move) refusal(res wire.Result) *connectors.Error {
	to := m.to[0]
	op := operation{name: "modify DN", naming: connectors.Attr(to[0].attr), dn: m.from.String()}
	for i, a := range to {
		op.attrs = append(op.attrs, connectors.Attr(a.attr))
		if i >= len(m.from[0]) || m.from[0][i] != a {
			op.naming = connectors.Attr(a.attr)
		}
	}
	return m.w.f.refused(op, res)
}

// needsDetour reports whether the uniqueness plugin of 389-DS failed: it does
// for every entry whose RDN has an escaped character, if it watches the naming
// attribute.
func (m move) needsDetour(res wire.Result) bool {
	return res.Code == wire.OperationsError && strings.Contains(res.Text, "attribute uniqueness")
}

// detour renames by way of a name in another attribute, which the plugin does
// not watch, and takes the old value away at the end. Under that name the entry
// also comes into another container. A name that stays is not taken away: the
// plugin would fail for that too.
func (m move) detour(ctx context.Context) (wire.Result, error) {
	attr := "cn"
	if slices.ContainsFunc(m.from[0], func(a ava) bool { return strings.EqualFold(a.attr, attr) }) {
		attr = "description"
	}
	between := dn{{{attr: attr, value: hex.EncodeToString([]byte(m.w.self.Anchor))}}}
	way := []dn{m.from, append(between[:1:1], m.from[1:]...)}
	if !sameParent(m.from, m.to) {
		way = append(way, append(between[:1:1], m.to[1:]...))
	}
	way = append(way, m.to)
	dropped := m.dropped()
	deleteOld := len(dropped) == 0 && m.from[:1].String() != m.to[:1].String()
	var res wire.Result
	for i := range len(way) - 1 {
		var err error
		if res, err = m.send(ctx, way[i], way[i+1], i > 0 || deleteOld); err == nil && res.Code != wire.Success {
			err = m.refusal(res)
		}
		if err == nil {
			continue
		}
		if failed := m.goBack(ctx, way[:i+1]); failed != nil {
			return wire.Result{}, m.w.halfDone(err, failed)
		}
		return wire.Result{}, err
	}
	if len(dropped) == 0 {
		return res, nil
	}
	return m.drop(ctx, dropped)
}

// goBack gives the entry the names on the way again, the last of which it has, in
// the opposite order.
func (m move) goBack(ctx context.Context, way []dn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	for i := len(way) - 1; i > 0; i-- {
		res, err := m.send(ctx, way[i], way[i-1], true)
		if err == nil && res.Code != wire.Success {
			err = m.refusal(res)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropped returns the parts of the old RDN that the new one does not have. There
// are none if only case changes: then the entry has neither value in between.
func (m move) dropped() rdn {
	return slices.DeleteFunc(slices.Clone(m.from[0]), func(a ava) bool {
		return slices.ContainsFunc(m.to[0], func(b ava) bool { return b.attr == a.attr && sameName(b.value, a.value) })
	})
}

// drop takes away values of the old RDN.
func (m move) drop(ctx context.Context, old rdn) (wire.Result, error) {
	body, open := wire.BeginModify(nil, m.to.String())
	for _, a := range old {
		body = wire.AppendChange(body, wire.ModifyDelete, a.attr, []string{a.value})
	}
	body = wire.EndOp(body, open)
	body, controls := wire.BeginControls(body)
	if m.w.f.post {
		body = wire.AppendPostRead(body, m.w.want, m.w.c.extra)
	}
	reply, err := m.w.c.dir.pool.write(ctx, wire.EndControls(body, controls))
	if err == nil && reply.Code != wire.Success {
		err = &wire.ResultError{Op: "modify", Result: reply.Result}
	}
	if err != nil {
		return wire.Result{}, m.w.halfDone(err, nil)
	}
	return reply.Result, nil
}
