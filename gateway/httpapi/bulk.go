package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"postern/gateway"
	"postern/scim"
)

// POST /Bulk (RFC 7644 §3.7).
func (h *Handler) bulk(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	b, err := scim.DecodeBulk(body, h.BulkOperations, q.client.Dialect.Dialect)
	if err != nil {
		return err
	}
	job := bulkJob{q: q, b: b, ids: make(map[string]string), open: make(map[int]bool), results: make([]*scim.BulkResult, len(b.Operations))}
	for _, step := range b.Steps() {
		if job.failed >= b.FailOnErrors {
			break
		}
		job.step(step)
	}
	job.undo()
	done := make([]scim.BulkResult, 0, len(job.results))
	for _, r := range job.results {
		if r != nil {
			done = append(done, *r)
		}
	}
	return send(q.w, http.StatusOK, func(dst []byte) []byte { return scim.AppendBulkResponse(dst, done, q.base()) })
}

// A bulkJob is a bulk request that is being carried out.
type bulkJob struct {
	q       *request
	b       *scim.Bulk
	ids     map[string]string // of what was made, by bulkId
	open    map[int]bool      // made, but for the references that it left out
	results []*scim.BulkResult
	failed  int
}

// step carries out one step and notes what became of its operation.
func (job *bulkJob) step(s scim.BulkStep) {
	op := &job.b.Operations[s.Index]
	if s.Complete && !job.open[s.Index] {
		return // it was not made in the first place
	}
	result := job.results[s.Index]
	if result == nil {
		result = &scim.BulkResult{Method: op.Method, BulkID: op.BulkID}
		job.results[s.Index] = result
	}
	status, res, err := job.do(op, s)
	if res.Resource != nil && op.Method == http.MethodPost {
		result.Location = res.Resource.Type.Endpoint[1:] + "/" + res.Resource.ID()
		if job.open[s.Index] = len(s.Left) > 0; op.BulkID != "" {
			job.ids[op.BulkID] = res.Resource.ID()
		}
	}
	if op.Method != http.MethodPost && op.ID != "" {
		result.Location = op.Endpoint[1:] + "/" + op.Target(job.resolve)
	}
	result.Status = status
	if res.Version != "" {
		result.Version = res.Version.String()
	}
	switch {
	case err != nil && s.Complete:
		job.takeBack(s.Index, err)
	case err != nil:
		job.fail(result, err)
	case s.Complete:
		job.open[s.Index], result.Status = false, http.StatusCreated
	}
}

func (job *bulkJob) fail(result *scim.BulkResult, err error) {
	job.failed++
	e, _ := translate(err)
	result.Status, result.Err, result.Version = e.Status, e, ""
	exchangeOf(job.q.Request).err = err
}

// takeBackTime bounds the deletion of one half-made resource.
const takeBackTime = 10 * time.Second

// takeBack deletes what was made without the references that can not be put in:
// a half of what was asked for is worse than none.
func (job *bulkJob) takeBack(index int, why error) {
	op, result := &job.b.Operations[index], job.results[index]
	delete(job.open, index)
	on := job.q.h.types[op.Endpoint]
	ctx, cancel := context.WithTimeout(context.WithoutCancel(job.q.Context()), takeBackTime) // also when the client has left
	defer cancel()
	err := job.q.h.Gateway.Delete(ctx, job.q.caller, on.rt.Name, job.ids[op.BulkID], scim.Precondition{})
	if err != nil {
		job.fail(result, scim.Errorf(http.StatusConflict, "", "the resource was made without some of its references, and could not be taken back: %s", detail(why)))
		return
	}
	delete(job.ids, op.BulkID)
	result.Location = ""
	job.fail(result, why)
}

// undo takes back what a job that was ended early left half made.
func (job *bulkJob) undo() {
	for index := range job.b.Operations {
		if job.open[index] {
			job.takeBack(index, scim.Errorf(http.StatusConflict, "", "the job ended, after %d errors, before the references of the resource could be put in", job.failed))
		}
	}
}

// resolve returns the id of what was made under a bulkId. What no operation of
// the request makes stands for itself, and names nothing.
func (job *bulkJob) resolve(bulkID string) (string, bool) {
	id, ok := job.ids[bulkID]
	return id, ok
}

// do carries out an operation, or the second half of one.
func (job *bulkJob) do(op *scim.BulkOperation, s scim.BulkStep) (status int, res gateway.Result, err error) {
	if op.Err != nil {
		return 0, res, op.Err
	}
	on, ok := job.q.h.types[op.Endpoint]
	if !ok {
		return 0, res, scim.Errorf(http.StatusNotFound, "", "there is no endpoint %.200q", op.Endpoint)
	}
	if err := job.q.allowed(ReadWrite, on.rt); err != nil {
		return 0, res, err
	}
	var missing error
	id := op.Target(func(name string) (string, bool) { return job.reference(name, s.Left, &missing) })
	opt := job.q.reading(id)
	opt.BulkID = func(name string) (string, bool) { return job.reference(name, s.Left, &missing) }
	var o gateway.WriteOptions
	if op.Version != "" && op.Method != http.MethodPost {
		if o.Precondition, err = scim.ParsePrecondition([]string{op.Version}, nil); err != nil {
			return 0, res, scim.InvalidValue("version %.200q is not an entity tag, such as W/\"a1\"", op.Version)
		}
	}
	var r *scim.Resource
	var p scim.Patch
	switch op.Method {
	case http.MethodPost, http.MethodPut:
		r, err = op.Resource(on.rt, opt)
	case http.MethodPatch:
		p, err = op.Patch(on.rt, opt)
	}
	if missing != nil {
		return 0, res, missing
	}
	if err != nil {
		return 0, res, err
	}
	status = http.StatusOK
	switch {
	case s.Complete:
		o.Reply = true // the version that the first half gave is of the past
		res, err = job.q.h.Gateway.Patch(job.q.Context(), job.q.caller, on.rt.Name, job.ids[op.BulkID], scim.ReferencesOf(r), o)
	case op.Method == http.MethodPost:
		status = http.StatusCreated
		res, err = on.make(job.q, r, o)
	case op.Method == http.MethodPut:
		res, err = on.put(job.q, id, r, o)
	case op.Method == http.MethodPatch:
		if res, err = job.q.h.Gateway.Patch(job.q.Context(), job.q.caller, on.rt.Name, id, p, o); res.Resource == nil {
			status = http.StatusNoContent
		}
	default:
		status, err = http.StatusNoContent, job.q.h.Gateway.Delete(job.q.Context(), job.q.caller, on.rt.Name, id, o.Precondition)
	}
	return status, res, err
}

// reference resolves a bulkId that an operation names: not ok for one that it
// leaves out for now, and a failure where what it names was not made.
func (job *bulkJob) reference(name string, left []string, missing *error) (string, bool) {
	if id, ok := job.ids[name]; ok {
		return id, true
	}
	if slices.Contains(left, name) {
		return "", false
	}
	*missing = scim.Errorf(http.StatusConflict, "", "bulkId %.200q names no resource: no operation of the request makes it, or that one failed", name)
	return "", false
}

// detail is what a client may be told of an error.
func detail(err error) string {
	e, _ := translate(err)
	return strings.TrimSuffix(e.Detail, ".")
}
