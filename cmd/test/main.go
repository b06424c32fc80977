// Command test passes every test of the project on a machine with nothing but
// Go. On Debian, as root, it installs the real directory servers that the tests
// speak to and the application Redmine, and where there is Python the conformance
// checker scim2-tester, in a virtual environment of its own; elsewhere it says what
// is missing and runs the rest. With CI set in the environment what is missing or
// does not start is a failure.
//
//	go run ./cmd/test            everything
//	go run ./cmd/test ./scim     some packages; further arguments go to go test
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"postern/connectors/ldap/ldaptest"
	"postern/connectors/rest/redminetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	began := time.Now()
	kinds := []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389, ldaptest.ActiveDirectory}
	if err := ldaptest.Install(ctx, os.Stdout, kinds...); err != nil {
		if os.Getenv("CI") != "" {
			return err
		}
		fmt.Println("some real directory servers can not be installed here:", err)
	}
	var missing []string
	for _, k := range kinds {
		if why := ldaptest.Missing(k); why != "" {
			missing = append(missing, fmt.Sprintf("%s: %s", k, why))
		}
	}
	if err := redminetest.Install(ctx, os.Stdout); err != nil {
		if os.Getenv("CI") != "" {
			return fmt.Errorf("redmine can not be installed: %w", err)
		}
		missing = append(missing, fmt.Sprintf("redmine: %v", err))
	}
	env := os.Environ()
	if checker, err := installSCIM2(ctx, os.Stdout); err == nil {
		env = append(env, scim2Variable+"="+checker)
	} else if os.Getenv("CI") != "" {
		return fmt.Errorf("scim2-tester can not be installed: %w", err)
	} else {
		missing = append(missing, fmt.Sprintf("scim2-tester: %v", err))
	}
	if len(args) == 0 {
		args = []string{"./..."}
	}
	steps := [][]string{{"go", "vet", "./..."}, append([]string{"go", "test", "-count=1", "-timeout=25m"}, args...)}
	for _, step := range steps {
		fmt.Println("==>", step)
		cmd := exec.CommandContext(ctx, step[0], step[1:]...)
		cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdout, os.Stderr, env
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", step, err)
		}
	}
	for _, m := range missing {
		fmt.Println("not tested:", m)
	}
	fmt.Printf("passed in %s\n", time.Since(began).Round(time.Second))
	return nil
}
