package mapping

import (
	"slices"

	"postern/connectors"
	"postern/scim"
)

// Project shows an entry as a resource. names holds the ids of what it refers
// to; id, externalId and the rest of meta are the gateway's to put in.
func (m *Mapping) Project(e connectors.Entry, names Names) *scim.Resource {
	return m.ProjectShown(e, names, nil)
}

// ProjectShown is Project with what references show of what they name.
func (m *Mapping) ProjectShown(e connectors.Entry, names Names, shown Displays) *scim.Resource {
	return &scim.Resource{Type: m.rt, Attrs: m.project(&e, names, shown)}
}

func (m *Mapping) project(e *connectors.Entry, names Names, shown Displays) scim.Object {
	room := arena{fields: make([]scim.Field, 0, m.fields), values: make([]scim.Value, 0, m.values)}
	attrs := make([]scim.Field, 0, len(m.properties)+3) // with room for what the gateway adds
	for _, p := range m.properties {
		if v := p.project(&room, e, names, shown); !v.IsAbsent() {
			attrs = append(attrs, scim.Field{Attr: p.attr, Value: v})
		}
	}
	return scim.Object(attrs)
}

// An arena gives out slices of one allocation.
type arena struct {
	fields []scim.Field
	values []scim.Value
}

func (a *arena) object(n int) []scim.Field {
	if cap(a.fields)-len(a.fields) < n {
		a.fields = make([]scim.Field, 0, max(n, 16))
	}
	at := len(a.fields)
	a.fields = a.fields[:at+n]
	return a.fields[at : at : at+n]
}

func (a *arena) list(n int) []scim.Value {
	if cap(a.values)-len(a.values) < n {
		a.values = make([]scim.Value, 0, max(n, 8))
	}
	at := len(a.values)
	a.values = a.values[:at+n]
	return a.values[at : at : at+n]
}

func (p *property) project(room *arena, e *connectors.Entry, names Names, shown Displays) scim.Value {
	switch p.shape {
	case shapeSimple:
		return p.rules[0].read(e)
	case shapeList:
		return scim.List(p.rules[0].readAll(e)...)
	case shapeComplex:
		fields := room.object(len(p.rules))
		for _, r := range p.rules {
			if v := r.read(e); !v.IsAbsent() {
				fields = append(fields, scim.Field{Attr: r.leaf, Value: v})
			}
		}
		return scim.Obj(fields)
	case shapeElements:
		return p.projectElements(room, e)
	default:
		return p.projectReferences(room, e, names, shown[p.attr])
	}
}

func (p *property) projectElements(room *arena, e *connectors.Entry) scim.Value {
	list := room.list(len(p.elements))
	for _, el := range p.elements {
		if el.multi {
			_, says := el.rules[0].codec.(proxyAddresses)
			primary := !says || el.rules[0].hasPrimary(e)
			for i, v := range el.rules[0].readAll(e) {
				list = append(list, scim.Obj(el.project(room.object(len(el.slots)), e, v, primary && i == 0)))
			}
			continue
		}
		list = append(list, scim.Obj(el.project(room.object(len(el.slots)), e, scim.Value{}, true)))
	}
	return scim.List(list...)
}

// project fills in one element: given is the value of a rule for several, and
// first says whether it may be primary. Constants alone are no element.
func (el *element) project(fields []scim.Field, e *connectors.Entry, given scim.Value, first bool) []scim.Field {
	found := false
	for i := range el.slots {
		s := &el.slots[i]
		v := s.constant
		if s.rule != nil {
			if v = given; !el.multi {
				v = s.rule.read(e)
			}
			found = found || !v.IsAbsent()
		} else if s.attr == el.primaryAt && !first {
			continue
		}
		if !v.IsAbsent() {
			fields = append(fields, scim.Field{Attr: s.attr, Value: v})
		}
	}
	if !found {
		return nil
	}
	return fields
}

// readAll returns the values of a rule for several, sorted as they are stored,
// so that they come in the same order at every read.
func (r *rule) readAll(e *connectors.Entry) []scim.Value {
	f := fieldAt(e, r.attr, r.slot)
	if f == nil || r.unread {
		return nil
	}
	stored := f.Values
	if !slices.IsSorted(stored) {
		stored = slices.Sorted(slices.Values(stored))
	}
	values := make([]scim.Value, 0, len(stored))
	merges := false // two stored values may stand for one
	switch r.codec.(type) {
	case table, yesNo, digits, suffix:
		merges = true
	}
	for _, s := range stored {
		v, ok := r.codec.decode(s)
		if !ok || v.IsAbsent() || merges && slices.ContainsFunc(values, func(u scim.Value) bool { return same(u, v) }) {
			continue
		}
		values = append(values, v)
	}
	return values
}

