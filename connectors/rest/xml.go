package rest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"postern/connectors"
)

// XML is read and written as if it were JSON: an element is a member of the
// object that it is in, an element that is there several times is an array, an
// element with nothing but text is a string, and attributes are members whose
// names begin with @; text beside them is the member #text. The document is an object with the root as its one member.
// Of an array with one item, or none, XML does not tell that it is one: declared
// lists take a single object for a list of one.

func decodeXML(text []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Entity = map[string]string{}
	for {
		token, err := d.Token()
		if err != nil {
			return nil, errors.New("the answer is not XML")
		}
		if start, ok := token.(xml.StartElement); ok {
			v, err := element(d, start, 0)
			if err != nil {
				return nil, errors.New("the answer is not XML")
			}
			return map[string]any{start.Name.Local: v}, nil
		}
	}
}

// deepest bounds how deep elements may be in each other.
const deepest = 200

func element(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > deepest {
		return nil, errors.New("too deep")
	}
	o := make(map[string]any)
	for _, a := range start.Attr {
		o["@"+a.Name.Local] = a.Value
	}
	var text []byte
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			v, err := element(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			switch was := o[t.Name.Local].(type) {
			case nil:
				o[t.Name.Local] = v
			case []any:
				o[t.Name.Local] = append(was, v)
			default:
				o[t.Name.Local] = []any{was, v}
			}
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			if len(o) > 0 {
				if len(bytes.TrimSpace(text)) > 0 {
					o[textMember] = string(text)
				}
				return o, nil
			}
			return string(text), nil
		}
	}
}

// textMember is the text of an element that has more than text.
const textMember = "#text"

var errXMLText = errors.New("a value has characters that XML can not hold")

// isXMLText reports whether XML 1.0 §2.2 has all characters of a text. What it has
// not, the encoder would replace without a word.
func isXMLText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}

func encodeXML(tree any) ([]byte, error) {
	root, ok := tree.(map[string]any)
	if !ok || len(root) != 1 {
		return nil, &connectors.Error{Kind: connectors.Internal, Unsent: true, Err: errors.New("XML has one root: wrap names it")}
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	for name, v := range root {
		if _, several := v.([]any); several {
			return nil, &connectors.Error{Kind: connectors.Internal, Unsent: true, Err: errors.New("XML has one root, and this one is a list")}
		}
		if err := writeElement(&b, name, v); err != nil {
			return nil, &connectors.Error{Kind: connectors.Invalid, Unsent: true, Err: err}
		}
	}
	return b.Bytes(), nil
}

func writeElement(w io.Writer, name string, v any) error {
	if list, ok := v.([]any); ok {
		for _, item := range list {
			if err := writeElement(w, name, item); err != nil {
				return err
			}
		}
		return nil
	}
	// The encoder checks names and escapes text.
	e := xml.NewEncoder(w)
	start := xml.StartElement{Name: xml.Name{Local: name}}
	o, isObject := v.(map[string]any)
	for _, k := range sortedKeys(o) {
		if k != "" && k[0] == '@' {
			s, _ := scalar(o[k])
			if !isXMLText(s) {
				return errXMLText
			}
			start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: k[1:]}, Value: s})
		}
	}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if err := e.Flush(); err != nil {
		return err
	}
	if isObject {
		v = o[textMember]
	}
	s, _ := scalar(v)
	if n, ok := v.(json.Number); ok {
		s = n.String()
	}
	if !isXMLText(s) {
		return errXMLText
	}
	if err := xml.EscapeText(w, []byte(s)); err != nil {
		return err
	}
	for _, k := range sortedKeys(o) {
		if k != "" && k[0] != '@' && k != textMember {
			if err := writeElement(w, k, o[k]); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(w, "</"+name+">")
	return err
}
