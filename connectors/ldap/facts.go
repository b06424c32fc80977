package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// facts are what the first contact with a server told. They do not change
// afterwards.
type facts struct {
	dialect
	root   rootDSE
	schema *schema
	assert bool // the assertion control
	post   bool // the post-read control
	paging bool // the paged results control
	extDN  bool // the extended DN control
	permit bool // the permissive modify control
	policy bool // the password policy control
	// passwords says that userPassword is set by the Password Modify operation.
	passwords bool
	// integral says that references to what is renamed and deleted are the server's
	// business.
	integral bool
	// unwatched says why nobody is told what happens, or "".
	unwatched string
	answers   connectors.Capabilities
}

// A rootDSE is what the connector needs of a server's root (RFC 4512 §5.1).
type rootDSE struct {
	objectClass   []string
	controls      []string
	extensions    []string
	capabilities  []string
	contexts      []string
	subschema     string
	schemaContext string // Active Directory's
	vendorName    string
	vendorVersion string
}

// learn asks a server what it is.
func (d *Directory) learn(ctx context.Context) (*facts, error) {
	root, err := d.readRoot(ctx)
	if err != nil {
		return nil, err
	}
	f := &facts{root: root}
	if d.config.Dialect != "" {
		f.dialect, err = dialectNamed(d.config.Dialect)
	} else {
		f.dialect, err = dialectOf(root)
	}
	if err != nil {
		return nil, err
	}
	f.integral = f.integrity || d.config.References == ReferencesServer
	has := func(oid, name string) bool {
		return slices.Contains(root.controls, oid) && !slices.Contains(d.config.Without, name)
	}
	f.assert = has(wire.ControlAssertion, WithoutAssertion)
	f.post = has(wire.ControlPostRead, WithoutPostRead)
	f.paging = has(wire.ControlPaging, WithoutPaging)
	f.extDN = has(wire.ControlExtendedDN, WithoutExtendedDN)
	f.permit = has(wire.ControlPermissive, WithoutPermissive)
	f.policy = slices.Contains(root.controls, wire.ControlPolicy)
	f.passwords = f.clearPasswords && slices.Contains(root.extensions, wire.ExtensionPasswordModify) &&
		!slices.Contains(d.config.Without, WithoutPasswordModify)
	if f.guidDN && !f.extDN {
		f.nameAttr = "distinguishedName"
	}
	if f.schema, err = d.readSchema(ctx, root, f.dialect); err != nil {
		return nil, err
	}
	if f.unwatched, err = d.probeWatch(ctx, f); err != nil {
		// What is only of use besides keeps nobody from the rest.
		if e, ok := errors.AsType[*wire.Error](err); ok && (e.Broken || e.Unsent || errors.Is(err, context.Canceled)) {
			return nil, err
		}
		f.unwatched = err.Error()
	}
	guard := connectors.GuardValues
	if f.assert && f.stamp != "" {
		guard = connectors.GuardEntry
	}
	f.answers = connectors.Capabilities{
		Server:   strings.TrimSpace(f.name + " " + root.vendorVersion),
		Conds:    f.conds,
		Guard:    guard,
		Places:   true,
		Watch:    f.unwatched == "",
		Matching: f.schema.matching,
	}
	return f, nil
}

func (d *Directory) readRoot(ctx context.Context) (rootDSE, error) {
	found, err := d.lookUp(ctx, "", "(objectClass=*)", "objectClass", "supportedControl", "supportedExtension", "supportedCapabilities", "namingContexts",
		"subschemaSubentry", "schemaNamingContext", "vendorName", "vendorVersion")
	if err != nil {
		return rootDSE{}, fmt.Errorf("root DSE: %w", err)
	}
	first := func(name string) string {
		if v := found[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	return rootDSE{
		objectClass:   found["objectclass"],
		controls:      found["supportedcontrol"],
		extensions:    found["supportedextension"],
		capabilities:  found["supportedcapabilities"],
		contexts:      found["namingcontexts"],
		subschema:     first("subschemasubentry"),
		schemaContext: first("schemanamingcontext"),
		vendorName:    first("vendorname"),
		vendorVersion: first("vendorversion"),
	}, nil
}

func (d *Directory) readSchema(ctx context.Context, root rootDSE, kind dialect) (*schema, error) {
	found, err := d.lookUp(ctx, root.subschema, "(objectClass=*)", "attributeTypes", "objectClasses")
	if err != nil {
		return nil, fmt.Errorf("subschema: %w", err)
	}
	s := parseSchema(kind, found["attributetypes"], found["objectclasses"])
	if len(s.matching) == 0 {
		return nil, fmt.Errorf("subschema: the bind identity can read no attributeTypes in %q", root.subschema)
	}
	if !kind.systemSchema {
		return s, nil
	}
	mark := func(filter string, set func(*connectors.Matching)) error {
		names, err := d.listValues(ctx, root.schemaContext, "(&(objectClass=attributeSchema)"+filter+")", "lDAPDisplayName", true)
		for _, n := range names {
			a := connectors.Attr(strings.ToLower(n))
			if m, ok := s.matching[a]; ok {
				set(&m)
				s.matching[a] = m
			}
		}
		return err
	}
	// Constructed attributes are not stored ([MS-ADTS] §3.1.1.4.5), so that no filter
	// finds them. Those and back links ([MS-ADTS] §3.1.1.2.3) only the system writes.
	err = mark("(systemFlags:"+bitAnd+":=4)", func(m *connectors.Matching) { m.ReadOnly, m.Unsearchable = true, true })
	if err == nil {
		err = mark("(|(systemOnly=TRUE)(linkID:"+bitAnd+":=1))", func(m *connectors.Matching) { m.ReadOnly = true })
	}
	if err != nil {
		return nil, fmt.Errorf("attribute schema: %w", err)
	}
	return s, nil
}

// readOnly reports whether a client can not write the attribute.
func (f *facts) readOnly(a connectors.Attr) bool {
	name := strings.ToLower(string(a))
	return f.schema.matching[connectors.Attr(name)].ReadOnly || f.schema.operational[name] || slices.Contains(f.computed, name)
}

// comparable reports whether the server can find a value of the attribute among
// others, to delete it. Active Directory always can.
func (f *facts) comparable(a connectors.Attr) bool {
	name, _, _ := strings.Cut(strings.ToLower(string(a)), ";")
	m, known := f.schema.matching[connectors.Attr(name)]
	return f.systemSchema || !known || m.Rule != connectors.RuleUnknown
}
