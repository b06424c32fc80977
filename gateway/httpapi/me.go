package httpapi

import (
	"net/http"

	"postern/gateway"
	"postern/scim"
)

// me wraps an endpoint of one user for /Me, the user that the client's token
// stands for (RFC 7644 §3.11). A client that stands for none is told that there is
// no such thing here.
func (h *Handler) me(a Access, e func(resources) endpoint) http.Handler {
	return h.known(func(q *request) error {
		on, ok := h.resourcesOf("User")
		if q.client.Me == "" || !ok {
			return noMe()
		}
		if err := q.allowed(a, on.rt); err != nil {
			return err
		}
		if _, ok := on.rt.Attribute("userName"); !ok {
			return noMe()
		}
		who, err := scim.ParseFilter(on.rt, "userName eq "+scim.Str(q.client.Me).String())
		if err != nil {
			return err
		}
		none, err := scim.ParseSelection(on.rt, []string{"id"}, nil)
		if err != nil {
			return err
		}
		page, err := h.Gateway.List(q.Context(), q.caller, gateway.Query{Parts: []gateway.Part{{Kind: on.rt.Name, Filter: who, Selection: none}}, Count: 2})
		if err != nil {
			return err
		}
		if len(page.Results) != 1 {
			return scim.Errorf(http.StatusNotFound, "", "there is no user that this client stands for")
		}
		q.target = page.Results[0].Resource.ID()
		return e(on)(q)
	})
}

// resourcesOf finds the endpoints of a resource type by its name.
func (h *Handler) resourcesOf(name string) (resources, bool) {
	for _, on := range h.types {
		if on.rt.Name == name {
			return on, true
		}
	}
	return resources{}, false
}

func noMe() error {
	return scim.Errorf(http.StatusNotImplemented, "", "this client stands for no user, so it has no /Me")
}

func createMe(*request) error {
	return scim.Errorf(http.StatusNotImplemented, "", "nobody is created at /Me; POST to /Users")
}
