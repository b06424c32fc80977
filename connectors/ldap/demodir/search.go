package demodir

import (
	"bytes"
	"slices"
	"strconv"
)

// The scopes of a search (RFC 4511 §4.5.1.2).
const (
	scopeBase = 0
	scopeOne  = 1
	scopeSub  = 2
)

// query is a search request.
type query struct {
	base      dn
	scope     int
	sizeLimit int // 0 for none
	typesOnly bool
	filter    filter
	selection selection
	controls  controls
	// raw is the request as it came, to know it again on the next page.
	raw []byte
}

// findings are what a search answers with. Where it ends with an error, what was
// found before goes out all the same (RFC 4511 §4.5.1.4).
type findings struct {
	views []view
	// cookie continues a paged search; empty where there is no more.
	cookie string
	err    error
}

// cursor is where a paged search stands. A connection has one at most, as in
// OpenLDAP: beginning another search by pages ends the one before.
type cursor struct {
	cookie string
	query  []byte
	rest   []*node
	sent   int
}

// search carries a search out. special is the root DSE or the subschema
// subentry where the base names one of these, else nil.
func (d *Directory) search(q *query, special *node, s *session) findings {
	d.mu.RLock()
	defer d.mu.RUnlock()
	base, err := special, error(nil)
	if base == nil {
		if base, err = d.locate(q.base); err != nil {
			return findings{err: err}
		}
	}
	if q.controls.assertion != nil && q.controls.assertion.matches(d, base) != yes {
		return findings{err: refuse(assertionFailed, "")}
	}
	p := q.controls.page
	if p == nil {
		return d.collect(q, d.inScope(q, base), 0, -1)
	}
	scanned, sent := []*node(nil), 0
	switch {
	case p.cookie == "":
		scanned = slices.Clone(d.inScope(q, base)) // it outlives the lock
	case s.cursor == nil:
		return findings{err: refuse(protocolError, "paged results cookie is invalid")}
	case s.cursor.cookie != p.cookie || !bytes.Equal(s.cursor.query, q.raw):
		return findings{err: refuse(unwillingToPerform, "paged results cookie is invalid or old")}
	default:
		scanned, sent = s.cursor.rest, s.cursor.sent
	}
	s.cursor = nil
	if p.cookie != "" && p.size == 0 {
		return findings{} // RFC 2696 §3: the client gives the rest up
	}
	return d.collectPage(q, scanned, sent, s)
}

// collectPage looks at nodes until the page is full and leaves the others for
// the next.
func (d *Directory) collectPage(q *query, scanned []*node, sent int, s *session) findings {
	var page []*node
	for i, n := range scanned {
		if n.entry == nil || q.filter.matches(d, n) != yes {
			continue
		}
		if len(page) == q.controls.page.size {
			// There is one more at least: the page is not the last.
			out := d.collect(q, page, sent, len(page))
			if out.err == nil {
				s.cookies++
				out.cookie = strconv.FormatUint(s.cookies, 36)
				s.cursor = &cursor{out.cookie, bytes.Clone(q.raw), scanned[i:], sent + len(page)}
			}
			return out
		}
		page = append(page, n)
	}
	return d.collect(q, page, sent, len(page))
}

// collect returns the views of the nodes that the filter holds for, those of a
// page, already seen to match, unasked. sent entries of the limit are used up.
func (d *Directory) collect(q *query, nodes []*node, sent, matched int) findings {
	var out findings
	for _, n := range nodes {
		if matched < 0 && q.filter.matches(d, n) != yes {
			continue
		}
		if q.sizeLimit > 0 && sent+len(out.views) == q.sizeLimit {
			out.err = refuse(sizeLimitExceeded, "")
			break
		}
		v := d.see(n, &q.selection)
		d.dereference(&v, n, q.controls.dereference)
		out.views = append(out.views, v)
	}
	return out
}

// inScope returns the nodes to ask the filter about: those that the indices
// name, or all in the scope.
func (d *Directory) inScope(q *query, base *node) []*node {
	if q.scope == scopeBase {
		return []*node{base}
	}
	candidates, narrow := d.candidates(q.filter)
	if !narrow {
		if q.scope == scopeOne {
			return base.children
		}
		return base.subtree(nil)
	}
	var out []*node
	for _, n := range candidates {
		if q.scope == scopeOne && n.parent == base || q.scope == scopeSub && n.isUnder(base) {
			out = append(out, n)
		}
	}
	return out
}

func (n *node) isUnder(base *node) bool {
	for ; n != nil; n = n.parent {
		if n == base {
			return true
		}
	}
	return false
}

// compare answers whether an entry has a value (RFC 4511 §4.10).
func (d *Directory) compare(name dn, t *attributeType, value string, c controls) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n, err := d.locate(name)
	if err != nil {
		return err
	}
	if c.assertion != nil && c.assertion.matches(d, n) != yes {
		return refuse(assertionFailed, "")
	}
	switch a := d.attribute(n, t); {
	case t.equality == nil:
		return refuse(inappropriateMatching, "%s: no equality matching rule", t.name())
	case value == "" && !t.isReference() || !t.syntax.valid(value):
		return refuse(invalidAttributeSyntax, "%s: value invalid per syntax", t.name())
	case a == nil:
		return refuse(noSuchAttribute, "")
	case a.has(t.normal(value)):
		return refuse(compareTrue, "")
	}
	return refuse(compareFalse, "")
}
