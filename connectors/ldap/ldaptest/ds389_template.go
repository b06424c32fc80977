package ldaptest

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"postern/connectors/servertest"
)

//go:embed ds389_template.go
var ds389Source []byte // A part of the key of the template.

const (
	ds389Base     = "dc=" + Marker + ",dc=example"
	ds389Instance = "postern-test"
	ds389Files    = "/usr/share/dirsrv"

	// ds389Config is where an instance's configuration lies below its folder.
	ds389Config = "etc/dirsrv/slapd-" + ds389Instance
	// ds389Path stands in the template for the folder of the instance.
	ds389Path = "@folder@"
)

// ds389Defaults are what is changed in defaults.inf, where lib389 finds its
// paths, so that all of an instance stays in one folder. It runs as root: the
// kernel forgets the parent-death signal of a process that changes its user.
var ds389Defaults = []struct {
	match *regexp.Regexp
	value string
}{
	{regexp.MustCompile(`(?m)^with_systemd = .*`), "with_systemd = 0"},
	{regexp.MustCompile(`(?m)^with_selinux = .*`), "with_selinux = no"},
	{regexp.MustCompile(`(?m)^(user|group) = .*`), "$1 = root"},
	{regexp.MustCompile(`(?m)^prefix = .*`), "prefix = " + ds389Path},
	{regexp.MustCompile(`(?m)^data_dir = .*`), "data_dir = " + ds389Path + "/share"},
	{regexp.MustCompile(`(?m)^sysconf_dir = .*`), "sysconf_dir = " + ds389Path + "/etc"},
	{regexp.MustCompile(`(?m)^initconfig_dir = .*`), "initconfig_dir = " + ds389Path + "/etc/default"},
	{regexp.MustCompile(`(?m)= /etc/dirsrv`), "= " + ds389Path + "/etc/dirsrv"},
	{regexp.MustCompile(`(?m)^local_state_dir = .*`), "local_state_dir = " + ds389Path},
	{regexp.MustCompile(`(?m)^run_dir = .*`), "run_dir = " + ds389Path + "/run"},
	{regexp.MustCompile(`(?m)^ldapi = .*`), "ldapi = " + ds389Path + "/run/ldapi"},
	{regexp.MustCompile(`(?m)^pid_file = .*`), "pid_file = " + ds389Path + "/run/pid"},
	{regexp.MustCompile(`(?m)^inst_dir = .*`), "inst_dir = " + ds389Path + "/lib/slapd-{instance_name}"},
	{regexp.MustCompile(`(?m)^tmpfiles_d = .*`), "tmpfiles_d = " + ds389Path + "/etc/tmpfiles.d"},
	{regexp.MustCompile(`(?m)^tmp_dir = .*`), "tmp_dir = " + ds389Path + "/tmp"},
	{regexp.MustCompile(`(?m)= (/var)?/run/lock/dirsrv`), "= " + ds389Path + "/lock"},
	{regexp.MustCompile(`(?m)= /var/log/dirsrv`), "= " + ds389Path + "/log"},
	{regexp.MustCompile(`(?m)= /var/lib/dirsrv`), "= " + ds389Path + "/data"},
	{regexp.MustCompile(`(?m)= /dev/shm/slapd-\{instance_name\}`), "= " + ds389Path + "/data/slapd-{instance_name}/db"},
}

// ds389Inf tells dscreate what to make.
const ds389Inf = `[general]
config_version = 2
full_machine_name = localhost
strict_host_checking = False
systemd = False
selinux = False
start = False
[slapd]
instance_name = {instance}
user = root
group = root
port = {plain}
secure_port = {tls}
root_password = {password}
self_sign_cert = False
[backend-userroot]
suffix = {base}
create_suffix_entry = True
`

