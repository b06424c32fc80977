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

// send renders a body with the given function and sends it.
func send(w http.ResponseWriter, status int, render func(dst []byte) []byte) error {
	return stream(w, status, func(dst []byte, _ func([]byte) []byte) []byte { return render(dst) })
}

// stream is send of a body that may be very long: render calls flush now and
// then with all that there is so far, and goes on with what that returns. made
// is called before anything is sent, since the client may take its time; what is
// rendered must not have to be read then.
func stream(w http.ResponseWriter, status int, render func(dst []byte, flush func([]byte) []byte) []byte, made ...func()) error {
	var failed error
	begun := false
	begin := func() {
		for _, done := range made {
			done()
		}
		begun = true
		w.Header()["Content-Type"] = []string{contentType}
	}
	buf := buffers.Get().(*[]byte)
	body := render((*buf)[:0], func(dst []byte) []byte {
		if !begun {
			begin()
			w.WriteHeader(status)
		}
		last := len(dst) - 1
		if failed == nil {
			_, failed = w.Write(dst[:last])
		}
		return append(dst[:0], dst[last])
	})
	if !begun {
		begin()
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.WriteHeader(status)
	}
	if failed == nil {
		_, failed = w.Write(body)
	}
	if cap(body) <= maxRecycled {
		*buf = body
		buffers.Put(buf)
	}
	if failed != nil {
		return &gone{failed}
	}
	return nil
}

// gone says that the client left while it was being answered.
type gone struct{ error }

// resource answers with one resource, or with 204 where it was not read back.
func (q *request) resource(status int, res gateway.Result, sel scim.Selection, made ...func()) error {
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
	return stream(q.w, status, func(dst []byte, flush func([]byte) []byte) []byte {
		return scim.AppendJSON(dst, res.Resource, scim.RenderOptions{Selection: sel, BaseURL: base, Flush: flush})
	}, made...)
}
