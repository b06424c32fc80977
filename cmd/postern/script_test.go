package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(crashConfig); file != "" {
		fmt.Fprintln(os.Stderr, serveUntilKilled(context.Background(), file))
		os.Exit(1)
	}
	testscript.Main(m, map[string]func(){"postern": main})
}

// TestScripts runs the commands as a user would: testdata/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("HOME", env.WorkDir)
		return nil
	}, UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != ""})
}
