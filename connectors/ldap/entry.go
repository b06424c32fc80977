package ldap

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A decoder makes entries of search results. The references of all of them are
// resolved together, in finish.
type decoder struct {
	c       *collection
	f       *facts
	want    []connectors.Attr
	refs    bool // some wanted attribute holds references
	entries []connectors.Entry
	dns     []string // of the entries
	open    []openRef
	partial []openRange
}

// An openRef is a reference that the cache does not know: it leaves a zero
// Target at pos until it is resolved.
type openRef struct {
	name              string
	entry, field, pos uint32
}

const (
	// largeEntry is the size of an entry, in bytes, of which no part may keep the
	// whole alive.
	largeEntry = 16 << 10
	// refsAtOnce bounds how many references are resolved together, and with that
	// the memory it takes.
	refsAtOnce = 2000
)

// An openRange is an attribute of which the server gave only the first values.
type openRange struct {
	entry, field int
	next         int
}

func (c *collection) decoder(f *facts, want []connectors.Attr) *decoder {
	return &decoder{c: c, f: f, want: want, refs: c.refers(want)}
}

// add decodes a message with a SearchResultEntry.
func (d *decoder) add(message string) error {
	e, err := wire.ParseEntry(message)
	if err != nil {
		return &connectors.Error{Kind: connectors.Internal, Err: err}
	}
	return d.addEntry(e)
}

func (d *decoder) addEntry(e wire.Entry) error {
	entry := connectors.Entry{Fields: make([]connectors.Field, 0, len(d.want))}
	values := make([]connectors.Value, 0, len(d.want)+4)
	index := len(d.entries)
	sid, primary := "", ""
	// The few other values of an entry with very many must not keep all alive.
	large := e.Size() > largeEntry
	for name, set := range e.Attributes() {
		if d.c.anchor.attr != "" && sameAttr(name, d.c.anchor.attr) {
			var ok bool
			if entry.Anchor, ok = d.c.anchor.form.anchor(set.First()); !ok {
				return &connectors.Error{Kind: connectors.Internal, Err: fmt.Errorf("attribute %q of %q is no anchor", name, e.DN)}
			}
		}
		if d.f.stamp != "" && sameAttr(name, d.f.stamp) {
			entry.Stamp = connectors.Stamp(strings.Clone(set.First()))
		}
		if d.c.memberOf != "" {
			switch {
			case sameAttr(name, attrSID):
				sid = set.First()
			case sameAttr(name, attrPrimaryGroup):
				primary = set.First()
			}
		}
		attr, next := d.wanted(name)
		if attr == "" {
			continue
		}
		field := connectors.Field{Attr: attr}
		if _, ok := d.c.References[attr]; ok {
			field.Refs = d.look(nil, set, attr, index, len(entry.Fields))
		} else {
			first := len(values)
			for v := range set.All() {
				if v != "" {
					if large {
						v = strings.Clone(v)
					}
					values = append(values, connectors.Value(v))
				}
			}
			field.Values = values[first:len(values):len(values)]
		}
		if next > 0 {
			field.Partial = true
			d.partial = append(d.partial, openRange{index, len(entry.Fields), next})
		}
		if field.Partial || !field.Empty() {
			entry.Fields = append(entry.Fields, field)
		}
	}
	if primary != "" && slices.Contains(d.want, d.c.memberOf) {
		d.addPrimary(&entry, index, sid, primary)
	}
	if entry.Anchor == "" {
		return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory does not show the attribute that identifies its objects",
			Err: fmt.Errorf("entry %q shows no %q", e.DN, d.c.anchor.attr)}
	}
	plain := e.DN
	if d.f.guidDN {
		_, plain = splitExtendedDN(plain)
	}
	d.entries = append(d.entries, entry)
	d.dns = append(d.dns, plain)
	return nil
}

// wanted returns the asked-for spelling of an attribute the server sent, or "".
// next is the index of the first value that is missing, where the server gave
// only a range ([MS-ADTS] §3.1.1.3.1.3.3).
func (d *decoder) wanted(name string) (attr connectors.Attr, next int) {
	for _, a := range d.want {
		if sameAttr(name, a) {
			return a, 0
		}
	}
	if sameAttr(name, d.c.anchor.attr) || sameAttr(name, d.f.stamp) {
		return "", 0
	}
	if base, next, ok := splitRange(name); ok {
		if attr, _ := d.wanted(base); attr != "" {
			return attr, next
		}
		return "", 0
	}
	// A server answers with an attribute's first name, whichever was asked for.
	name = d.f.schema.canonical(name)
	for _, a := range d.want {
		if d.f.schema.canonical(string(a)) == name {
			return a, 0
		}
	}
	return "", 0
}

