package connectors

// A Rule is how a backend compares the values of an attribute.
type Rule uint8

const (
	RuleUnknown    Rule = iota // not in the backend's schema, or the schema does not say
	RuleExact                  // byte for byte (caseExactMatch, caseExactIA5Match)
	RuleIgnoreCase             // without regard to case (caseIgnoreMatch and kin, RFC 4517 §4.2)
	RuleInteger                // integerMatch
	RuleBoolean                // booleanMatch
	RuleTime                   // generalizedTimeMatch
	RuleOctets                 // octetStringMatch
	RuleReference              // distinguishedNameMatch
	RuleOther                  // some other rule, such as telephoneNumberMatch
)

// Matching is what a backend's schema says about one attribute.
type Matching struct {
	Rule Rule
	// Squeezes says that the rule ignores leading, trailing and repeated spaces
	// (RFC 4518 §2.6.1), so that equality there is wider than here.
	Squeezes    bool
	Ordering    bool // AtLeast and AtMost work
	Substring   bool // Substring works
	SingleValue bool
	ReadOnly    bool // the backend sets it (NO-USER-MODIFICATION)
}

// Capabilities is what a connector can do, asked of the backend once and frozen.
type Capabilities struct {
	Server string     // what answered, for logs and `check`; never for a client
	Conds  CondKind   // what Search understands
	Guard  GuardLevel // the strongest guard of Apply and Delete
	// Matching holds the attributes of the backend's schema under lower-case
	// names. A nil map says that the backend has no schema to ask.
	Matching map[Attr]Matching
}
