package scim

import (
	"iter"
	"strconv"
	"strings"
)

// DecodeOptions says how a request's body is read.
type DecodeOptions struct {
	// ID is the id of the resource that is written; a body that repeats it is
	// accepted. Empty for a resource that does not exist yet.
	ID string
	// Dialect is where the client's messages depart from the RFCs.
	Dialect Dialect
	// Ignored, where not nil, is called with the name of each attribute and
	// schema that was left out because it is unknown.
	Ignored func(name string)
	// BulkID, where not nil, resolves the bulkIds that stand for the ids of
	// references (RFC 7644 §3.7.2). A reference for which it is not ok is left
	// out: its resource is yet to be made.
	BulkID func(bulkID string) (id string, ok bool)
}

// A decoder turns the nodes of a document into values of the attributes they are
// for.
type decoder struct {
	document
	root  int // the node of what is decoded
	rt    *ResourceType
	opt   DecodeOptions
	inner bool // whether the document stood in a string of another
	left  int  // how many references were left out

	// Where fields and elements are carved from: there are not more of them than
	// the document has members and elements.
	fieldPool Object
	valuePool []Value
}

func newDecoder(rt *ResourceType, body []byte, opt DecodeOptions) (*decoder, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	return &decoder{document: doc, rt: rt, opt: opt}, nil
}

// children yields the nodes of the elements of an array.
func (d *decoder) children(at int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := at + 1; i < int(d.nodes[at].end); i = int(d.nodes[i].end) {
			if !yield(i) {
				return
			}
		}
	}
}

// members yields the names of an object and the nodes of their values.
func (d *decoder) members(at int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := at + 1; i < int(d.nodes[at].end); i = int(d.nodes[i+1].end) {
			if !yield(d.nodes[i].text, i+1) {
				return
			}
		}
	}
}

// unknown reports or refuses a name that no attribute or schema has.
func (d *decoder) unknown(name string) error {
	if d.opt.Dialect.RefuseUnknown {
		return InvalidSyntax("unknown attribute or schema %.200q", name)
	}
	if d.opt.Ignored != nil {
		d.opt.Ignored(name)
	}
	return nil
}

// unknownValue is unknown for a name with its value. That a user be deactivated
// is not passed over: the client would take the account for closed.
func (d *decoder) unknownValue(name string, at int) error {
	leaf := name[strings.LastIndexAny(name, ":.")+1:]
	if n := &d.nodes[at]; strings.EqualFold(leaf, "active") && (n.kind == 'f' || n.kind == '"' && strings.EqualFold(n.text, "false")) {
		return InvalidValue("attribute %q is not supported here: this service can not deactivate a resource of type %s", leaf, d.rt.Name)
	}
	return d.unknown(name)
}

// newFields returns an empty object with room for n fields.
func (d *decoder) newFields(n int) Object {
	if cap(d.fieldPool)-len(d.fieldPool) < n {
		d.fieldPool = make(Object, 0, max(n, d.document.members))
	}
	at := len(d.fieldPool)
	d.fieldPool = d.fieldPool[:at+n]
	return d.fieldPool[at : at : at+n]
}

// newValues returns an empty list with room for n elements.
func (d *decoder) newValues(n int) []Value {
	if cap(d.valuePool)-len(d.valuePool) < n {
		d.valuePool = make([]Value, 0, max(n, d.elements))
	}
	at := len(d.valuePool)
	d.valuePool = d.valuePool[:at+n]
	return d.valuePool[at : at : at+n]
}

// maxElements bounds the elements that a request can give a complex attribute
// other than a reference, since they may have to be compared one by one.
const maxElements = 1000

// value decodes the value of an attribute. A single value where several are
// wanted is one element, and an array of one where one is wanted is that one.
func (d *decoder) value(attr *Attribute, at int) (Value, error) {
	if !attr.MultiValued {
		return d.single(attr, at)
	}
	if n := &d.nodes[at]; n.kind != '[' {
		v, err := d.element(attr, at)
		if v.IsAbsent() && n.kind == 'n' {
			return Value{}, nil
		}
		if v.IsAbsent() || err != nil {
			return v, err
		}
		return List(append(d.newValues(1), v)...), nil
	}
	if d.nodes[at].count > maxElements && attr.Type == Complex && !attr.reference() {
		return Value{}, InvalidValue("attribute %q takes at most %d values", attr, maxElements)
	}
	vs := d.newValues(int(d.nodes[at].count))
	primaries := 0
	for i := range d.children(at) {
		v, err := d.element(attr, i)
		if err != nil {
			return Value{}, err
		}
		if attr.primary != nil && v.Object().Get(attr.primary).Bool() {
			primaries++
		}
		vs = append(vs, v)
	}
	if primaries > 1 {
		return Value{}, InvalidValue("attribute %q has more than one primary value", attr)
	}
	return List(vs...), nil
}

// element decodes one of several values. A reference that names nothing ({}, "",
// null) is a mistake: taken for no element at all, it could empty a group.
func (d *decoder) element(attr *Attribute, at int) (Value, error) {
	left := d.left
	v, err := d.single(attr, at)
	if err == nil && v.IsAbsent() && attr.reference() && d.left == left {
		err = InvalidValue("attribute %q is required", attr.value)
	}
	return v, err
}

