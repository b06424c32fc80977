package scim

import "strconv"

// A BulkResult is what became of one operation of a bulk request.
type BulkResult struct {
	Method, BulkID string
	Location       string // relative to the base URL; empty where there is none
	Version        string // an entity tag, or empty
	Status         int
	Err            *Error // why it failed, or nil
}

// AppendBulkResponse appends a bulk response (RFC 7644 §3.7.3). Bodies are given
// for failures alone.
func AppendBulkResponse(dst []byte, results []BulkResult, baseURL string) []byte {
	dst = append(dst, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":[`...)
	for i := range results {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = results[i].appendTo(dst, baseURL)
	}
	return append(dst, ']', '}')
}

func (r *BulkResult) appendTo(dst []byte, baseURL string) []byte {
	dst = appendString(append(dst, `{"method":`...), r.Method)
	dst = appendMember(dst, "bulkId", r.BulkID)
	if r.Location != "" {
		dst = appendURI(append(dst, `,"location":`...), r.Location, baseURL)
	}
	dst = appendMember(dst, "version", r.Version)
	dst = append(dst, `,"status":"`...)
	dst = append(strconv.AppendInt(dst, int64(r.Status), 10), '"')
	if r.Err != nil {
		dst = AppendError(append(dst, `,"response":`...), r.Err)
	}
	return append(dst, '}')
}
