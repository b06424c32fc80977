package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// carryOut does the rename and the Modify.
func (w *rewrite) carryOut(ctx context.Context) (connectors.Entry, error) {
	w.mods = slices.DeleteFunc(w.mods, modification.empty)
	if w.rename == nil {
		if len(w.mods) == 0 {
			return w.unchanged(ctx)
		}
		if parts := w.parts(); len(parts) > 1 {
			return w.modifyParts(ctx, parts)
		}
		return w.modify(ctx)
	}
	return w.renameAndModify(ctx)
}

// modify sends the Modify, again where the server's refusal can be helped, and
// returns the entry as it is then.
func (w *rewrite) modify(ctx context.Context) (connectors.Entry, error) {
	placed := false
	for try := 1; ; try++ {
		body := w.c.dir.body()
		*body = w.appendModify(*body)
		reply, err := w.c.dir.pool.write(ctx, *body)
		w.c.dir.done(body)
		if err != nil {
			return connectors.Entry{}, failure(err, true)
		}
		switch {
		case reply.Code == wire.Success:
			return w.outcome(ctx, reply.Result)
		case try == attempts:
		case reply.Code == wire.ObjectClassViolation && !placed && w.placeholder():
			placed = true
			continue
		case overlaps(reply.Code) && w.lenient():
			changed, err := w.reduce(ctx)
			if err != nil {
				return connectors.Entry{}, err
			}
			if len(w.mods) == 0 {
				return w.unchanged(ctx)
			}
			if changed {
				continue
			}
		}
		refused := w.refusal(reply.Result)
		if refused.Kind == connectors.GuardFailed && w.lockedByRole(ctx) {
			refused.Kind, refused.Attr, refused.Reason = connectors.Denied, attrAccountLock, "the account is locked by a role, which has to be taken away"
		}
		if refused.Kind != connectors.GuardFailed && refused.Kind != connectors.NotFound && w.dropAbsences() {
			continue
		}
		return connectors.Entry{}, refused
	}
}

const attrAccountLock = connectors.Attr("nsAccountLock")

// lockedByRole reports whether what could not be taken away is a lock that the
// server makes of a role of the account, and that is not in the entry.
func (w *rewrite) lockedByRole(ctx context.Context) bool {
	if !w.f.roles || !slices.ContainsFunc(w.mods, func(m modification) bool { return sameAttr(string(m.attr), attrAccountLock) && len(m.del) > 0 }) {
		return false
	}
	const role = connectors.Attr("nsRole")
	e, err := w.c.get(ctx, w.f, w.self.Anchor, []connectors.Attr{attrAccountLock, role})
	return err == nil && !e.Field(attrAccountLock).Empty() && !e.Field(role).Empty()
}

// unchanged returns the entry where nothing is left to be written. The guard
// holds for that too.
func (w *rewrite) unchanged(ctx context.Context) (connectors.Entry, error) {
	e, err := w.c.get(ctx, w.f, w.self.Anchor, w.want)
	if err == nil && w.guard.Level == connectors.GuardEntry && e.Stamp != w.guard.Stamp {
		return connectors.Entry{}, &connectors.Error{Kind: connectors.GuardFailed, Reason: "the entry has changed", Err: errStale}
	}
	return e, err
}

// overlaps reports whether a result code says that a value to be added is there
// or that one to be deleted is not: 20 and 16, or 68 and 53 for the members of
// an Active Directory group.
func overlaps(code int) bool {
	switch code {
	case wire.AttributeOrValueExists, wire.NoSuchAttribute, wire.EntryAlreadyExists, wire.UnwillingToPerform:
		return true
	}
	return false
}

func (w *rewrite) lenient() bool {
	return slices.ContainsFunc(w.mods, func(m modification) bool { return m.lenient })
}

// placeholder adds the placeholder to attributes of references that lose
// values: the server has refused to let one become empty. It reports whether
// there is any such.
func (w *rewrite) placeholder() bool {
	placed := false
	for i, m := range w.mods {
		if _, ok := w.c.References[m.attr]; ok && len(m.del) > 0 {
			w.mods[i].add = append(w.mods[i].add, connectors.Value(w.c.Placeholder))
			placed = true
		}
	}
	return placed
}

// target returns the name under which the entry is written.
func (w *rewrite) target() string {
	if w.c.byGUID(w.f) && !w.byName {
		return guidDN(w.self.Anchor)
	}
	return w.place.dn
}

