package redminetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"postern/connectors/servertest"
)

// Install gets Redmine where it is missing, as [servertest.Install] does.
func Install(ctx context.Context, out io.Writer) error {
	err := servertest.Install(ctx, out, Requirement())
	if err == nil || os.Geteuid() != 0 || ctx.Err() != nil {
		return err
	}
	if failed := configure(ctx); failed != nil {
		return errors.Join(err, failed)
	}
	fmt.Fprintln(out, "redmine is configured at the second try")
	if missing := Requirement().Missing(); missing != "" {
		return errors.New(missing)
	}
	return nil
}

// configure ends the configuration of the package, which may have failed because
// Bundler takes a gem without a folder of its own for one that is missing.
func configure(ctx context.Context) error {
	const folders = `Gem::Specification.each { |gem| FileUtils.mkdir_p(gem.full_gem_path) }`
	if err := servertest.Run(ctx, "/", nil, "ruby", "-rfileutils", "-e", folders); err != nil {
		return err
	}
	return servertest.Run(ctx, "/", []string{"DEBIAN_FRONTEND=noninteractive"}, "dpkg", "--configure", "redmine")
}
