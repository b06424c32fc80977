package ldap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// MoveOut implements connectors.Mover: one ModifyDN with a new superior (RFC 4511
// §4.9). It is guarded as a Delete is.
func (c *collection) MoveOut(ctx context.Context, a connectors.Anchor, container string, g connectors.Guard) error {
	f, err := c.dir.known(ctx)
	if err != nil {
		return failure(err, true)
	}
	if g.Level > f.answers.Guard {
		return unsupported("the directory can not make the move conditional on that")
	}
	to, err := parseDN(container)
	if err != nil || len(to) == 0 {
		return &connectors.Error{Kind: connectors.Invalid, Reason: "what is moved has no place to go", Err: fmt.Errorf("container %q: %w", container, errDN)}
	}
	w := &rewrite{c: c, f: f, self: connectors.Target{Collection: c.Name, Anchor: a}, guard: g, loose: len(c.References) > 0}
	if g.Level == connectors.GuardValues {
		if err := w.compare(ctx); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		// Where it lies is looked up each time: a name that is out of date would be
		// another entry's.
		if _, err := w.find(ctx, nil, true); err != nil {
			return err
		}
		err := w.moveTo(ctx, to)
		if err == nil || !w.misplaced(err) {
			return err
		}
		if try == attempts {
			return elsewhere(err)
		}
		c.dir.cache.forgetObject(w.self)
	}
}

// LiesIn implements connectors.Mover.
func (c *collection) LiesIn(ctx context.Context, a connectors.Anchor, container string) (bool, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return false, failure(err, false)
	}
	to, err := parseDN(container)
	if err != nil {
		return false, &connectors.Error{Kind: connectors.Internal, Err: err}
	}
	w := &rewrite{c: c, f: f, self: connectors.Target{Collection: c.Name, Anchor: a}}
	if _, err := w.find(ctx, nil, true); err != nil {
		return false, err
	}
	d, err := parseDN(w.place.dn)
	if err != nil || len(d) == 0 {
		return false, &connectors.Error{Kind: connectors.Internal, Err: errDN}
	}
	return d[1:].normalize() == to.normalize(), nil
}

// moveTo puts the entry into a container, under its name or a longer one.
func (w *rewrite) moveTo(ctx context.Context, container dn) error {
	d, err := parseDN(w.place.dn)
	if err != nil || len(d) == 0 {
		return &connectors.Error{Kind: connectors.Internal, Err: errDN}
	}
	if d[1:].normalize() == container.normalize() {
		return nil
	}
	res, err := w.sendMove(ctx, d, d[0], container, true)
	if err != nil {
		return err
	}
	name := d[0]
	switch {
	case res.Code == wire.EntryAlreadyExists:
		name = w.longer(d[0])
		res, err = w.sendMove(ctx, d, name, container, true)
	case (move{w: w}).needsDetour(res) && w.c.dir.Holds(ctx, container.String()) == nil:
		name = rdn{{attr: "cn", value: hex.EncodeToString([]byte(w.self.Anchor))}}
		res, err = w.detourTo(ctx, d, name, container)
	}
	if err != nil {
		return err
	}
	if res.Code != wire.Success {
		op := operation{name: "modify DN", naming: connectors.Attr(name[0].attr), dn: w.place.dn}
		if e, ok := errors.AsType[*wire.ResultError](w.c.dir.Holds(ctx, container.String())); ok && e.Code == wire.NoSuchObject {
			return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory does not hold the configured container",
				Err: fmt.Errorf("container %q: %w", container, op.failed(res))}
		}
		return w.f.refused(op, res)
	}
	w.forgetNames(w.place.dn, append(dn{name}, container...).String())
	return nil
}

// detourTo moves an entry whose RDN the plugin fails for: the entry gets one in
// another attribute first, keeps the values of the old one, and is moved under that.
// It gets its old name back if it can not be moved.
func (w *rewrite) detourTo(ctx context.Context, d dn, name rdn, container dn) (wire.Result, error) {
	res, err := w.sendMove(ctx, d, name, d[1:], false)
	if err != nil || res.Code != wire.Success {
		return res, err
	}
	between := append(dn{name}, d[1:]...)
	res, err = w.sendMove(ctx, between, name, container, true)
	if err != nil || res.Code == wire.Success {
		return res, err
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	back, failed := w.sendMove(undo, between, d[0], d[1:], true)
	if failed == nil && back.Code != wire.Success {
		failed = &wire.ResultError{Op: "modify DN", Result: back}
	}
	if failed != nil {
		return res, w.halfDone(&wire.ResultError{Op: "modify DN", Result: res}, failed)
	}
	return res, nil
}

// longer is an RDN with a part of the anchor's hash after the first value, so that
// it is nobody else's and the same each time.
func (w *rewrite) longer(r rdn) rdn {
	sum := sha256.Sum256([]byte(w.self.Anchor))
	l := append(rdn{}, r...)
	l[0] = ava{attr: r[0].attr, value: r[0].value + "-" + hex.EncodeToString(sum[:4])}
	return l
}

func (w *rewrite) sendMove(ctx context.Context, from dn, name rdn, container dn, deleteOld bool) (wire.Result, error) {
	body := wire.AppendModifyDN(nil, from.String(), dn{name}.String(), deleteOld, container.String())
	body, controls := wire.BeginControls(body)
	body = wire.EndControls(w.appendAssertion(body), controls)
	reply, err := w.c.dir.pool.write(ctx, body)
	if err != nil {
		return wire.Result{}, failure(err, true)
	}
	return reply.Result, nil
}

// CheckContainer finds what is wrong with where what is deleted from a collection is
// moved to, as far as that needs no directory.
func CheckContainer(at configs.At[string], base string, ps *configs.Problems) {
	before := len(*ps)
	checkDN(at, ps)
	to, ok := normalizeDN(at.Value)
	from, sound := normalizeDN(base)
	switch {
	case at.Value == "" || len(*ps) > before || !ok || !sound:
	case to == from:
		ps.Add(at.Problem("this is the base itself: nothing would be moved").WithHint("name a container beside it"))
	case within(to, from):
		ps.Add(at.Problem("this container lies in the base: what is moved there is still read with every list, and left out of it").AsWarning())
	}
}

// Holds reports why an entry can not be read, or nil.
func (d *Directory) Holds(ctx context.Context, name string) error {
	_, err := d.lookUp(ctx, name, "(objectClass=*)", "1.1")
	return err
}
