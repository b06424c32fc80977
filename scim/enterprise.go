package scim

// EnterpriseUserSchema returns the enterprise extension of users, fresh with each
// call, with the characteristics of RFC 7643 §8.7.1.
func EnterpriseUserSchema() *Schema {
	return &Schema{
		ID:          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		Name:        "EnterpriseUser",
		Description: "Enterprise User",
		Attributes: []*Attribute{
			{
				Name: "employeeNumber", Type: String,
				Description: "Numeric or alphanumeric identifier assigned to a person, typically based on order of hire or association with an organization.",
			},
			{
				Name: "costCenter", Type: String,
				Description: "Identifies the name of a cost center.",
			},
			{
				Name: "organization", Type: String,
				Description: "Identifies the name of an organization.",
			},
			{
				Name: "division", Type: String,
				Description: "Identifies the name of a division.",
			},
			{
				Name: "department", Type: String,
				Description: "Identifies the name of a department.",
			},
			{
				Name: "manager", Type: Complex,
				Description: "The User's manager. A complex type that optionally allows service providers to represent organizational hierarchy by referencing the 'id' attribute of another User.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String,
						Description: "The id of the SCIM resource representing the User's manager. REQUIRED.",
					},
					{
						Name: "$ref", Type: Reference, ReferenceTypes: []string{"User"},
						Description: "The URI of the SCIM resource representing the User's manager. REQUIRED.",
					},
					{
						Name: "displayName", Type: String, Mutability: ReadOnly,
						Description: "The displayName of the User's manager. OPTIONAL and READ-ONLY.",
					},
				},
			},
		},
	}
}
