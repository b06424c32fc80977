package httpapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"postern/scim"
)

// discovery is what the service tells of itself (RFC 7644 §4): exactly what the
// mapping supports.
type discovery struct {
	types          []*scim.ResourceType
	maxPage        int
	bulkOperations int
	maxBody        int64
}

func (d discovery) schemas() []*scim.Schema { return scim.Schemas(d.types) }

// passwords reports whether a password can be written.
func (d discovery) passwords() bool {
	return slices.ContainsFunc(d.types, func(rt *scim.ResourceType) bool {
		a, ok := rt.Attribute("password")
		return ok && a.Mutability != scim.ReadOnly
	})
}

func (h *Handler) schemas(q *request) error {
	if err := q.unfiltered(); err != nil {
		return err
	}
	all := h.discovery.schemas()
	return send(q.w, http.StatusOK, func(dst []byte) []byte {
		return scim.AppendList(dst, len(all), 1, len(all), func(dst []byte, i int) []byte {
			return scim.AppendSchema(dst, all[i], q.base())
		})
	})
}

func (h *Handler) schema(q *request) error {
	for _, s := range h.discovery.schemas() {
		if strings.EqualFold(s.ID, q.id()) {
			return send(q.w, http.StatusOK, func(dst []byte) []byte { return scim.AppendSchema(dst, s, q.base()) })
		}
	}
	return scim.Errorf(http.StatusNotFound, "", "there is no schema %q here", q.id())
}

func (h *Handler) resourceTypes(q *request) error {
	if err := q.unfiltered(); err != nil {
		return err
	}
	all := h.discovery.types
	return send(q.w, http.StatusOK, func(dst []byte) []byte {
		return scim.AppendList(dst, len(all), 1, len(all), func(dst []byte, i int) []byte {
			return scim.AppendResourceType(dst, all[i], q.base())
		})
	})
}

func (h *Handler) resourceType(q *request) error {
	for _, rt := range h.discovery.types {
		if strings.EqualFold(rt.Name, q.id()) {
			return send(q.w, http.StatusOK, func(dst []byte) []byte { return scim.AppendResourceType(dst, rt, q.base()) })
		}
	}
	return scim.Errorf(http.StatusNotFound, "", "there is no resource type %q here", q.id())
}

// serviceProviderConfig tells what the service can do (RFC 7643 §5). Anybody may
// read it (RFC 7644 §4).
func (h *Handler) serviceProviderConfig(q *request) error {
	if err := q.unfiltered(); err != nil {
		return err
	}
	location, err := json.Marshal(q.base() + "/ServiceProviderConfig")
	if err != nil {
		return err
	}
	return send(q.w, http.StatusOK, func(dst []byte) []byte {
		dst = append(dst, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],`+
			`"patch":{"supported":true},`+
			`"bulk":{"supported":true,"maxOperations":`...)
		dst = strconv.AppendInt(dst, int64(h.discovery.bulkOperations), 10)
		dst = append(dst, `,"maxPayloadSize":`...)
		dst = strconv.AppendInt(dst, h.discovery.maxBody, 10)
		dst = append(dst, `},"filter":{"supported":true,"maxResults":`...)
		dst = strconv.AppendInt(dst, int64(h.discovery.maxPage), 10)
		dst = append(dst, `},"changePassword":{"supported":`...)
		dst = strconv.AppendBool(dst, h.discovery.passwords())
		dst = append(dst, `},"sort":{"supported":true},"etag":{"supported":true},`...)
		dst = h.appendPagination(dst)
		dst = append(dst, `"authenticationSchemes":[{"type":"oauthbearertoken","name":"OAuth Bearer Token",`+
			`"description":"A bearer token in the Authorization header, given out by the administrator of this service",`+
			`"specUri":"https://www.rfc-editor.org/rfc/rfc6750","primary":true}],`+
			`"meta":{"resourceType":"ServiceProviderConfig","location":`...)
		dst = append(dst, location...)
		dst = append(dst, '}')
		if client, err := h.clients.client(q.Request); err == nil && client.Dialect.Conformant {
			dst = append(dst, `,"interopProfileConformant":true`...)
		}
		return append(dst, '}')
	})
}

// unfiltered refuses a filter, as RFC 7644 §4 demands of the discovery endpoints.
func (q *request) unfiltered() error {
	if q.param("filter") != "" {
		return scim.Errorf(http.StatusForbidden, "", "this endpoint can not be filtered")
	}
	return nil
}
