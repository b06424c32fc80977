package demodir

// maxDepth bounds how deep a filter may nest.
const maxDepth = 128

// The tags of a filter (RFC 4511 §4.5.1).
const (
	filterAnd        = 0xa0
	filterOr         = 0xa1
	filterNot        = 0xa2
	filterEqual      = 0xa3
	filterSubstrings = 0xa4
	filterGreater    = 0xa5
	filterLess       = 0xa6
	filterPresent    = 0x87
	filterApprox     = 0xa8
	filterExtensible = 0xa9
)

// vocabulary is the schema as one client may use it. Who may not read passwords
// may not ask for them either: to that client there is no such attribute.
type vocabulary struct {
	schema  *schema
	trusted bool
}

func (w vocabulary) attribute(description string) *attributeType {
	if t := w.schema.attribute(description); t != w.schema.userPassword || w.trusted {
		return t
	}
	return nil
}

// read reads a filter. An attribute, a rule or a value that the schema
// does not know makes an item Undefined; only a malformed filter, or one that
// nests too deep, is an error.
func (w vocabulary) read(in *decoder, depth int) (filter, error) {
	if depth > maxDepth {
		return nil, refuse(protocolError, "filter nested deeper than %d", maxDepth)
	}
	tag, content, err := in.next()
	if err != nil {
		return nil, err
	}
	body := decoder{content}
	switch tag {
	case filterAnd, filterOr:
		var subs []filter
		for !body.empty() {
			sub, err := w.read(&body, depth+1)
			if err != nil {
				return nil, err
			}
			subs = append(subs, sub)
		}
		if tag == filterAnd {
			return all(subs), nil
		}
		return some(subs), nil
	case filterNot:
		sub, err := w.read(&body, depth+1)
		if err == nil && !body.empty() {
			err = errMalformed
		}
		return not{sub}, err
	case filterEqual, filterApprox, filterGreater, filterLess:
		return w.readAssertion(tag, body)
	case filterSubstrings:
		return w.readSubstrings(body)
	case filterPresent:
		if t := w.attribute(string(content)); t != nil {
			return present{t}, nil
		}
		return unknown{}, nil
	case filterExtensible:
		return w.readExtensible(body)
	}
	return nil, errMalformed
}

func (w vocabulary) readAssertion(tag byte, body decoder) (filter, error) {
	description, err := body.expect(tagString)
	if err != nil {
		return nil, err
	}
	value, err := body.text(tagString)
	if err != nil {
		return nil, err
	}
	t := w.attribute(string(description))
	if t == nil {
		return unknown{}, nil
	}
	by := t.equality
	if tag == filterGreater || tag == filterLess {
		by = t.ordering
	}
	if by == nil {
		return unknown{}, nil
	}
	norm, ok := by.normal(value, whole)
	switch {
	case !ok || value == "":
		return unknown{}, nil
	case by == t.ordering:
		return ordered{t, norm, tag == filterGreater}, nil
	}
	return equal{t, norm}, nil
}

func (w vocabulary) readSubstrings(body decoder) (filter, error) {
	description, err := body.expect(tagString)
	if err != nil {
		return nil, err
	}
	list, err := body.inside(tagSequence)
	if err != nil || list.empty() {
		return nil, errMalformed
	}
	f := substring{typ: w.attribute(string(description))}
	defined := f.typ != nil && f.typ.substrings != nil
	for last := piece(-1); !list.empty(); {
		tag, content, err := list.next()
		if err != nil || tag < 0x80 || tag > 0x82 {
			return nil, errMalformed
		}
		// One initial piece at most comes first, one final at most comes last.
		part := []piece{initial, middle, final}[tag-0x80]
		if last == final || part == initial && last >= 0 {
			return nil, errMalformed
		}
		last = part
		if !defined {
			continue
		}
		norm, ok := f.typ.substrings.normal(string(content), part)
		if !ok || len(content) == 0 {
			defined = false
			continue
		}
		switch part {
		case initial:
			f.initial = norm
		case middle:
			f.middle = append(f.middle, norm)
		case final:
			f.final = norm
		}
	}
	if !defined {
		return unknown{}, nil
	}
	return f, nil
}

func (w vocabulary) readExtensible(body decoder) (filter, error) {
	var ruleName, description, value string
	var inDN, valued bool
	for !body.empty() {
		tag, content, err := body.next()
		if err != nil {
			return nil, err
		}
		switch tag {
		case 0x81:
			ruleName = string(content)
		case 0x82:
			description = string(content)
		case 0x83:
			value, valued = string(content), true
		case 0x84:
			inDN = len(content) == 1 && content[0] != 0
		default:
			return nil, errMalformed
		}
	}
	if !valued || ruleName == "" && description == "" {
		return nil, errMalformed
	}
	f := extensible{inDN: inDN}
	if description != "" {
		if f.typ = w.attribute(description); f.typ == nil {
			return unknown{}, nil
		}
		f.rule = f.typ.equality
	}
	if ruleName != "" {
		f.rule = w.schema.rule(ruleName)
	}
	if f.rule == nil || f.rule.compare != nil || f.rule.syntax == syntaxArc+"58" || f.typ != nil && !f.rule.takes(f.typ) {
		return unknown{}, nil
	}
	norm, ok := f.rule.normal(value, whole)
	if !ok {
		return unknown{}, nil
	}
	f.norm = norm
	return f, nil
}
