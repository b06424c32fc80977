package wire

import (
	"context"
	"testing"
	"time"
)

// FuzzAnswer holds that whatever comes in answer to a request, even to its end in
// the middle, ends the request, and that what it gave can be read.
func FuzzAnswer(f *testing.F) {
	done := result(opSearchDone, Success, "")
	f.Add(message(1, done))
	f.Add(append(message(1, entry("cn=x", "cn", "x", "y")), message(1, done)...))
	f.Add(append(message(1, done, []byte{tagControls, 0}), message(0, result(opExtendedResponse, 52, "bye"))...))
	paged := AppendPaging([]byte{tagControls, 0}, 0, "cookie")
	paged[1] = byte(len(paged) - 2)
	f.Add(message(1, done, paged))
	f.Add([]byte{TagSequence, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{TagSequence, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, answer []byte) {
		asked := false
		c := fake(t, func(request) []byte {
			if asked {
				return nil
			}
			asked = true
			return append([]byte{}, answer...) // never nil: the connection ends with the next request
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		reply, err := c.Do(ctx, search())
		if err != nil {
			return
		}
		for _, m := range reply.Entries {
			e, err := ParseEntry(m)
			if err != nil {
				continue
			}
			for _, values := range e.Attributes() {
				if n := 0; values.Len() > 0 {
					for range values.All() {
						n++
					}
					if n != values.Len() {
						t.Errorf("%d values, and %d of them given", values.Len(), n)
					}
				}
			}
		}
		reply.Controls.Cookie()
		reply.Controls.PostRead()
		reply.Controls.PolicyError()
	})
}
