package scim

import "time"

// A Resource is one resource of a type. It is never changed once made; With
// makes another one.
type Resource struct {
	Type  *ResourceType
	Attrs Object
}

// ID returns the value of id, or "".
func (r *Resource) ID() string { return r.Attrs.Get(r.Type.common.id).Text() }

// ExternalID returns the value of externalId, or "".
func (r *Resource) ExternalID() string { return r.Attrs.Get(r.Type.common.externalID).Text() }

// Get returns the value of a top-level attribute, or Absent.
func (r *Resource) Get(attr *Attribute) Value {
	if attr == r.Type.common.schemas {
		return List(r.schemas()...)
	}
	return r.Attrs.Get(attr)
}

// With returns a copy of r in which attr has the value v; Absent removes it.
func (r *Resource) With(attr *Attribute, v Value) *Resource {
	if attr == r.Type.common.schemas {
		return r
	}
	return &Resource{Type: r.Type, Attrs: r.Attrs.With(attr, v)}
}

// schemas returns the URNs of the core and of each extension that r uses.
func (r *Resource) schemas() []Value {
	out := []Value{Str(r.Type.Schema.ID)}
	for _, e := range r.Type.Extensions {
		if r.uses(e.Schema) {
			out = append(out, Str(e.Schema.ID))
		}
	}
	return out
}

// uses reports whether r has an attribute of s.
func (r *Resource) uses(s *Schema) bool {
	for i := range r.Attrs {
		if r.Attrs[i].Attr.schema == s {
			return true
		}
	}
	return false
}

// A Meta is what the attribute meta tells (RFC 7643 §3.1). What is zero is left
// out.
type Meta struct {
	Created, LastModified time.Time
	Location              string // relative to the base URL (Users/<id>) or absolute
	Version               Version
}

// WithMeta returns a copy of r with the given meta.
func (r *Resource) WithMeta(m Meta) *Resource {
	c := &r.Type.common
	fields := make(Object, 0, 5)
	fields = append(fields, Field{c.resourceType, Str(r.Type.Name)})
	if !m.Created.IsZero() {
		fields = append(fields, Field{c.created, Time(m.Created)})
	}
	if !m.LastModified.IsZero() {
		fields = append(fields, Field{c.lastModified, Time(m.LastModified)})
	}
	if m.Location != "" {
		fields = append(fields, Field{c.location, Str(m.Location)})
	}
	if m.Version != "" {
		fields = append(fields, Field{c.version, Str(m.Version.String())})
	}
	return r.With(c.meta, Obj(fields))
}
