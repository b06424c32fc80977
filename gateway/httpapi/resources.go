package httpapi

import (
	"net/http"
	"slices"
	"sync"

	"postern/gateway"
	"postern/scim"
)

// resources is the endpoints of one resource type.
type resources struct {
	h     *Handler
	rt    *scim.ResourceType
	large []*scim.Attribute // that may have very many values
}

// largeAttributes are those that refer to any number of other resources.
func largeAttributes(rt *scim.ResourceType) []*scim.Attribute {
	var large []*scim.Attribute
	for _, a := range rt.Attributes() {
		if _, ref := a.SubAttribute("$ref"); ref && a.MultiValued && a.Mutability != scim.ReadOnly {
			large = append(large, a)
		}
	}
	return large
}

// making waits for its turn to make an answer that may be large. done must be
// called before the answer is sent: a client may take its time.
func (on resources) making(q *request, sel scim.Selection) (done func(), err error) {
	if !slices.ContainsFunc(on.large, sel.Wants) {
		return func() {}, nil
	}
	select {
	case on.h.large <- struct{}{}:
		return sync.OnceFunc(func() { <-on.h.large }), nil
	case <-q.Context().Done():
		return nil, &gateway.Fault{Kind: gateway.Timeout, Reason: "too many large resources are being read at the moment; try again later"}
	}
}

// GET /Users (RFC 7644 §3.4.2).
func (on resources) list(q *request) error {
	sel, err := q.selection(on.rt)
	if err != nil {
		return err
	}
	query := gateway.Query{Selection: sel}
	if f := q.param("filter"); f != "" {
		if query.Filter, err = q.client.Dialect.ParseFilter(on.rt, f); err != nil {
			return err
		}
	} else if q.query.Has("filter") {
		return scim.InvalidFilter("the filter is empty; leave the parameter out to list everything")
	}
	if query.Start, err = q.number("startIndex", 1); err != nil {
		return err
	}
	if query.Count, err = q.number("count", on.h.PageSize); err != nil {
		return err
	}
	query.Count = min(max(query.Count, 0), on.h.MaxPageSize)
	done, err := on.making(q, sel)
	if err != nil {
		return err
	}
	defer done()
	page, err := on.h.Gateway.List(q.Context(), q.caller, on.rt.Name, query)
	if err != nil {
		return err
	}
	base := q.base()
	return send(q.w, http.StatusOK, func(dst []byte) []byte {
		return scim.AppendList(dst, page.Total, page.Start, len(page.Results), func(dst []byte, i int) []byte {
			return scim.AppendJSON(dst, page.Results[i].Resource, scim.RenderOptions{Selection: sel, BaseURL: base})
		})
	}, done)
}

// GET /Users/{id} (RFC 7644 §3.4.1).
func (on resources) read(q *request) error {
	sel, err := q.selection(on.rt)
	if err != nil {
		return err
	}
	pre, err := q.precondition()
	if err != nil {
		return err
	}
	done, err := on.making(q, sel)
	if err != nil {
		return err
	}
	defer done()
	res, err := on.h.Gateway.Read(q.Context(), q.caller, on.rt.Name, q.id(), gateway.ReadOptions{Selection: sel, Precondition: pre})
	if err != nil {
		return err
	}
	return q.resource(http.StatusOK, res, sel, done)
}

// POST /Users (RFC 7644 §3.3).
func (on resources) create(q *request) error {
	o, body, err := on.write(q)
	if err != nil {
		return err
	}
	r, err := scim.DecodeResource(on.rt, body, q.reading(""))
	if err != nil {
		return err
	}
	res, err := on.make(q, r, o)
	if err != nil {
		return err
	}
	return q.resource(http.StatusCreated, res, o.Selection)
}

// make creates a resource that was sent.
func (on resources) make(q *request, r *scim.Resource, o gateway.WriteOptions) (gateway.Result, error) {
	if err := scim.Validate(r); err != nil {
		return gateway.Result{}, err
	}
	return on.h.Gateway.Create(q.Context(), q.caller, on.rt.Name, r, o)
}

// PUT /Users/{id} (RFC 7644 §3.5.1).
func (on resources) replace(q *request) error {
	o, body, err := on.write(q)
	if err != nil {
		return err
	}
	r, err := scim.DecodeResource(on.rt, body, q.reading(q.id()))
	if err != nil {
		return err
	}
	res, err := on.put(q, q.id(), r, o)
	if err != nil {
		return err
	}
	return q.resource(http.StatusOK, res, o.Selection)
}

// put replaces a resource by what was sent, or, for a client whose PUT keeps what
// it leaves out, the attributes that were sent.
func (on resources) put(q *request, id string, r *scim.Resource, o gateway.WriteOptions) (gateway.Result, error) {
	if err := scim.Validate(r); err != nil {
		return gateway.Result{}, err
	}
	if q.client.Dialect.KeepOmitted {
		o.Reply = true
		return on.h.Gateway.Patch(q.Context(), q.caller, on.rt.Name, id, scim.PatchOf(r), o)
	}
	return on.h.Gateway.Replace(q.Context(), q.caller, on.rt.Name, id, r, o)
}

// PATCH /Users/{id} (RFC 7644 §3.5.2).
func (on resources) patch(q *request) error {
	o, body, err := on.write(q)
	if err != nil {
		return err
	}
	p, err := scim.DecodePatch(on.rt, body, q.reading(q.id()))
	if err != nil {
		return err
	}
	res, err := on.h.Gateway.Patch(q.Context(), q.caller, on.rt.Name, q.id(), p, o)
	if err != nil {
		return err
	}
	if q.quiet(on.rt) {
		res.Resource = nil
	}
	return q.resource(http.StatusOK, res, o.Selection)
}

// DELETE /Users/{id} (RFC 7644 §3.6).
func (on resources) delete(q *request) error {
	pre, err := q.precondition()
	if err != nil {
		return err
	}
	if err := on.h.Gateway.Delete(q.Context(), q.caller, on.rt.Name, q.id(), pre); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// write reads what all writes have.
func (on resources) write(q *request) (o gateway.WriteOptions, body []byte, err error) {
	if o.Selection, err = q.selection(on.rt); err != nil {
		return o, nil, err
	}
	if o.Precondition, err = q.precondition(); err != nil {
		return o, nil, err
	}
	o.Reply = q.param("attributes") != ""
	body, err = q.body()
	return o, body, err
}
