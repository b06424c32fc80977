package ldap

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A move gives an entry another RDN.
type move struct {
	w        *rewrite
	from, to rdn
	parent   dn
}

func (m move) name(r rdn) string { return append(dn{r}, m.parent...).String() }

// carryOut renames the entry and returns the server's last answer, which may
// hold the entry.
func (m move) carryOut(ctx context.Context) (wire.Result, error) {
	defer m.w.forgetNames(m.name(m.from), m.name(m.to))
	res, err := m.send(ctx, m.from, m.to, true)
	if err != nil {
		return wire.Result{}, err
	}
	if m.needsDetour(res) {
		return m.detour(ctx)
	}
	if res.Code != wire.Success {
		return wire.Result{}, m.refusal(res)
	}
	return res, nil
}

func (m move) send(ctx context.Context, from, to rdn, deleteOld bool) (wire.Result, error) {
	body := wire.AppendModifyDN(nil, m.name(from), dn{to}.String(), deleteOld, "")
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

func (m move) refusal(res wire.Result) error {
	op := operation{name: "modify DN", naming: connectors.Attr(m.to[0].attr), dn: m.name(m.from)}
	for i, a := range m.to {
		op.attrs = append(op.attrs, connectors.Attr(a.attr))
		if i >= len(m.from) || m.from[i] != a {
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
// not watch, and takes the old value away at the end.
func (m move) detour(ctx context.Context) (wire.Result, error) {
	attr := "cn"
	if slices.ContainsFunc(m.from, func(a ava) bool { return strings.EqualFold(a.attr, attr) }) {
		attr = "description"
	}
	between := rdn{{attr: attr, value: hex.EncodeToString([]byte(m.w.self.Anchor))}}
	dropped := m.dropped()
	res, err := m.send(ctx, m.from, between, len(dropped) == 0)
	if err != nil {
		return wire.Result{}, err
	}
	if res.Code != wire.Success {
		return wire.Result{}, m.refusal(res)
	}
	res, err = m.send(ctx, between, m.to, true)
	if err == nil && res.Code != wire.Success {
		err = m.refusal(res)
	}
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		back, failed := m.send(undo, between, m.from, true)
		if failed == nil && back.Code != wire.Success {
			failed = m.refusal(back)
		}
		if failed != nil {
			return wire.Result{}, m.w.halfDone(err, failed)
		}
		return wire.Result{}, err
	}
	if len(dropped) == 0 {
		return res, nil
	}
	return m.drop(ctx, dropped)
}

// dropped returns the parts of the old RDN that the new one does not have. There
// are none if only case changes: then the entry has neither value in between.
func (m move) dropped() rdn {
	return slices.DeleteFunc(slices.Clone(m.from), func(a ava) bool {
		return slices.ContainsFunc(m.to, func(b ava) bool { return b.attr == a.attr && sameName(b.value, a.value) })
	})
}

// drop takes away values of the old RDN.
func (m move) drop(ctx context.Context, old rdn) (wire.Result, error) {
	body, open := wire.BeginModify(nil, m.name(m.to))
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
