package ldap

import (
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
)

// A dialect is what is different from one kind of server to another and can not
// be asked of it.
type dialect struct {
	name   string
	anchor string // the attribute with the most durable identifier
	// stamp is an attribute that changes with every write of an entry's own
	// attributes and that an assertion can name.
	stamp connectors.Attr
	// guidDN: an object can be named by its GUID in place of its DN.
	guidDN bool
	// nameAttr is the attribute by which entries are found when references are
	// resolved, and terms how many of them one filter has. 389-DS and Samba take
	// time that grows with the square of that.
	nameAttr  connectors.Attr
	nameTerms int
	conds     connectors.CondKind
	// computed holds attributes, in lower case, that the server fills itself
	// although its schema does not say so.
	computed []string
	// systemSchema says that what may not be written is told by attributeSchema
	// objects and not by the subschema.
	systemSchema bool
	// textTimes says that times are compared as the texts that they are written
	// in, whatever rule the schema names: 20240102030405Z is not 20240102030405.0Z.
	textTimes bool
	// syntaxes says how the values of attributes without an equality rule are
	// compared, by the OID of the syntax; those that it lacks can not be.
	syntaxes map[string]connectors.Matching
	// composes says that texts beyond ASCII are compared in their compatibility
	// composition.
	composes bool
	// clearPasswords says that a userPassword in an Add or a Modify may be stored as
	// it comes, while the Password Modify operation hashes it.
	clearPasswords bool
	// roles says that nsAccountLock may come of a role (a class of service).
	roles bool
	// indexes says how the server tells what is indexed.
	indexes int
	// rights says how the server tells what the bind identity may do.
	rights int
	// ordered says that the changes of a Modify are checked one after the other,
	// so that a second value of an attribute for one is refused even if a later
	// change takes it out again. Others check the entry that comes out.
	ordered bool
	// longest is how many bytes of values one Modify may have, within what the
	// server takes unless it is told otherwise: OpenLDAP's sockbuf_max_incoming_auth
	// is 4 MiB, 389-DS's nsslapd-maxbersize 2 MiB. Active Directory takes 10 MB, but
	// may run out of time or room for what it has to be able to roll back; 5,000
	// values at once are recommended.
	longest int
	// integrity says that references to a deleted object go with it, always.
	integrity bool
	// containers is a filter for entries with others below.
	containers string
	// tells says how the server tells what happens. 389-DS has content synchronization too, but its answer to
	// a cookie passes over what was made and deleted since, and the cookies that come with changes are those of
	// others when several are made at once.
	tells telling
}

const anchorTerms = 50 // anchors in one filter; see docs/ldap-client.md

var dialects = []dialect{
	{
		name:      "openldap",
		anchor:    "entryUUID",
		stamp:     "entryCSN",
		nameAttr:  "entryDN",
		nameTerms: 50,
		conds:     connectors.AllConds &^ connectors.CondBits,
		computed:  []string{"memberof"},
		longest:   3 << 20,

		clearPasswords: true,
		composes:       true,
		indexes:        indexLines,
		containers:     "(hasSubordinates=TRUE)",
		tells:          tellsContent,
	},
	{
		name:      "ds389",
		anchor:    "nsUniqueId",
		nameAttr:  "entrydn",
		nameTerms: 20,
		conds:     connectors.AllConds &^ connectors.CondBits,
		computed:  []string{"memberof"},
		textTimes: true,
		syntaxes:  dsSyntaxes,
		indexes:   indexEntries,
		rights:    rightsControl,
		roles:     true,
		longest:   3 << 19,

		containers: "(&(numSubordinates=*)(numSubordinates>=1))",
		tells:      tellsChanges,
	},
	{
		name:         "active-directory",
		anchor:       "objectGUID",
		guidDN:       true,
		nameAttr:     "objectGUID",
		nameTerms:    50,
		conds:        connectors.AllConds,
		systemSchema: true,
		integrity:    true,
		ordered:      true,
		indexes:      indexSchema,
		rights:       rightsEffective,
		syntaxes:     adSyntaxes,
		longest:      5000 * 45,
		containers:   "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain))",
		tells:        tellsUSN,
		computed: []string{"pwdlastset", "lockouttime", "badpwdcount", "badpasswordtime", "lastlogon", "lastlogoff",
			"lastlogontimestamp", "logoncount", "samaccounttype"},
	},
}

// dialectNamed returns the dialect with the name.
func dialectNamed(name string) (dialect, error) {
	var names []string
	for _, d := range dialects {
		if d.name == name {
			return d, nil
		}
		names = append(names, d.name)
	}
	return dialect{}, fmt.Errorf("dialect %q is not one of %q", name, names)
}

// dialectOf finds the dialect from a root DSE.
func dialectOf(root rootDSE) (dialect, error) {
	const adCapability = "1.2.840.113556.1.4.800" // LDAP_CAP_ACTIVE_DIRECTORY_OID
	switch {
	case slices.Contains(root.capabilities, adCapability):
		return dialectNamed("active-directory")
	case slices.ContainsFunc(root.objectClass, func(s string) bool { return strings.EqualFold(s, "OpenLDAProotDSE") }):
		return dialectNamed("openldap")
	case strings.Contains(root.vendorVersion, "389-Directory") || strings.Contains(root.vendorName, "389 Project") ||
		strings.Contains(root.vendorVersion, "Red Hat-Directory"):
		return dialectNamed("ds389")
	}
	return dialect{}, fmt.Errorf("the server is of no known kind (vendor %q, version %q)", root.vendorName, root.vendorVersion)
}
