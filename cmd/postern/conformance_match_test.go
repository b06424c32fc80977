package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// mismatch says where a value differs from a pattern, or nothing: of an object
// the members that the pattern names must match, null is what is absent, "{any}"
// what is there, and lists match as sets.
func mismatch(path string, pattern, value any) string {
	switch p := pattern.(type) {
	case nil:
		if value != nil {
			return fmt.Sprintf("%s is %s and must be absent", path, short(value))
		}
		return ""
	case map[string]any:
		m, ok := value.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %s and must be an object", path, short(value))
		}
		for name, part := range p {
			if why := mismatch(path+"."+name, part, m[name]); why != "" {
				return why
			}
		}
		return ""
	case []any:
		l, ok := value.([]any)
		if !ok || len(l) != len(p) {
			return fmt.Sprintf("%s is %s and must have %d values", path, short(value), len(p))
		}
		if !paired(p, l, make([]bool, len(l))) {
			return fmt.Sprintf("%s is %s, whose values are not those of %s", path, short(value), short(pattern))
		}
		return ""
	case string:
		if p == "{any}" && value != nil {
			return ""
		}
	}
	if pattern != value {
		return fmt.Sprintf("%s is %s, want %s", path, short(value), short(pattern))
	}
	return ""
}

// paired reports whether each pattern matches a value of its own.
func paired(patterns, values []any, used []bool) bool {
	if len(patterns) == 0 {
		return true
	}
	for i, v := range values {
		if used[i] || mismatch("", patterns[0], v) != "" {
			continue
		}
		used[i] = true
		if paired(patterns[1:], values, used) {
			return true
		}
		used[i] = false
	}
	return false
}

func short(v any) string {
	if v == nil {
		return "absent"
	}
	b, _ := json.Marshal(v)
	return fmt.Sprintf("%.300s", b)
}

// decoded reads JSON as the answers are read.
func decoded(text string) (v any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	return v, dec.Decode(&v)
}
