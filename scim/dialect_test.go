package scim

import "strings"

// The dialects of the tests: all that is accepted of anybody, and all that is
// refused of anybody.
var (
	lenient = Dialect{TextBooleans: true, TextValues: true, BareStrings: true, CreateTargets: true}
	strict  = Dialect{RefuseUnknown: true, RequirePath: true, ReplaceWhole: true, TargetParts: true}
)

// dialectOf returns the dialect that the name of a golden case begins with:
// "Entra" sends what the RFCs would refuse, "Okta" booleans in strings, "interop"
// is refused what they allow, "adds" replaces with a part of the list.
func dialectOf(name string) Dialect {
	switch {
	case strings.HasPrefix(name, "Entra"):
		return lenient
	case strings.HasPrefix(name, "Okta"):
		return Dialect{TextBooleans: true}
	case strings.HasPrefix(name, "interop"):
		return strict
	case strings.HasPrefix(name, "adds"):
		return Dialect{AddReferences: true}
	default:
		return Dialect{}
	}
}

func dialectIf(isStrict bool) Dialect {
	if isStrict {
		return strict
	}
	return lenient
}
