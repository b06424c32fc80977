package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// undoTime bounds the taking back of what can not stay.
const undoTime = 5 * time.Second

// Create implements connectors.Connector. The new object is read back in the
// collection's scope, so that none is left behind that its filter would hide. A
// password that is set by an operation of its own comes right after: if it is
// refused, the object is removed again.
func (c *collection) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return connectors.Entry{}, failure(err, true)
	}
	called := d.Field(d.Name)
	if len(called.Values) == 0 || called.Values[0] == "" {
		return connectors.Entry{}, &connectors.Error{Kind: connectors.Invalid, Attr: d.Name, Reason: "the attribute names the object and must have a value"}
	}
	at := rdn{{attr: string(d.Name), value: string(called.Values[0])}}
	parent := c.base
	if !d.Place.IsZero() {
		if parent, err = c.container(d.Place); err != nil {
			return connectors.Entry{}, err
		}
	}
	name := append(dn{at}, parent...)
	place := name.String()
	attrs, err := c.attributes(ctx, f, d)
	if err != nil {
		return connectors.Entry{}, err
	}
	var password connectors.Field
	if i := slices.IndexFunc(attrs, func(a connectors.Field) bool { return f.passwords && isPassword(a.Attr) && len(a.Values) == 1 }); i >= 0 {
		password = attrs[i]
		attrs = slices.Delete(attrs, i, i+1)
	}
	op := operation{name: "add", naming: d.Name, dn: place}
	body, open := wire.BeginAdd(nil, place)
	body = wire.AppendAttribute(body, "objectClass", c.ObjectClass)
	for _, a := range attrs {
		if err := c.dir.passwordInClear(a.Attr); err != nil {
			return connectors.Entry{}, err
		}
		body = wire.AppendAttribute(body, string(a.Attr), a.Values)
		op.attrs = append(op.attrs, a.Attr)
	}
	body = wire.EndOp(body, open)
	body, controls := wire.BeginControls(body)
	if f.policy && op.password() != "" {
		body = wire.AppendPolicy(body)
	}
	body = wire.EndControls(body, controls)
	reply, err := c.dir.pool.write(ctx, body)
	if err != nil {
		return connectors.Entry{}, failure(err, true)
	}
	if reply.Code != wire.Success {
		if !d.Place.IsZero() {
			if err := c.homeless(ctx, parent, op.failed(reply.Result)); err != nil {
				return connectors.Entry{}, err
			}
		}
		return connectors.Entry{}, c.notCreated(f, op, reply.Result)
	}
	c.dir.cache.forget(op.dn)
	c.dir.cache.forget(name.normalize())
	if len(password.Values) > 0 {
		if err := c.setPassword(ctx, f, place, password.Attr, password.Values[0]); err != nil {
			if left := c.remove(ctx, place); left != nil {
				return connectors.Entry{}, halfMade(errors.Join(err, left))
			}
			return connectors.Entry{}, err
		}
	}

	e, err := c.readNew(ctx, f, place, want)
	switch connectors.KindOf(err) {
	case connectors.NotFound:
		if err := c.remove(ctx, place); err != nil {
			return connectors.Entry{}, halfMade(err)
		}
		return connectors.Entry{}, &connectors.Error{Kind: connectors.Invalid, Reason: "the new object would not belong to the configured collection",
			Err: fmt.Errorf("the filter %q does not let the new entry through", c.Filter)}
	default:
		if err != nil {
			return connectors.Entry{}, written(err)
		}
		return e, nil
	}
}

// notCreated classifies a refused Add.
func (c *collection) notCreated(f *facts, op operation, res wire.Result) *connectors.Error {
	switch res.Code {
	case wire.NoSuchObject: // the parent, or a reference (Active Directory)
		if attr := c.firstReference(op.attrs); attr != "" && strings.Contains(res.Text, "specified dn") {
			return &connectors.Error{Kind: connectors.Invalid, Attr: attr, Reason: "the reference names no object", Err: op.failed(res)}
		}
		return c.baseless(res)
	case wire.NoSuchAttribute, wire.AttributeOrValueExists:
		// Nothing was there to be compared: a value twice, or an unknown attribute.
		return &connectors.Error{Kind: connectors.Invalid, Attr: f.mentioned(op.attrs, res.Text), Reason: "the directory does not allow the value",
			Err: op.failed(res)}
	}
	return f.refused(op, res)
}