// splitRange takes a range option off an attribute description. next is 0 where
// the range goes to the end.
func splitRange(name string) (base string, next int, ok bool) {
	at := strings.IndexByte(name, ';')
	if at < 0 || len(name) < at+len(";range=") || !strings.EqualFold(name[at:at+len(";range=")], ";range=") {
		return "", 0, false
	}
	_, last, ok := strings.Cut(name[at+len(";range="):], "-")
	if !ok {
		return "", 0, false
	}
	if last == "*" {
		return name[:at], 0, true
	}
	n, err := strconv.Atoi(last)
	return name[:at], n + 1, err == nil && n >= 0
}

// rangeFrom asks for the values of an attribute from one on.
func rangeFrom(a connectors.Attr, n int) connectors.Attr {
	return a + connectors.Attr(fmt.Sprintf(";range=%d-*", n))
}

func sameAttr(name string, a connectors.Attr) bool {
	return len(name) == len(a) && (name == string(a) || strings.EqualFold(name, string(a)))
}

// look appends the targets of an attribute's values, as far as they are known.
// Those that are known to be none leave no trace.
func (d *decoder) look(refs []connectors.Target, set wire.Values, attr connectors.Attr, entry, field int) []connectors.Target {
	refs = slices.Grow(refs, set.Len())
	allowed := d.c.References[attr]
	k := d.c.dir.cache
	k.mu.RLock()
	defer k.mu.RUnlock()
	now := k.now()
	for name := range set.All() {
		if d.f.extDN {
			if guid, _ := splitExtendedDN(name); guid != "" {
				name = guid
			}
		}
		if name == "" || name == d.c.Placeholder {
			continue
		}
		if t, ok := k.find(name, now); !ok {
			d.open = append(d.open, openRef{name, uint32(entry), uint32(field), uint32(len(refs))})
			refs = append(refs, connectors.Target{})
		} else if slices.Contains(allowed, t.Collection) {
			refs = append(refs, t)
		}
	}
	return refs
}

// finish completes the entries: the rest of ranges, and the references.
func (d *decoder) finish(ctx context.Context) error {
	for _, p := range d.partial {
		if err := d.rest(ctx, p); err != nil {
			return err
		}
	}
	if len(d.open) == 0 {
		return nil
	}
	for open := range slices.Chunk(d.open, refsAtOnce) {
		names := make([]string, len(open))
		for i, o := range open {
			names[i] = o.name
		}
		found, err := d.c.dir.resolve(ctx, d.f, names, len(d.open) <= guardRefs)
		if err != nil {
			return err
		}
		for _, o := range open {
			field := &d.entries[o.entry].Fields[o.field]
			if t := found[o.name]; slices.Contains(d.c.References[field.Attr], t.Collection) {
				field.Refs[o.pos] = t
			}
		}
	}
	last := uint32(math.MaxUint32)
	for _, o := range d.open {
		if o.entry == last {
			continue
		}
		last = o.entry
		e := &d.entries[o.entry]
		for i := range e.Fields {
			e.Fields[i].Refs = slices.DeleteFunc(e.Fields[i].Refs, func(t connectors.Target) bool { return t == connectors.Target{} })
		}
		e.Fields = slices.DeleteFunc(e.Fields, func(f connectors.Field) bool { return f.Empty() && !f.Partial })
	}
	return nil
}

// rest reads the values of an attribute that follow those the server gave.
func (d *decoder) rest(ctx context.Context, p openRange) error {
	field := &d.entries[p.entry].Fields[p.field]
	base := d.dns[p.entry]
	if d.c.byGUID(d.f) {
		base = guidDN(d.entries[p.entry].Anchor)
	}
	for next := p.next; next > 0; {
		r := request{
			Search: wire.Search{Base: base, Scope: wire.BaseObject, Filter: d.c.filter},
			want:   []connectors.Attr{rangeFrom(field.Attr, next)},
			extDN:  d.f.extDN && d.refs,
		}
		reply, err := d.c.dir.pool.read(ctx, r.append(nil, 0, ""))
		if err != nil {
			return failure(err, false)
		}
		if reply.Code != wire.Success {
			return d.f.refused(operation{name: "search", attrs: d.want}, reply.Result)
		}
		after := -1
		for _, m := range reply.Entries {
			e, err := wire.ParseEntry(m)
			if err != nil {
				return &connectors.Error{Kind: connectors.Internal, Err: err}
			}
			for name, set := range e.Attributes() {
				if b, n, ok := splitRange(name); ok && sameAttr(b, field.Attr) {
					after = n
					d.extend(field, set, p)
				}
			}
		}
		if after < 0 || after > 0 && after <= next {
			return &connectors.Error{Kind: connectors.Internal, Err: fmt.Errorf("attribute %q of %q has no values from %d on", field.Attr, base, next)}
		}
		next = after
	}
	field.Partial = false
	return nil
}

// extend adds further values to a field.
func (d *decoder) extend(field *connectors.Field, set wire.Values, p openRange) {
	if _, ok := d.c.References[field.Attr]; ok {
		field.Refs = d.look(field.Refs, set, field.Attr, p.entry, p.field)
		return
	}
	for v := range set.All() {
		field.Values = append(field.Values, connectors.Value(v))
	}
}
