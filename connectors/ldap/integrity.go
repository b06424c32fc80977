package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// The names that Config.References takes.
const (
	ReferencesRepair = "repair" // this gateway does what the server leaves
	ReferencesServer = "server" // the server sees to all of it
)

// integrity asks in which attributes, in lower case, the server itself keeps
// references to what is renamed, moved and deleted right, where its kind tells: 389-DS
// and OpenLDAP in the configuration, which few may read. told is false where nobody
// says.
func (d *Directory) integrity(ctx context.Context, f *facts) (attrs map[string]bool, told bool) {
	var values []string
	var err error
	switch f.indexes {
	case indexEntries:
		const plugin = "cn=referential integrity postoperation,cn=plugins,cn=config"
		values, err = d.listValues(ctx, plugin, "(objectClass=*)", "nsslapd-pluginEnabled", false)
		if told = err == nil && len(values) > 0; !told || !strings.EqualFold(values[0], "on") {
			return nil, told
		}
		values, err = d.listValues(ctx, plugin, "(objectClass=*)", "referint-membership-attr", false)
	case indexLines:
		if values, err = d.listValues(ctx, "cn=config", "(objectClass=olcDatabaseConfig)", "olcDatabase", false); err != nil || len(values) == 0 {
			return nil, false
		}
		values, err = d.listValues(ctx, "cn=config", "(objectClass=olcRefintConfig)", "olcRefintAttribute", false)
	default:
		return nil, false
	}
	attrs = make(map[string]bool)
	for _, v := range values {
		for _, name := range strings.Fields(v) {
			attrs[f.schema.canonical(name)] = true
		}
	}
	return attrs, err == nil
}

// checkIntegrity says who keeps references right.
func (d *Directory) checkIntegrity(ctx context.Context, f *facts) Finding {
	if f.dialect.integrity {
		return Finding{Message: "references follow what is renamed, moved and deleted: the server sees to it"}
	}
	attrs, told := d.integrity(ctx, f)
	var left []string
	for _, name := range d.names {
		for a := range d.collections[name].References {
			if !f.readOnly(a) && !attrs[f.schema.canonical(string(a))] && !slices.Contains(left, string(a)) {
				left = append(left, string(a))
			}
		}
	}
	slices.Sort(left)
	server := "the server sees to it too"
	switch {
	case !told:
		server = "whether the server sees to it too is not told to the bind identity"
	case len(left) > 0:
		server = fmt.Sprintf("the server does not see to it in %q", left)
	}
	switch {
	case d.config.References != ReferencesServer:
		return Finding{Message: "references follow what is renamed, moved and deleted here: they are repaired; " + server}
	case told && len(left) > 0:
		return Finding{Level: Failure, Message: "references do not follow what is renamed, moved and deleted: that is left to the server, and " + server,
			Hint: "turn referential integrity on there (the overlay refint, the plugin of 389-DS) for these attributes, or say references: repair"}
	default:
		return Finding{Message: "references follow what is renamed, moved and deleted as far as the server sees to it; " + server}
	}
}
