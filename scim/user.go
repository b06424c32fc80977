package scim

const userSchemaID = "urn:ietf:params:scim:schemas:core:2.0:User"

// UserSchema returns the core schema of users, fresh with each call, with the
// characteristics of RFC 7643 §8.7.1 and the verified erratum 8471 (groups.$ref
// refers to groups alone). Beyond it addresses have primary, which §2.4 defines
// for every multi-valued attribute and the figures of RFC 7644 §3.5.2.3 use.
func UserSchema() *Schema {
	return &Schema{
		ID:          userSchemaID,
		Name:        "User",
		Description: "User Account",
		Attributes: []*Attribute{
			{
				Name: "userName", Type: String, Required: true, Uniqueness: UniqueServer,
				Description: "Unique identifier for the User, typically used by the user to directly authenticate to the service provider. Each User MUST include a non-empty userName value. This identifier MUST be unique across the service provider's entire set of Users. REQUIRED.",
			},
			{
				Name: "name", Type: Complex,
				Description: "The components of the user's real name. Providers MAY return just the full name as a single string in the formatted sub-attribute, or they MAY return just the individual component attributes using the other sub-attributes, or they MAY return both. If both variants are returned, they SHOULD be describing the same name, with the formatted name indicating how the component attributes should be combined.",
				Sub: []*Attribute{
					{
						Name: "formatted", Type: String,
						Description: "The full name, including all middle names, titles, and suffixes as appropriate, formatted for display (e.g., 'Ms. Barbara J Jensen, III').",
					},
					{
						Name: "familyName", Type: String,
						Description: "The family name of the User, or last name in most Western languages (e.g., 'Jensen' given the full name 'Ms. Barbara J Jensen, III').",
					},
					{
						Name: "givenName", Type: String,
						Description: "The given name of the User, or first name in most Western languages (e.g., 'Barbara' given the full name 'Ms. Barbara J Jensen, III').",
					},
					{
						Name: "middleName", Type: String,
						Description: "The middle name(s) of the User (e.g., 'Jane' given the full name 'Ms. Barbara J Jensen, III').",
					},
					{
						Name: "honorificPrefix", Type: String,
						Description: "The honorific prefix(es) of the User, or title in most Western languages (e.g., 'Ms.' given the full name 'Ms. Barbara J Jensen, III').",
					},
					{
						Name: "honorificSuffix", Type: String,
						Description: "The honorific suffix(es) of the User, or suffix in most Western languages (e.g., 'III' given the full name 'Ms. Barbara J Jensen, III').",
					},
				},
			},
			{
				Name: "displayName", Type: String,
				Description: "The name of the User, suitable for display to end-users. The name SHOULD be the full name of the User being described, if known.",
			},
			{
				Name: "nickName", Type: String,
				Description: "The casual way to address the user in real life, e.g., 'Bob' or 'Bobby' instead of 'Robert'. This attribute SHOULD NOT be used to represent a User's username (e.g., 'bjensen' or 'mpepperidge').",
			},
			{
				Name: "profileUrl", Type: Reference, ReferenceTypes: []string{"external"},
				Description: "A fully qualified URL pointing to a page representing the User's online profile.",
			},
			{
				Name: "title", Type: String,
				Description: "The user's title, such as \"Vice President.\"",
			},
			{
				Name: "userType", Type: String,
				Description: "Used to identify the relationship between the organization and the user. Typical values used might be 'Contractor', 'Employee', 'Intern', 'Temp', 'External', and 'Unknown', but any value may be used.",
			},
			{
				Name: "preferredLanguage", Type: String,
				Description: "Indicates the User's preferred written or spoken language. Generally used for selecting a localized user interface; e.g., 'en_US' specifies the language English and country US.",
			},
			{
				Name: "locale", Type: String,
				Description: "Used to indicate the User's default location for purposes of localizing items such as currency, date time format, or numerical representations.",
			},
			{
				Name: "timezone", Type: String,
				Description: "The User's time zone in the 'Olson' time zone database format, e.g., 'America/Los_Angeles'.",
			},
			{
				Name: "active", Type: Boolean,
				Description: "A Boolean value indicating the User's administrative status.",
			},
			{
				Name: "password", Type: String, Mutability: WriteOnly, Returned: ReturnedNever,
				Description: "The User's cleartext password. This attribute is intended to be used as a means to specify an initial password when creating a new User or to reset an existing User's password.",
			},
			{
				Name: "emails", Type: Complex, MultiValued: true,
				Description: "Email addresses for the user. The value SHOULD be canonicalized by the service provider, e.g., 'bjensen@example.com' instead of 'bjensen@EXAMPLE.COM'. Canonical type values of 'work', 'home', and 'other'.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String,
						Description: "Email addresses for the user. The value SHOULD be canonicalized by the service provider, e.g., 'bjensen@example.com' instead of 'bjensen@EXAMPLE.COM'. Canonical type values of 'work', 'home', and 'other'.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String, Canonical: []string{"work", "home", "other"},
						Description: "A label indicating the attribute's function, e.g., 'work' or 'home'.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute, e.g., the preferred mailing address or primary email address. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "phoneNumbers", Type: Complex, MultiValued: true,
				Description: "Phone numbers for the User. The value SHOULD be canonicalized by the service provider according to the format specified in RFC 3966, e.g., 'tel:+1-201-555-0123'. Canonical type values of 'work', 'home', 'mobile', 'fax', 'pager', and 'other'.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String,
						Description: "Phone number of the User.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String, Canonical: []string{"work", "home", "mobile", "fax", "pager", "other"},
						Description: "A label indicating the attribute's function, e.g., 'work', 'home', 'mobile'.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute, e.g., the preferred phone number or primary phone number. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "ims", Type: Complex, MultiValued: true,
				Description: "Instant messaging addresses for the User.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String,
						Description: "Instant messaging address for the User.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String, Canonical: []string{"aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"},
						Description: "A label indicating the attribute's function, e.g., 'aim', 'gtalk', 'xmpp'.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute, e.g., the preferred messenger or primary messenger. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "photos", Type: Complex, MultiValued: true,
				Description: "URLs of photos of the User.",
				Sub: []*Attribute{
					{
						Name: "value", Type: Reference, ReferenceTypes: []string{"external"},
						Description: "URL of a photo of the User.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String, Canonical: []string{"photo", "thumbnail"},
						Description: "A label indicating the attribute's function, i.e., 'photo' or 'thumbnail'.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute, e.g., the preferred photo or thumbnail. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "addresses", Type: Complex, MultiValued: true,
				Description: "A physical mailing address for this User. Canonical type values of 'work', 'home', and 'other'. This attribute is a complex type with the following sub-attributes.",
				Sub: []*Attribute{
					{
						Name: "formatted", Type: String,
						Description: "The full mailing address, formatted for display or use with a mailing label. This attribute MAY contain newlines.",
					},
					{
						Name: "streetAddress", Type: String,
						Description: "The full street address component, which may include house number, street name, P.O. box, and multi-line extended street address information. This attribute MAY contain newlines.",
					},
					{
						Name: "locality", Type: String,
						Description: "The city or locality component.",
					},
					{
						Name: "region", Type: String,
						Description: "The state or region component.",
					},
					{
						Name: "postalCode", Type: String,
						Description: "The zip code or postal code component.",
					},
					{
						Name: "country", Type: String,
						Description: "The country name component.",
					},
					{
						Name: "type", Type: String, Canonical: []string{"work", "home", "other"},
						Description: "A label indicating the attribute's function, e.g., 'work' or 'home'.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute, e.g., the preferred mailing address. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "groups", Type: Complex, MultiValued: true, Mutability: ReadOnly,
				Description: "A list of groups to which the user belongs, either through direct membership, through nested groups, or dynamically calculated.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String, Mutability: ReadOnly,
						Description: "The identifier of the User's group.",
					},
					{
						Name: "$ref", Type: Reference, Mutability: ReadOnly, ReferenceTypes: []string{"Group"},
						Description: "The URI of the corresponding 'Group' resource to which the user belongs.",
					},
					{
						Name: "display", Type: String, Mutability: ReadOnly,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String, Mutability: ReadOnly, Canonical: []string{"direct", "indirect"},
						Description: "A label indicating the attribute's function, e.g., 'direct' or 'indirect'.",
					},
				},
			},
			{
				Name: "entitlements", Type: Complex, MultiValued: true,
				Description: "A list of entitlements for the User that represent a thing the User has.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String,
						Description: "The value of an entitlement.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String,
						Description: "A label indicating the attribute's function.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "roles", Type: Complex, MultiValued: true,
				Description: "A list of roles for the User that collectively represent who the User is, e.g., 'Student', 'Faculty'.",
				Sub: []*Attribute{
					{
						Name: "value", Type: String,
						Description: "The value of a role.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String,
						Description: "A label indicating the attribute's function.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
			{
				Name: "x509Certificates", Type: Complex, MultiValued: true,
				Description: "A list of certificates issued to the User.",
				Sub: []*Attribute{
					{
						Name: "value", Type: Binary,
						Description: "The value of an X.509 certificate.",
					},
					{
						Name: "display", Type: String,
						Description: "A human-readable name, primarily used for display purposes. READ-ONLY.",
					},
					{
						Name: "type", Type: String,
						Description: "A label indicating the attribute's function.",
					},
					{
						Name: "primary", Type: Boolean,
						Description: "A Boolean value indicating the 'primary' or preferred attribute value for this attribute. The primary attribute value 'true' MUST appear no more than once.",
					},
				},
			},
		},
	}
}