func (c *collection) firstReference(attrs []connectors.Attr) connectors.Attr {
	for _, a := range attrs {
		if _, ok := c.References[a]; ok {
			return a
		}
	}
	return ""
}

// attributes returns the fields of a draft with references as DNs, and with the
// placeholder where the schema demands a reference.
func (c *collection) attributes(ctx context.Context, f *facts, d connectors.Draft) ([]connectors.Field, error) {
	var refs []connectors.Target
	for _, field := range d.Fields {
		refs = append(refs, field.Refs...)
	}
	names, err := c.dir.namesOf(ctx, f, refs)
	if err != nil {
		return nil, err
	}
	var fields []connectors.Field
	placed := map[connectors.Attr]bool{}
	for _, field := range d.Fields {
		out := connectors.Field{Attr: field.Attr}
		for _, v := range field.Values {
			if v != "" {
				out.Values = append(out.Values, v)
			}
		}
		values, err := referenceValues(field.Attr, field.Refs, names)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, values...)
		if c.required[field.Attr] {
			placed[field.Attr] = true
			out.Values = append(out.Values, connectors.Value(c.Placeholder))
		}
		if len(out.Values) > 0 {
			fields = append(fields, out)
		}
	}
	for a := range c.required {
		if !placed[a] {
			fields = append(fields, connectors.Field{Attr: a, Values: []connectors.Value{connectors.Value(c.Placeholder)}})
		}
	}
	return fields, nil
}

// referenceValues returns the DNs of targets, each once.
func referenceValues(a connectors.Attr, ts []connectors.Target, names map[connectors.Target]string) ([]connectors.Value, error) {
	seen := make(map[connectors.Target]bool, len(ts))
	values := make([]connectors.Value, 0, len(ts))
	for _, t := range ts {
		name, ok := names[t]
		if !ok {
			return nil, &connectors.Error{Kind: connectors.Invalid, Attr: a, Reason: "the reference names no object", Err: errNamesNothing}
		}
		if !seen[t] {
			seen[t] = true
			values = append(values, connectors.Value(name))
		}
	}
	return values, nil
}

// readNew reads the entry at a DN in the collection's scope.
func (c *collection) readNew(ctx context.Context, f *facts, name string, want []connectors.Attr) (connectors.Entry, error) {
	r := request{
		Search: wire.Search{Base: name, Scope: wire.BaseObject, Filter: c.filter},
		want:   want, extra: c.extras(want), extDN: f.extDN && c.refers(want),
	}
	reply, err := c.dir.pool.read(ctx, r.append(nil, 0, ""))
	switch {
	case err != nil:
		return connectors.Entry{}, failure(err, false)
	case reply.Code == wire.NoSuchObject || reply.Code == wire.Success && len(reply.Entries) == 0:
		return connectors.Entry{}, notFound()
	case reply.Code != wire.Success:
		return connectors.Entry{}, f.refused(operation{name: "search", attrs: want}, reply.Result)
	}
	d := c.decoder(f, want)
	if err := d.add(reply.Entries[0]); err != nil {
		return connectors.Entry{}, err
	}
	if err := d.finish(ctx); err != nil {
		return connectors.Entry{}, err
	}
	e := d.entries[0]
	c.dir.cache.put(connectors.Target{Collection: c.Name, Anchor: e.Anchor}, d.dns[0], true)
	return e, nil
}

// remove takes back an entry that was just made, even if the request is over.
func (c *collection) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	reply, err := c.dir.pool.write(ctx, wire.AppendDelete(nil, name))
	if err == nil && reply.Code != wire.Success {
		err = &wire.ResultError{Op: "delete", Result: reply.Result}
	}
	if err != nil {
		c.dir.log.Error().Err(err).Str("dn", name).Msg("an entry that should not be there could not be removed")
	}
	return err
}

// halfMade says that an entry is there that should not be.
func halfMade(err error) *connectors.Error {
	return &connectors.Error{Kind: connectors.Timeout, Reason: "only a part was written", Err: err}
}

// written turns the failure to read what was written into one that says that
// the write may have happened.
func written(err error) *connectors.Error {
	return &connectors.Error{Kind: connectors.Timeout, Reason: "it was written, but could not be read again", Err: err}
}
