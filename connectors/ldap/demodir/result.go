package demodir

import "fmt"

// code is an LDAP result code (RFC 4511 §4.1.9; 122 is RFC 4528 §3).
type code int

const (
	success                      code = 0
	operationsError              code = 1
	protocolError                code = 2
	sizeLimitExceeded            code = 4
	compareFalse                 code = 5
	compareTrue                  code = 6
	authMethodNotSupported       code = 7
	strongerAuthRequired         code = 8
	unavailableCriticalExtension code = 12
	noSuchAttribute              code = 16
	undefinedAttributeType       code = 17
	inappropriateMatching        code = 18
	constraintViolation          code = 19
	attributeOrValueExists       code = 20
	invalidAttributeSyntax       code = 21
	noSuchObject                 code = 32
	invalidDNSyntax              code = 34
	inappropriateAuthentication  code = 48
	invalidCredentials           code = 49
	insufficientAccessRights     code = 50
	unwillingToPerform           code = 53
	namingViolation              code = 64
	objectClassViolation         code = 65
	notAllowedOnNonLeaf          code = 66
	entryAlreadyExists           code = 68
	objectClassModsProhibited    code = 69
	assertionFailed              code = 122
)

// fault is a refusal: the LDAPResult of an operation that was not carried out.
type fault struct {
	code    code
	matched string
	text    string
}

func (f *fault) Error() string { return fmt.Sprintf("code %d: %s", f.code, f.text) }

func refuse(c code, format string, args ...any) *fault {
	return &fault{code: c, text: fmt.Sprintf(format, args...)}
}
