package httpapi

import (
	"slices"

	"postern/scim"
)

// A Dialect is how one kind of client speaks the protocol: what the RFC would
// refuse and is accepted of it, and what it expects in an answer where the RFC
// leaves a choice.
type Dialect struct {
	scim.Dialect
	// NoContent names the resource types whose PATCH is answered with 204 and no
	// body (RFC 7644 §3.5.2 allows both).
	NoContent []string
	// KeepOmitted keeps what a PUT leaves out, where RFC 7644 §3.5.1 lets a
	// server clear it.
	KeepOmitted bool
	// Conformant says in the ServiceProviderConfig that the interoperability
	// profile (draft-zollner-scim-interop-profile) is kept.
	Conformant bool
}

// Dialects returns the dialects that there are, by name.
func Dialects() map[string]Dialect {
	return map[string]Dialect{
		"rfc": {},
		// Microsoft Entra ID, with and without its flag aadOptscim062020: both
		// forms reach one tenant, since provisioning on demand ignores the flag.
		"entra": {
			Dialect:   scim.Dialect{TextBooleans: true, TextValues: true, BareStrings: true, CreateTargets: true},
			NoContent: []string{"Group"},
		},
		// Okta sends nothing that the RFCs refuse; its name is for the log, and for
		// what it may send one day.
		"okta": {},
		"interop": {
			Dialect:    scim.Dialect{RefuseUnknown: true, RequirePath: true, ReplaceWhole: true, TargetParts: true},
			Conformant: true,
		},
	}
}

// quiet reports whether a PATCH of the type is answered without a body, unless
// the client asks for attributes.
func (q *request) quiet(rt *scim.ResourceType) bool {
	return q.param("attributes") == "" && slices.Contains(q.client.Dialect.NoContent, rt.Name)
}
