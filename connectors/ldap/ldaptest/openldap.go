package ldaptest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"postern/connectors/servertest"
)

const (
	slapdModules = "/usr/lib/ldap"
	slapdSchema  = "/etc/ldap/schema"
)

// openLDAPConfig is slapd.conf. The modules are always all loaded: memberof
// and ppolicy bring the schema of memberOf and of the password policy, whether
// or not the overlay is on.
//
// unique needs "serialize": without it two adds of one uid at the same moment
// can both get in. Durability is off.
const openLDAPConfig = `include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
include {schema}/nis.schema
include {schema}/dyngroup.schema
pidfile {dir}/slapd.pid
argsfile {dir}/slapd.args
modulepath {modules}
moduleload back_mdb
moduleload syncprov
moduleload sssvlv
moduleload deref
moduleload ppolicy
moduleload unique
moduleload memberof
moduleload refint
TLSCACertificateFile {dir}/tls/ca.pem
TLSCertificateFile {dir}/tls/cert.pem
TLSCertificateKeyFile {dir}/tls/key.pem
TLSVerifyClient try
authz-regexp "^cn={marker}-scim$" "{service}"
{global}threads 8
loglevel none
sizelimit 500

database config
rootdn cn=config
rootpw {password}

database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {dir}/data
maxsize 1073741824
dbnosync
checkpoint 1024 5
index objectClass,entryUUID,entryCSN,createTimestamp,modifyTimestamp eq
index uid,cn,mail eq,sub
index sn,givenName,displayName,employeeNumber,uidNumber,gidNumber,memberUid eq
index member,uniqueMember,memberOf,manager,owner,seeAlso eq
limits dn.exact="{service}" size=unlimited size.pr=unlimited size.prtotal=unlimited time=unlimited
{database}access to attrs=userPassword by dn.exact="{service}" manage by self write by anonymous auth by * none
access to * by dn.exact="{service}" manage by users read by anonymous auth by * none

overlay syncprov
syncprov-checkpoint 100 10
syncprov-sessionlog 10000
syncprov-reloadhint TRUE

overlay sssvlv
sssvlv-max 16
sssvlv-maxperconn 4

overlay deref

overlay ppolicy
ppolicy_default "{policy}"
ppolicy_hash_cleartext
ppolicy_use_lockout

overlay unique
unique_uri "serialize ldap:///{base}?uid?sub"
unique_uri "serialize ldap:///{base}?mail?sub"
`

// openLDAPIntegrity are the overlays that WithoutIntegrity leaves out.
const openLDAPIntegrity = `
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
memberof-refint TRUE
memberof-dangling ignore

overlay refint
refint_attributes member uniqueMember manager owner seeAlso
refint_nothing "{nobody}"
`

func (s *Server) configureOpenLDAP(options []Option) (*exec.Cmd, []*ldap.AddRequest, error) {
	if s.address == nil {
		a, err := servertest.FreePorts()
		if err != nil {
			return nil, nil, err
		}
		s.setAddress(a)
	}
	base := "dc=" + Marker + ",dc=example"
	s.setBase(base, "cn=admin,"+base, base)
	policies := "ou=policies," + base
	policy := "cn=default," + policies
	text := openLDAPConfig
	if !has(options, WithoutIntegrity) {
		s.Nobody = "cn=nobody," + base
		text += openLDAPIntegrity
	}
	text = strings.NewReplacer(
		"{schema}", slapdSchema, "{modules}", slapdModules, "{dir}", s.Dir, "{password}", password,
		"{base}", base, "{admin}", s.BindDN, "{service}", s.ServiceDN, "{policy}", policy, "{nobody}", s.Nobody,
		"{marker}", Marker, "{global}", s.mirror.global(), "{database}", s.mirror.database(s.BindDN, base),
	).Replace(text)
	config := filepath.Join(s.Dir, "slapd.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(filepath.Join(s.Dir, "data"), 0o700); err != nil {
		return nil, nil, err
	}
	tls := filepath.Join(s.Dir, "tls")
	if s.mirror != nil && s.mirror.tls != "" {
		if err := os.CopyFS(tls, os.DirFS(s.mirror.tls)); err != nil {
			return nil, nil, err
		}
	} else if err := writeTLS(tls, s.address.Host); err != nil {
		return nil, nil, err
	}
	s.CAFile = filepath.Join(tls, caFile)
	s.ClientCert, s.ClientKey = filepath.Join(tls, clientCertFile), filepath.Join(tls, clientKeyFile)
	program, err := servertest.LookProgram("slapd")
	if err != nil {
		return nil, nil, err
	}
	seed := []*ldap.AddRequest{
		addition(base, "objectClass", "top", "objectClass", "dcObject", "objectClass", "organization", "o", "example"),
		addition(s.PeopleBase, "objectClass", "organizationalUnit"),
		addition(s.GroupsBase, "objectClass", "organizationalUnit"),
		addition(policies, "objectClass", "organizationalUnit"),
		addition(policy, "objectClass", "pwdPolicy", "objectClass", "applicationProcess",
			"pwdAttribute", "userPassword", "pwdMinLength", "6", "pwdCheckQuality", "1",
			"pwdLockout", "TRUE", "pwdMaxFailure", "5"),
		addition(s.ServiceDN, "objectClass", "applicationProcess", "objectClass", "simpleSecurityObject",
			"userPassword", s.ServicePassword),
	}
	// -d keeps it in the foreground; with "none" it writes what it never leaves out, with 0 nothing.
	return exec.Command(program, "-d", "none", "-f", config, "-h", fmt.Sprintf("%s %s", s.URL, s.TLSURL)), seed, nil
}

// addition is the request to add dn with its attributes, given as names and
// values in turn, and with those that its RDN states.
func addition(dn string, attributes ...string) *ldap.AddRequest {
	values := map[string][]string{}
	var names []string
	add := func(name, value string) {
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], value)
	}
	for i := 0; i+1 < len(attributes); i += 2 {
		add(attributes[i], attributes[i+1])
	}
	rdn, _, _ := strings.Cut(dn, ",")
	name, value, _ := strings.Cut(rdn, "=")
	add(name, value)
	r := ldap.NewAddRequest(dn, nil)
	for _, n := range names {
		r.Attribute(n, values[n])
	}
	return r
}
