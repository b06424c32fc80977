package httpapi

import (
	"errors"
	"net/http"

	"postern/gateway"
	"postern/scim"
)

// answers is the one table from failures of the gateway to SCIM errors (RFC 7644
// §3.12). detail is used where the failure brings no reason of its own.
var answers = map[gateway.Kind]struct {
	status   int
	scimType string
	detail   string
	retry    string // Retry-After, in seconds
}{
	gateway.NotFound:     {http.StatusNotFound, "", "there is no such resource", ""},
	gateway.Conflict:     {http.StatusConflict, scim.TypeUniqueness, "another resource has this name or a value that must be unique", ""},
	gateway.Precondition: {http.StatusPreconditionFailed, "", "the precondition does not hold", ""},
	gateway.Contended:    {http.StatusConflict, "", "the resource was being changed by others at the same time; try again", "1"},
	gateway.Invalid:      {http.StatusBadRequest, scim.TypeInvalidValue, "the directory does not accept a value", ""},
	gateway.Denied:       {http.StatusForbidden, "", "the directory does not let the gateway do this", ""},
	gateway.Unavailable:  {http.StatusServiceUnavailable, "", "the directory can not be reached at the moment; try again later", "10"},
	gateway.Timeout:      {http.StatusGatewayTimeout, "", "the directory did not answer in time; a change may or may not have been made: read before you try again", "10"},
	gateway.Unsupported:  {http.StatusNotImplemented, "", "the directory can not do this", ""},
	gateway.TooMany:      {http.StatusBadRequest, scim.TypeTooMany, "the directory refuses to return that many results; use a narrower filter", ""},
	gateway.Internal:     {http.StatusInternalServerError, "", "the gateway failed; its log says more under this request's id", ""},
}

// translate makes a SCIM error of any error, and says when to try again.
func translate(err error) (e *scim.Error, retry string) {
	if e, ok := errors.AsType[*scim.Error](err); ok {
		return e, ""
	}
	f, ok := errors.AsType[*gateway.Fault](err)
	if !ok {
		f = &gateway.Fault{Kind: gateway.Internal, Err: err}
	}
	a := answers[f.Kind]
	detail := a.detail
	if f.Reason != "" && f.Kind != gateway.Internal {
		detail = f.Reason
	}
	if f.Attr != "" {
		detail = f.Attr + ": " + detail
	}
	return scim.Errorf(a.status, a.scimType, "%s", detail), a.retry
}

// fail answers with an error, unless an answer has begun already.
func (ex *exchange) fail(w http.ResponseWriter, err error) {
	ex.err = err
	if ex.status != 0 {
		return
	}
	e, retry := translate(err)
	if retry != "" {
		w.Header().Set("Retry-After", retry)
	}
	if sent := send(w, e.Status, func(dst []byte) []byte { return scim.AppendError(dst, e) }); sent != nil {
		ex.err = errors.Join(err, sent)
	}
}
