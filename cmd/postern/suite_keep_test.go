package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/connectors"
	"postern/gateway"
	"postern/idstore"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"
)

// keeping is a world whose gateway, another one over the same backend and table,
// keeps the users that are deleted.
func (w *world) keeping(t *testing.T, keep gateway.Keep) *world {
	t.Helper()
	connected := w.behind.connect(t)
	o := gateway.Options{Store: w.app.store, Log: zerolog.Nop()}
	for i, r := range w.behind.config.Resources {
		target := gateway.Target{Mapping: w.behind.maps[i], Connector: connected[r.Name], Backend: r.Backend}
		if r.Name == "User" {
			target.Keep = &keep
		}
		o.Targets = append(o.Targets, target)
	}
	other := *w
	other.client = w.beside(t, o)
	return &other
}

// container makes a place in the directory, until the test ends.
func (w *world) container(name, above string) string {
	w.t.Helper()
	dn := "ou=" + name + "," + above
	add := goldap.NewAddRequest(dn, nil)
	add.Attribute("objectClass", []string{"top", "organizationalUnit"})
	if err := w.past.Add(add); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		for _, held := range w.heldBy(dn) {
			if err := w.past.Del(goldap.NewDelRequest(held, nil)); err != nil {
				w.t.Error(err)
			}
		}
		if err := w.past.Del(goldap.NewDelRequest(dn, nil)); err != nil {
			w.t.Error(err)
		}
	})
	return dn
}

