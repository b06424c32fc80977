package ldaptest

import (
	"context"
	"testing"
	"time"

	"postern/connectors/servertest"
)

// launchTime bounds a start with everything before it, a template included.
const launchTime = 3 * time.Minute

// Start runs a server of kind k for the test, stopped when the test ends. If
// it is missing or does not start, the test is skipped with the reason; with
// CI=true or POSTERN_SERVERS=require it fails.
func Start(t testing.TB, k Kind, options ...Option) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launchTime)
	defer cancel()
	s, err := Launch(ctx, k, "", options...)
	if err != nil {
		servertest.Leave(t, err)
	}
	s.tester = t
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stopping %s: %v", k, err)
		}
	})
	return s
}