func (w *rewrite) appendModify(b []byte) []byte {
	b, open := wire.BeginModify(b, w.target())
	permissive := w.f.permit && w.f.guidDN && !w.exact && w.guard.Level == connectors.GuardNone
	for _, m := range w.mods {
		permissive = permissive && m.lenient && len(m.gone) == 0 // see keepPrimary
		switch {
		case m.replace:
			b = wire.AppendChange(b, wire.ModifyReplace, string(m.attr), m.add)
			continue
		case m.absent:
			b = wire.AppendChange(b, wire.ModifyAdd, string(m.attr), []connectors.Value{placeholderValue})
			b = wire.AppendChange(b, wire.ModifyDelete, string(m.attr), []connectors.Value{placeholderValue})
			continue
		}
		if len(m.del) > 0 {
			b = wire.AppendChange(b, wire.ModifyDelete, string(m.attr), m.del)
		}
		if len(m.add) > 0 {
			b = wire.AppendChange(b, wire.ModifyAdd, string(m.attr), m.add)
		}
	}
	b = wire.EndOp(b, open)
	b, controls := wire.BeginControls(b)
	if permissive {
		b = wire.AppendPermissive(b)
	}
	b = w.appendAssertion(b)
	if w.f.post {
		b = wire.AppendPostRead(b, w.want, w.c.extra)
	}
	if w.f.policy && slices.ContainsFunc(w.mods, func(m modification) bool { return isPassword(m.attr) }) {
		b = wire.AppendPolicy(b)
	}
	return wire.EndControls(b, controls)
}

// appendAssertion makes a write conditional on that the entry is the one meant,
// is still in the collection, and with GuardEntry, unchanged.
//
// OpenLDAP's overlays apply the assertion of a write to what they do in its
// wake: unique to the container that it searches, memberof to the members of the
// group, whose memberOf stays as it was when the assertion does not hold for
// them. So it must hold for other entries too: for those outside the collection;
// or, where members may be inside, for all others, and then it is only the
// fresh look-up of the DN that says which entry is meant.
func (w *rewrite) appendAssertion(b []byte) []byte {
	if !w.asserts() {
		return b
	}
	filter := w.c.dir.body()
	defer w.c.dir.done(filter)
	f := *filter
	f, or := wire.Begin(f, filterOr)
	f, and := wire.Begin(f, filterAnd)
	f = w.c.anchor.appendIs(f, w.self.Anchor)
	if w.guard.Level == connectors.GuardEntry {
		f = appendItem(f, filterEqual, w.f.stamp, connectors.Value(w.guard.Stamp))
	}
	f = wire.End(append(f, w.c.filter...), and)
	f, not := wire.Begin(f, filterNot)
	if w.loose {
		f = w.c.anchor.appendIs(f, w.self.Anchor)
	} else {
		f = append(f, w.c.filter...)
	}
	*filter = wire.End(wire.End(f, not), or)
	return wire.AppendAssertion(b, *filter)
}

// outcome returns the entry after a write: from the post-read control where the
// server sent it, else by reading.
func (w *rewrite) outcome(ctx context.Context, res wire.Result) (connectors.Entry, error) {
	if e, ok := res.Controls.PostRead(); ok {
		d := w.c.decoder(w.f, w.want)
		if err := d.addEntry(e); err != nil {
			return connectors.Entry{}, written(err)
		}
		if d.entries[0].Anchor != w.self.Anchor {
			w.c.dir.cache.forgetObject(w.self)
			return connectors.Entry{}, &connectors.Error{Kind: connectors.Internal,
				Err: fmt.Errorf("the write reached another entry, which has taken the name %q", w.place.dn)}
		}
		if err := d.finish(ctx); err != nil {
			return connectors.Entry{}, written(err)
		}
		w.c.dir.cache.put(w.self, d.dns[0], true)
		return d.entries[0], nil
	}
	e, err := w.c.get(ctx, w.f, w.self.Anchor, w.want)
	if err != nil && connectors.KindOf(err) != connectors.NotFound {
		err = written(err)
	}
	return e, err
}

// refusal classifies a refused Modify.
func (w *rewrite) refusal(res wire.Result) *connectors.Error {
	op := operation{name: "modify", dn: w.place.dn}
	refs := false
	for _, m := range w.mods {
		op.attrs = append(op.attrs, m.attr)
		refs = refs || m.refs
	}
	text := strings.ToLower(res.Text)
	var wrong *connectors.Error
	switch {
	case res.Code == wire.NoSuchObject && strings.Contains(text, "specified dn"):
		wrong = &connectors.Error{Kind: connectors.Invalid, Attr: w.c.firstReference(op.attrs), Reason: "the reference names no object"}
	case refs && (res.Code == wire.UnwillingToPerform || res.Code == wire.EntryAlreadyExists) && strings.Contains(text, "target guid"),
		// [MS-ERREF]: 00000561 is a member that is not in the group, 00000562 one that is.
		refs && (strings.Contains(text, "00000561") || strings.Contains(text, "00000562")):
		wrong = &connectors.Error{Kind: connectors.GuardFailed, Attr: w.c.firstReference(op.attrs), Reason: "the entry has changed"}
	case res.Code == wire.AttributeOrValueExists && strings.Contains(text, "single-value"),
		// 00002081 is a second value of an attribute for one.
		res.Code == wire.ConstraintViolation && strings.Contains(text, "00002081"):
		wrong = &connectors.Error{Kind: connectors.GuardFailed, Attr: w.f.mentioned(op.attrs, res.Text), Reason: "the entry has changed"}
	default:
		return w.f.refused(op, res)
	}
	wrong.Err = op.failed(res)
	return wrong
}

var errStale = errors.New("an old value is not there any more")