// createDS389 makes an instance in dir, which takes some seconds.
func createDS389(ctx context.Context, dir string) error {
	a, err := servertest.FreePorts() // dscreate starts the instance once.
	if err != nil {
		return err
	}
	defer a.Release()
	if err := layDS389(dir, a.Host); err != nil {
		return err
	}
	inf := filepath.Join(dir, "ds.inf")
	text := strings.NewReplacer("{instance}", ds389Instance, "{password}", password, "{base}", ds389Base,
		"{plain}", strconv.Itoa(a.Plain), "{tls}", strconv.Itoa(a.TLS)).Replace(ds389Inf)
	if err := os.WriteFile(inf, []byte(text), 0o600); err != nil {
		return err
	}
	if err := servertest.Run(ctx, dir, []string{"PREFIX=" + dir}, "dscreate", "-v", "from-file", inf); err != nil {
		return err
	}
	if err := certifyDS389(ctx, dir, a.Host); err != nil {
		return err
	}
	return tidyDS389(dir)
}

// layDS389 lays out the folder in which dscreate is to make an instance. The
// instance is told to listen on host alone: dscreate would open it to all.
func layDS389(dir, host string) error {
	for _, d := range []string{"share/dirsrv/inf", "etc/default", "run", "tmp", "log", "lib", "lock", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	for to, from := range map[string]string{
		"etc/dirsrv/config": "/etc/dirsrv/config",
		"etc/dirsrv/schema": "/etc/dirsrv/schema",
		"share/dirsrv/data": ds389Files + "/data",
	} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(from)); err != nil {
			return err
		}
	}
	defaults, err := os.ReadFile(ds389Files + "/inf/defaults.inf")
	if err != nil {
		return err
	}
	for _, d := range ds389Defaults {
		defaults = d.match.ReplaceAll(defaults, []byte(strings.ReplaceAll(d.value, ds389Path, dir)))
	}
	if err := os.WriteFile(filepath.Join(dir, "share/dirsrv/inf/defaults.inf"), defaults, 0o600); err != nil {
		return err
	}
	templates, err := filepath.Glob(filepath.Join(dir, "share/dirsrv/data/template-dse*.ldif"))
	if err != nil {
		return err
	}
	port := regexp.MustCompile(`(?m)^nsslapd-port: .*`)
	listen := "$0\nnsslapd-listenhost: " + host + "\nnsslapd-securelistenhost: " + host
	for _, name := range templates {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, port.ReplaceAll(text, []byte(listen)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// certifyDS389 has a key made in the instance's NSS database, and puts there the
// certificate that an authority of ours issues for it.
func certifyDS389(ctx context.Context, dir, host string) error {
	config := filepath.Join(dir, ds389Config)
	file := func(name string) string { return filepath.Join(dir, name) }
	// certutil asks for keystrokes unless it is given a file of noise.
	if err := os.WriteFile(file("noise"), []byte(rand.Text()), 0o600); err != nil {
		return err
	}
	certutil := func(arguments ...string) error {
		arguments = append(arguments, "-d", "sql:"+config, "-f", filepath.Join(config, "pwdfile.txt"))
		return servertest.Run(ctx, dir, nil, "certutil", arguments...)
	}
	if err := certutil("-R", "-s", "CN=localhost", "-k", "ec", "-q", "nistp256", "-z", file("noise"), "-o", file("request")); err != nil {
		return err
	}
	der, err := os.ReadFile(file("request"))
	if err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return err
	}
	a, err := newAuthority()
	if err != nil {
		return err
	}
	cert, err := a.issue(request.PublicKey, host)
	if err != nil {
		return err
	}
	for name, der := range map[string][]byte{caFile: a.certificate.Raw, certFile: cert} {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(file(name), text, 0o600); err != nil {
			return err
		}
	}
	if err := certutil("-A", "-n", "Test-CA", "-t", "CT,,", "-a", "-i", file(caFile)); err != nil {
		return err
	}
	return certutil("-A", "-n", "Server-Cert", "-t", "u,u,u", "-a", "-i", file(certFile))
}

// tidyDS389 leaves in dir what a copy of the instance needs, with ds389Path
// where its configuration names dir.
func tidyDS389(dir string) error {
	servertest.KillStrays(dir)
	unneeded := []string{
		"share", "ds.inf", "noise", "request", certFile, "run", "lock", "log", "tmp",
		ds389Config + "/dse.ldif.*", "data/slapd-" + ds389Instance + "/db/__db.*",
	}
	for _, pattern := range unneeded {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	path := filepath.Join(dir, ds389Config, "dse.ldif")
	d, err := readDSE(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(d.String(), dir, ds389Path)), 0o600)
}
