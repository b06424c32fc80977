package ldaptest

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"postern/connectors/servertest"
)

//go:embed samba.go
var sambaSource []byte // A part of the key of the template.

const (
	sambaRealm  = "CORP.EXAMPLE.COM"
	sambaDomain = "CORP"
	sambaBase   = "DC=corp,DC=example,DC=com"
	sambaSetup  = "/usr/share/samba/setup"
)

// sambaConfig is smb.conf. Only the LDAP service runs. With a mask of 32 bits
// Samba finds no interface and listens nowhere. "strong auth = no" admits
// simple binds in the clear beside StartTLS and LDAPS. Durability is off.
const sambaConfig = `[global]
	netbios name = DC1
	workgroup = {domain}
	realm = {realm}
	server role = active directory domain controller
	server services = {services}
	dcerpc endpoint servers = -winreg -srvsvc
	interfaces = {host}/8
	bind interfaces only = yes
	private dir = {dir}/private
	state directory = {dir}/state
	cache directory = {dir}/cache
	lock directory = {dir}/lock
	pid directory = {dir}/run
	ncalrpc dir = {dir}/run/ncalrpc
	ntp signd socket directory = {dir}/run/ntp_signd
	winbindd socket directory = {dir}/run/winbindd
	binddns dir = {dir}/bind-dns
	log file = {dir}/log/log.%m
	max log size = 0
	log level = 1
	idmap_ldb:use rfc2307 = yes
	ldb:nosync = yes
	ldap server require strong auth = no
	tls enabled = yes
	tls keyfile = {dir}/tls/key.pem
	tls certfile = {dir}/tls/cert.pem
	tls cafile = {dir}/tls/ca.pem
	load printers = no
	printing = bsd
	printcap name = /dev/null
	disable spoolss = yes
[sysvol]
	path = {dir}/state/sysvol
	read only = no
[netlogon]
	path = {dir}/state/sysvol/scripts
	read only = no
`

// sambaRights is a program that lets Account Operators, of whom the service is one, look at what was deleted, which
// samba-tool does not see.
const sambaRights = `
import sys
from samba.auth import system_session
from samba.dcerpc import security
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.sd_utils import SDUtils
lp = LoadParm()
lp.load(sys.argv[1])
db = SamDB(url=sys.argv[2], session_info=system_session(), lp=lp)
sid = security.dom_sid(db.get_domain_sid())
rights, deleted, show = SDUtils(db), "CN=Deleted Objects," + sys.argv[3], ["show_deleted:1"]
sddl = rights.read_sd_on_dn(deleted, show).as_sddl(sid)
at = sddl.index("(", sddl.index("D:"))
rights.modify_sd_on_dn(deleted, security.descriptor.from_sddl(sddl[:at] + "(A;CI;RPLC;;;AO)" + sddl[at:], sid), show)
`

