package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"postern/connectors"
)

// misfit says how the value of an attribute is written otherwise in an answer than
// it is declared, and so would be written back, and what to declare; "" is not at
// all. XML has nothing but text.
func (c *collection) misfit(call *Call, doc any, a connectors.Attr) (what, hint string) {
	known, p := c.path(a)
	v, ok := p.get(doc)
	if _, isRef := c.References[known]; !ok || isRef || call.Form == FormXML || c.apart(known) || c.apartly(known) {
		return "", ""
	}
	declared := c.Types[known]
	types := func(kind string) string { return fmt.Sprintf("types: { %s: %s }", known, kind) }
	if list, isList := v.([]any); isList {
		if !declared.List {
			return "a list in the answer, and declared as one value", types("{ list: true }")
		}
		if len(list) == 0 {
			return "", ""
		}
		v = list[0]
		types = func(kind string) string { return fmt.Sprintf("types: { %s: { type: %s, list: true } }", known, kind) }
	} else if declared.List && declared.Join == "" && v != nil {
		return "one value in the answer, and declared as a list", "leave out list in types, or say join if the text holds several"
	}
	switch v := v.(type) {
	case json.Number:
		kind := "integer"
		if strings.Contains(plainNumber(v.String()), ".") {
			kind = "number"
		}
		switch declared.Kind {
		case KindText, KindTime:
			return "a number in the answer, and declared as text", types(kind)
		case KindBoolean:
			return "a number in the answer, and declared as boolean", types("0/1")
		case KindInteger, KindNumber, KindBit:
		}
	case bool:
		if declared.Kind != KindBoolean {
			return "true or false in the answer, and declared as " + kindText(declared.Kind), types("boolean")
		}
	case string:
		switch declared.Kind {
		case KindInteger, KindNumber, KindBoolean:
			if v != "" {
				return "text in the answer, and declared as " + kindText(declared.Kind), types("text")
			}
		case KindTime:
			if _, err := time.Parse(declared.Layout, v); err != nil && v != "" {
				return "in the answer in another layout than declared as time", types("{ time: LAYOUT }") + ", LAYOUT being 2006-01-02 15:04:05 as the application would write it"
			}
		case KindText, KindBit:
		}
	}
	return "", ""
}

func kindText(k Kind) string {
	switch k {
	case KindInteger, KindNumber:
		return "a number"
	case KindBoolean:
		return "boolean"
	case KindBit:
		return "0/1"
	case KindTime:
		return "a time"
	case KindText:
	}
	return "text"
}
