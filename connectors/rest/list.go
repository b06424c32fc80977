package rest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"postern/connectors"
)

// A page is what one call of a list has brought, and what it takes to go on.
type page struct {
	at      place
	objects []any
	next    place
	last    bool
	total   int  // -1 where the application does not tell
	least   int  // the smallest total of this page and those before; -1 where none tells
	back    bool // gone back to, because the list moved
}

// A place is where a page begins. The zero place is the first page's.
type place struct {
	offset int // objects before it
	number int // pages before it
	cursor string
	url    *url.URL
}

// mostBacks is how often a walk goes back a page because the list moved.
const mostBacks = 20

// pages walks through a list. It begins with pages that are known already.
func (c *collection) pages(ctx context.Context, l *List, values map[string]string, known []page) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		var at place
		var been []place // where the pages before began
		total, least, backs := -1, -1, 0
		moves := l.Page.Style == PageOffset || l.Page.Style == PageNumber
		var round circle
		for i := 0; ; i++ {
			var p page
			if i < len(known) {
				p = known[i]
			} else {
				var err error
				if p, err = c.page(ctx, l, values, at); err != nil {
					yield(page{}, err)
					return
				}
			}
			// A list that grows or shrinks while it is walked moves: what was on the
			// page before may be at its end now, and what is next there.
			if moves && i >= len(known) && total >= 0 && p.total >= 0 && p.total != total && at.offset > 0 {
				here := at
				if backs++; backs > mostBacks && p.total < total {
					yield(page{}, c.strange(&l.Call, "the list shrinks faster than it can be walked"))
					return
				}
				if backs <= mostBacks {
					gone := max(1, total-p.total)
					for at.offset+gone > here.offset && len(been) > 0 {
						at, been = been[len(been)-1], been[:len(been)-1]
					}
					var err error
					if p, err = c.page(ctx, l, values, at); err != nil {
						yield(page{}, err)
						return
					}
					p.back = true
				}
			}
			if total = p.total; total >= 0 && (least < 0 || total < least) {
				least = total
			}
			p.least = least
			switch {
			case i == 0 && total >= 0 && total < len(p.objects):
				yield(page{}, c.strange(&l.Call, fmt.Sprintf("a list of %d objects has %d on one page", total, len(p.objects))))
				return
			case p.last && p.next.offset < least:
				yield(page{}, c.strange(&l.Call, fmt.Sprintf("the list is cut: %d of %d objects", p.next.offset, least)))
				return
			case !p.back && round.closes(p):
				yield(page{}, c.strange(&l.Call, "the pages go round in a circle"))
				return
			}
			if !yield(p, nil) || p.last {
				return
			}
			if moves {
				been = append(been, p.at)
			}
			at = p.next
		}
	}
}

// A circle notices that a walk comes by where it was: an application that does not
// heed where a page is to begin would be walked for ever.
type circle struct {
	been   map[string]bool // cursors and URLs of pages
	before []any           // the objects of the last page
	same   int             // pages in a row that were just like the one before
}

// closes reports whether nothing new is to come after a page. One page may be like
// the one before, where a list moves while it is walked.
func (r *circle) closes(p page) bool {
	if len(p.objects) > 0 && reflect.DeepEqual(p.objects, r.before) {
		r.same++
	} else {
		r.same = 0
	}
	r.before = p.objects
	next := p.next.cursor
	if p.next.url != nil {
		next = p.next.url.String()
	}
	again := next != "" && r.been[next]
	if r.been == nil {
		r.been = make(map[string]bool)
	}
	r.been[next] = true
	return again || r.same > 1
}

// page makes the call for the page at a place.
func (c *collection) page(ctx context.Context, l *List, values map[string]string, at place) (page, error) {
	r := request{call: &l.Call, values: values, at: at.url}
	if at.url == nil {
		r.query = l.Page.query(at)
	}
	a, err := c.app.client.do(ctx, r)
	if err != nil {
		return page{}, err
	}
	return c.cut(l, at, a)
}

