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
		prefix + "show":    handle(h, h.show),
		prefix + "list":    handle(h, h.list),
		prefix + "history": handle(h, h.history),
		prefix + "operate": handle(h, h.operate),
		prefix + "relinks": handle(h, h.relinks),
		prefix + "adopt":   handle(h, h.adopt),
		prefix + "check":   handle(h, h.check),
		prefix + "work":    handle(h, h.work),
		prefix + "import":  h.importTable,
		prefix + "export":  h.raw(h.export),
		prefix + "backup":  h.raw(h.backup),
	}
}

// maxRequest bounds the body of a call, in bytes: a file of some million rows to
// adopt or relink. An import is received apart, and not in memory.
const maxRequest = 512 << 20

// handle makes a call of a function of its request, whose result ends the answer.
func handle[Request any](h *Handler, do func(context.Context, Request, *answer) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req Request
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
		d.DisallowUnknownFields()
		a := &answer{w, json.NewEncoder(w)}
		a.json.SetEscapeHTML(false)
		w.Header().Set("Content-Type", "application/jsonl")
		if err := d.Decode(&req); err != nil {
			_ = a.send(event{Error: h.explain(r.Context(), fmt.Errorf("the request can not be read: %w", err))})
			return
		}
		done, err := do(r.Context(), req, a)
		if err != nil {
			_ = a.send(event{Error: h.explain(r.Context(), err)})
			return
		}
		if done == nil {
			done = struct{}{}
		}
		_ = a.send(event{Done: done})
	}
}

// explain says in a sentence why a call failed and what to do.
func (h *Handler) explain(ctx context.Context, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Message = h.reword(ctx, e.Message)
		h.rewordAll(ctx, e.Problems)
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
	return &Error{Message: h.reword(ctx, err.Error()) + advice}
}

// reword writes the objects that an error names as their directory's tools do. It
// is not for use within a transaction.
func (h *Handler) reword(ctx context.Context, text string) string {
	return idstore.Reword(text, func(a idstore.Anchor) (string, bool) {
		kinds := make([]string, 0, 2)
		_ = h.Store.View(ctx, func(tx idstore.Tx) error { // without it a type of the backend has to do
			r, err := idstore.FindAnchor(tx, a)
			if err == nil && r.Entity != 0 {
				kinds = append(kinds, r.Type)
			}
			return err
		})
		return h.spellAs(ctx, a, kinds)
	})
}

func (h *Handler) rewordAll(ctx context.Context, problems []Problem) {
	for i := range problems {
		problems[i].Message = h.reword(ctx, problems[i].Message)
	}
}

// spellAs spells an anchor as that of one of some resource types, or else as that
// of the first type that is served from its backend.
func (h *Handler) spellAs(ctx context.Context, a idstore.Anchor, kinds []string) (string, bool) {
	for _, rt := range h.Gateway.ResourceTypes() {
		kinds = append(kinds, rt.Name)
	}
	for _, kind := range kinds {
		if !h.Gateway.ServedFrom(kind, a.Backend) {
			continue
		}
		return h.Gateway.Spell(ctx, kind, a)
	}
	return "", false
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
			w.Header().Set(trailer, h.explain(r.Context(), err).Message)
			return
		}
		w.Header().Set(complete, form)
	}
}
