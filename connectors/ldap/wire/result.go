package wire

import (
	"fmt"
	"math"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// A Result is an LDAPResult with the controls of its message (RFC 4511 §4.1.9).
type Result struct {
	Code      int
	MatchedDN string
	Text      string // the diagnosticMessage: for the log, never for a client
	Controls  Controls
	Referrals []string // URLs, where the code is Referral
	SASL      string   // the server's part of a step of a SASL bind
}

// A Reply is everything that came in answer to one request. Search references
// are left out: referrals are not followed.
type Reply struct {
	Entries []string // SearchResultEntry messages, for ParseEntry
	Result
}

// parseResult reads the operation and the controls of a final response.
func parseResult(message string) (Result, error) {
	r := NewReader(message)
	_, content := r.Any()
	op := NewReader(content)
	res := Result{
		Code:      int(op.Int(TagEnumerated)),
		MatchedDN: op.Read(TagOctetString),
		Text:      op.Read(TagOctetString),
	}
	// What else there may be (an extended response) is not used, but must be
	// well-formed.
	for op.More() {
		switch tag, content := op.Any(); tag {
		case tagReferral:
			for list := NewReader(content); list.More(); {
				res.Referrals = append(res.Referrals, list.Read(TagOctetString))
				if list.Err() != nil {
					op.Fail()
				}
			}
		case tagSASLReply:
			res.SASL = content
		}
	}
	if r.More() && r.Peek() == tagControls {
		res.Controls = Controls(r.Read(tagControls))
	}
	if op.Err() != nil || r.Err() != nil {
		return Result{}, fmt.Errorf("response: %w", errBER)
	}
	return res, nil
}

// The result codes that the connector tells apart (RFC 4511 appendix A, RFC
// 4528 §4).
const (
	Success                = 0
	OperationsError        = 1
	ProtocolError          = 2
	TimeLimitExceeded      = 3
	SizeLimitExceeded      = 4
	StrongAuthRequired     = 8
	Referral               = 10
	AdminLimitExceeded     = 11
	UnavailableCritical    = 12
	ConfidentialityNeeded  = 13
	SASLBindInProgress     = 14
	NoSuchAttribute        = 16
	UndefinedType          = 17
	InappropriateMatching  = 18
	ConstraintViolation    = 19
	AttributeOrValueExists = 20
	InvalidSyntax          = 21
	NoSuchObject           = 32
	InvalidDNSyntax        = 34
	InvalidCredentials     = 49
	InsufficientAccess     = 50
	Busy                   = 51
	Unavailable            = 52
	UnwillingToPerform     = 53
	NamingViolation        = 64
	ObjectClassViolation   = 65
	NotAllowedOnNonLeaf    = 66
	NotAllowedOnRDN        = 67
	EntryAlreadyExists     = 68
	AffectsMultipleDSAs    = 71
	Other                  = 80
	AssertionFailed        = 122
	SyncRefreshRequired    = 4096 // RFC 4533 §2.6
)

// A ResultError is a result code that is not success.
type ResultError struct {
	Op string
	Result
}

func (e *ResultError) Error() string {
	s := fmt.Sprintf("%s: result code %d", e.Op, e.Code)
	if name, ok := ldap.LDAPResultCodeMap[uint16(e.Code)]; ok && e.Code >= 0 && e.Code <= math.MaxUint16 {
		s += " (" + strings.ToLower(name) + ")"
	}
	if e.Text != "" {
		s += fmt.Sprintf(": %q", e.Text)
	}
	return s
}
