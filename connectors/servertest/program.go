package servertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// LookProgram finds a program on the search path and where servers are kept,
// which is not on the path of an ordinary user.
func LookProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec", "/usr/lib/openldap"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("the program %q is not installed", name)
}

// Run runs a program to its end in dir; what it wrote is part of the error.
func Run(ctx context.Context, dir string, environment []string, name string, arguments ...string) error {
	path, err := LookProgram(name)
	if err != nil {
		return err
	}
	var output strings.Builder
	command := exec.Command(path, arguments...)
	command.Dir, command.Env = dir, append(os.Environ(), environment...)
	command.Stdout, command.Stderr = &output, &output
	p, err := Spawn(command)
	if err != nil {
		return err
	}
	select {
	case <-p.Done:
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	if p.Err != nil {
		return fmt.Errorf("%s: %w%s", name, p.Err, LastLines(output.String(), 10))
	}
	return nil
}

// LastLines is the last n lines of text, on lines of their own.
func LastLines(text string, n int) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	all := strings.Split(text, "\n")
	return "\n" + strings.Join(all[max(0, len(all)-n):], "\n")
}
