package ldap

import (
	"fmt"
	"testing"
	"time"

	"postern/connectors"
)

func (k *cache) look(name string) (connectors.Target, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.find(name, k.now())
}

// at makes a cache as old as that.
func (k *cache) at(d time.Duration) { k.start = time.Now().Add(-d) }

func TestCacheForgets(t *testing.T) {
	anna := connectors.Target{Collection: "User", Anchor: "anna"}
	staff := connectors.Target{Collection: "Group", Anchor: "staff"}
	none := connectors.Target{}
	filled := func() *cache {
		k := newCache(RefCache{Entries: 100, TTL: time.Minute})
		k.name(anna, "uid=anna", "UID=Anna")
		k.name(staff, "cn=staff")
		k.name(none, "cn=nothing")
		k.put(anna, "uid=anna", true)
		return k
	}
	for _, tt := range []struct {
		name                 string
		do                   func(k *cache)
		anna, staff, nothing bool
	}{
		{"nothing done", func(*cache) {}, true, true, true},
		{"later", func(k *cache) { k.at(30 * time.Second) }, true, true, false},
		{"much later", func(k *cache) { k.at(2 * time.Minute) }, false, false, false},
		{"the object", func(k *cache) { k.forgetObject(anna) }, false, true, true},
		{"one of its names", func(k *cache) { k.forget("UID=Anna") }, false, true, true},
		{"a name that is not known", func(k *cache) { k.forget("uid=berta") }, true, true, true},
		{"a name of nothing", func(k *cache) { k.forget("cn=nothing") }, true, true, false},
		{"and learned again", func(k *cache) {
			k.forgetObject(anna)
			k.at(time.Second)
			k.name(anna, "uid=anna", "UID=Anna")
			k.put(anna, "uid=anna", true)
		}, true, true, true},
		{"more than there is room for", func(k *cache) {
			for i := range 100 {
				k.name(connectors.Target{Collection: "User", Anchor: connectors.Anchor(fmt.Sprint(i))}, fmt.Sprint("uid=", i))
				k.put(connectors.Target{Collection: "User", Anchor: connectors.Anchor(fmt.Sprint(i))}, fmt.Sprint("uid=", i), true)
			}
		}, false, false, false},
		{"more deletions than are remembered", func(k *cache) {
			for i := range maxGone + 1 {
				k.forgetObject(connectors.Target{Collection: "User", Anchor: connectors.Anchor(fmt.Sprint("gone ", i))})
			}
		}, false, false, false},
	} {
		k := filled()
		tt.do(k)
		for _, name := range []string{"uid=anna", "UID=Anna"} {
			if got, ok := k.look(name); ok != tt.anna || ok && got != anna {
				t.Errorf("%s: %s is %v, %v", tt.name, name, got, ok)
			}
		}
		if got, ok := k.look("cn=staff"); ok != tt.staff || ok && got != staff {
			t.Errorf("%s: staff is %v, %v", tt.name, got, ok)
		}
		if got, ok := k.look("cn=nothing"); ok != tt.nothing || got != none {
			t.Errorf("%s: nothing is %v, %v", tt.name, got, ok)
		}
		if r := k.place(anna); tt.name != "much later" && (r != nil) != tt.anna {
			t.Errorf("%s: the place is %v", tt.name, r)
		}
	}
}

func TestCacheOff(t *testing.T) {
	k := newCache(RefCache{Entries: -1, TTL: time.Minute})
	anna := connectors.Target{Collection: "User", Anchor: "anna"}
	k.name(anna, "uid=anna")
	k.put(anna, "uid=anna", true)
	if _, ok := k.look("uid=anna"); ok || k.place(anna) != nil {
		t.Error("a cache without room remembers")
	}
}
