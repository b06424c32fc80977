package mapping

import "postern/scim"

// groupType is the codec of Active Directory's kinds of groups ([MS-ADTS]
// §2.2.12): how far a group reaches, and whether rights may be given to it. The
// directory allows not every change of one into another.
var groupType = table{
	{"-2147483646", scim.Str("security-global")},
	{"-2147483644", scim.Str("security-domain-local")},
	{"-2147483640", scim.Str("security-universal")},
	{"2", scim.Str("distribution-global")},
	{"4", scim.Str("distribution-domain-local")},
	{"8", scim.Str("distribution-universal")},
}
