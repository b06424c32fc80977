// Package adminapi is what an administrator asks of the identity table of a
// gateway, served over HTTP on a local socket: calls with a JSON request, and an
// answer of JSON lines, so that long ones can show how far they are and be broken
// off. Handler is the one side, Client the other; the same handler also serves a
// client in the same process, where no gateway runs.
package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"postern/gateway"
	"postern/idstore"
)

// A Handler answers administrators. Whoever may talk to it may do everything.
type Handler struct {
	Gateway *gateway.Gateway
	Store   idstore.Store
	Domains []string // the provisioning domains of the clients
}

// prefix is what the path of every call begins with.
const prefix = "/v1/"

// An Error is a refusal, in one sentence for the administrator.
type Error struct {
	Message string `json:"message"`
	// Problems are what is wrong with each of many rows.
	Problems []Problem `json:"problems,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// A Problem is what is wrong with one line of a file.
type Problem struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

func refuse(format string, args ...any) error { return &Error{Message: fmt.Sprintf(format, args...)} }

// event is one line of an answer: an item, how far it is, or the end.
type event struct {
	Item     any       `json:"item,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
	Done     any       `json:"done,omitempty"`
	Error    *Error    `json:"error,omitempty"`
}

// Progress is how far a long call has come.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total,omitempty"` // 0 where it is not known
}

// answer writes the lines of an answer.
type answer struct {
	w    http.ResponseWriter
	json *json.Encoder
}

func (a *answer) send(e event) error {
	if err := a.json.Encode(e); err != nil {
		return err
	}
	return http.NewResponseController(a.w).Flush()
}

func (a *answer) item(v any) error { return a.send(event{Item: v}) }

func (a *answer) progress(done, total int) error {
	return a.send(event{Progress: &Progress{done, total}})
}

// ServeHTTP answers one call.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, ok := h.calls()[r.URL.Path]
	if !ok || r.Method != http.MethodPost {
		http.Error(w, "the gateway that runs does not know this call: it is of another version than the command", http.StatusNotFound)
		return
	}
	call(w, r)
}

func (h *Handler) calls() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		prefix + "show":    handle(h.show),
		prefix + "list":    handle(h.list),
		prefix + "history": handle(h.history),
		prefix + "operate": handle(h.operate),
		prefix + "relinks": handle(h.relinks),
		prefix + "adopt":   handle(h.adopt),
		prefix + "check":   handle(h.check),
		prefix + "work":    handle(h.work),
		prefix + "import":  h.importTable,
		prefix + "export":  h.raw(h.export),
		prefix + "backup":  h.raw(h.backup),
	}
}

// handle makes a call of a function of its request, whose result ends the answer.
func handle[Request any](do func(context.Context, Request, *answer) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req Request
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		a := &answer{w, json.NewEncoder(w)}
		a.json.SetEscapeHTML(false)
		w.Header().Set("Content-Type", "application/jsonl")
		if err := d.Decode(&req); err != nil {
			_ = a.send(event{Error: explain(fmt.Errorf("the request can not be read: %w", err))})
			return
		}
		done, err := do(r.Context(), req, a)
		if err != nil {
			_ = a.send(event{Error: explain(err)})
			return
		}
		if done == nil {
			done = struct{}{}
		}
		_ = a.send(event{Done: done})
	}
}

// explain says in a sentence why a call failed and what to do.
func explain(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	advice := ""
	switch {
	case errors.Is(err, idstore.ErrUnwritable):
		advice = "; nothing was changed: make room on the disk, or the file writable, and try again"
	case errors.Is(err, idstore.ErrCorrupt):
		advice = "; run `postern ids check`, and put a backup in the place of the file"
	case errors.Is(err, idstore.ErrBusy):
		advice = "; try again in a moment"
	}
	return &Error{Message: err.Error() + advice}
}

// trailer carries why the bytes of a raw answer are not all there are.
const trailer = "Postern-Error"

// complete carries that they are.
const complete = "Postern-Complete"

// raw makes a call of a function that writes bytes.
func (h *Handler) raw(do func(context.Context, io.Writer) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", trailer+", "+complete)
		w.Header().Set("Content-Type", "application/octet-stream")
		form, err := do(r.Context(), w)
		if err != nil {
			w.Header().Set(trailer, explain(err).Message)
			return
		}
		w.Header().Set(complete, form)
	}
}
