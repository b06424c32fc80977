package demodir

// describeRoot returns the root DSE (RFC 4512 §5.1). Its object class is
// OpenLDAP's, by which clients know that family of servers.
func (d *Directory) describeRoot(startTLS bool) *node {
	extensions := []string{extensionPasswordModify, extensionWhoAmI}
	if startTLS {
		extensions = append(extensions, extensionStartTLS)
	}
	return &node{entry: &entry{attrs: d.describe([]Attribute{
		{"objectClass", []string{"top", "OpenLDAProotDSE"}},
		{"structuralObjectClass", []string{"OpenLDAProotDSE"}},
		{"namingContexts", []string{d.suffix.text}},
		{"supportedControl", []string{controlAssertion, controlDereference, controlManageDsaIT, controlPaged, controlPostRead, controlPreRead}},
		{"supportedExtension", extensions},
		// All operational attributes by "+" (RFC 3673), absolute true and false
		// filters (RFC 4526).
		{"supportedFeatures", []string{"1.3.6.1.4.1.4203.1.5.1", "1.3.6.1.4.1.4203.1.5.3"}},
		{"supportedLDAPVersion", []string{"3"}},
		{"vendorName", []string{"Postern demo directory"}},
	})}}
}

// describeSchema returns the subschema subentry (RFC 4512 §4.2).
func (d *Directory) describeSchema() *node {
	list := func(name string, n int, at func(int) string) Attribute {
		values := make([]string, n)
		for i := range values {
			values[i] = at(i)
		}
		return Attribute{name, values}
	}
	s := d.schema
	e := &entry{attrs: d.describe([]Attribute{
		{"objectClass", []string{"top", "subschema", "extensibleObject"}},
		{"cn", []string{"Subschema"}},
		list("ldapSyntaxes", len(s.syntaxes), func(i int) string { return s.syntaxes[i].String() }),
		list("matchingRules", len(s.rules), func(i int) string { return s.rules[i].String() }),
		list("attributeTypes", len(s.attributes), func(i int) string { return s.attributes[i].String() }),
		list("objectClasses", len(s.classes), func(i int) string { return s.classes[i].String() }),
	})}
	cn := s.attribute("cn")
	e.dn = joinDN([]rdn{{[]pair{{cn, "Subschema", "subschema"}}, "cn=Subschema", "cn=subschema"}})
	return &node{entry: e}
}

func (d *Directory) describe(list []Attribute) []attribute {
	attrs := make([]attribute, len(list))
	for i, a := range list {
		t := d.schema.attribute(a.Name)
		norms := make([]string, len(a.Values))
		for j, value := range a.Values {
			norms[j] = t.normal(value)
		}
		attrs[i] = attribute{t, a.Values, norms}
	}
	return attrs
}
