package scim

// GroupSchema returns the core schema of groups, fresh with each call, with the
// characteristics of RFC 7643 §8.7.1 and the verified erratum 5368 (displayName
// is required). Beyond it members have display, which §2.4 defines and the
// example of §8.4 shows; it is the server's to say.
func GroupSchema() *Schema {
	return &Schema{
		ID:          "urn:ietf:params:scim:schemas:core:2.0:Group",
		Name:        "Group",
		Description: "Group",
		Attributes: []*Attribute{
			{
				Name: "displayName", Type: String, Required: true,
				Description: "A human-readable name for the Group. REQUIRED.",
			},
			{
				Name: "members", Type: Complex, MultiValued: true,
				Description: "A list of members of the Group.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String, Mutability: Immutable,
						Description: "Identifier of the member of this Group.",
					},
					{
						Name: "$ref", Type: Reference, Mutability: Immutable, ReferenceTypes: []string{"User", "Group"},
						Description: "The URI corresponding to a SCIM resource that is a member of this Group.",
					},
					{
						Name: "type", Type: String, Mutability: Immutable, Canonical: []string{"User", "Group"},
						Description: "A label indicating the type of resource, e.g., 'User' or 'Group'.",
					},
					{
						Name: "display", Type: String, Mutability: ReadOnly,
						Description: "A human-readable name, primarily used for display purposes.",
					},
				},
			},
		},
	}
}
