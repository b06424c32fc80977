package scim

import (
	"strings"
	"unicode/utf8"
)

// The bounds of a filter: longer or deeper ones are refused before they cost
// anything.
const (
	maxFilterLength = 256 << 10
	maxFilterDepth  = 64
	maxFilterTerms  = 1000 // each of them may be evaluated on each resource
)

// ParseFilter parses a filter about resources of type rt (RFC 7644 §3.4.2.2).
// Beyond the RFC's grammar it takes a sub-attribute after a value path
// (emails[type eq "work"].value eq "x"). Nested and-s and or-s of one kind become
// one.
func ParseFilter(rt *ResourceType, s string) (Filter, error) { return Dialect{}.ParseFilter(rt, s) }

// ParseFilter parses a filter that a client of the dialect sent. others are the
// resource types that are searched at the same time: what they define and rt does
// not is an attribute without a value here (RFC 7644 §3.4.2.1).
func (d Dialect) ParseFilter(rt *ResourceType, s string, others ...*ResourceType) (Filter, error) {
	if len(s) > maxFilterLength {
		return nil, InvalidFilter("filter is longer than %d bytes", maxFilterLength)
	}
	if !utf8.ValidString(s) {
		return nil, InvalidFilter("filter is not valid UTF-8")
	}
	p := filterParser{rt: rt, others: others, dialect: d, s: s}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos < len(s) {
		return nil, InvalidFilter("unexpected %q at position %d of the filter", p.rest(), p.pos)
	}
	return f, nil
}

// A filterParser is a position in a filter. Within a value path, attr is the
// attribute whose sub-attributes the names are.
type filterParser struct {
	rt      *ResourceType
	others  []*ResourceType
	dialect Dialect
	attr    *Attribute
	s       string
	pos     int
	depth   int
	terms   int
}

// rest returns the beginning of what is not parsed yet, for messages.
func (p *filterParser) rest() string {
	rest := p.s[p.pos:]
	if len(rest) > 20 {
		rest = strings.ToValidUTF8(rest[:20], "") + "..."
	}
	return rest
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *filterParser) skip() {
	for p.pos < len(p.s) && isSpace(p.s[p.pos]) {
		p.pos++
	}
}

// at reports whether c comes next.
func (p *filterParser) at(c byte) bool { return p.pos < len(p.s) && p.s[p.pos] == c }

// keyword consumes a keyword that ends at a space, at a parenthesis or with the filter.
func (p *filterParser) keyword(word string) bool {
	end := p.pos + len(word)
	if end > len(p.s) || !strings.EqualFold(p.s[p.pos:end], word) {
		return false
	}
	if end < len(p.s) && !isSpace(p.s[end]) && p.s[end] != '(' {
		return false
	}
	p.pos = end
	return true
}

func (p *filterParser) or() (Filter, error) {
	f, err := p.and()
	if err != nil {
		return nil, err
	}
	var all Or
	for {
		if p.skip(); !p.keyword("or") {
			break
		}
		next, err := p.and()
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = flattenOr(nil, f)
		}
		all = flattenOr(all, next)
	}
	if all != nil {
		return all, nil
	}
	return f, nil
}

func flattenOr(all Or, f Filter) Or {
	if o, ok := f.(Or); ok {
		return append(all, o...)
	}
	return append(all, f)
}

func (p *filterParser) and() (Filter, error) {
	f, err := p.term()
	if err != nil {
		return nil, err
	}
	var all And
	for {
		if p.skip(); !p.keyword("and") {
			break
		}
		next, err := p.term()
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = flattenAnd(nil, f)
		}
		all = flattenAnd(all, next)
	}
	if all != nil {
		return all, nil
	}
	return f, nil
}

func flattenAnd(all And, f Filter) And {
	if a, ok := f.(And); ok {
		return append(all, a...)
	}
	return append(all, f)
}

// term parses what and-s and or-s join.
func (p *filterParser) term() (Filter, error) {
	p.skip()
	if p.at('(') {
		return p.group()
	}
	if start := p.pos; p.keyword("not") {
		if p.skip(); p.at('(') {
			f, err := p.group()
			if err != nil {
				return nil, err
			}
			return Not{f}, nil
		}
		p.pos = start // an attribute of that name
	}
	name := p.name()
	if name == "" {
		if p.pos == len(p.s) {
			return nil, InvalidFilter("filter ends where an attribute is expected")
		}
		return nil, InvalidFilter("unexpected %q at position %d of the filter, where an attribute is expected", p.rest(), p.pos)
	}
	if p.terms++; p.terms > maxFilterTerms {
		return nil, InvalidFilter("filter has more than %d comparisons", maxFilterTerms)
	}
	path, err := p.resolve(name)
	if err != nil {
		return nil, err
	}
	if p.at('[') {
		return p.valuePath(path)
	}
	return p.expression(path)
}

// group parses a filter in parentheses.
func (p *filterParser) group() (Filter, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, InvalidFilter("filter is nested deeper than %d", maxFilterDepth)
	}
	p.pos++
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skip(); !p.at(')') {
		return nil, InvalidFilter("parenthesis is not closed at position %d of the filter", p.pos)
	}
	p.pos++
	p.depth--
	return f, nil
}

// name consumes an attribute's name, with URN and sub-attribute where it has them.
func (p *filterParser) name() string {
	start := p.pos
	for p.pos < len(p.s) {
		switch c := p.s[p.pos]; {
		case isSpace(c), c == '[', c == ']', c == '(', c == ')', c == '"':
			return p.s[start:p.pos]
		}
		p.pos++
	}
	return p.s[start:]
}

