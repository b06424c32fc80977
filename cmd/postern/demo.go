package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"postern/configs"
	"postern/connectors/ldap/demodir"
	"postern/mapping"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var listen, level string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a small company from a directory in this very process; nothing has to be installed",
		Long: "Serve a small company with people and groups. Only the directory is ours and lives in this process: the mapping file, the LDAP\n" +
			"connector, the identity table and the SCIM service are those of `serve`. Everything is forgotten when the command ends.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(level)
			if err != nil {
				return err
			}
			return demo(cmd.Context(), cmd.OutOrStdout(), listen, log)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8880", "the `ADDRESS` to answer on; a free port is taken if this one is in use")
	cmd.Flags().StringVar(&level, "log-level", "warn", "debug, info, warn or error")
	return cmd
}

func demo(ctx context.Context, out io.Writer, listen string, log zerolog.Logger) (err error) {
	folder, err := os.MkdirTemp("", "postern-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	token, password := rand.Text(), rand.Text()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address, stopped, err := startDemoDirectory(ctx, password)
	if err != nil {
		return err
	}
	defer func() { cancel(); err = errors.Join(err, <-stopped) }()

	c, maps, err := demoConfig(out, folder, address, token, password)
	if err != nil {
		return err
	}
	l, err := demoListener(ctx, listen)
	if err != nil {
		return err
	}
	a, err := open(ctx, c, maps, log)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	welcome(out, "http://"+l.Addr().String()+"/scim/v2", token)
	return errors.Join(serve(ctx, l, c.Limits, a, log), a.close())
}

// startDemoDirectory serves the company over LDAP on loopback until the context
// ends; the channel then says how that went.
func startDemoDirectory(ctx context.Context, password string) (address string, stopped <-chan error, err error) {
	directory := demodir.New(demodir.Options{BindDN: "cn=postern," + demodir.DefaultSuffix, BindPassword: password, Unique: []string{"uid", "mail"}})
	if err := directory.Load(demodir.Company()); err != nil {
		return "", nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- directory.Serve(ctx, l, nil) }()
	return l.Addr().String(), ended, nil
}

// demoConfig is the sample demo.yaml with the directory's address, the secrets
// and the folder put in.
func demoConfig(out io.Writer, folder, address, token, password string) (Config, []*mapping.Mapping, error) {
	for name, value := range map[string]string{"POSTERN_DEMO_TOKEN": token, "POSTERN_DEMO_PASSWORD": password} {
		if err := os.Setenv(name, value); err != nil {
			return Config{}, nil, err
		}
	}
	data, err := configs.Sample("demo.yaml")
	if err != nil {
		return Config{}, nil, err
	}
	root, ps := configs.Parse("demo.yaml", data)
	c := decodeConfig(root, &ps)
	maps, err := compile(c, &ps)
	if err != nil {
		return Config{}, nil, err
	}
	if err := report(out, ps.Sorted()); err != nil {
		return Config{}, nil, err
	}
	c.Store.Bolt = filepath.Join(folder, "demo.db")
	c.Backends[0].LDAP.Servers = []string{"ldap://" + address}
	return c, maps, nil
}

// demoListener listens on the address, or on a free port beside it.
func demoListener(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address; as in 127.0.0.1:8880", address)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("the demo answers on loopback only, not on %q", host)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	return l, nil
}

func welcome(out io.Writer, base, token string) {
	fmt.Fprintf(out, `A SCIM service in front of a small company's LDAP directory:

  %[1]s     bearer token: %[2]s

Who works there?
  curl -s -H 'Authorization: Bearer %[2]s' '%[1]s/Users?count=3'

Somebody new comes in:
  curl -s -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/scim+json' '%[1]s/Users' -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"grace","displayName":"Grace Hopper","name":{"givenName":"Grace","familyName":"Hopper"},"emails":[{"type":"work","value":"grace@example.com"}],"active":true}'

And is found:
  curl -s -H 'Authorization: Bearer %[2]s' --get '%[1]s/Users' --data-urlencode 'filter=userName eq "grace"'

Ctrl-C ends it; everything is forgotten then.
`, base, token)
}
