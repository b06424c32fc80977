package scim

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

const searchRequestURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// A SearchRequest is what a query asks for, in the parameters of a URL or in the
// body of a POST to /.search (RFC 7644 §3.4.2 and §3.4.3, RFC 9865 §2). What is
// nil was not given.
type SearchRequest struct {
	Attributes, ExcludedAttributes []string
	Filter                         *string
	SortBy, SortOrder              *string
	StartIndex, Count              *int
	Cursor                         *string // empty for the first page
}

// DecodeSearch reads the body of a POST to /.search. Null is no value.
func DecodeSearch(body []byte, opt DecodeOptions) (SearchRequest, error) {
	var s SearchRequest
	d, err := newDecoder(nil, body, opt)
	if err != nil {
		return s, err
	}
	named, count := !opt.Dialect.RefuseUnknown, noValue
	for name, at := range d.members(0) {
		err = nil
		switch strings.ToLower(name) {
		case "schemas":
			named = named && d.nodes[at].kind == 'n'
			for i := range d.children(at) {
				named = named || strings.EqualFold(d.nodes[i].text, searchRequestURN)
			}
		case "attributes":
			s.Attributes, err = d.nameList(name, at)
		case "excludedattributes":
			s.ExcludedAttributes, err = d.nameList(name, at)
		case "filter":
			s.Filter, err = d.optionalText(name, at)
		case "sortby":
			s.SortBy, err = d.optionalText(name, at)
		case "sortorder":
			s.SortOrder, err = d.optionalText(name, at)
		case "cursor":
			s.Cursor, err = d.optionalText(name, at)
		case "startindex":
			s.StartIndex, err = d.optionalNumber(name, at)
		case "count":
			count = at
		default:
			err = d.unknown(name)
		}
		if err != nil {
			return s, err
		}
	}
	if !named {
		return s, InvalidSyntax("attribute \"schemas\" does not name %q", searchRequestURN)
	}
	if count != noValue {
		if s.Count, err = d.optionalNumber("count", count); err != nil && s.Cursor != nil {
			return s, InvalidCount("%s", err)
		}
	}
	return s, err
}

// optionalText decodes a string or null.
func (d *decoder) optionalText(name string, at int) (*string, error) {
	switch n := &d.nodes[at]; n.kind {
	case 'n':
		return nil, nil
	case '"':
		return &n.text, nil
	default:
		return nil, InvalidValue("%s takes a string, not %s", name, n.kind)
	}
}

// optionalNumber decodes an integer or null.
func (d *decoder) optionalNumber(name string, at int) (*int, error) {
	switch n := &d.nodes[at]; n.kind {
	case 'n':
		return nil, nil
	case '0':
		return ParseCount(name, n.text)
	default:
		return nil, InvalidValue("%s takes an integer, not %s", name, n.kind)
	}
}

// ParseCount reads a parameter that is an integer. One beyond what a computer
// counts to is as good as the greatest that it does count to.
func ParseCount(name, text string) (*int, error) {
	n, err := strconv.Atoi(text)
	if errors.Is(err, strconv.ErrRange) {
		if n = math.MaxInt; text[0] == '-' {
			n = math.MinInt
		}
	} else if err != nil {
		return nil, InvalidValue("%s is %.40q, which is not an integer", name, text)
	}
	return &n, nil
}

// nameList decodes a list of attribute names, of which one may stand alone.
func (d *decoder) nameList(name string, at int) ([]string, error) {
	switch n := &d.nodes[at]; n.kind {
	case 'n':
		return nil, nil
	case '"':
		return []string{n.text}, nil
	case '[':
		var names []string
		for i := range d.children(at) {
			if d.nodes[i].kind != '"' {
				return nil, InvalidValue("%s takes names of attributes, not %s", name, d.nodes[i].kind)
			}
			names = append(names, d.nodes[i].text)
		}
		return names, nil
	default:
		return nil, InvalidValue("%s takes a list of names, not %s", name, n.kind)
	}
}
