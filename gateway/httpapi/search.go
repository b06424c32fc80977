package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"postern/gateway"
	"postern/scim"
)

// queryParameters are those of a query. None may be given twice.
var queryParameters = []string{"filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", "excludedAttributes"}

// GET /Users (RFC 7644 §3.4.2).
func (on resources) list(q *request) error { return on.h.list(q, on) }

// POST /Users/.search (RFC 7644 §3.4.3).
func (on resources) search(q *request) error { return on.h.search(q, on) }

// GET / (RFC 7644 §3.4.2.1).
func (h *Handler) listAll(q *request) error {
	over, err := q.readable()
	if err != nil {
		return err
	}
	return h.list(q, over...)
}

// POST /.search (RFC 7644 §3.4.3).
func (h *Handler) searchAll(q *request) error {
	over, err := q.readable()
	if err != nil {
		return err
	}
	return h.search(q, over...)
}

// readable returns the resource types that the client may read: what a query at
// the root is about.
func (q *request) readable() ([]resources, error) {
	var over []resources
	for _, rt := range q.h.discovery.types {
		if q.client.Access[rt.Name] >= Read {
			over = append(over, q.h.types[rt.Endpoint])
		}
	}
	if len(over) == 0 {
		return nil, scim.Errorf(http.StatusForbidden, "", "this client may not read resources of any type")
	}
	return over, nil
}

func (h *Handler) list(q *request, over ...resources) error {
	s, err := q.searchRequest()
	if err != nil {
		return err
	}
	return h.answer(q, s, over)
}

