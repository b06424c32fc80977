package httpapi

import (
	"net/http"
	"slices"

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
	done, err := q.making(slices.ContainsFunc(on.large, sel.Wants))
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
