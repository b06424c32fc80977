package ldap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"postern/configs"
	"postern/connectors"
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
	_, err = move{w: w, from: d, to: append(d[:1:1], container...)}.carryOut(ctx)
	if connectors.KindOf(err) == connectors.Exists {
		_, err = move{w: w, from: d, to: append(dn{w.longer(d[0])}, container...)}.carryOut(ctx)
	}
	if errors.Is(err, connectors.ErrNoContainer) {
		return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory does not hold the configured container", Err: err}
	}
	return err
}

// longer is an RDN with a part of the anchor's hash after the first value, so that
// it is nobody else's and the same each time.
func (w *rewrite) longer(r rdn) rdn {
	sum := sha256.Sum256([]byte(w.self.Anchor))
	l := append(rdn{}, r...)
	l[0] = ava{attr: r[0].attr, value: r[0].value + "-" + hex.EncodeToString(sum[:4])}
	return l
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
