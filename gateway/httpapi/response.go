package httpapi

import (
	"net/http"
	"strconv"
	"sync"

	"postern/gateway"
	"postern/scim"
)

const contentType = "application/scim+json"

// buffers recycles what answers are rendered into.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxRecycled keeps one huge group from holding its buffer for ever.
const maxRecycled = 4 << 20

// send renders a body with the given function and sends it. rendered is called
// in between.
func send(w http.ResponseWriter, status int, render func(dst []byte) []byte, rendered ...func()) error {
	buf := buffers.Get().(*[]byte)
	body := render((*buf)[:0])
	for _, done := range rendered {
		done()
	}
	header := w.Header()
	header["Content-Type"] = []string{contentType}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, err := w.Write(body)
	if cap(body) <= maxRecycled {
		*buf = body
		buffers.Put(buf)
	}
	if err != nil {
		return &gone{err}
	}
	return nil
}

// gone says that the client left while it was being answered.
type gone struct{ error }

// resource answers with one resource, or with 204 where it was not read back.
func (q *request) resource(status int, res gateway.Result, sel scim.Selection, rendered ...func()) error {
	header := q.w.Header()
	if res.Version != "" {
		header["Etag"] = []string{res.Version.String()}
	}
	if res.NotModified {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if res.Resource == nil {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	base := q.base()
	header["Location"] = []string{base + res.Resource.Type.Endpoint + "/" + res.Resource.ID()}
	return send(q.w, status, func(dst []byte) []byte {
		return scim.AppendJSON(dst, res.Resource, scim.RenderOptions{Selection: sel, BaseURL: base})
	}, rendered...)
}