// single decodes one value of attr, or one element.
func (d *decoder) single(attr *Attribute, at int) (Value, error) {
	n := &d.nodes[at]
	switch n.kind {
	case 'n':
		return Value{}, nil
	case '[':
		switch n.count {
		case 0:
			return Value{}, nil
		case 1:
			if d.nodes[at+1].kind != '[' {
				return d.single(attr, at+1)
			}
		}
		return Value{}, InvalidValue("attribute %q takes one value, not an array of %d", attr, n.count)
	}
	switch attr.Type {
	case Complex:
		return d.complex(attr, at)
	case Boolean:
		switch {
		case n.kind == 't' || n.kind == 'f':
			return Bool(n.kind == 't'), nil
		case n.kind == '"' && n.text == "":
			return Value{}, nil
		case n.kind == '"' && d.opt.Dialect.TextBooleans:
			if v, ok := parseBool(n.text); ok {
				return v, nil
			}
		}
	case Integer:
		if n.kind == '0' {
			i, err := strconv.ParseInt(n.text, 10, 64)
			if err != nil {
				return Value{}, InvalidValue("attribute %q takes an integer of 64 bits, not %.40s", attr, n.text)
			}
			return Int(i), nil
		}
	case Decimal:
		if n.kind == '0' {
			f, err := strconv.ParseFloat(n.text, 64)
			if err != nil {
				return Value{}, InvalidValue("attribute %q: number %.40s is out of range", attr, n.text)
			}
			return Dec(f), nil
		}
	default:
		if n.kind == '"' {
			return d.text(attr, d.resolved(attr, n.text))
		}
	}
	return Value{}, InvalidValue("attribute %q takes %s, not %s", attr, wanted(attr.Type), n.kind)
}

// resolved returns the id in place of a bulkId in a reference. It is "" for a
// reference that is left out.
func (d *decoder) resolved(attr *Attribute, s string) string {
	if d.opt.BulkID == nil || attr.parent == nil || !attr.parent.reference() || attr != attr.parent.value {
		return s
	}
	name, ok := strings.CutPrefix(s, bulkPrefix)
	if !ok {
		return s
	}
	id, ok := d.opt.BulkID(name)
	if !ok {
		d.left++
		return ""
	}
	return id
}

// wanted names the JSON of a type in a message.
func wanted(t Type) string {
	switch t {
	case Boolean:
		return "a boolean"
	case Integer:
		return "an integer"
	case Decimal:
		return "a number"
	case Complex:
		return "an object"
	default:
		return "a string"
	}
}

// text checks a string against the types that have a form.
func (d *decoder) text(attr *Attribute, s string) (Value, error) {
	switch {
	case s == "":
	case attr.Type == DateTime:
		if _, ok := ParseTime(s); !ok {
			return Value{}, InvalidValue("attribute %q takes a dateTime like 2008-01-23T04:56:22Z", attr)
		}
	case attr.Type == Binary:
		if !isBase64(s) {
			return Value{}, InvalidValue("attribute %q takes base64", attr)
		}
	case attr.Type == Reference:
		if !isURIReference(s) {
			return Value{}, InvalidValue("attribute %q takes a URI", attr)
		}
	}
	return Str(attr.prepare(s)), attr.Admits(s)
}

// complex decodes an object. What it says about readOnly sub-attributes is left
// out. In some dialects a string stands for the sub-attribute value.
func (d *decoder) complex(attr *Attribute, at int) (Value, error) {
	n := &d.nodes[at]
	if n.kind == '"' && n.text == "" {
		return Value{}, nil
	}
	if v, ok := d.embedded(attr, at); ok {
		return v, nil
	}
	if n.kind == '"' && d.opt.Dialect.TextValues && attr.value != nil {
		v, err := d.single(attr.value, at)
		if v.IsAbsent() || err != nil {
			return v, err
		}
		return Obj(append(d.newFields(1), Field{attr.value, v})), nil
	}
	if n.kind != '{' {
		return Value{}, InvalidValue("attribute %q takes an object, not %s", attr, n.kind)
	}
	fields := d.newFields(int(n.count))
	left := d.left
	for name, i := range d.members(at) {
		sub, ok := attr.SubAttribute(name)
		if !ok {
			if err := d.unknown(attr.String() + "." + name); err != nil {
				return Value{}, err
			}
			continue
		}
		if sub.Mutability == ReadOnly {
			continue
		}
		v, err := d.value(sub, i)
		if err != nil {
			return Value{}, err
		}
		fields = append(fields, Field{sub, v})
	}
	if d.left > left {
		return Value{}, nil
	}
	v := Obj(NewObject(fields...))
	switch {
	case !attr.reference() || !v.Object().Get(attr.value).IsAbsent():
	case attr.MultiValued && n.count > 0, !attr.MultiValued && !v.IsAbsent():
		// A member taken for no element at all could empty a group, and a manager
		// that only $ref names would be passed over.
		return Value{}, InvalidValue("attribute %q is required", attr.value)
	}
	return v, nil
}

// embedded decodes an object that stands as JSON in a string, in place of the
// complex value or of its only sub-attribute value: Entra sends app roles so. It
// is one only if it has a value itself.
func (d *decoder) embedded(attr *Attribute, at int) (Value, bool) {
	n := &d.nodes[at]
	if n.kind == '{' && n.count == 1 && strings.EqualFold(d.nodes[at+1].text, "value") {
		n = &d.nodes[at+2]
	}
	if n.kind != '"' || !strings.HasPrefix(n.text, "{") || attr.value == nil || d.inner || !d.opt.Dialect.TextValues {
		return Value{}, false
	}
	doc, err := parseJSON([]byte(n.text))
	if err != nil {
		return Value{}, false
	}
	inner := &decoder{document: doc, rt: d.rt, inner: true, opt: DecodeOptions{Dialect: d.opt.Dialect}}
	v, err := inner.complex(attr, 0)
	return v, err == nil && !v.Object().Get(attr.value).IsAbsent()
}