// cut finds what a page is made of in the answer.
func (c *collection) cut(l *List, at place, a answer) (p page, err error) {
	p.at, p.total = at, -1
	found, ok := l.Items.get(a.doc)
	if l.HasObject && l.Items == nil {
		found, ok = l.Object.get(a.doc)
	}
	switch items := found.(type) {
	case []any:
		p.objects = items
	case map[string]any: // one object; in XML also a list of one
		p.objects = []any{items}
	case nil:
		if !ok && l.Call.Form != FormXML {
			return page{}, c.strange(&l.Call, "the list is not where it should be in the answer")
		}
	default:
		if s, isText := scalar(found); l.Call.Form != FormXML || !isText || strings.TrimSpace(s) != "" {
			p.objects = []any{found}
		}
		if l.Call.Form != FormXML {
			return page{}, c.strange(&l.Call, "what should be the list in the answer is none")
		}
	}
	if v, ok := l.Total.get(a.doc); ok && l.Total != nil {
		if s, ok := scalar(v); ok {
			if n, err := strconv.Atoi(s); err == nil && n >= 0 {
				p.total = n
			}
		}
	}
	p.next, p.last, err = l.Page.after(at, p, a)
	if err != nil {
		return page{}, c.strange(&l.Call, err.Error())
	}
	if p.total >= 0 {
		c.total.Store(int64(p.total))
	}
	return p, nil
}

// query is what a page is asked for by.
func (p Page) query(at place) string {
	var q []string
	add := func(name, value string) { q = append(q, url.QueryEscape(name)+"="+url.QueryEscape(value)) }
	switch p.Style {
	case PageOffset:
		add(p.Offset, strconv.Itoa(at.offset))
	case PageNumber:
		add(p.Number, strconv.Itoa(p.First+at.number))
	case PageCursor:
		if at.cursor != "" {
			add(p.Cursor, at.cursor)
		}
	case PageNone, PageURL, PageLink:
	}
	if p.Limit != "" && p.Size > 0 {
		add(p.Limit, strconv.Itoa(p.Size))
	}
	return strings.Join(q, "&")
}

// after says where the page after one begins, and whether there is none. Where no
// total is told, only an empty page is the end: an application may give fewer
// objects than it is asked for.
func (p Page) after(at place, got page, a answer) (next place, last bool, err error) {
	n := len(got.objects)
	next.offset = at.offset + n
	switch p.Style {
	case PageNone:
		if got.total > n {
			return next, true, fmt.Errorf("the list is cut: %d of %d objects", n, got.total)
		}
		return next, true, nil
	case PageOffset, PageNumber:
		next.number = at.number + 1
		if n == 0 && got.total > at.offset {
			return next, true, fmt.Errorf("the list is cut: %d of %d objects", at.offset, got.total)
		}
		return next, n == 0 || got.total >= 0 && next.offset >= got.total, nil
	case PageCursor:
		v, _ := p.Next.get(a.doc)
		next.cursor, _ = scalar(v)
		if next.cursor != "" && next.cursor == at.cursor {
			return next, true, errors.New("the cursor of the next page is this page's")
		}
		return next, next.cursor == "", nil
	case PageURL:
		v, _ := p.Next.get(a.doc)
		text, _ := scalar(v)
		next.url, err = follow(text, a.url)
		return next, next.url == nil, err
	case PageLink:
		next.url, err = follow(linkTo(a.header, p.Rel), a.url)
		return next, next.url == nil, err
	}
	return next, true, nil
}

// follow resolves the URL of the next page; "" is none.
func follow(text string, from *url.URL) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := from.Parse(text)
	if err != nil {
		return nil, errors.New("the URL of the next page is none")
	}
	if u.String() == from.String() {
		return nil, errors.New("the next page is this page")
	}
	return u, nil
}

// linkTo finds the target of the first link with a relation (RFC 8288 §3).
func linkTo(h http.Header, rel string) string {
	for _, line := range h.Values("Link") {
		for line != "" {
			_, rest, ok := strings.Cut(line, "<")
			if !ok {
				break
			}
			target, params, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			params, line = cutLink(params)
			for p := range strings.SplitSeq(params, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
				if !strings.EqualFold(strings.TrimSpace(name), "rel") {
					continue
				}
				for one := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
					if strings.EqualFold(one, rel) {
						return target
					}
				}
			}
		}
	}
	return ""
}

// cutLink cuts at the comma that ends a link, which is not in quotes.
func cutLink(s string) (link, rest string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// strange is an answer that is not what was declared.
func (c *collection) strange(call *Call, what string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Unavailable, Err: fmt.Errorf("%s %s: %s", call.Method, call.Target, what)}
}
