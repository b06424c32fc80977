package main

import (
	"strings"

	"postern/configs"
	"postern/connectors/ldap"
	"postern/gateway"
	"postern/mapping"
	"postern/scim"
)

// decodeDelete reads what is done with what a client deletes: it is removed, the
// default, or kept, disabled or moved.
func decodeDelete(m *configs.Map, ps *configs.Problems) (*gateway.Keep, configs.At[string]) {
	if n := m.Child("delete"); n.Kind() == configs.Mapping {
		dm := n.Map(ps)
		dm.Required("move")
		move := dm.String("move")
		dm.Done()
		return &gateway.Keep{Container: move.Value}, move
	}
	how := m.String("delete")
	switch how.Value {
	case "", "remove":
		return nil, how
	case "disable":
		return &gateway.Keep{Disable: true}, how
	}
	ps.Add(how.Problem("%q is nothing that a deletion can do", how.Value).WithHint("write remove, disable or { move: DN }"))
	return nil, how
}

// checkKeep finds what is wrong with what is done with deleted resources, and
// completes it: what is moved is disabled too where the mapping can say that.
func checkKeep(r *Resource, m *mapping.Mapping, ps *configs.Problems) {
	if r.Keep == nil || m == nil {
		return
	}
	a, ok := m.ResourceType().Attribute("active")
	disables := ok && a.Type == scim.Boolean && a.Mutability == scim.ReadWrite
	switch {
	case r.Keep.Disable && !disables:
		ps.Add(r.keepAt.Problem("to disable what is deleted, active has to be mapped and written, and it is not").
			WithHint("map active, or say remove or { move: … }"))
	case r.Keep.Disable:
	case r.REST != nil:
		ps.Add(r.keepAt.Problem("an application has no containers to move to").WithHint("remove or disable"))
	default:
		ldap.CheckContainer(r.keepAt, r.Collection.Base, ps)
		if r.Keep.Disable = disables; !disables && r.Schema.ID == scim.UserSchema().ID {
			ps.Add(r.keepAt.Problem("active is not mapped and written: what is moved stays open").AsWarning())
		}
		if !disables {
			return
		}
		for _, attr := range m.AttrsOf(a) {
			if strings.Contains(strings.ToLower(r.Collection.Filter), strings.ToLower(string(attr))) {
				ps.Add(r.keepAt.Problem("the filter looks at %q, which is written before the move: if it lets no disabled account through, nothing is moved", attr).AsWarning())
			}
		}
	}
}
