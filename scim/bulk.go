package scim

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

const bulkRequestURN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

// bulkPrefix stands before a bulkId in place of the id of a resource that the
// same request makes (RFC 7644 §3.7.2).
const bulkPrefix = "bulkId:"

// A Bulk is a bulk request (RFC 7644 §3.7).
type Bulk struct {
	// FailOnErrors is after how many errors the rest is left undone.
	FailOnErrors int
	Operations   []BulkOperation
}

// A BulkOperation is one operation of a bulk request. Its data is decoded when
// its turn comes, since it may name resources that are not made before.
type BulkOperation struct {
	Method   string // POST, PUT, PATCH or DELETE
	BulkID   string
	Version  string // an entity tag, as in If-Match
	Endpoint string // of the resource type: /Users
	ID       string // of the resource, or its bulkId after "bulkId:"; empty for POST
	Err      *Error // what is wrong with the operation by itself

	doc   *document
	data  int      // the node of the data, or noValue
	names []string // the bulkIds that path and data name, declared or not
}

// DecodeBulk reads the body of a bulk request with at most limit operations.
// What is wrong with one operation is noted in it and leaves the others alone.
func DecodeBulk(body []byte, limit int, d Dialect) (*Bulk, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	top := &decoder{document: doc, opt: DecodeOptions{Dialect: d}}
	b := &Bulk{FailOnErrors: math.MaxInt}
	ops, named := noValue, !d.RefuseUnknown
	for name, i := range top.members(0) {
		n := &doc.nodes[i]
		switch {
		case strings.EqualFold(name, "schemas"):
			for j := range top.children(i) {
				named = named || strings.EqualFold(doc.nodes[j].text, bulkRequestURN)
			}
		case strings.EqualFold(name, "failOnErrors"):
			if n.kind == 'n' {
				continue
			}
			if b.FailOnErrors, err = strconv.Atoi(n.text); err != nil || n.kind != '0' || b.FailOnErrors < 1 {
				return nil, InvalidValue("attribute \"failOnErrors\" takes an integer from 1 on")
			}
		case strings.EqualFold(name, "Operations"):
			ops = i
		default:
			if err := top.unknown(name); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case !named:
		return nil, InvalidSyntax("attribute \"schemas\" does not name %q", bulkRequestURN)
	case ops == noValue || doc.nodes[ops].kind != '[':
		return nil, InvalidSyntax("attribute \"Operations\" is not an array of operations")
	case doc.nodes[ops].count == 0:
		return nil, InvalidSyntax("attribute \"Operations\" is empty")
	case int(doc.nodes[ops].count) > limit:
		return nil, Errorf(http.StatusRequestEntityTooLarge, "", "the request has %d operations, more than the limit of %d (maxOperations)", doc.nodes[ops].count, limit)
	}
	b.Operations = make([]BulkOperation, 0, doc.nodes[ops].count)
	seen := make(map[string]bool)
	for i := range top.children(ops) {
		op := BulkOperation{doc: &doc, data: noValue}
		if err := op.decode(top, i); err != nil {
			return nil, err
		}
		if op.BulkID != "" {
			if seen[op.BulkID] {
				return nil, InvalidValue("bulkId %.200q is given twice", op.BulkID)
			}
			seen[op.BulkID] = true
		}
		b.Operations = append(b.Operations, op)
	}
	return b, nil
}

// decode reads the operation at a node. What it returns is wrong with the
// request as a whole.
func (o *BulkOperation) decode(d *decoder, at int) error {
	if d.nodes[at].kind != '{' {
		return InvalidSyntax("attribute \"Operations\" has %s where an operation is expected", d.nodes[at].kind)
	}
	var path string
	for name, i := range d.members(at) {
		n := &d.nodes[i]
		var field *string
		switch strings.ToLower(name) {
		case "method":
			field = &o.Method
		case "bulkid":
			field = &o.BulkID
		case "version":
			field = &o.Version
		case "path":
			field = &path
		case "data":
			if n.kind != 'n' {
				o.data = i
			}
			continue
		default:
			if err := d.unknown(name); err != nil {
				return err
			}
			continue
		}
		if n.kind != '"' && n.kind != 'n' {
			return InvalidSyntax("attribute %q of an operation takes a string, not %s", name, n.kind)
		}
		*field = n.text
	}
	o.Method = strings.ToUpper(o.Method)
	o.Endpoint, o.ID, _ = strings.Cut(strings.Trim(path, "/"), "/")
	o.Endpoint = "/" + o.Endpoint
	o.Err = o.check(path)
	o.gather()
	return nil
}

// check finds what is wrong with the operation by itself.
func (o *BulkOperation) check(path string) *Error {
	switch o.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return InvalidSyntax("method %.40q is not POST, PUT, PATCH or DELETE", o.Method)
	}
	switch {
	case strings.Trim(path, "/") == "":
		return InvalidSyntax("the operation has no path")
	case strings.Contains(o.ID, "/"):
		return Errorf(http.StatusNotFound, "", "there is no endpoint %.200q", path)
	case o.Method == http.MethodPost && o.ID != "":
		return InvalidSyntax("path %.200q of a POST is not that of a resource type, such as /Users", path)
	case o.Method != http.MethodPost && o.ID == "":
		return InvalidSyntax("path %.200q of a %s names no resource, as /Users/<id> does", path, o.Method)
	case o.Method != http.MethodDelete && o.data == noValue:
		return InvalidSyntax("the operation has no data")
	case o.data != noValue && o.doc.nodes[o.data].kind != '{' && !(o.Method == http.MethodPatch && o.doc.nodes[o.data].kind == '['):
		return InvalidSyntax("the data of the operation is %s, not an object", o.doc.nodes[o.data].kind)
	}
	return nil
}

