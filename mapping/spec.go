package mapping

import (
	"strings"

	"postern/configs"
)

// A Spec is the mapping of one resource as the configuration writes it, with
// positions, unchecked.
type Spec struct {
	// Type is the resource's name: "User".
	Type string
	// Resources holds the endpoints ("/Users") of all resources of the
	// configuration by name. References may only name these; nil checks nothing.
	Resources map[string]string
	// At is the resource's node, for what is missing altogether.
	At configs.At[string]

	Name      configs.At[string] // "CN={displayName}"
	Collision configs.At[string] // what becomes of a name that is taken: error, number
	Place     PlaceSpec
	Rules     []RuleSpec
	Constants []ConstantSpec
	Derived   []DerivedSpec
}

// A RuleSpec is one line of the map.
type RuleSpec struct {
	Path        configs.At[string] // the SCIM path, with the position of the key
	Attr        configs.At[string]
	Codec       configs.At[string]
	Values      []ValueSpec        // of a codec that is a table
	Suffix      configs.At[string] // of the codec of that name
	Role        configs.At[string] // likewise, a DN
	Refs        []configs.At[string]
	Write       configs.At[string]   // always, create, never
	Forbidden   configs.At[string]   // error, ignore
	Read        configs.At[string]   // always, never
	Returned    configs.At[string]   // default, request, always
	Display     configs.At[string]   // of a reference: a SCIM attribute of what it names
	Default     []configs.At[string] // templates over SCIM paths, of which the first that can be made counts
	Generate    configs.At[bool]
	Required    configs.At[bool]
	CaseExact   configs.At[bool]
	MultiValued configs.At[bool]
	Primary     configs.At[bool]
}

// A ValueSpec is one row of a codec that is a table: the backend's value and the
// SCIM value as text.
type ValueSpec struct {
	Backend configs.At[string]
	Scim    configs.At[string]
}

// A ConstantSpec is an attribute that every new entry gets.
type ConstantSpec struct {
	Attr   configs.At[string]
	Values []configs.At[string]
}

// Decode takes the keys name, place, map, constants and derived of a resource. The other
// keys are left to their owners.
func Decode(n *configs.Node, problems *configs.Problems) Spec {
	path := n.Path()
	s := Spec{Type: path[strings.LastIndexByte(path, '.')+1:]}
	s.At = configs.At[string]{Value: s.Type, Pos: n.Pos(), Path: path, Set: true}
	m := n.Map(problems)
	if n := m.Child("name"); isNameMap(n) {
		nm := n.Map(problems)
		nm.Required("template")
		s.Name, s.Collision = nm.String("template"), nm.Enum("collision", collisionError, collisionNumber)
		nm.Done()
	} else {
		s.Name = m.String("name")
	}
	if n := m.Child("place"); n != nil {
		s.Place = decodePlace(n, problems)
	}
	m.Required("map")
	for key, value := range m.Child("map").Map(problems).Each() {
		s.Rules = append(s.Rules, decodeRule(key, value, problems))
	}
	if n := m.Child("derived"); n != nil {
		s.Derived = decodeDerived(n, problems)
	}
	if constants := m.Child("constants"); constants != nil {
		for key, value := range constants.Map(problems).Each() {
			c := ConstantSpec{Attr: key}
			for _, item := range value.List(problems) {
				c.Values = append(c.Values, item.Text(problems))
			}
			s.Constants = append(s.Constants, c)
		}
	}
	return s
}

// isNameMap tells the long form of a name from a template that lacks its quotes,
// which is a map to YAML: {userName}.
func isNameMap(n *configs.Node) bool {
	if n.Kind() != configs.Mapping {
		return false
	}
	m := n.Map(&configs.Problems{})
	return m.Has("template") || m.Has("collision")
}

// decodeRule reads the short form, which is the attribute alone, or the long.
func decodeRule(path configs.At[string], n *configs.Node, problems *configs.Problems) RuleSpec {
	r := RuleSpec{Path: path}
	if n.Kind() != configs.Mapping {
		r.Attr = n.String(problems)
		return r
	}
	m := n.Map(problems)
	m.Required("attr")
	r.Attr = m.String("attr")
	if c := m.Child("codec"); c != nil && c.Kind() == configs.Mapping {
		r.Codec = configs.At[string]{Value: tableName, Pos: c.Pos(), Path: c.Path(), Set: true}
		cm := c.Map(problems)
		r.Suffix, r.Role = cm.String("suffix"), cm.String("role")
		switch {
		case r.Suffix.Set:
			r.Codec.Value = suffixName
		case r.Role.Set:
			r.Codec.Value = roleName
		default:
			cm.Required("values")
		}
		for key, value := range cm.Child("values").Map(problems).Each() {
			r.Values = append(r.Values, ValueSpec{Backend: key, Scim: value.Text(problems)})
		}
		cm.Done()
	} else {
		r.Codec = m.String("codec")
	}
	r.Refs = m.Strings("ref")
	r.Write = m.Enum("write", "always", "create", "never")
	r.Forbidden = m.Enum("forbidden", "error", "ignore")
	r.Read = m.Enum("read", "always", "never")
	r.Returned = m.Enum("returned", "default", "request", "always")
	r.Display = m.String("display")
	for _, n := range m.List("default") {
		r.Default = append(r.Default, n.Text(problems))
	}
	r.Generate = m.Bool("generate")
	r.Required = m.Bool("required")
	r.CaseExact = m.Bool("caseExact")
	r.MultiValued = m.Bool("multiValued")
	r.Primary = m.Bool("primary")
	m.Done()
	return r
}
