package scim

import (
	"strconv"
	"strings"
)

// RenderOptions say how a resource becomes JSON.
type RenderOptions struct {
	Selection Selection
	// BaseURL is put before the references and the location that are relative
	// (Users/<id>), with a slash between.
	BaseURL string
	// Flush, if there is one, is called in the midst of a long list, when much has
	// been appended, with all of it. It takes what it wants from the beginning, but
	// not the last byte, and returns the rest.
	Flush func(dst []byte) []byte
}

// flushed is how many bytes are appended before they are flushed.
const flushed = 64 << 10

// AppendJSON appends the resource as JSON: schemas first, then id and
// externalId, the attributes in the order of the schema, each extension's in an
// object under its URN, and meta.
func AppendJSON(dst []byte, r *Resource, o RenderOptions) []byte {
	dst = append(dst, '{')
	dst = append(dst, r.Type.common.schemas.key...)
	dst = append(dst, '[')
	dst = appendString(dst, r.Type.Schema.ID)
	for _, e := range r.Type.Extensions {
		if r.uses(e.Schema) {
			dst = appendString(append(dst, ','), e.Schema.ID)
		}
	}
	dst = append(dst, ']')
	for i := 0; i < len(r.Attrs); {
		f := &r.Attrs[i]
		s := f.Attr.schema
		if s == nil || !s.extension {
			dst = appendField(dst, f, &o)
			i++
			continue
		}
		start := len(dst)
		dst = appendString(append(dst, ','), s.ID)
		dst = append(dst, ':', '{')
		open := len(dst)
		inner := o
		inner.Flush = nil // what is here may be taken back
		for ; i < len(r.Attrs) && r.Attrs[i].Attr.schema == s; i++ {
			dst = appendField(dst, &r.Attrs[i], &inner)
		}
		if len(dst) == open {
			dst = dst[:start] // nothing of it is selected
			continue
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendField appends an attribute that is selected, with a comma before it
// unless it is the first of its object.
func appendField(dst []byte, f *Field, o *RenderOptions) []byte {
	if !o.Selection.Wants(f.Attr) {
		return dst
	}
	start := len(dst)
	if dst[start-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, f.Attr.key...)
	value := len(dst)
	if f.Value.kind == KindList {
		return appendElements(dst, f, o, start)
	}
	if dst = appendSelected(dst, f.Attr, f.Value, o); len(dst) == value {
		return dst[:start]
	}
	return dst
}

// appendElements appends the elements of a list that are selected, or where
// there is none, takes the attribute's name away again, which is from start on.
func appendElements(dst []byte, f *Field, o *RenderOptions, start int) []byte {
	dst = append(dst, '[')
	for v := range f.Value.each {
		mark := len(dst)
		if dst[mark-1] != '[' {
			dst = append(dst, ',')
		}
		before := len(dst)
		if dst = appendSelected(dst, f.Attr, v, o); len(dst) == before {
			dst = dst[:mark]
		}
		if f.Value.series && o.Flush != nil && len(dst) >= flushed && dst[len(dst)-1] != '[' {
			dst = o.Flush(dst)
		}
	}
	if dst[len(dst)-1] == '[' {
		return dst[:start]
	}
	return append(dst, ']')
}

// appendSelected appends one value, or nothing when it is complex and none of
// its sub-attributes is selected.
func appendSelected(dst []byte, attr *Attribute, v Value, o *RenderOptions) []byte {
	switch {
	case v.kind == KindComplex:
		start := len(dst)
		dst = append(dst, '{')
		fields := v.Object()
		for i := range fields {
			dst = appendField(dst, &fields[i], o)
		}
		if len(dst) == start+1 {
			return dst[:start]
		}
		return append(dst, '}')
	case attr.relative && v.kind == KindString:
		return appendURI(dst, v.Text(), o.BaseURL)
	default:
		return appendValue(dst, v)
	}
}

// appendURI appends a URI as a JSON string, with the base URL in front if it is
// relative.
func appendURI(dst []byte, uri, base string) []byte {
	if base == "" || isAbsolute(uri) {
		return appendString(dst, uri)
	}
	dst = appendString(dst, strings.TrimSuffix(base, "/"))
	dst[len(dst)-1] = '/' // in place of the closing quote
	at := len(dst)
	dst = appendString(dst, strings.TrimPrefix(uri, "/"))
	return append(dst[:at], dst[at+1:]...)
}

func isAbsolute(uri string) bool {
	return strings.Contains(uri, "://") || len(uri) > 4 && strings.EqualFold(uri[:4], "urn:")
}

// absolute is the URI as appendURI shows it.
func absolute(base, uri string) string {
	if isAbsolute(uri) {
		return uri
	}
	return strings.TrimSuffix(base, "/") + "/" + strings.TrimPrefix(uri, "/")
}

// AppendList appends a ListResponse (RFC 7644 §3.4.2) with n resources, each
// appended by a call with its index. Total counts all that match, and start is
// the 1-based index of the first.
func AppendList(dst []byte, total, start, n int, each func(dst []byte, i int) []byte) []byte {
	dst = appendListHead(dst, total)
	dst = append(dst, `,"startIndex":`...)
	dst = strconv.AppendInt(dst, int64(start), 10)
	return appendListRest(dst, n, each)
}

// AppendCursorList appends the ListResponse of a page that was asked for by
// cursor (RFC 9865 §2). A cursor that is empty is left out.
func AppendCursorList(dst []byte, total int, previous, next string, n int, each func(dst []byte, i int) []byte) []byte {
	dst = appendListHead(dst, total)
	dst = appendMember(dst, "previousCursor", previous)
	dst = appendMember(dst, "nextCursor", next)
	return appendListRest(dst, n, each)
}

func appendListHead(dst []byte, total int) []byte {
	dst = append(dst, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":`...)
	return strconv.AppendInt(dst, int64(total), 10)
}

func appendListRest(dst []byte, n int, each func(dst []byte, i int) []byte) []byte {
	dst = append(dst, `,"itemsPerPage":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `,"Resources":[`...)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(dst, i)
	}
	return append(dst, ']', '}')
}
