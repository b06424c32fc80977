package demodir

import "strings"

// The kinds of attribute, by their matching rules and syntax.
type kind struct{ equality, ordering, substrings, syntax string }

func (s *schema) addAttributes() {
	text := kind{"caseIgnoreMatch", "", "caseIgnoreSubstringsMatch", "15"}
	printable := kind{"caseIgnoreMatch", "", "caseIgnoreSubstringsMatch", "44"}
	exact := kind{"caseExactMatch", "", "caseExactSubstringsMatch", "15"}
	ia5 := kind{"caseIgnoreIA5Match", "", "caseIgnoreIA5SubstringsMatch", "26"}
	path := kind{"caseExactIA5Match", "", "", "26"}
	address := kind{"caseIgnoreListMatch", "", "caseIgnoreListSubstringsMatch", "41"}
	phone := kind{"telephoneNumberMatch", "", "telephoneNumberSubstringsMatch", "50"}
	fax := kind{"", "", "", "22"}
	country := kind{"caseIgnoreMatch", "", "caseIgnoreSubstringsMatch", "11"}
	reference := kind{"distinguishedNameMatch", "", "", "12"}
	octets := kind{"octetStringMatch", "", "", "40"}
	photo := kind{"", "", "", "28"}
	integer := kind{"integerMatch", "integerOrderingMatch", "", "27"}
	boolean := kind{"booleanMatch", "", "", "7"}
	when := kind{"generalizedTimeMatch", "generalizedTimeOrderingMatch", "", "24"}
	oid := kind{"objectIdentifierMatch", "", "", "38"}
	uuid := kind{"UUIDMatch", "UUIDOrderingMatch", "", "1.3.6.1.1.16.1"}
	csn := kind{"CSNMatch", "CSNOrderingMatch", "", "1.3.6.1.4.1.4203.666.11.2.1"}
	const pilot = "0.9.2342.19200300.100.1."
	const netscape = "2.16.840.1.113730.3.1."

	for _, a := range []struct {
		oid   string
		names string
		kind  kind
		flags string // single, operational, fixed, indexed
	}{
		{"2.5.4.0", "objectClass", oid, ""},
		{"2.5.4.3", "cn commonName", text, "i"},
		{"2.5.4.4", "sn surname", text, ""},
		{"2.5.4.5", "serialNumber", printable, ""},
		{"2.5.4.6", "c countryName", country, "s"},
		{"2.5.4.7", "l localityName", text, ""},
		{"2.5.4.8", "st stateOrProvinceName", text, ""},
		{"2.5.4.9", "street streetAddress", text, ""},
		{"2.5.4.10", "o organizationName", text, ""},
		{"2.5.4.11", "ou organizationalUnitName", text, ""},
		{"2.5.4.12", "title", text, ""},
		{"2.5.4.13", "description", text, ""},
		{"2.5.4.15", "businessCategory", text, ""},
		{"2.5.4.16", "postalAddress", address, ""},
		{"2.5.4.17", "postalCode", text, ""},
		{"2.5.4.18", "postOfficeBox", text, ""},
		{"2.5.4.19", "physicalDeliveryOfficeName", text, ""},
		{"2.5.4.20", "telephoneNumber", phone, ""},
		{"2.5.4.23", "facsimileTelephoneNumber fax", fax, ""},
		{"2.5.4.31", "member", reference, "i"},
		{"2.5.4.32", "owner", reference, "i"},
		{"2.5.4.34", "seeAlso", reference, "i"},
		{"2.5.4.35", "userPassword", octets, ""},
		{"2.5.4.42", "givenName gn", text, ""},
		{"2.5.4.43", "initials", text, ""},
		{"2.5.4.44", "generationQualifier", text, ""},
		{pilot + "1", "uid userid", text, "i"},
		{pilot + "3", "mail rfc822Mailbox", ia5, "i"},
		{pilot + "6", "roomNumber", text, ""},
		{pilot + "10", "manager", reference, "i"},
		{pilot + "20", "homePhone homeTelephoneNumber", phone, ""},
		{pilot + "21", "secretary", reference, "i"},
		{pilot + "25", "dc domainComponent", ia5, "s"},
		{pilot + "39", "homePostalAddress", address, ""},
		{pilot + "41", "mobile mobileTelephoneNumber", phone, ""},
		{pilot + "42", "pager pagerTelephoneNumber", phone, ""},
		{pilot + "60", "jpegPhoto", photo, ""},
		{netscape + "1", "carLicense", text, ""},
		{netscape + "2", "departmentNumber", text, ""},
		{netscape + "3", "employeeNumber", text, "si"},
		{netscape + "4", "employeeType", text, ""},
		{netscape + "39", "preferredLanguage", text, "s"},
		{netscape + "241", "displayName", text, "s"},
		{"1.3.6.1.4.1.250.1.57", "labeledURI", exact, ""},
		{"1.3.6.1.1.1.1.0", "uidNumber", integer, "s"},
		{"1.3.6.1.1.1.1.1", "gidNumber", integer, "s"},
		{"1.3.6.1.1.1.1.2", "gecos", ia5, "s"},
		{"1.3.6.1.1.1.1.3", "homeDirectory", path, "s"},
		{"1.3.6.1.1.1.1.4", "loginShell", path, "s"},

		{"2.5.18.1", "createTimestamp", when, "sof"},
		{"2.5.18.2", "modifyTimestamp", when, "sof"},
		{"2.5.18.3", "creatorsName", reference, "sof"},
		{"2.5.18.4", "modifiersName", reference, "sof"},
		{"2.5.18.9", "hasSubordinates", boolean, "sof"},
		{"2.5.18.10", "subschemaSubentry", reference, "sof"},
		{"2.5.21.9", "structuralObjectClass", oid, "sof"},
		{"1.3.6.1.1.16.4", "entryUUID", uuid, "sofi"},
		{"1.3.6.1.1.20", "entryDN", reference, "sof"},
		{"1.3.6.1.4.1.4203.666.1.7", "entryCSN", csn, "sof"},
		{"1.2.840.113556.1.2.102", "memberOf", reference, "of"},
		{"1.3.6.1.4.1.42.2.27.8.1.17", "pwdAccountLockedTime", when, "so"},

		{"1.3.6.1.4.1.1466.101.120.5", "namingContexts", reference, "of"},
		{"1.3.6.1.4.1.1466.101.120.7", "supportedExtension", oid, "of"},
		{"1.3.6.1.4.1.1466.101.120.13", "supportedControl", oid, "of"},
		{"1.3.6.1.4.1.1466.101.120.15", "supportedLDAPVersion", integer, "of"},
		{"1.3.6.1.4.1.4203.1.3.5", "supportedFeatures", oid, "of"},
		{"1.3.6.1.1.4", "vendorName", text, "sof"},
		{"2.5.21.4", "matchingRules", kind{"", "", "", "30"}, "of"},
		{"2.5.21.5", "attributeTypes", kind{"", "", "", "3"}, "of"},
		{"2.5.21.6", "objectClasses", kind{"", "", "", "37"}, "of"},
		{"1.3.6.1.4.1.1466.101.120.16", "ldapSyntaxes", kind{"", "", "", "54"}, "of"},
	} {
		t := &attributeType{
			oid:         a.oid,
			names:       strings.Fields(a.names),
			syntax:      s.syntax(a.kind.syntax),
			equality:    s.rule(a.kind.equality),
			ordering:    s.rule(a.kind.ordering),
			substrings:  s.rule(a.kind.substrings),
			single:      strings.Contains(a.flags, "s"),
			operational: strings.Contains(a.flags, "o"),
			fixed:       strings.Contains(a.flags, "f"),
			indexed:     strings.Contains(a.flags, "i"),
		}
		t.key = strings.ToLower(t.names[0])
		s.attributes = append(s.attributes, t)
		s.byName[t.oid] = t
		for _, name := range t.names {
			s.byName[name] = t
			s.byName[strings.ToLower(name)] = t
		}
	}
}

