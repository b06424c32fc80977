package mapping

import (
	"testing"

	"postern/configs"
	"postern/scim"
)

// fullType returns the complete resource type of a name.
func fullType(t testing.TB, name string) *scim.ResourceType {
	t.Helper()
	var rt *scim.ResourceType
	var err error
	if name == "Device" {
		core, ext := deviceSchemas()
		rt, err = scim.NewResourceType("Device", "/Devices", "Device", core, ext...)
	} else if name == "Group" {
		rt, err = scim.NewResourceType("Group", "/Groups", "Group", scim.GroupSchema())
	} else {
		rt, err = scim.NewResourceType("User", "/Users", "User Account", scim.UserSchema(), scim.Extension{Schema: scim.EnterpriseUserSchema()},
			scim.Extension{Schema: accountSchema()})
	}
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// accountSchema is an extension for what directories know of accounts.
func accountSchema() *scim.Schema {
	return &scim.Schema{ID: "urn:example:Account", Name: "Account", Attributes: []*scim.Attribute{
		{Name: "neverExpires", Type: scim.Boolean}, {Name: "smartcard", Type: scim.Boolean}, {Name: "lockedOut", Type: scim.Boolean},
		{Name: "mustChange", Type: scim.Boolean}, {Name: "manages", Type: scim.Boolean}, {Name: "floor", Type: scim.Integer},
		{Name: "expires", Type: scim.DateTime}, {Name: "lastLogon", Type: scim.DateTime}, {Name: "sid"}, {Name: "account"},
	}}
}

// deviceSchemas are a schema as a configuration declares it, with every
// characteristic, and an extension that is required and one that is not.
func deviceSchemas() (core *scim.Schema, ext []scim.Extension) {
	reference := func() []*scim.Attribute {
		return []*scim.Attribute{{Name: "value", Required: true}, {Name: "$ref", Type: scim.Reference, ReferenceTypes: []string{"User", "Device"}},
			{Name: "type"}, {Name: "display"}}
	}
	core = &scim.Schema{ID: "urn:example:Device", Name: "Device", Attributes: []*scim.Attribute{
		{Name: "name", Required: true, Uniqueness: scim.UniqueServer},
		{Name: "serial", Mutability: scim.Immutable, CaseExact: true},
		{Name: "label", Mutability: scim.Immutable},
		{Name: "state", Mutability: scim.ReadOnly, Required: true},
		{Name: "pin", Mutability: scim.WriteOnly, Returned: scim.ReturnedNever},
		{Name: "hidden", Returned: scim.ReturnedNever},
		{Name: "seal", Mutability: scim.Immutable, Returned: scim.ReturnedNever},
		{Name: "notes", Returned: scim.ReturnedRequest},
		{Name: "tag", Returned: scim.ReturnedAlways},
		{Name: "kind", Canonical: []string{"laptop", "phone"}, Closed: true},
		{Name: "size", Canonical: []string{"S", "M", "L"}, Closed: true},
		{Name: "colours", MultiValued: true, Required: true},
		{Name: "maker", Type: scim.Complex, Mutability: scim.Immutable, Sub: []*scim.Attribute{{Name: "name", Required: true}, {Name: "batch"}}},
		{Name: "vault", Type: scim.Complex, Returned: scim.ReturnedNever, Sub: []*scim.Attribute{{Name: "key"}}},
		{Name: "ports", Type: scim.Complex, MultiValued: true, Sub: []*scim.Attribute{{Name: "value"}, {Name: "type", Mutability: scim.Immutable, Canonical: []string{"usb", "lan", "hdmi"}, Closed: true}}},
		{Name: "owner", Type: scim.Complex, Mutability: scim.Immutable, Sub: reference()},
		{Name: "users", Type: scim.Complex, MultiValued: true, Required: true, Sub: reference()},
		{Name: "makers", Type: scim.Complex, MultiValued: true, Mutability: scim.Immutable, Sub: reference()},
	}}
	asset := &scim.Schema{ID: "urn:example:asset", Name: "Asset", Attributes: []*scim.Attribute{{Name: "room"}, {Name: "floor"}}}
	lease := &scim.Schema{ID: "urn:example:lease", Name: "Lease", Attributes: []*scim.Attribute{
		{Name: "until", Type: scim.DateTime}, {Name: "contract", Required: true},
		{Name: "site", Type: scim.Complex, Sub: []*scim.Attribute{{Name: "code", Required: true}, {Name: "text"}}},
	}}
	return core, []scim.Extension{{Schema: asset, Required: true}, {Schema: lease}}
}

var endpoints = map[string]string{"User": "/Users", "Group": "/Groups", "Device": "/Devices"}

// compileText compiles every resource of a configuration's resources section.
func compileText(t testing.TB, name string, text []byte) (map[string]*Mapping, configs.Problems) {
	t.Helper()
	root, problems := configs.Parse(name, text)
	mappings := make(map[string]*Mapping)
	var all []*Mapping
	for key, node := range root.Map(&problems).Child("resources").Map(&problems).Each() {
		spec := Decode(node, &problems)
		spec.Resources = endpoints
		m, ps := Compile(spec, fullType(t, key.Value))
		problems.Add(ps...)
		mappings[key.Value] = m
		all = append(all, m)
	}
	problems.Add(CheckDisplays(all)...)
	return mappings, problems.Sorted()
}

// decodeText decodes one resource, with no name of its own.
func decodeText(name string, text []byte) (Spec, configs.Problems) {
	root, problems := configs.Parse(name, text)
	return Decode(root, &problems), problems
}
