package scim

import (
	"slices"
	"strings"
)

// A Precondition is what If-Match and If-None-Match demand of the version of a
// resource (RFC 9110 §13.1, RFC 7644 §3.14). The zero Precondition demands
// nothing.
type Precondition struct {
	match, noneMatch condition
}

// A condition is one of the two fields.
type condition struct {
	given    bool
	any      bool // *
	versions []Version
}

// holds reports whether the resource is among those that the field names.
func (c *condition) holds(current Version, exists bool) bool {
	return exists && (c.any || slices.Contains(c.versions, current))
}

// ParsePrecondition reads the values of the two header fields: lists of entity
// tags, or *. Tags are compared weakly, since versions are weak (RFC 9110
// §8.8.3.2).
func ParsePrecondition(ifMatch, ifNoneMatch []string) (Precondition, error) {
	var p Precondition
	var err error
	if p.match, err = parseCondition("If-Match", ifMatch); err != nil {
		return Precondition{}, err
	}
	if p.noneMatch, err = parseCondition("If-None-Match", ifNoneMatch); err != nil {
		return Precondition{}, err
	}
	return p, nil
}

func parseCondition(name string, values []string) (condition, error) {
	var c condition
	for _, v := range values {
		c.given = true
		if strings.TrimSpace(v) == "*" && len(values) == 1 {
			c.any = true
			return c, nil
		}
		for {
			v = strings.TrimLeft(v, " \t,")
			if v == "" {
				break
			}
			tag, rest, ok := cutEntityTag(v)
			if !ok {
				return condition{}, InvalidSyntax("header %s is not a list of entity tags", name)
			}
			c.versions = append(c.versions, tag)
			v = rest
		}
	}
	if c.given && len(c.versions) == 0 {
		return condition{}, InvalidSyntax("header %s is not a list of entity tags", name)
	}
	return c, nil
}

// cutEntityTag takes the first entity tag off a list (RFC 9110 §8.8.3).
func cutEntityTag(s string) (Version, string, bool) {
	s = strings.TrimPrefix(s, "W/")
	if !strings.HasPrefix(s, `"`) {
		return "", "", false
	}
	end := strings.IndexByte(s[1:], '"')
	if end < 0 {
		return "", "", false
	}
	tag, rest := s[1:1+end], strings.TrimLeft(s[2+end:], " \t")
	for i := range len(tag) {
		if c := tag[i]; c <= ' ' || c == 0x7f {
			return "", "", false
		}
	}
	return Version(tag), rest, rest == "" || rest[0] == ','
}

// Demanded reports whether there is anything to check.
func (p Precondition) Demanded() bool { return p.match.given || p.noneMatch.given }

// An Outcome is what a check of a precondition comes to.
type Outcome uint8

const (
	OK Outcome = iota
	// Failed is 412: If-Match does not hold.
	Failed
	// NotModified is 304 for a read, and 412 for a write: If-None-Match does not
	// hold.
	NotModified
)

// Check holds the precondition against the version of the resource as it is, or
// against there being none (RFC 9110 §13.2.2).
func (p Precondition) Check(current Version, exists bool) Outcome {
	switch {
	case p.match.given && !p.match.holds(current, exists):
		return Failed
	case p.noneMatch.given && p.noneMatch.holds(current, exists):
		return NotModified
	default:
		return OK
	}
}
