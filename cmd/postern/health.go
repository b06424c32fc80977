package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func healthCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "health --config FILE",
		Short: "Ask the server that runs with this file whether it is up (for container health checks)",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, problems := loadConfig(file)
			if err := report(cmd.ErrOrStderr(), problems); err != nil {
				return err
			}
			return health(cmd.Context(), c)
		},
	}
	configFlag(cmd, &file)
	return cmd
}

// health asks the listener on this very machine; its certificate is not looked
// at, since it is made for the name that others know.
func health(ctx context.Context, c Config) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	url := "http://" + net.JoinHostPort(host, port) + "/healthz"
	if c.TLS != nil {
		url = "https" + url[len("http"):]
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", res.Status)
	}
	return nil
}
