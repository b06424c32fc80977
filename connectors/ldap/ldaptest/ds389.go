package ldaptest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"postern/connectors/servertest"
)

func (s *Server) configureDS389(ctx context.Context, options []Option) (*exec.Cmd, []*ldap.AddRequest, error) {
	if err := cloneTemplate(ctx, s.Dir, template{
		kind: s.Kind, source: ds389Source, programs: []string{"ns-slapd", "dscreate", "certutil"}, build: createDS389,
	}); err != nil {
		return nil, nil, err
	}
	a, err := servertest.FreePorts()
	if err != nil {
		return nil, nil, err
	}
	s.setAddress(a)
	s.setBase(ds389Base, "cn=Directory Manager", ds389Base)
	s.CAFile = filepath.Join(s.Dir, caFile)
	for _, d := range []string{"run", "lock/slapd-" + ds389Instance, "log/slapd-" + ds389Instance, "tmp"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, d), 0o700); err != nil {
			return nil, nil, err
		}
	}
	path := filepath.Join(s.Dir, ds389Config, "dse.ldif")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	d := parseDSE(strings.ReplaceAll(string(text), ds389Path, s.Dir))
	setDS389(d, a, !has(options, WithoutIntegrity))
	if err := os.WriteFile(path, []byte(d.String()), 0o600); err != nil {
		return nil, nil, err
	}
	program, err := servertest.LookProgram("ns-slapd")
	if err != nil {
		return nil, nil, err
	}
	// With -d it stays in the foreground, but with -d 0 it logs nowhere. 8192
	// is replication, of which there is none, and brings the log of the rest.
	return exec.Command(program, "-D", filepath.Dir(path), "-i", filepath.Join(s.Dir, "run", "pid"), "-d", "8192"),
		seedDS389(s), nil
}

// setDS389 sets what the tests need. The administrator's socket is off.
//
// Referential integrity looks for every attribute it watches at every delete
// and rename, in every backend it is not kept out of: without an index, or in
// the changelog, each look is a scan of 100 ms and more.
func setDS389(d *dse, a *servertest.Address, integrity bool) {
	const plugins = ",cn=plugins,cn=config"
	const database = "cn=ldbm database" + plugins
	onOff := map[bool]string{true: "on", false: "off"}
	d.put("cn=config", "nsslapd-security", "on",
		"nsslapd-port", strconv.Itoa(a.Plain), "nsslapd-secureport", strconv.Itoa(a.TLS),
		"nsslapd-listenhost", a.Host, "nsslapd-securelistenhost", a.Host,
		"nsslapd-localuser", "root", "nsslapd-ldapilisten", "off", "nsslapd-ldapiautobind", "off",
		"nsslapd-maxdescriptors", "4096", "nsslapd-accesslog-logging-enabled", "off",
		"nsslapd-errorlog-level", "0") // Else -d silences the errors.
	d.put("cn=RSA,cn=encryption,cn=config", "objectClass", "top", "objectClass", "nsEncryptionModule", "cn", "RSA",
		"nsSSLPersonalitySSL", "Server-Cert", "nsSSLActivation", "on", "nsSSLToken", "internal (software)")
	d.put("cn=bdb,cn=config,"+database, "nsslapd-cache-autosize", "0", "nsslapd-dbcachesize", "67108864",
		"nsslapd-db-durable-transaction", "off")
	d.put("cn=MemberOf Plugin"+plugins, "nsslapd-pluginEnabled", onOff[integrity],
		"memberofentryscope", ds389Base, "memberofgroupattr", "member", "memberofattr", "memberOf", "memberofautoaddoc", "nsMemberOf")
	d.put("cn=referential integrity postoperation"+plugins, "nsslapd-pluginEnabled", onOff[integrity],
		"referint-membership-attr", "member", "referint-membership-attr", "uniquemember",
		"referint-membership-attr", "owner", "referint-membership-attr", "seeAlso", "referint-membership-attr", "manager",
		"nsslapd-pluginEntryScope", ds389Base, "nsslapd-pluginContainerScope", ds389Base)
	for _, name := range []string{"manager", "employeeNumber", "displayName"} {
		d.put("cn="+name+",cn=index,cn=userroot,"+database, "objectClass", "top", "objectClass", "nsIndex",
			"cn", name, "nsSystemIndex", "false", "nsIndexType", "eq", "nsIndexType", "pres")
	}
	d.put("cn=attribute uniqueness"+plugins, "nsslapd-pluginEnabled", "on",
		"uniqueness-attribute-name", "uid", "uniqueness-subtrees", ds389Base)
	d.put("cn=USN"+plugins, "nsslapd-pluginEnabled", "on")
	d.put("cn=Retro Changelog Plugin"+plugins, "nsslapd-pluginEnabled", "on",
		"nsslapd-attribute", "nsuniqueid:targetUniqueId", "nsslapd-attribute", "entryuuid:targetEntryUUID",
		"nsslapd-changelogmaxage", "1d")
	d.put("cn=Content Synchronization"+plugins, "nsslapd-pluginEnabled", "on")
}

// seedDS389 are the first entries. An index without any value counts for
// nothing with 389-DS, each look a scan, so primers give one to every
// attribute that referential integrity watches.
func seedDS389(s *Server) []*ldap.AddRequest {
	internal := "ou=internal," + s.Base
	primer := "cn=primer," + internal
	return []*ldap.AddRequest{
		addition(s.PeopleBase, "objectClass", "organizationalUnit"),
		addition(s.GroupsBase, "objectClass", "organizationalUnit"),
		addition(internal, "objectClass", "organizationalUnit"),
		addition(primer, "objectClass", "groupOfUniqueNames", "uniqueMember", primer, "owner", primer, "seeAlso", primer),
		addition("cn=primer2,"+internal, "objectClass", "groupOfNames", "objectClass", "extensibleObject",
			"member", primer, "manager", primer, "employeeNumber", "0", "displayName", "primer"),
		addition(s.ServiceDN, "objectClass", "applicationProcess", "objectClass", "simpleSecurityObject",
			"userPassword", s.ServicePassword, "nsSizeLimit", "-1", "nsLookThroughLimit", "-1",
			"nsPagedSizeLimit", "-1", "nsPagedLookThroughLimit", "-1", "nsTimeLimit", "-1", "nsIdleTimeout", "0"),
	}
}

// grantDS389 gives the service all rights below the suffix and the changelog
// to read, and every authenticated identity the suffix without the passwords.
func grantDS389(conn *ldap.Conn, s *Server) error {
	r := ldap.NewModifyRequest(s.Base, nil)
	r.Add("aci", []string{
		`(targetattr="*")(version 3.0; acl "service"; allow (all) userdn="ldap:///` + s.ServiceDN + `";)`,
		`(targetattr!="userPassword")(version 3.0; acl "users"; allow (read,search,compare) userdn="ldap:///all";)`,
	})
	if err := conn.Modify(r); err != nil {
		return err
	}
	r = ldap.NewModifyRequest("cn=changelog", nil)
	r.Add("aci", []string{
		`(targetattr="*")(version 3.0; acl "changelog"; allow (read,search,compare) userdn="ldap:///` + s.ServiceDN + `";)`,
	})
	return conn.Modify(r)
}