// resolve finds the attribute of a name.
func (p *filterParser) resolve(name string) (AttrPath, error) {
	var path AttrPath
	switch {
	case p.attr == nil:
		a, ok := p.rt.Attribute(name)
		for i := 0; !ok && i < len(p.others); i++ {
			a, ok = p.others[i].Attribute(name)
		}
		if !ok {
			return path, InvalidFilter("unknown attribute %.200q in filter", name)
		}
		path = pathOf(a)
	case p.attr.Type != Complex && strings.EqualFold(name, "value"):
		path.Attr = p.attr // the elements of a simple multi-valued attribute
	default:
		a, ok := p.attr.SubAttribute(name)
		if !ok {
			return path, InvalidFilter("unknown sub-attribute %.200q of %q in filter", name, p.attr)
		}
		path.Attr = a
	}
	for _, a := range []*Attribute{path.Attr, path.Sub} {
		if a != nil && a.Returned == ReturnedNever {
			return path, InvalidFilter("attribute %q can not be used in a filter", a)
		}
	}
	return path, nil
}

// valuePath parses the filter in brackets after a name, and what may follow it.
func (p *filterParser) valuePath(path AttrPath) (Filter, error) {
	f, err := p.brackets(path)
	if err != nil {
		return nil, err
	}
	attr := path.Attr
	if !p.at('.') {
		return ValuePath{attr, f}, nil
	}
	p.pos++
	p.attr = attr
	sub, err := p.resolve(p.name())
	if err != nil {
		return nil, err
	}
	e, err := p.expression(sub)
	p.attr = nil
	if err != nil {
		return nil, err
	}
	// ne is the negation of eq here too: of the whole, not within an element.
	switch n := e.(type) {
	case Compare:
		if n.Op == Ne {
			n.Op = Eq
			return Not{ValuePath{attr, flattenAnd(flattenAnd(nil, f), n)}}, nil
		}
	case Not:
		return Not{ValuePath{attr, flattenAnd(flattenAnd(nil, f), n.Filter)}}, nil
	}
	return ValuePath{attr, flattenAnd(flattenAnd(nil, f), e)}, nil
}

// brackets parses [filter], in which the names are sub-attributes of path's.
func (p *filterParser) brackets(path AttrPath) (Filter, error) {
	switch {
	case p.attr != nil || path.Sub != nil:
		return nil, InvalidFilter("value filter at position %d does not follow a top-level attribute", p.pos)
	case path.Attr.Type != Complex && !path.Attr.MultiValued:
		return nil, InvalidFilter("attribute %q has no elements to filter", path.Attr)
	}
	p.pos++
	p.attr = path.Attr
	f, err := p.or()
	p.attr = nil
	if err != nil {
		return nil, err
	}
	if p.skip(); !p.at(']') {
		return nil, InvalidFilter("bracket is not closed at position %d of the filter", p.pos)
	}
	p.pos++
	return f, nil
}

// expression parses the operator and the value after a path.
func (p *filterParser) expression(path AttrPath) (Filter, error) {
	p.skip()
	start := p.pos
	for p.pos < len(p.s) && p.s[p.pos]|0x20 >= 'a' && p.s[p.pos]|0x20 <= 'z' {
		p.pos++
	}
	word := p.s[start:p.pos]
	if strings.EqualFold(word, "pr") {
		return Present{path}, nil
	}
	op, ok := parseOp(word)
	if !ok {
		if word == "" {
			return nil, InvalidFilter("no operator after attribute %q in filter", path)
		}
		return nil, InvalidFilter("operator %.40q is not supported", word)
	}
	p.skip()
	text, quoted, err := p.literal()
	if err != nil {
		return nil, err
	}
	return p.dialect.compare(path, op, text, quoted)
}

func parseOp(word string) (Op, bool) {
	if len(word) == 2 {
		for op, name := range opNames {
			if word[0]|0x20 == name[0] && word[1]|0x20 == name[1] {
				return Op(op), true
			}
		}
	}
	return 0, false
}

// literal consumes a comparison value.
func (p *filterParser) literal() (text string, quoted bool, err error) {
	if p.at('"') {
		r := jsonReader{s: p.s, pos: p.pos}
		text, err := r.text()
		if err != nil {
			return "", false, InvalidFilter("string at position %d of the filter: %s", p.pos, err)
		}
		p.pos = r.pos
		if p.pos < len(p.s) && !isSpace(p.s[p.pos]) && p.s[p.pos] != ')' && p.s[p.pos] != ']' {
			return "", false, InvalidFilter("unexpected %q after a string at position %d of the filter", p.rest(), p.pos)
		}
		return text, true, nil
	}
	text = p.name()
	switch {
	case text == "" && (p.at('[') || p.at('(')):
		return "", false, InvalidFilter("a comparison takes one value, and at position %d of the filter is a list: join comparisons by \"or\"", p.pos)
	case text == "":
		return "", false, InvalidFilter("no value at position %d of the filter", p.pos)
	case p.at('"') || p.at('(') || p.at('['):
		return "", false, InvalidFilter("unexpected %q at position %d of the filter", p.rest(), p.pos)
	case strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0:
		return "", false, InvalidFilter("control character in a value without quotes")
	}
	return text, false, nil
}
