package main

import (
	"context"

	"postern/configs"
	"postern/connectors/ldap"
	"postern/mapping"
)

// checkPlaces finds what is wrong with the containers that objects are put into, as
// far as that needs no backend.
func checkPlaces(r Resource, m *mapping.Mapping, ps *configs.Problems) {
	if m == nil {
		return
	}
	for _, c := range m.Containers() {
		if r.REST != nil {
			ps.Add(c.At.Problem("an application has no containers in which objects lie").WithHint("leave place out"))
			return
		}
		ldap.CheckPlace(c.At, c.Text, r.Collection.Base, ps)
	}
}

// askPlaces finds the containers that the directory does not have. Of one that is made
// of values it asks for what holds those that there are.
func askPlaces(ctx context.Context, d *ldap.Directory, m *mapping.Mapping, ps *configs.Problems) {
	asked := make(map[string]bool)
	for _, c := range m.Containers() {
		container := ldap.Above(c.Text)
		if container == "" || asked[container] {
			continue
		}
		asked[container] = true
		askContainer(ctx, d, c.At, container, ps)
	}
}

// askContainer finds that the directory does not have a container.
func askContainer(ctx context.Context, d *ldap.Directory, at configs.At[string], container string, ps *configs.Problems) {
	if err := d.Holds(ctx, container); err != nil {
		ps.Add(at.Problem("the container %q can not be read: %v", container, err).
			WithHint("make it, or see whether it is spelled right and whether the bind identity may read it"))
	}
}