// heldBy returns the names of what lies in a container.
func (w *world) heldBy(dn string) (names []string) {
	w.t.Helper()
	res, err := w.past.Search(goldap.NewSearchRequest(dn, goldap.ScopeSingleLevel, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range res.Entries {
		names = append(names, e.DN)
	}
	return names
}

// total is how many users there are, counted without being shown.
func (w *world) total(filter string) string {
	w.t.Helper()
	return fmt.Sprint(w.want(w.get("/Users?count=0"+filter), http.StatusOK).at("totalResults"))
}

// testKept deletes users whose accounts are kept: for clients they are gone (RFC
// 7644 §3.6), whatever the backend has.
func testKept(t *testing.T, w *world) {
	_, above, _ := strings.Cut(w.people, ",")
	_, moves := connectors.As[connectors.Mover](w.behind.connect(t)["User"])
	if w.past != nil && !moves {
		t.Fatal("the directory can not move entries")
	}
	t.Run("disabled", func(t *testing.T) { testKeptAs(t, w.with(t), gateway.Keep{Disable: true}) })
	if !moves {
		return
	}
	t.Run("moved", func(t *testing.T) {
		w := w.with(t)
		testKeptAs(t, w, gateway.Keep{Disable: true, Container: w.container(unique("leavers"), above)})
	})
	t.Run("moved only", func(t *testing.T) {
		w := w.with(t)
		testKeptAs(t, w, gateway.Keep{Container: w.container(unique("leavers"), above)})
	})
	t.Run("moved within", func(t *testing.T) {
		w := w.with(t)
		testKeptAs(t, w, gateway.Keep{Disable: true, Container: w.container(unique("leavers"), w.people)})
	})
}

func testKeptAs(t *testing.T, w *world, keep gateway.Keep) {
	outside := keep.Container != "" && !strings.HasSuffix(keep.Container, w.people)
	w = w.keeping(t, keep)
	const password = "Corr3ct-Horse-9"
	external := unique("kept-x")
	body := userBody(w.userName(unique("kept")), `,"externalId":`+quote(external)+`,"active":true,"password":"`+password+`"`)
	other := w.user("stays", "").id()
	before, beforeFiltered := w.total(""), w.total("&filter=userName+pr")
	u := w.create("/Users", body)
	path, name := "/Users/"+u.id(), u.text("userName")
	rec := w.record(u.id())
	discard := func(a idstore.Anchor) { // what is kept stays behind a gateway that deletes nothing
		users := w.behind.connect(t)["User"]
		t.Cleanup(func() {
			err := users.Delete(context.Background(), connectors.Anchor(a.Key), connectors.Guard{})
			if err != nil && connectors.KindOf(err) != connectors.NotFound {
				t.Error(err)
			}
		})
	}
	discard(rec.Anchor())
	group := w.group(unique("keepers"), u.id(), other).id()

	w.wantError(w.do("DELETE", path, "", "If-Match", `W/"stale"`), http.StatusPreconditionFailed, "")
	read := w.want(w.get(path), http.StatusOK)
	if read.at("active") != true {
		t.Errorf("a deletion that was refused has closed the account: %s", read.body)
	}
	w.want(w.do("DELETE", path, "", "If-Match", read.etag()), http.StatusNoContent)

	gone := func(w *world) {
		t.Helper()
		for _, method := range []string{"GET", "DELETE"} {
			w.wantError(w.do(method, path, ""), http.StatusNotFound, "")
		}
		w.wantError(w.do("PUT", path, body), http.StatusNotFound, "")
		w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"active","value":true}`)), http.StatusNotFound, "")
		for _, filter := range []string{`userName eq ` + quote(name), `externalId eq ` + quote(external), `id eq ` + quote(u.id()), `userName sw ` + quote(name[:4]) + ` and id pr`} {
			for _, found := range w.find("/Users", filter) {
				if at(found, "userName") == name {
					t.Errorf("%s finds %v", filter, found)
				}
			}
		}
		if now, filtered := w.total(""), w.total("&filter=userName+pr"); now != before || filtered != beforeFiltered {
			t.Errorf("there are %s users, and %s with a userName, before there were %s and %s", now, filtered, before, beforeFiltered)
		}
		w.wantMembers(group, other)
		if found := w.find("/Groups", `members.value eq `+quote(u.id())); len(found) > 0 {
			t.Errorf("it is a member of %v", found)
		}
	}
	gone(w)
	gone(w.keeping(t, keep)) // another process
	if _, err := w.app.gateway.Adopt(t.Context(), "User", nil, func(gateway.Adoption) error { return nil }); err != nil {
		t.Fatal(err)
	}
	gone(w)

	// The account is there, and where the policy says.
	if there := w.there(t, "User", rec.Anchor()); there == outside {
		t.Errorf("that the account is in the collection is %v", there)
	}
	if keep.Container != "" && len(w.heldBy(keep.Container)) != 1 {
		t.Errorf("the container holds %q", w.heldBy(keep.Container))
	}
	if w.bind != nil && keep.Container == "" && w.bind(name, password) {
		t.Error("the account can sign in")
	}

	// Its name is taken as long as the directory says so, and the answer tells.
	switch again := w.do("POST", "/Users", body); {
	case again.status == http.StatusConflict && !outside:
		w.wantError(again, http.StatusConflict, "uniqueness", "account was kept")
	case again.status == http.StatusConflict: // by the directory's own rule
		w.wantError(again, http.StatusConflict, "uniqueness")
	case again.status == http.StatusCreated && outside:
		if again.id() == u.id() {
			t.Error("an id was given out again")
		}
		discard(w.record(again.id()).Anchor())
		w.wantMembers(group, other) // it inherits nothing
		w.want(w.do("DELETE", "/Users/"+again.id(), ""), http.StatusNoContent)
		if held := w.heldBy(keep.Container); len(held) != 2 {
			t.Errorf("two of a name, and the container holds %q", held)
		}
	default:
		t.Errorf("to make it again: %d %s", again.status, again.body)
	}

	// An administrator brings the id back, with what the account is.
	err := w.app.gateway.Operate(t.Context(), []idstore.Anchor{rec.Anchor()}, func(tx idstore.Tx) error {
		kept, err := idstore.FindAnchor(tx, rec.Anchor())
		if err != nil || !kept.Retired {
			t.Errorf("kept is %+v, %v", kept, err)
		}
		_, err = idstore.Undo(tx, rec.Entity, idstore.Note{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if outside {
		w.wantError(w.get(path), http.StatusNotFound, "")
	} else {
		back := w.want(w.get(path), http.StatusOK)
		if back.at("active") != !keep.Disable || back.text("externalId") != external {
			t.Errorf("brought back: %s", back.body)
		}
		w.wantMembers(group, other, u.id())
		// What is closed already is deleted as well, here with others and under another name.
		_, statuses := w.bulk("", `{"method":"DELETE","path":"`+path+`"}`, `{"method":"DELETE","path":"`+path+`"}`)
		if statuses != "204 404" {
			t.Errorf("in bulk: %s", statuses)
		}
		gone(w)
	}
	err = w.app.store.View(t.Context(), func(tx idstore.Tx) error {
		for in, err := range idstore.Intents(tx) {
			if err != nil || slices.Contains(in.Anchors, rec.Anchor()) {
				t.Errorf("left open: %+v, %v", in, err)
			}
		}
		_, err := idstore.Check(tx, func(d idstore.Damage) error { t.Error(d); return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestKeptOutOfSight disables what is deleted where the filter of the collection lets
// no disabled account through, so that the write itself puts it out of sight.
func TestKeptOutOfSight(t *testing.T) {
	for _, without := range []string{"", "post-read"} {
		t.Run("without "+without, func(t *testing.T) {
			address, stopped, err := startDemoDirectory(t.Context(), "of-the-directory")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := <-stopped; err != nil {
					t.Error(err)
				}
			})
			t.Setenv("POSTERN_DEMO_PASSWORD", "of-the-directory")
			server := "ldap://" + address + "]"
			if without != "" {
				server += "\n      without: [" + without + "]"
			}
			c, maps := editedConfig(t, "demo.yaml", "ldap://127.0.0.1:3890]", server,
				"    filter: (objectClass=inetOrgPerson)", "    filter: (&(objectClass=inetOrgPerson)(!(pwdAccountLockedTime=*)))\n    delete: disable")
			client := openApp(t, c, maps)
			u := client.create("/Users", userBody("gone", `,"active":true`))
			client.want(client.do("DELETE", "/Users/"+u.id(), ""), http.StatusNoContent)
			client.wantError(client.do("DELETE", "/Users/"+u.id(), ""), http.StatusNotFound, "")
			client.wantError(client.get("/Users/"+u.id()), http.StatusNotFound, "")
			err = client.app.store.View(t.Context(), func(tx idstore.Tx) error {
				public, _ := idstore.ParsePublicID(u.id())
				_, err := idstore.FindID(tx, public)
				return err
			})
			if !errors.Is(err, idstore.ErrGone) {
				t.Errorf("the id: %v", err)
			}
		})
	}
}
