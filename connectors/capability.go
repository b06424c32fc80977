package connectors

// A Rule is how a backend compares the values of an attribute.
type Rule uint8

const (
	RuleUnknown    Rule = iota // not in the backend's schema, or without a rule: no value can be asked for
	RuleExact                  // byte for byte (caseExactMatch, caseExactIA5Match)
	RuleIgnoreCase             // without regard to case (caseIgnoreMatch and kin, RFC 4517 §4.2)
	RuleInteger                // integerMatch
	RuleBoolean                // booleanMatch
	RuleTime                   // generalizedTimeMatch
	RuleOctets                 // octetStringMatch
	RuleReference              // distinguishedNameMatch
	RulePhone                  // telephoneNumberMatch: spaces and hyphens mean nothing, and case by server
	RuleNumeric                // numericStringMatch: spaces mean nothing
	RuleOther                  // some other rule, such as certificateExactMatch
)

// An Alphabet is what the values of an attribute are made of. A backend need not
// answer a question about a value of other characters: in LDAP it is Undefined.
type Alphabet uint8

const (
	AnyText   Alphabet = iota
	ASCII              // IA5 String (RFC 4517 §3.3.15)
	Printable          // PrintableString (RFC 4517 §3.2) of at least one character
	Numeric            // digits and spaces (RFC 4517 §3.3.23)
)

// Matching is what a backend's schema says about one attribute.
type Matching struct {
	Rule     Rule
	Alphabet Alphabet
	// Squeezes says that the rule ignores leading and trailing spaces (U+0020) and
	// takes several for one (RFC 4518 §2.6.1).
	Squeezes bool
	// Loose says that the backend may find more values equal than the rest of this
	// says, and that it need not squeeze.
	Loose bool
	// Composes says that letters are compared in their compatibility composition
	// (NFKC, RFC 4518 §2.3), so that other letters are equal too: "ﬁ" and "fi".
	Composes    bool
	Ordering    bool // AtLeast and AtMost work
	Substring   bool // Substring works
	SingleValue bool
	ReadOnly    bool // the backend sets it (NO-USER-MODIFICATION)
	// Unsearchable says that the backend makes the values when they are read, so that
	// no condition on them holds anywhere.
	Unsearchable bool
}

// Capabilities is what a connector can do, asked of the backend once and frozen.
type Capabilities struct {
	Server string     // what answered, for logs and `check`; never for a client
	Conds  CondKind   // what Search understands
	Guard  GuardLevel // the strongest guard of Apply and Delete
	Places bool       // objects lie in containers, and a write can say in which
	Watch  bool       // the connector is a Watcher, and the backend tells what happens
	// Matching holds the attributes of the backend's schema under lower-case
	// names. A nil map says that the backend has no schema to ask.
	Matching map[Attr]Matching
}
