package scim

import "strconv"

// AppendSchema appends the schema as a resource (RFC 7643 §7), with each
// characteristic that applies to the attribute's type and nothing that is null.
func AppendSchema(dst []byte, s *Schema, baseURL string) []byte {
	dst = append(dst, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Schema"],"id":`...)
	dst = appendString(dst, s.ID)
	dst = appendMember(dst, "name", s.Name)
	dst = appendMember(dst, "description", s.Description)
	dst = append(dst, `,"attributes":`...)
	dst = appendAttributes(dst, s.Attributes)
	return appendDiscoveryMeta(dst, "Schema", "Schemas/"+s.ID, baseURL)
}

// appendMember appends a member that is not the first, unless it has no value.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = appendString(append(dst, ','), name)
	return appendString(append(dst, ':'), value)
}

func appendDiscoveryMeta(dst []byte, resourceType, location, baseURL string) []byte {
	dst = append(dst, `,"meta":{"resourceType":`...)
	dst = appendString(dst, resourceType)
	dst = append(dst, `,"location":`...)
	return append(appendURI(dst, location, baseURL), '}', '}')
}

func appendAttributes(dst []byte, attrs []*Attribute) []byte {
	dst = append(dst, '[')
	for i, a := range attrs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendAttribute(dst, a)
	}
	return append(dst, ']')
}

func appendAttribute(dst []byte, a *Attribute) []byte {
	dst = append(dst, `{"name":`...)
	dst = appendString(dst, a.Name)
	dst = appendMember(dst, "type", a.Type.String())
	dst = append(dst, `,"multiValued":`...)
	dst = strconv.AppendBool(dst, a.MultiValued)
	dst = appendMember(dst, "description", a.Description)
	dst = append(dst, `,"required":`...)
	dst = strconv.AppendBool(dst, a.Required)
	if len(a.Canonical) > 0 {
		dst = appendStrings(append(dst, `,"canonicalValues":`...), a.Canonical)
	}
	switch a.Type {
	case String, Reference, Binary:
		dst = append(dst, `,"caseExact":`...)
		dst = strconv.AppendBool(dst, a.CaseExact)
	}
	dst = appendMember(dst, "mutability", a.Mutability.String())
	dst = appendMember(dst, "returned", a.Returned.String())
	if a.Type != Complex && a.Type != Boolean {
		dst = appendMember(dst, "uniqueness", a.Uniqueness.String())
	}
	if len(a.ReferenceTypes) > 0 {
		dst = appendStrings(append(dst, `,"referenceTypes":`...), a.ReferenceTypes)
	}
	if len(a.Sub) > 0 {
		dst = appendAttributes(append(dst, `,"subAttributes":`...), a.Sub)
	}
	return append(dst, '}')
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

// AppendResourceType appends the resource type as a resource (RFC 7643 §6).
func AppendResourceType(dst []byte, rt *ResourceType, baseURL string) []byte {
	dst = append(dst, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":`...)
	dst = appendString(dst, rt.Name)
	dst = appendMember(dst, "name", rt.Name)
	dst = appendMember(dst, "endpoint", rt.Endpoint)
	dst = appendMember(dst, "description", rt.Description)
	dst = appendMember(dst, "schema", rt.Schema.ID)
	if len(rt.Extensions) > 0 {
		dst = append(dst, `,"schemaExtensions":[`...)
		for i, e := range rt.Extensions {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"schema":`...)
			dst = appendString(dst, e.Schema.ID)
			dst = append(dst, `,"required":`...)
			dst = append(strconv.AppendBool(dst, e.Required), '}')
		}
		dst = append(dst, ']')
	}
	return appendDiscoveryMeta(dst, "ResourceType", "ResourceTypes/"+rt.Name, baseURL)
}
