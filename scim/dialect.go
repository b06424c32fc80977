package scim

// A Dialect says where the reading of requests departs from the RFCs for one
// kind of client. The zero Dialect is the RFCs, with what is harmless and not
// of their grammar: operation names in any case, dotted keys in a value without
// a path, one value in place of a list of one, a message without schemas.
type Dialect struct {
	// TextBooleans takes "True" for true, in values and in filters (RFC 7643
	// §2.3.2 wants the JSON literal).
	TextBooleans bool
	// TextValues takes a string in place of a complex value for its
	// sub-attribute value, and JSON in a string for the complex value itself.
	TextValues bool
	// BareStrings takes strings without quotes in filters.
	BareStrings bool
	// CreateTargets makes the element that a replace is about and that does not
	// exist, where RFC 7644 §3.5.2.3 wants noTarget.
	CreateTargets bool
	// AddReferences takes the replacement of a list of references (members) for
	// an addition: for a client that replaces with a part of the list.
	AddReferences bool

	// RefuseUnknown refuses attributes and schemas that are not known, and a
	// message that does not name its schema, where the RFCs let a server pass
	// over them (RFC 7644 §3.3).
	RefuseUnknown bool
	// RequirePath refuses PATCH operations without a path.
	RequirePath bool
	// ReplaceWhole lets the replacement of a complex attribute take away the
	// sub-attributes that it does not name, where RFC 7644 §3.5.2.3 keeps them.
	ReplaceWhole bool
	// TargetParts refuses an add or replace whose path has a value filter and no
	// sub-attribute.
	TargetParts bool
}
