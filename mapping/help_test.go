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
	if name == "Group" {
		rt, err = scim.NewResourceType("Group", "/Groups", "Group", scim.GroupSchema())
	} else {
		rt, err = scim.NewResourceType("User", "/Users", "User Account", scim.UserSchema(), scim.Extension{Schema: scim.EnterpriseUserSchema()})
	}
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

var endpoints = map[string]string{"User": "/Users", "Group": "/Groups"}

// compileText compiles every resource of a configuration's resources section.
func compileText(t testing.TB, name string, text []byte) (map[string]*Mapping, configs.Problems) {
	t.Helper()
	root, problems := configs.Parse(name, text)
	mappings := make(map[string]*Mapping)
	for key, node := range root.Map(&problems).Child("resources").Map(&problems).Each() {
		spec := Decode(node, &problems)
		spec.Resources = endpoints
		m, ps := Compile(spec, fullType(t, key.Value))
		problems.Add(ps...)
		mappings[key.Value] = m
	}
	return mappings, problems.Sorted()
}

// decodeText decodes one resource, with no name of its own.
func decodeText(name string, text []byte) (Spec, configs.Problems) {
	root, problems := configs.Parse(name, text)
	return Decode(root, &problems), problems
}