func (s *schema) addClasses() {
	const person = "seeAlso description userPassword telephoneNumber"
	const place = "street st l postalAddress postalCode postOfficeBox physicalDeliveryOfficeName facsimileTelephoneNumber"
	const unit = "userPassword seeAlso businessCategory telephoneNumber description " + place
	for _, c := range []struct{ oid, name, super, kind, must, may string }{
		{"2.5.6.0", "top", "", "ABSTRACT", "objectClass", ""},
		{"2.5.6.4", "organization", "top", "STRUCTURAL", "o", unit},
		{"2.5.6.5", "organizationalUnit", "top", "STRUCTURAL", "ou", unit},
		{"2.5.6.6", "person", "top", "STRUCTURAL", "sn cn", person},
		{"2.5.6.7", "organizationalPerson", "person", "STRUCTURAL", "", "title ou " + place},
		{"2.5.6.8", "organizationalRole", "top", "STRUCTURAL", "cn", "telephoneNumber seeAlso ou description " + place},
		{"2.5.6.9", "groupOfNames", "top", "STRUCTURAL", "member cn", "businessCategory seeAlso owner ou o description"},
		{"0.9.2342.19200300.100.4.13", "domain", "top", "STRUCTURAL", "dc", "o " + unit},
		{"1.3.6.1.4.1.1466.344", "dcObject", "top", "AUXILIARY", "dc", ""},
		{"1.3.6.1.4.1.1466.101.120.111", "extensibleObject", "top", "AUXILIARY", "", ""},
		{"2.16.840.1.113730.3.2.2", "inetOrgPerson", "organizationalPerson", "STRUCTURAL", "", "businessCategory carLicense " +
			"departmentNumber displayName employeeNumber employeeType givenName homePhone homePostalAddress initials jpegPhoto " +
			"labeledURI mail manager mobile o pager roomNumber secretary uid preferredLanguage generationQualifier serialNumber"},
		{"1.3.6.1.1.1.2.0", "posixAccount", "top", "AUXILIARY", "cn uid uidNumber gidNumber homeDirectory",
			"userPassword loginShell gecos description"},
		{"2.5.20.1", "subschema", "top", "AUXILIARY", "", "matchingRules attributeTypes objectClasses ldapSyntaxes"},
		{"1.3.6.1.4.1.4203.1.4.1", "OpenLDAProotDSE", "top", "STRUCTURAL", "", "cn"},
	} {
		class := &objectClass{oid: c.oid, name: c.name, key: strings.ToLower(c.name), kind: c.kind, super: s.class(c.super)}
		for _, name := range strings.Fields(c.must) {
			class.must = append(class.must, s.attribute(name))
		}
		for _, name := range strings.Fields(c.may) {
			class.may = append(class.may, s.attribute(name))
		}
		s.classes = append(s.classes, class)
		s.classNames[class.oid] = class
		s.classNames[class.key] = class
	}
}
