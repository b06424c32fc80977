package ldaptest

import (
	"context"
	"errors"
	"io"

	"postern/connectors/servertest"
)

// Install gets the servers of the kinds (of all kinds if none is named) that are
// missing here, as [servertest.Install] does.
func Install(ctx context.Context, out io.Writer, kinds ...Kind) error {
	if len(kinds) == 0 {
		kinds = Kinds()
	}
	var rs []servertest.Requirement
	for _, k := range kinds {
		if _, err := ParseKind(string(k)); err != nil {
			return errors.New(Missing(k))
		}
		rs = append(rs, k.Requirement())
	}
	return servertest.Install(ctx, out, rs...)
}