// gather notes the bulkIds that the operation may depend on.
func (o *BulkOperation) gather() {
	if id, ok := strings.CutPrefix(o.ID, bulkPrefix); ok {
		o.names = append(o.names, id)
	}
	if o.data == noValue {
		return
	}
	for i := o.data; i < int(o.doc.nodes[o.data].end); i++ {
		n := &o.doc.nodes[i]
		if n.kind != '"' {
			continue
		}
		if id, ok := strings.CutPrefix(n.text, bulkPrefix); ok {
			o.names = append(o.names, id)
			continue
		}
		for rest := n.text; ; { // in the value filter of a path
			_, after, found := strings.Cut(rest, `"`+bulkPrefix)
			id, after, closed := strings.Cut(after, `"`)
			if !found || !closed {
				break
			}
			o.names, rest = append(o.names, id), after
		}
	}
}

// Target returns the operation's resource id, with a bulkId resolved.
func (o *BulkOperation) Target(bulkID func(string) (string, bool)) string {
	if name, ok := strings.CutPrefix(o.ID, bulkPrefix); ok {
		if id, ok := bulkID(name); ok {
			return id
		}
	}
	return o.ID
}

// Resource decodes the data of a POST or PUT.
func (o *BulkOperation) Resource(rt *ResourceType, opt DecodeOptions) (*Resource, error) {
	return o.decoder(rt, opt).resource()
}

// Patch decodes the data of a PATCH, which may be the bare operations (RFC 7644
// §3.7.3 shows them, and the erratum 5050 the whole message).
func (o *BulkOperation) Patch(rt *ResourceType, opt DecodeOptions) (Patch, error) {
	return o.decoder(rt, opt).patch()
}

// decoder reads the part of the document that is the operation's data.
func (o *BulkOperation) decoder(rt *ResourceType, opt DecodeOptions) *decoder {
	d := &decoder{document: document{nodes: o.doc.nodes}, root: o.data, rt: rt, opt: opt}
	for i := o.data; i < int(o.doc.nodes[o.data].end); i++ {
		switch n := &o.doc.nodes[i]; n.kind {
		case '{':
			d.document.members += int(n.count)
		case '[':
			d.elements += int(n.count)
		}
	}
	return d
}

// ReferencesOf returns the patch that adds the references of r to a resource
// that was made without some of them.
func ReferencesOf(r *Resource) Patch {
	var p Patch
	for _, f := range r.Attrs {
		switch {
		case !f.Attr.reference():
		case f.Attr.MultiValued:
			p.Ops = append(p.Ops, Operation{OpAdd, Path{Attr: f.Attr}, f.Value})
		default:
			p.Ops = append(p.Ops, Operation{OpReplace, Path{Attr: f.Attr}, f.Value})
		}
	}
	return p
}
