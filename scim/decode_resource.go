package scim

import "strings"

// DecodeResource reads the body of a POST or PUT. What a client may not say
// (readOnly attributes, meta, schemas) is left out, as is what is unknown unless
// the options say otherwise; null, [] and "" are no value.
func DecodeResource(rt *ResourceType, body []byte, opt DecodeOptions) (*Resource, error) {
	d, err := newDecoder(rt, body, opt)
	if err != nil {
		return nil, err
	}
	return d.resource()
}

// resource reads the whole as a resource.
func (d *decoder) resource() (*Resource, error) {
	r := resourceDecoder{decoder: d, attrs: make(Object, 0, d.nodes[d.root].count+4)}
	if err := r.object(d.root, nil); err != nil {
		return nil, err
	}
	for _, p := range r.parts {
		if err := r.assignPart(p.path, p.at); err != nil {
			return nil, err
		}
	}
	if d.opt.Dialect.RefuseUnknown && !r.named {
		return nil, InvalidSyntax("attribute \"schemas\" does not name %q", d.rt.Schema.ID)
	}
	return &Resource{Type: d.rt, Attrs: NewObject(r.attrs...)}, nil
}

type resourceDecoder struct {
	*decoder
	attrs Object // in the order of the body
	named bool   // whether schemas has the core's URN
	parts []part
}

// A part is a sub-attribute that the body has under its dotted name. Parts wait
// until the complex values that they belong to are there, since the order of
// names means nothing.
type part struct {
	path AttrPath
	at   int
}

// object reads the attributes in an object: those of a resource, or with ext not
// nil those of an extension.
func (r *resourceDecoder) object(at int, ext *Schema) error {
	for name, i := range r.members(at) {
		if ext == nil {
			if strings.EqualFold(name, "schemas") {
				if err := r.schemas(i); err != nil {
					return err
				}
				continue
			}
			if s, ok := r.rt.schema(name); ok {
				if err := r.extension(s, i); err != nil {
					return err
				}
				continue
			}
		}
		attr, ok := r.attribute(name, ext)
		if !ok {
			if err := r.unknownValue(qualified(name, ext), i); err != nil {
				return err
			}
			continue
		}
		if err := r.assign(pathOf(attr), i); err != nil {
			return err
		}
	}
	return nil
}

// qualified returns a name of an extension with its URN.
func qualified(name string, ext *Schema) string {
	if ext == nil {
		return name
	}
	return ext.ID + ":" + name
}

// attribute resolves a name that stands in a resource, or in an extension.
func (d *decoder) attribute(name string, ext *Schema) (*Attribute, bool) {
	if ext == nil {
		return d.rt.Attribute(name)
	}
	return ext.Attribute(name)
}

// schemas reads the attribute schemas, which only names what is unknown.
func (r *resourceDecoder) schemas(at int) error {
	switch r.nodes[at].kind {
	case 'n':
		return nil
	case '[':
	default:
		return InvalidValue("attribute \"schemas\" takes an array, not %s", r.nodes[at].kind)
	}
	for i := range r.children(at) {
		n := &r.nodes[i]
		if n.kind != '"' {
			return InvalidValue("attribute \"schemas\" takes strings, not %s", n.kind)
		}
		s, ok := r.rt.schema(n.text)
		if !ok {
			if err := r.unknown(n.text); err != nil {
				return err
			}
		}
		r.named = r.named || s == r.rt.Schema
	}
	return nil
}

func (r *resourceDecoder) extension(s *Schema, at int) error {
	switch n := &r.nodes[at]; n.kind {
	case 'n':
		return nil
	case '{':
		return r.object(at, s)
	default:
		return InvalidValue("schema %q takes an object, not %s", s.ID, n.kind)
	}
}

// assign puts the value at a node into the resource. What is the server's to say
// is left out, whatever the client says (RFC 7644 §3.3 and §3.5.1).
func (r *resourceDecoder) assign(path AttrPath, at int) error {
	switch {
	case path.Attr.Mutability == ReadOnly || path.Sub != nil && path.Sub.Mutability == ReadOnly:
		return nil
	case path.Sub != nil && path.Attr.MultiValued:
		return InvalidPath("attribute %q is of one of several values", path)
	case path.Sub != nil:
		r.parts = append(r.parts, part{path, at})
		return nil
	}
	v, err := r.value(path.Attr, at)
	if v.IsAbsent() || err != nil {
		return err
	}
	if r.field(path.Attr) != nil {
		return InvalidSyntax("attribute %q is given twice", path)
	}
	r.attrs = append(r.attrs, Field{path.Attr, v})
	return nil
}

// assignPart puts a sub-attribute into its complex value.
func (r *resourceDecoder) assignPart(path AttrPath, at int) error {
	v, err := r.value(path.Sub, at)
	if v.IsAbsent() || err != nil {
		return err
	}
	f := r.field(path.Attr)
	if f == nil {
		r.attrs = append(r.attrs, Field{path.Attr, Obj(Object{{path.Sub, v}})})
		return nil
	}
	o := f.Value.Object()
	if !o.Get(path.Sub).IsAbsent() {
		return InvalidSyntax("attribute %q is given twice", path)
	}
	f.Value = Obj(o.With(path.Sub, v))
	return nil
}

// field returns the field of an attribute that has been read, or nil.
func (r *resourceDecoder) field(attr *Attribute) *Field {
	for i := range r.attrs {
		if r.attrs[i].Attr == attr {
			return &r.attrs[i]
		}
	}
	return nil
}
