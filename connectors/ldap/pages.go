package ldap

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A request is a search that is still to be encoded.
type request struct {
	wire.Search
	want, extra []connectors.Attr
	extDN       bool // references with GUIDs
	paged       bool
	pageable    bool // it may be paged if it turns out that the server gives less at once
	deleted     bool // deleted objects too, in Active Directory
}

// append encodes the request for one page.
func (r request) append(b []byte, size int, cookie string) []byte {
	b = wire.AppendSearch(b, r.Search, r.want, r.extra)
	b, m := wire.BeginControls(b)
	if r.extDN {
		b = wire.AppendExtendedDN(b)
	}
	if r.deleted {
		b = wire.AppendShowDeleted(b)
	}
	if r.paged {
		b = wire.AppendPaging(b, size, cookie)
	}
	return wire.EndControls(b, m)
}

// abandonTime bounds how long a server is told that a cursor is of no interest.
const abandonTime = 2 * time.Second

// pages gives the entries of a search as they come, page by page, and ends with
// a *wire.Error or a *wire.ResultError if it could not be completed.
func (d *Directory) pages(ctx context.Context, r request) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if !r.paged {
			reply, err := d.onePage(ctx, r)
			if err != nil {
				yield(nil, err)
				return
			}
			if !r.pageable || !limited(reply) || r.SizeLimit > 0 && len(reply.Entries) >= r.SizeLimit {
				yieldReply(reply, yield)
				return
			}
			r.SizeLimit, r.paged = 0, true // a limit may be more than the server lets anybody ask for
		}
		c, reply, err := d.firstPage(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		if says(reply, "not allowed") { // OpenLDAP, with size.prtotal=disabled
			d.pool.release(c)
			if reply, err = d.onePage(ctx, r); err != nil {
				yield(nil, err)
				return
			}
			yieldReply(reply, yield)
			return
		}
		cookie := ""
		defer func() { d.endCursor(c, r, cookie) }()
		for {
			if cookie, err = reply.Controls.Cookie(); err != nil {
				yield(nil, err)
				return
			}
			if !yieldReply(reply, yield) || cookie == "" {
				return
			}
			page, cancel := d.pool.limit(ctx)
			reply, err = c.Do(page, r.append(nil, d.pageSize(), cookie))
			cancel()
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// limited reports whether a server gave less than there is.
func limited(reply wire.Reply) bool {
	return reply.Code == wire.SizeLimitExceeded || reply.Code == wire.AdminLimitExceeded
}

// says reports whether a server refused to begin a paged search because of the paging,
// in such words.
func says(reply wire.Reply, words string) bool {
	return reply.Code == wire.AdminLimitExceeded && len(reply.Entries) == 0 && strings.Contains(reply.Text, "pagedResults") && strings.Contains(reply.Text, words)
}

// pageSize is how many entries are asked for in one page.
func (d *Directory) pageSize() int {
	if n := int(d.smaller.Load()); n > 0 {
		return n
	}
	return d.config.PageSize
}

// onePage is a search without the paged results control.
func (d *Directory) onePage(ctx context.Context, r request) (wire.Reply, error) {
	r.paged = false
	body := d.body()
	defer d.done(body)
	*body = r.append(*body, 0, "")
	return d.pool.read(ctx, *body)
}

// yieldReply gives the entries of one answer, and its error if it is one. It
// reports whether more may follow.
func yieldReply(reply wire.Reply, yield func([]string, error) bool) bool {
	if len(reply.Entries) > 0 && !yield(reply.Entries, nil) {
		return false
	}
	if reply.Code != wire.Success {
		yield(nil, &wire.ResultError{Op: "search", Result: reply.Result})
		return false
	}
	return true
}

// firstPage begins a paged search. The cursor lives on the connection that is
// returned: 389-DS takes its cookie on another one for a new search.
func (d *Directory) firstPage(ctx context.Context, r request) (*conn, wire.Reply, error) {
	ctx, cancel := d.pool.limit(ctx)
	defer cancel()
	body := d.body()
	defer d.done(body)
	for start := time.Now(); ; {
		size := d.pageSize()
		*body = r.append((*body)[:0], size, "")
		c, err := d.pool.acquire(ctx, true, false)
		if err != nil {
			return nil, wire.Reply{}, err
		}
		reply, err := d.pool.send(ctx, c, *body)
		if err == nil && size > 1 && says(reply, "page size") { // OpenLDAP, with a size.pr
			d.pool.release(c)
			d.smaller.Store(int32(size / 2))
			continue
		}
		if err == nil {
			routeOf(ctx).answered(c.server)
			return c, reply, nil
		}
		d.pool.release(c)
		if e, ok := errors.AsType[*wire.Error](err); !ok || !e.Broken || !c.born.Before(start) {
			return nil, wire.Reply{}, err
		}
	}
}

// endCursor gives the connection back. A cursor that was not read to its end is
// abandoned (RFC 2696 §3), without making the caller wait for it.
func (d *Directory) endCursor(c *conn, r request, cookie string) {
	if cookie == "" || c.Err() != nil {
		d.pool.release(c)
		return
	}
	d.pool.background.Go(func() {
		defer d.pool.release(c)
		ctx, cancel := context.WithTimeout(context.Background(), abandonTime)
		defer cancel()
		c.Do(ctx, r.append(nil, 0, cookie)) // if it fails, the connection's end frees the cursor
	})
}
