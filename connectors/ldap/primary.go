package ldap

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A user of Active Directory is a member of one group that memberOf does not
// name: that whose security identifier ends in the user's primaryGroupID
// ([MS-ADA3] §2.120). It is among the references of memberOf here all the same,
// and can not be taken away: the directory would take that for done.

const (
	attrPrimaryGroup = connectors.Attr("primaryGroupID")
	attrSID          = connectors.Attr("objectSid")

	relativeBytes = 4 // at the end of a security identifier
)

// settlePrimary finds out whether entries have a primary group.
func (c *collection) settlePrimary(f *facts) {
	c.memberOf = ""
	for a := range c.References {
		if f.guidDN && sameAttr(string(a), "memberOf") && f.schema.has(attrPrimaryGroup) {
			c.memberOf = a
		}
	}
	c.extraPrimary = append(slices.Clone(c.extra), attrPrimaryGroup, attrSID)
}

// extras are the attributes that a read asks for besides those that are wanted.
func (c *collection) extras(want []connectors.Attr) []connectors.Attr {
	if c.memberOf != "" && slices.Contains(want, c.memberOf) {
		return c.extraPrimary
	}
	return c.extra
}

// sidName is the name by which a group is looked up and remembered under its
// security identifier.
func sidName(sid string) string { return sidPrefix + hex.EncodeToString([]byte(sid)) }

const sidPrefix = "sid:"

// sidOf returns the security identifier of such a name.
func sidOf(name string) (string, bool) {
	digits, ok := strings.CutPrefix(name, sidPrefix)
	sid, err := hex.DecodeString(digits)
	return string(sid), ok && err == nil
}

// relativeID is the last part of a security identifier, as primaryGroupID has it.
func relativeID(sid string) (connectors.Value, bool) {
	if len(sid) < relativeBytes {
		return "", false
	}
	n := binary.LittleEndian.Uint32([]byte(sid[len(sid)-relativeBytes:]))
	return connectors.Value(strconv.FormatUint(uint64(n), 10)), true
}

// addPrimary adds the primary group to an entry's memberships.
func (d *decoder) addPrimary(entry *connectors.Entry, index int, sid, group string) {
	n, err := strconv.ParseUint(group, 10, 32)
	if err != nil || len(sid) < relativeBytes {
		return
	}
	name := sidName(string(binary.LittleEndian.AppendUint32([]byte(sid[:len(sid)-relativeBytes]), uint32(n))))
	attr := d.c.memberOf
	at := slices.IndexFunc(entry.Fields, func(f connectors.Field) bool { return f.Attr == attr })
	if at < 0 {
		at = len(entry.Fields)
		entry.Fields = append(entry.Fields, connectors.Field{Attr: attr})
	}
	field := &entry.Fields[at]
	k := d.c.dir.cache
	k.mu.RLock()
	t, known := k.find(name, k.now())
	k.mu.RUnlock()
	switch {
	case !known:
		d.open = append(d.open, openRef{name, uint32(index), uint32(at), uint32(len(field.Refs))})
		field.Refs = append(field.Refs, connectors.Target{})
	case slices.Contains(d.c.References[attr], t.Collection):
		field.Refs = append(field.Refs, t)
	}
	if field.Empty() && !field.Partial {
		entry.Fields = slices.Delete(entry.Fields, at, at+1)
	}
}

var errPrimary = errors.New("the group is the member's primaryGroupID")

// keepPrimary refuses to take out members whose primary group this is. The
// directory says of them, as of all others that are not in the attribute, that
// they are no members.
func (w *rewrite) keepPrimary(ctx context.Context, m *modification, missing []connectors.Value) error {
	rid, ok := relativeID(w.place.sid)
	if !m.refs || !ok || !w.c.byGUID(w.f) || len(missing) == 0 {
		return nil
	}
	anchors := map[string][]connectors.Anchor{}
	for _, t := range m.gone {
		if slices.Contains(missing, connectors.Value(guidDN(t.Anchor))) {
			anchors[t.Collection] = append(anchors[t.Collection], t.Anchor)
		}
	}
	for name, list := range anchors {
		c := w.c.dir.collections[name]
		if c.memberOf == "" {
			continue
		}
		for chunk := range slices.Chunk(list, anchorTerms) {
			filter, and := wire.Begin(nil, filterAnd)
			filter = appendItem(filter, filterEqual, attrPrimaryGroup, rid)
			filter = c.anchor.appendAny(filter, chunk)
			filter = wire.End(append(filter, c.filter...), and)
			reply, err := w.c.dir.pool.read(ctx, request{
				Search: wire.Search{Base: c.Base, Scope: wire.WholeSubtree, Filter: filter},
			}.append(nil, 0, ""))
			switch {
			case err != nil:
				return failure(err, false)
			case reply.Code != wire.Success:
				return w.f.refused(operation{name: "search"}, reply.Result)
			case len(reply.Entries) > 0:
				return &connectors.Error{Kind: connectors.Invalid, Attr: m.attr,
					Reason: "it is the primary group of a member, who can not be taken out of it", Err: errPrimary}
			}
		}
	}
	return nil
}