// projectReferences shows references as value, $ref and type, and as the text that
// there is for them.
func (p *property) projectReferences(room *arena, e *connectors.Entry, names Names, texts []string) scim.Value {
	r := p.rules[0]
	f := fieldAt(e, r.attr, r.slot)
	if f == nil || len(f.Refs) == 0 || r.unread {
		return scim.Value{}
	}
	ids := names[r.attr]
	text := func(i int) string {
		if i < len(texts) {
			return texts[i]
		}
		return ""
	}
	if p.shape == shapeReference {
		if i := r.shownRef(f.Refs); i < len(ids) && ids[i] != "" {
			uri := scim.Str(r.endpoint(f.Refs[i].Collection) + ids[i])
			return scim.Obj(p.reference(room.object(4), ids[i], uri, f.Refs[i].Collection, text(i)))
		}
		return scim.Value{}
	}
	n := min(len(ids), len(f.Refs))
	if n > seriesFrom {
		return p.series(f.Refs[:n], ids[:n], text)
	}
	size := 0
	for i := range n {
		size += len(r.endpoint(f.Refs[i].Collection)) + len(ids[i])
	}
	parts := 3
	if len(texts) > 0 {
		parts = 4
	}
	big := arena{fields: make([]scim.Field, 0, parts*n), values: make([]scim.Value, 0, n)}
	list := big.list(n)
	uris := make([]byte, 0, size)
	for i := range n {
		if ids[i] == "" {
			continue
		}
		from := len(uris)
		uris = append(append(uris, r.endpoint(f.Refs[i].Collection)...), ids[i]...)
		list = append(list, scim.Obj(p.reference(big.object(parts), ids[i], scim.Cut(uris[from:]), f.Refs[i].Collection, text(i))))
	}
	return scim.List(list...)
}

// seriesFrom is how many references are shown without holding what is shown of
// each.
const seriesFrom = 250

// series shows references one at a time.
func (p *property) series(refs []connectors.Target, ids []string, text func(i int) string) scim.Value {
	r := p.rules[0]
	at := func(i int) int { return i }
	n := len(ids)
	if slices.Contains(ids, "") {
		var shown []int32
		for i, id := range ids {
			if id != "" {
				shown = append(shown, int32(i))
			}
		}
		at = func(i int) int { return int(shown[i]) }
		n = len(shown)
	}
	return scim.Series(n, func(i int, fields []scim.Field, uri []byte) ([]scim.Field, []byte) {
		i = at(i)
		kind := refs[i].Collection
		uri = append(append(uri, r.endpoint(kind)...), ids[i]...)
		return p.reference(fields, ids[i], scim.Cut(uri), kind, text(i)), uri
	})
}

// reference fills in the sub-attributes that the schema has, in its order.
func (p *property) reference(fields []scim.Field, id string, uri scim.Value, kind, text string) []scim.Field {
	for _, sub := range p.attr.Sub {
		switch sub {
		case p.value:
			fields = append(fields, scim.Field{Attr: sub, Value: scim.Str(id)})
		case p.ref:
			fields = append(fields, scim.Field{Attr: sub, Value: uri})
		case p.typ:
			fields = append(fields, scim.Field{Attr: sub, Value: scim.Str(kind)})
		case p.display:
			if text != "" {
				fields = append(fields, scim.Field{Attr: sub, Value: scim.Str(text)})
			}
		}
	}
	return fields
}

// shownRef is which of several references a rule for one shows: the least, so
// that it is the same at every read.
func (r *rule) shownRef(refs []connectors.Target) int {
	least := 0
	for i := range refs {
		if refs[i].Anchor < refs[least].Anchor {
			least = i
		}
	}
	return least
}

// endpoint is the beginning of a $ref: "Users/".
func (r *rule) endpoint(kind string) string {
	for i := range r.refs {
		if r.refs[i] == kind {
			return r.endpoints[i]
		}
	}
	return ""
}
