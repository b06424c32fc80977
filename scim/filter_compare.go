package scim

import (
	"strconv"
	"strings"
)

// compare makes the comparison of an attribute with a literal, which it turns
// into the attribute's type. What compares with no value asks for presence.
func (d Dialect) compare(path AttrPath, op Op, text string, quoted bool) (Filter, error) {
	null := !quoted && strings.EqualFold(text, "null")
	if null || text == "" {
		switch op {
		case Eq:
			return Not{Present{path}}, nil
		case Ne:
			return Present{path}, nil
		}
	}
	target := path.target()
	if target.Type == Complex {
		if target.value == nil {
			return nil, InvalidFilter("complex attribute %q needs a sub-attribute in a comparison", target)
		}
		if target.value.Returned == ReturnedNever {
			return nil, InvalidFilter("attribute %q can not be used in a filter", target.value)
		}
		target = target.value
		path.Sub = target
	}
	if !applies(op, target.Type) {
		return nil, InvalidFilter("operator %q does not apply to %s attribute %q", op, target.Type, target)
	}
	switch {
	case text == "" && op <= Ew:
		return Present{path}, nil // every value contains the empty string
	case null || text == "":
		return nil, InvalidFilter("operator %q can not compare %q with no value", op, target)
	}
	if !quoted && (target.Type == String || target.Type == Reference) && !(d.BareStrings && isBareword(text)) {
		return nil, InvalidFilter("%.100q is not a value of %s attribute %q; strings stand in double quotes", text, target.Type, target)
	}
	v, ok := literalValue(target, text)
	if !ok || quoted && target.Type == Boolean && !d.TextBooleans {
		return nil, InvalidFilter("%.100q is not a value of %s attribute %q", text, target.Type, target)
	}
	return Compare{path, op, v}, nil
}

// applies reports whether op has a meaning for values of type t.
func applies(op Op, t Type) bool {
	switch op {
	case Eq, Ne:
		return true
	case Co, Sw, Ew:
		return t == String || t == Reference
	default:
		return t != Boolean && t != Binary
	}
}

// isBareword reports whether a string may do without its quotes, as in an example
// of Entra's documentation (externalId eq x). What looks like another kind of
// value or another kind of quotes is a mistake.
func isBareword(s string) bool {
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.@+", r))
	})
}

func literalValue(attr *Attribute, text string) (Value, bool) {
	switch attr.Type {
	case Boolean:
		return parseBool(text)
	case Integer:
		i, err := strconv.ParseInt(text, 10, 64)
		return Int(i), err == nil
	case Decimal:
		f, err := strconv.ParseFloat(text, 64)
		v := Dec(f)
		return v, err == nil && !v.IsAbsent()
	case DateTime:
		_, ok := ParseTime(text)
		return Str(text), ok
	case Binary:
		return Str(text), isBase64(text)
	default:
		return Str(attr.prepare(text)), true
	}
}

// parseBool reads true and false in any case, as Entra has them in strings.
func parseBool(s string) (Value, bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return Bool(true), true
	case strings.EqualFold(s, "false"):
		return Bool(false), true
	}
	return Value{}, false
}