func writeSambaConfig(dir, host, services string) (string, error) {
	for _, d := range []string{"private", "state", "cache", "lock", "run", "run/ncalrpc", "log", "bind-dns"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "smb.conf")
	text := strings.NewReplacer("{dir}", dir, "{host}", host, "{realm}", sambaRealm, "{domain}", sambaDomain, "{services}", services).Replace(sambaConfig)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// provisionSamba makes a domain in dir, which takes some seconds.
func provisionSamba(ctx context.Context, dir string) error {
	config, err := writeSambaConfig(dir, "127.0.0.2", "ldap")
	if err != nil {
		return err
	}
	if err := servertest.Run(ctx, dir, nil, "samba-tool", "domain", "provision", "--configfile="+config,
		"--realm="+sambaRealm, "--domain="+sambaDomain, "--server-role=dc", "--use-rfc2307",
		"--dns-backend=NONE", "--adminpass="+password, "--host-name=dc1", "--host-ip=127.0.0.2"); err != nil {
		return err
	}
	// Tests change passwords again and again, at once.
	if err := servertest.Run(ctx, dir, nil, "samba-tool", "domain", "passwordsettings", "set", "--configfile="+config,
		"-H", filepath.Join(dir, "private", "sam.ldb"),
		"--max-pwd-age=0", "--min-pwd-age=0", "--history-length=0"); err != nil {
		return err
	}
	// Something that was deleted, for those who look at that.
	sam, gone := filepath.Join(dir, "private", "sam.ldb"), "OU=gone,"+sambaBase
	for _, command := range [][]string{
		{"samba-tool", "ou", "create", gone, "--configfile=" + config, "-H", sam},
		{"samba-tool", "ou", "delete", gone, "--configfile=" + config, "-H", sam},
		{"/usr/bin/python3", "-c", sambaRights, config, sam, sambaBase},
	} {
		if err := servertest.Run(ctx, dir, nil, command[0], command[1:]...); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(dir, "state", "sysvol"))
}

func (s *Server) configureSamba(ctx context.Context, options []Option) (*exec.Cmd, []*ldap.AddRequest, error) {
	if err := cloneTemplate(ctx, s.Dir, template{
		kind: s.Kind, source: sambaSource, programs: []string{"samba", "samba-tool"}, build: provisionSamba,
	}); err != nil {
		return nil, nil, err
	}
	a, err := servertest.FreeHost()
	if err != nil {
		return nil, nil, err
	}
	s.setAddress(a)
	s.setBase(sambaBase, "CN=Administrator,CN=Users,"+sambaBase, "CN=Users,"+sambaBase)
	services := "ldap"
	if has(options, WithKDC) {
		services = "ldap kdc"
		s.KDC, s.Principal = servertest.Join(a.Host, 88), Marker+"-scim@"+sambaRealm
	}
	config, err := writeSambaConfig(s.Dir, a.Host, services)
	if err != nil {
		return nil, nil, err
	}
	tls := filepath.Join(s.Dir, "tls")
	s.CAFile = filepath.Join(tls, caFile)
	if err := writeTLS(tls, a.Host, "dc1."+strings.ToLower(sambaRealm)); err != nil {
		return nil, nil, err
	}
	program, err := servertest.LookProgram("samba")
	if err != nil {
		return nil, nil, err
	}
	service := addition(s.ServiceDN, "objectClass", "user", "sAMAccountName", Marker+"-scim",
		"userAccountControl", "66048") // An enabled account whose password does not expire.
	service.Attribute("unicodePwd", []string{unicodePassword(s.ServicePassword)})
	seed := []*ldap.AddRequest{
		addition(s.PeopleBase, "objectClass", "organizationalUnit"),
		addition(s.GroupsBase, "objectClass", "organizationalUnit"),
		service,
	}
	return exec.Command(program, "--foreground", "--no-process-group", "--debug-stdout",
		"--model=single", "--configfile="+config), seed, nil
}

// grantSamba lets the service create, change and delete users and groups.
func grantSamba(conn *ldap.Conn, s *Server) error {
	r := ldap.NewModifyRequest("CN=Account Operators,CN=Builtin,"+s.Base, nil)
	r.Add("member", []string{s.ServiceDN})
	return conn.Modify(r)
}

// exportKeytab writes the keys of the service where there is a KDC, and gives
// the server the name that tickets for it are of, which a service of Samba does
// elsewhere.
func (s *Server) exportKeytab(ctx context.Context, conn *ldap.Conn) error {
	if s.KDC == "" {
		return nil
	}
	r := ldap.NewModifyRequest("CN=DC1,OU=Domain Controllers,"+s.Base, nil)
	r.Add("servicePrincipalName", []string{"ldap/dc1." + strings.ToLower(sambaRealm)})
	if err := conn.Modify(r); err != nil {
		return err
	}
	s.Keytab = filepath.Join(s.Dir, "service.keytab")
	return servertest.Run(ctx, s.Dir, nil, "samba-tool", "domain", "exportkeytab", s.Keytab,
		"--principal="+s.Principal, "--configfile="+filepath.Join(s.Dir, "smb.conf"))
}

// unicodePassword is the form of a password that unicodePwd takes: quoted, in
// UTF-16 with the low byte first ([MS-ADTS] 3.1.1.3.1.5).
func unicodePassword(password string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}
