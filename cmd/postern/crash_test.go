package main

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"

	"postern/connectors/ldap/ldaptest"
)

var (
	crashKills = flag.Int("kills", 0, "kill the gateway at least so `often` in TestCrash, on every kind of directory; without it a few dozen times on some")
	crashSeed  = flag.Uint64("kill-seed", 0, "the `seed` of the instants at which TestCrash kills; without it another one each time")
)

// crashWays are what the gateway meets in an operation, at one point after the
// other:
//   - steps: it is killed, before and after every update of its table and every
//     write to the directory
//   - answers: it is killed when the directory has carried a write out, whose answer
//     is lost
//   - lost: such an answer is lost, and the gateway lives on
//   - full: its disk is full from a step on, and has room again later
//   - down: it is killed at a step, and the directory can not be reached when it is
//     started again
//   - late: it is killed when it has sent a write, which the directory carries out
//     when the next process has looked for it
//   - recovery: it is killed at a step, and then at each step of its recovery
var crashWays = []string{"steps", "answers", "lost", "full", "down", "late", "recovery"}

// TestCrash kills the gateway again and again. What it promised must hold when it
// is started again (docs/identity.md), on the same table and the same directory.
func TestCrash(t *testing.T) {
	kinds := []struct {
		name     string
		kind     string
		options  []ldaptest.Option
		pairwise bool
		few      []string // the ways where nothing else is asked for
	}{
		{"demo", "demo", nil, false, []string{"steps", "full", "late"}},
		{"openldap without integrity", string(ldaptest.OpenLDAP), []ldaptest.Option{ldaptest.WithoutIntegrity}, false, []string{"answers", "lost", "steps"}},
		{"active-directory", string(ldaptest.ActiveDirectory), nil, false, []string{"answers"}},
		{"openldap with pairwise ids", string(ldaptest.OpenLDAP), nil, true, nil},
		{"ds389", string(ldaptest.DS389), nil, false, nil},
	}
	for _, k := range kinds {
		if *crashKills == 0 && k.few == nil {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			w := newCrashWorld(t, k.kind, k.pairwise, k.options...)
			share, random := *crashKills/len(kinds), 5
			for _, way := range crashWays {
				stride := 1
				if *crashKills == 0 && way == "full" {
					stride = 2
				}
				switch {
				case *crashKills == 0 && !slices.Contains(k.few, way), way == "full" && !limitsFiles, way == "recovery" && w.kills >= share:
					continue
				case !crashAll(t, w, crashOps, way, stride):
					return // what is wrong now would be found again and again
				}
			}
			t.Run("random", func(t *testing.T) {
				w.t = t
				crashRandomly(w, cmp.Or(*crashSeed, rand.Uint64()), max(share, w.kills+random))
			})
			t.Logf("%d kills", w.kills)
		})
	}
}

// crashAll strikes the gateway in every one of some operations, at one point after the other
// until the operation is over before the point is reached.
func crashAll(t *testing.T, w *crashWorld, ops []crashOp, way string, stride int) bool {
	return t.Run(way, func(t *testing.T) {
		for _, op := range ops {
			ok := t.Run(op.name, func(t *testing.T) {
				w.t = t
				for at := 1; at == 1 || w.killed; at += stride {
					w.what = fmt.Sprintf("%s, %s %d", op.name, way, at)
					w.kill(way, at)
					op.run(w)
					w.atOnce = nil
					w.must(w.settle())
					w.check()
					w.dismiss()
				}
				w.checkAll()
			})
			if !ok {
				return
			}
		}
	})
}

// kill says in which way and where the gateway is struck next.
func (w *crashWorld) kill(way string, at int) {
	w.recovering, w.downAfter, w.struck = way == "recovery", way == "down", nil
	query := url.Values{"at": {fmt.Sprint(at)}}
	w.strikesOff, w.patience = func() error { return nil }, 0
	switch way {
	case "answers":
		w.strikes = func() error { w.proxy.arm(at, false, w.process.kill); return nil }
		w.strikesOff = func() error { w.proxy.disarm(); return nil }
	case "late":
		w.patience = 2000
		w.strikes = func() error { w.proxy.arm(at, true, w.process.kill); return nil }
		w.strikesOff = func() error { w.proxy.disarm(); return nil }
	case "lost":
		w.strikes = func() error { w.proxy.arm(at, false, func() {}); return nil }
		w.struck = func() (bool, error) { return w.proxy.hasLost(), nil }
		w.relief = func() error { w.proxy.disarm(); return nil }
	case "full":
		w.strikes = func() error { return w.process.tell("/fill", query, nil, nil) }
		w.struck = func() (hit bool, err error) {
			err = w.process.tell("/full", nil, nil, &hit)
			return hit, err
		}
		w.relief = func() error { return w.process.tell("/empty", nil, nil, nil) }
	default:
		w.strikes = func() error { return w.process.arm(at) }
		w.strikesOff = func() error { return w.process.arm(0) }
	}
}
