package mapping

import (
	"postern/connectors"
	"postern/scim"
)

// A codec is a lens between single SCIM values and single backend values:
// decoding what was encoded gives the value back, in its canonical text.
type codec interface {
	// decode gives the SCIM value of a stored value; ok is false for one that
	// is not in the codec's form, which is then hidden and left alone.
	decode(v connectors.Value) (value scim.Value, ok bool)
	// encode gives the value to store for one that is not Absent.
	encode(v scim.Value) (connectors.Value, error)
	// total reports whether every value that the backend can store under this
	// matching decodes, so that a present attribute is a present value.
	total(m connectors.Matching) bool
	// lower gives the condition under which a stored value compares so. The
	// operator is never Ne.
	lower(q question) answer
}

// A state is a codec of a kind of its own: a boolean that is a matter of the
// whole attribute, where to have no value says something too. It can be
// changed but not taken away: a client that leaves it out leaves it as it is.
type state interface {
	read(values []connectors.Value) scim.Value
	// write gives the values to have instead, or an error when those that are
	// there make no sense.
	write(on bool, values []connectors.Value) ([]connectors.Value, error)
	// initial is what a new entry gets when the client says nothing, of what other
	// states of the attribute gave it. secured says that it gets a password.
	initial(values []connectors.Value, secured bool) []connectors.Value
	// needsPassword reports whether a new entry may be on only with a password.
	needsPassword() bool
	// lower gives the condition under which the state is on, or off.
	lower(q question, on bool) answer
}

// tableName stands for a codec that is a table of values.
const tableName = "values"

// suffixName and roleName stand for codecs that are told a suffix, or a role.
const (
	suffixName = "suffix"
	roleName   = "role"
)

// codecNames are the codecs that a configuration can name.
var codecNames = []string{"text", "boolean", "bool-not", "integer", "decimal", "generalizedTime",
	"objectGUID", "objectSid", "filetime", "ad-account-expires", "ad-group-type", "photo", "proxyAddresses", accountNameCodec, "boolean-words", "integer-text", "base64", "ad-enabled", "ad-password", "ds-account-lock", "ppolicy-locked",
	"ad-password-never-expires", "ad-password-not-required", "ad-smartcard-required", "ad-not-delegated",
	"ad-must-change-password", "ad-locked-out", "ds-locked-out", "ppolicy-locked-out"}

// codecNamed returns the codec (or state) of a name, and the SCIM types that it
// fits.
func codecNamed(name string) (c codec, s state, fits []scim.Type) {
	switch name {
	case "text":
		return text{}, nil, []scim.Type{scim.String, scim.Reference, scim.DateTime, scim.Binary}
	case "boolean":
		return boolean{}, nil, []scim.Type{scim.Boolean}
	case "bool-not":
		return boolean{not: true}, nil, []scim.Type{scim.Boolean}
	case "integer":
		return integer{}, nil, []scim.Type{scim.Integer}
	case "decimal":
		return decimal{}, nil, []scim.Type{scim.Decimal}
	case "generalizedTime":
		return generalizedTime{}, nil, []scim.Type{scim.DateTime, scim.String}
	case "objectGUID":
		return objectGUID{}, nil, []scim.Type{scim.String}
	case "base64":
		return base64Binary{}, nil, []scim.Type{scim.Binary, scim.String}
	case "objectSid":
		return objectSID{}, nil, []scim.Type{scim.String}
	case "filetime":
		return fileTime{}, nil, []scim.Type{scim.DateTime, scim.String}
	case "ad-account-expires":
		return accountExpires{}, nil, []scim.Type{scim.DateTime, scim.String}
	case "ad-group-type":
		return groupType, nil, []scim.Type{scim.String}
	case accountNameCodec:
		return accountName{}, nil, []scim.Type{scim.String}
	case "proxyAddresses":
		return proxyAddresses{}, nil, []scim.Type{scim.String}
	case "photo":
		return photo{}, nil, []scim.Type{scim.Reference, scim.String}
	case "boolean-words":
		return yesNo{}, nil, []scim.Type{scim.Boolean}
	case "integer-text":
		return digits{}, nil, []scim.Type{scim.Integer}
	case "ad-password":
		return adPassword{}, nil, []scim.Type{scim.String}
	case "ad-enabled":
		return nil, adEnabled, []scim.Type{scim.Boolean}
	case "ad-password-never-expires":
		return nil, adFlag{mask: passwordNeverEnds}, []scim.Type{scim.Boolean}
	case "ad-password-not-required":
		return nil, adFlag{mask: passwordNotRequired}, []scim.Type{scim.Boolean}
	case "ad-smartcard-required":
		return nil, adFlag{mask: smartcardRequired}, []scim.Type{scim.Boolean}
	case "ad-not-delegated":
		return nil, adFlag{mask: notDelegated}, []scim.Type{scim.Boolean}
	case "ad-must-change-password":
		return nil, mustChange{}, []scim.Type{scim.Boolean}
	case "ad-locked-out":
		return nil, adLockedOut{}, []scim.Type{scim.Boolean}
	case "ds-locked-out":
		return nil, dsLockedOut{}, []scim.Type{scim.Boolean}
	case "ppolicy-locked-out":
		return nil, ppolicyLockedOut{}, []scim.Type{scim.Boolean}
	case "ds-account-lock":
		return nil, dsAccountLock{}, []scim.Type{scim.Boolean}
	case "ppolicy-locked":
		return nil, ppolicyLocked{}, []scim.Type{scim.Boolean}
	}
	return nil, nil, nil
}

// plainCodec is the codec of an attribute for which the configuration names
// none. A JSON Pointer leads into an object that has its own types.
func plainCodec(t scim.Type, a connectors.Attr) string {
	switch t {
	case scim.Boolean:
		return "boolean"
	case scim.Integer:
		return "integer"
	case scim.Decimal:
		return "decimal"
	case scim.Binary:
		if isPointer(a) {
			return "text"
		}
		return "base64"
	case scim.DateTime:
		if isPointer(a) {
			return "text"
		}
		return "generalizedTime"
	default:
		return "text"
	}
}

// isPointer reports whether an attribute's name is a JSON Pointer (RFC 6901).
func isPointer(a connectors.Attr) bool { return len(a) > 0 && a[0] == '/' }

// same reports whether two single values are written alike. It is narrower than
// equality in SCIM: a change of case is a change.
func same(a, b scim.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case scim.KindString:
		return a.Text() == b.Text()
	case scim.KindBoolean:
		return a.Bool() == b.Bool()
	case scim.KindInteger:
		return a.Int() == b.Int()
	case scim.KindDecimal:
		return a.Float() == b.Float()
	case scim.Absent:
		return true
	default:
		return a.String() == b.String()
	}
}