// search takes nothing from the URL: what stands there and not in the body would
// be lost without a word.
func (h *Handler) search(q *request, over ...resources) error {
	for _, name := range queryParameters {
		if q.query.Has(name) {
			return scim.InvalidValue("%s stands in the URL; a search has its parameters in the body", name)
		}
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	s, err := scim.DecodeSearch(body, q.reading(""))
	if err != nil {
		return err
	}
	return h.answer(q, s, over)
}

// searchRequest reads the parameters of a URL. Of those that are there and empty
// the cursor asks for the first page, and a filter is refused further on; the
// others are not given.
func (q *request) searchRequest() (s scim.SearchRequest, err error) {
	text := func(name string, empty bool) *string {
		if v := q.param(name); v != "" || empty && q.query.Has(name) {
			return &v
		}
		return nil
	}
	s.Attributes, s.ExcludedAttributes = names(q.param("attributes")), names(q.param("excludedAttributes"))
	s.Filter, s.Cursor = text("filter", true), text("cursor", true)
	s.SortBy, s.SortOrder = text("sortBy", false), text("sortOrder", false)
	if v := q.param("startIndex"); v != "" {
		if s.StartIndex, err = scim.ParseCount("startIndex", v); err != nil {
			return s, err
		}
	}
	if v := q.param("count"); v != "" {
		if s.Count, err = scim.ParseCount("count", v); err != nil && s.Cursor != nil {
			return s, scim.InvalidCount("%s", err)
		}
	}
	return s, err
}

// answer carries out a query over resource types, and answers with a page of it.
func (h *Handler) answer(q *request, s scim.SearchRequest, over []resources) error {
	query, err := h.query(q, s, over)
	if err != nil {
		return err
	}
	large := false
	for i, on := range over {
		large = large || slices.ContainsFunc(on.large, query.Parts[i].Selection.Wants)
	}
	done, err := q.making(large)
	if err != nil {
		return err
	}
	defer done()
	page, err := h.Gateway.List(q.Context(), q.caller, query)
	if err != nil {
		return err
	}
	var flush func([]byte) []byte
	each := func(dst []byte, i int) []byte {
		r := page.Results[i].Resource
		at := slices.IndexFunc(over, func(on resources) bool { return on.rt == r.Type })
		return scim.AppendJSON(dst, r, scim.RenderOptions{Selection: query.Parts[at].Selection, BaseURL: query.BaseURL, Flush: flush})
	}
	return stream(q.w, http.StatusOK, func(dst []byte, flushed func([]byte) []byte) []byte {
		flush = flushed
		if query.Cursor != nil {
			return scim.AppendCursorList(dst, page.Total, page.Previous, page.Next, len(page.Results), each)
		}
		return scim.AppendList(dst, page.Total, page.Start, len(page.Results), each)
	}, done)
}

// query turns names into what they stand for. A count above the greatest is
// served with as many as there may be (RFC 7644 §3.4.2.4); cursors bear that too.
func (h *Handler) query(q *request, s scim.SearchRequest, over []resources) (gateway.Query, error) {
	query := gateway.Query{Start: 1, Count: h.PageSize, Cursor: s.Cursor, BaseURL: q.base(), Parts: make([]gateway.Part, len(over))}
	if s.Cursor != nil && s.StartIndex != nil {
		return query, scim.InvalidValue("startIndex and cursor exclude each other: they are two ways of paging")
	}
	if s.StartIndex != nil {
		query.Start = *s.StartIndex
	}
	if s.Count != nil {
		query.Count = min(max(*s.Count, 0), h.MaxPageSize)
	}
	rts := make([]*scim.ResourceType, len(over))
	for i, on := range over {
		rts[i] = on.rt
	}
	keys, err := sortKeys(s, rts, &query.Descending)
	if err != nil {
		return query, err
	}
	for i, rt := range rts {
		part := gateway.Part{Kind: rt.Name}
		if keys != nil {
			part.Sort = keys[i]
		}
		if part.Selection, err = scim.ParseSelection(rt, s.Attributes, s.ExcludedAttributes); err != nil {
			return query, err
		}
		if s.Filter != nil {
			if strings.TrimSpace(*s.Filter) == "" {
				return query, scim.InvalidFilter("the filter is empty; leave it out to list everything")
			}
			if part.Filter, err = q.client.Dialect.ParseFilter(rt, *s.Filter, rts...); err != nil {
				return query, err
			}
		}
		query.Parts[i] = part
	}
	return query, nil
}

// sortKeys reads sortBy and sortOrder (RFC 7644 §3.4.2.3), or returns nil where
// nothing is to be sorted.
func sortKeys(s scim.SearchRequest, rts []*scim.ResourceType, descending *bool) ([]scim.SortKey, error) {
	if s.SortOrder != nil {
		switch {
		case strings.EqualFold(*s.SortOrder, "descending"):
			*descending = true
		case !strings.EqualFold(*s.SortOrder, "ascending") && *s.SortOrder != "":
			return nil, scim.InvalidValue("sortOrder is %.40q; it can be ascending or descending", *s.SortOrder)
		}
	}
	if s.SortBy == nil || *s.SortBy == "" {
		*descending = false
		return nil, nil
	}
	return scim.ParseSortKey(strings.TrimSpace(*s.SortBy), rts...)
}

// making waits for its turn to make an answer that may be large. done must be
// called before the answer is sent: a client may take its time.
func (q *request) making(large bool) (done func(), err error) {
	if !large {
		return func() {}, nil
	}
	if done, err = q.enter(q.h.large, gateway.Timeout, "too many large resources are being read at the moment; try again later"); err != nil {
		return nil, err
	}
	return sync.OnceFunc(done), nil
}

// appendPagination appends what the ServiceProviderConfig tells of pages (RFC
// 9865 §4), with a comma after it.
func (h *Handler) appendPagination(dst []byte) []byte {
	dst = append(dst, `"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index","defaultPageSize":`...)
	dst = strconv.AppendInt(dst, int64(h.PageSize), 10)
	dst = append(dst, `,"maxPageSize":`...)
	dst = strconv.AppendInt(dst, int64(h.MaxPageSize), 10)
	if timeout := int64(h.Gateway.CursorTimeout() / time.Second); timeout > 0 {
		dst = strconv.AppendInt(append(dst, `,"cursorTimeout":`...), timeout, 10)
	}
	return append(dst, `},`...)
}
