package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"postern/configs"
	"postern/gateway/adminapi"
	"postern/idstore"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"
)

// desk is an administrator's: a configuration file, the directory that it names,
// and the commands.
type desk struct {
	t      *testing.T
	file   string // the configuration file
	folder string
	c      Config
	client *client // of the gateway, while it runs
	stop   func()
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, folder: t.TempDir()}
	t.Setenv("POSTERN_DEMO_PASSWORD", "of-the-directory")
	t.Setenv("POSTERN_DEMO_TOKEN", writerToken)
	t.Setenv("OTHER_TOKEN", "another-token-of-a-client")
	ctx, cancel := context.WithCancel(context.Background())
	address, stopped, err := startDemoDirectory(ctx, "of-the-directory")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	sample, err := configs.Sample("demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("ldap://127.0.0.1:3890", "ldap://"+address,
		"clients:\n", "clients:\n  other:\n    token: { env: OTHER_TOKEN }\n    access: { User: read }\n").Replace(string(sample))
	d.write("postern.yaml", text)
	d.file = filepath.Join(d.folder, "postern.yaml")
	return d
}

func (d *desk) write(name, text string) string {
	d.t.Helper()
	file := filepath.Join(d.folder, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return file
}

// start runs the gateway, as serve does, until end.
func (d *desk) start() {
	d.t.Helper()
	c, maps, problems, err := load(d.file)
	if err != nil || problems.HasErrors() {
		d.t.Fatal(err, problems)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := open(ctx, c, maps, zerolog.Nop())
	if err != nil {
		d.t.Fatal(err)
	}
	socket, err := serveAdmin(ctx, c.Admin, a.admin(c), zerolog.Nop())
	if err != nil {
		d.t.Fatal(err)
	}
	d.c = c
	server := httptest.NewServer(a.handler)
	d.client = &client{t: d.t, base: server.URL + "/scim/v2", token: writerToken, app: a}
	d.stop = func() {
		server.Close()
		if err := errors.Join(socket(), a.close()); err != nil {
			d.t.Error(err)
		}
		cancel()
		d.client, d.stop = nil, nil
	}
	d.t.Cleanup(func() {
		if d.stop != nil {
			d.stop()
		}
	})
}

// run runs a command as a user would who types into no terminal.
func (d *desk) run(args ...string) (stdout, stderr string, err error) {
	d.t.Helper()
	var out, said bytes.Buffer
	cmd := root()
	cmd.SetArgs(append([]string{"ids", "--config", d.file}, args...))
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	cmd.SetIn(strings.NewReader(""))
	err = cmd.ExecuteContext(d.t.Context())
	return out.String(), said.String(), err
}

func (d *desk) must(args ...string) string {
	d.t.Helper()
	out, said, err := d.run(args...)
	if err != nil {
		d.t.Fatalf("ids %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
	}
	return out
}

// refused runs a command that has to fail and to say why.
func (d *desk) refused(why string, args ...string) {
	d.t.Helper()
	before := d.table()
	out, said, err := d.run(args...)
	if err == nil || !strings.Contains(said+err.Error(), why) {
		d.t.Errorf("ids %s: %v, want %q\n%s%s", strings.Join(args, " "), err, why, out, said)
	}
	if after := d.table(); after != before {
		d.t.Errorf("ids %s was refused and changed the table from\n%s\nto\n%s", strings.Join(args, " "), before, after)
	}
}

// table is what the identity table holds.
func (d *desk) table() string {
	out, _, _ := d.run("export")
	return out
}

// entity is what show says, as scripts see it.
func (d *desk) entity(ref string) (e adminapi.Entity) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.must("show", ref, "--json")), &e); err != nil {
		d.t.Fatal(err)
	}
	return e
}

// TestIDs does everything that there is to do with the table, while the gateway
// runs and while it does not.
func TestIDs(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running %v", running), func(t *testing.T) {
			d := newDesk(t)
			d.start()
			users := map[string]string{}
			for _, name := range []string{"old", "new", "third", "fourth"} {
				users[name] = d.client.create("/Users", userBody(name, `,"externalId":"x-`+name+`"`)).id()
			}
			group := d.client.create("/Groups", groupBody("crew", users["old"], users["new"])).id()
			between := func() { // the table is the administrator's alone, or not
				if !running && d.stop != nil {
					d.stop()
				}
			}
			again := func() {
				if d.stop == nil {
					d.start()
				}
			}
			between()

			if out := d.must("list", "--type", "Group"); !strings.HasPrefix(out, listHead+"\nGroup\t"+group+"\tcrew\t-\tcompany:") || strings.Count(out, "\n") != 2 {
				t.Errorf("list: %s", out)
			}
			e := d.entity(users["old"])
			anchor := e.Links[0].Anchor
			if e.Called != "old" || e.ExternalIDs[0].Value != "x-old" || e.ExternalIDs[0].Domain != "demo" || len(anchor) != 36 {
				t.Errorf("show: %+v", e)
			}
			for _, ref := range []string{"id:" + users["old"], "x-old", "externalId:x-old", anchor, "anchor:" + anchor, "old", "userName:old"} {
				if got := d.entity(ref); got.IDs[0].ID != users["old"] {
					t.Errorf("%s is %+v", ref, got)
				}
			}
			if out := d.must("show", "x-old"); !strings.Contains(out, "User old") || !strings.Contains(out, "x-old in domain demo") {
				t.Errorf("show: %s", out)
			}

			d.refused("nobody is there to be asked", "merge", "old", "new")
			d.refused("one User already", "merge", "old", users["old"], "--yes")
			d.refused("a User into a Group", "merge", "old", group, "--yes")
			d.refused("nothing is known by", "merge", "nobody", "new", "--yes")
			d.refused("both have to be of one resource type", "merge", "old", group, "--yes")
			d.refused("nothing to take back", "undo", "third", "--yes")
			d.refused("say keep, disable or delete", "merge", "old", "new", "--leftover", "burn", "--yes")
			if out := d.must("merge", "old", "new", "--leftover", "delete", "--dry-run"); !strings.Contains(out, "+ alias       "+users["old"]) || d.entity("old").Links[0].Anchor != anchor {
				t.Errorf("dry: %s", out)
			}
			if out := d.must("merge", "old", "new", "--leftover", "delete", "--yes", "--why", "one person"); !strings.Contains(out, "done: operation 1") {
				t.Errorf("merge: %s", out)
			}
			merged := d.entity(users["old"])
			if merged.IDs[0].ID != users["new"] || len(merged.Links) != 2 || merged.History[0].Why != "one person" || merged.History[0].Who == "" || merged.History[0].Kind != "merge" {
				t.Errorf("merged: %+v", merged)
			}
			again()
			if a := d.client.want(d.client.get("/Users/"+users["old"]), 200); a.text("userName") != "new" || a.id() != users["old"] {
				t.Errorf("by the alias: %s", a.body)
			}
			members, _ := d.client.want(d.client.get("/Groups/"+group), 200).at("members").([]any)
			if len(members) != 1 || at(members[0], "value") != users["new"] {
				t.Errorf("members: %v", members)
			}
			between()

			// The work waits for the gateway; it is held, released and cancelled.
			d.must("work", "hold", "1", "--yes")
			if out := d.must("work"); !strings.Contains(out, "work 1: delete the User "+anchor) || !strings.Contains(out, "held") {
				t.Errorf("work: %s", out)
			}
			d.refused("there is no work 9", "work", "cancel", "9", "--yes")
			d.refused("is not the number", "work", "cancel", "x", "--yes")
			d.refused("first", "merge", "new", "third", "--yes") // its leftover is still to be deleted
			d.must("work", "release", "1", "--dry-run")
			d.must("work", "cancel", "1", "--yes")
			if out := d.must("work"); out != "" {
				t.Errorf("cancelled, and there is %s", out)
			}

			d.refused("name at least one link", "split", "new", "--yes")
			d.refused("is no link of it", "split", "new", "--link", users["third"], "--yes")
			d.refused("is no id", "split", "new", "--link", anchor, "--id", "7", "--yes")
			d.refused("write DOMAIN=VALUE", "split", "new", "--link", anchor, "--external-id", "x", "--yes")
			d.refused("would stay", "split", "new", "--link", anchor, "--link", merged.Links[0].Anchor, "--yes")
			d.must("split", "new", "--link", anchor, "--id", users["old"], "--external-id", "demo=x-old", "--yes")
			if e := d.entity(users["old"]); e.Called != "old" || len(e.Links) != 1 || e.ExternalIDs[0].Value != "x-old" {
				t.Errorf("split: %+v", e)
			}
			d.must("undo", users["old"], "--yes")
			if e := d.entity(users["old"]); len(e.Links) != 2 {
				t.Errorf("the split is undone: %+v", e)
			}
			if out := d.must("history", users["old"]); !strings.Contains(out, "split") {
				t.Errorf("history: %s", out)
			}
		})
	}
}

// past is a client of the directory itself.
func (d *desk) past() *goldap.Conn {
	d.t.Helper()
	conn, err := goldap.DialURL(d.c.Backends[0].LDAP.Servers[0])
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	if err := conn.Bind("cn=postern,dc=example,dc=com", "of-the-directory"); err != nil {
		d.t.Fatal(err)
	}
	return conn
}

// TestIDsOfNamesakes names two users by one word: it is the externalId of the one
// and the userName of the other.
func TestIDsOfNamesakes(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.client.create("/Users", userBody("grace", ""))
	other := d.client.create("/Users", userBody("other", `,"externalId":"grace"`)).id()
	d.client.create("/Users", userBody("third", ""))
	d.refused("may be any of these", "merge", "grace", "third", "--yes")
	if e := d.entity("externalId:grace"); e.IDs[0].ID != other {
		t.Errorf("by its externalId: %+v", e)
	}
	if e := d.entity("userName:grace"); e.Called != "grace" {
		t.Errorf("by its userName: %+v", e)
	}
}

// TestIDsUndo takes a merge and a deletion back.
func TestIDsUndo(t *testing.T) {
	d := newDesk(t)
	d.start()
	a, b := d.client.create("/Users", userBody("a", "")).id(), d.client.create("/Users", userBody("b", "")).id()
	d.must("merge", a, b, "--yes")
	d.must("undo", a, "--yes")
	if e := d.entity(a); e.Called != "a" || e.IDs[0].ID != a {
		t.Errorf("undone: %+v", e)
	}
	if got := d.client.want(d.client.get("/Users/"+a), 200); got.text("userName") != "a" {
		t.Errorf("after undo: %s", got.body)
	}
	d.refused("to take back", "undo", b, "--yes")
	d.client.want(d.client.do("DELETE", "/Users/"+a, ""), 204)
	d.refused("was deleted", "show", a)
	if out := d.must("history", a); !strings.Contains(out, "delete by demo") {
		t.Errorf("history: %s", out)
	}
	d.must("undo", a, "--yes")
	if e := d.entity(a); len(e.Links) != 1 {
		t.Errorf("the deletion is undone: %+v", e)
	}
	d.client.wantError(d.client.get("/Users/"+a), 404, "")         // the entry is gone still
	d.refused("merge the other way round", "merge", b, a, "--yes") // the object of a is gone
	if out := d.must("show", a); !strings.Contains(out, "its object is not there") {
		t.Errorf("show: %s", out)
	}
	out, _, err := d.run("check", "--backend")
	if !errors.Is(err, errReported) || !strings.Contains(out, a) || !strings.Contains(out, "1 objects missing") {
		t.Errorf("check: %v\n%s", err, out)
	}
	d.must("check")
}

// TestIDsRelink gives resources other objects: one, from a file, and by match.
func TestIDsRelink(t *testing.T) {
	d := newDesk(t)
	d.start()
	w := &world{client: d.client, nameAttr: "uid", people: "ou=people,dc=example,dc=com"}
	w.past = d.past()
	lost := func(name string) (id, anchor string) {
		made := d.client.create("/Users", userBody(name, `,"externalId":"`+name+`-7"`))
		anchor = d.entity(made.id()).Links[0].Anchor
		if err := w.past.Del(goldap.NewDelRequest(w.dn(name), nil)); err != nil {
			t.Fatal(err)
		}
		return made.id(), anchor
	}
	back := func(name, number string) string {
		w.t = t
		w.addPast(name)
		m := goldap.NewModifyRequest(w.dn(name), nil)
		m.Replace("employeeNumber", []string{number})
		if err := w.past.Modify(m); err != nil {
			t.Fatal(err)
		}
		res, err := w.past.Search(goldap.NewSearchRequest(w.dn(name), goldap.ScopeBaseObject, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"entryUUID"}, nil))
		if err != nil || len(res.Entries) != 1 {
			t.Fatal(err)
		}
		return res.Entries[0].GetAttributeValue("entryUUID")
	}
	unlike := func(anchor string) string { // one that nothing has
		if strings.HasSuffix(anchor, "e") {
			return anchor[:35] + "f"
		}
		return anchor[:35] + "e"
	}
	id1, old1 := lost("one")
	id2, old2 := lost("two")
	id3, _ := lost("three")
	id4, _ := lost("four")
	new1, new2, new3 := back("one", "1"), back("two", "2"), back("three", "three-7")
	back("five", "four-7")
	back("six", "four-7") // who is four is not to be told

	d.refused("say with --to", "relink", id1, "--yes")
	d.refused("can be no anchor", "relink", id1, "--to", "x", "--yes")
	d.refused("has no object", "relink", id1, "--to", unlike(old1), "--yes")
	d.must("relink", id1, "--to", new1, "--yes")
	if a := d.client.want(d.client.get("/Users/"+id1), 200); a.text("userName") != "one" || a.id() != id1 {
		t.Errorf("relinked: %s", a.body)
	}
	if found := d.client.find("/Users", `userName eq "two"`); len(found) != 1 || at(found[0], "id") == id2 {
		t.Fatalf("the list gives the new object an id of its own: %v", found)
	}
	for _, bad := range []struct{ csv, why string }{
		{"", "is empty"},
		{"old\n", `the column "new" is missing`},
		{"old,new,old\n", "there twice"},
		{"old,new\n", "has no rows"},
		{"old,new\n" + old2 + "\n", "wrong number of fields"},
		{"old,new\n" + old2 + ",\n", "line 2: an anchor is missing"},
		{"old,new\n" + old2 + "," + new2 + "\n" + old2 + "," + new1 + "\n", "line 3: \"" + old2 + "\" is in line 2 already"},
		{"old,new\n" + unlike(old2) + "," + new2 + "\n", "line 2: \"" + unlike(old2) + "\" is not linked to anything"},
		{"old,new\n" + old2 + "," + unlike(new2) + "\n", "line 2: the backend has no object"},
		{"old,new\nx," + new2 + "\n", "line 2: \"x\" can be no anchor"},
		{"old,new\n" + old2 + "," + new2 + "\n", "belongs to another entity"}, // which a list made of it; without --absorb
	} {
		d.refused(bad.why, "relink", "--type", "User", "--csv", d.write("relink.csv", bad.csv), "--yes")
	}
	d.refused("no resource type", "relink", "--type", "Robot", "--csv", d.write("relink.csv", "old,new\n"+old2+","+new2+"\n"), "--yes")
	d.refused("name one resource, or a file", "relink", "--type", "User", "--yes")
	d.refused("line 2: the new anchor is the old one of line 3", "relink", "--type", "User", "--absorb", "--yes", "--csv", d.write("relink.csv", "old,new\n"+old2+","+new2+"\n"+new2+","+new3+"\n"))
	file := d.write("relink.csv", "\ufeffold, new ,note\n"+old2+","+new2+",\"a, b\"\n"+old1+","+new1+",done by hand\n")
	if out := d.must("relink", "--type", "User", "--csv", file, "--absorb", "--yes", "--json"); !strings.Contains(out, `{"looked":2,"good":1,"already":1,"problems":[]}`) ||
		!strings.Contains(out, `{"line":2,"type":"User","ref":"`+id2+`","old":"`+old2+`","new":"`+new2+`","operation":2}`) {
		t.Errorf("relink: %s", out)
	}
	if a := d.client.want(d.client.get("/Users/"+id2), 200); a.text("userName") != "two" {
		t.Errorf("relinked: %s", a.body)
	}
	if out := d.must("relink", "--type", "User", "--csv", file, "--absorb", "--yes", "--json"); !strings.Contains(out, `"good":0,"already":2`) {
		t.Errorf("again: %s", out)
	}

	const number = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
	out, said, err := d.run("relink", "--type", "User", "--match", number, "--domain", "demo", "--yes", "--json")
	if !errors.Is(err, errReported) || !strings.Contains(out, `"looked":2,"good":1`) || !strings.Contains(said, id4+": more than one object has") {
		t.Errorf("match: %v\n%s%s", err, out, said)
	}
	if e := d.entity(id3); e.Links[0].Anchor != new3 {
		t.Errorf("matched: %+v", e)
	}
	if e := d.entity(id4); len(e.History) != 0 {
		t.Errorf("guessed: %+v", e)
	}
}

// TestIDsAdopt gives ids before the first request, new ones and known ones.
func TestIDsAdopt(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.stop()
	const known = "2819c223-7f76-453a-919d-413861904646"
	good := d.write("ids.csv", "userName,id,externalId\nquinn.baker,"+known+",q7\n")
	for _, bad := range []struct{ csv, why string }{
		{"userName\n", `the column "id" is missing`},
		{"id\n", "one column that finds the object"},
		{"id,userName,displayName\n", "one column that finds the object"},
		{"id,userName\n7,quinn.baker\n", "line 2: \"7\" is no UUID"},
		{"id,userName\n" + known + ",\n", "line 2: userName is missing"},
		{"id,userName\n" + known + ",nobody\n", `no User with userName eq "nobody"`},
		{"id,usrName\n" + known + ",x\n", "line 2: unknown attribute"},
		{"id,anchor\n" + known + ",x\n", "can be no anchor"},
		{"id,userName,externalId\n" + known + ",quinn.baker,J\xfcrgen\n", "line 2: externalId is not UTF-8"},
	} {
		d.refused(bad.why, "adopt", "--type", "User", "--domain", "demo", "--csv", d.write("bad.csv", bad.csv), "--yes")
	}
	d.refused("say with --domain", "adopt", "--type", "User", "--csv", good, "--yes")
	d.refused("no client is in the domain", "adopt", "--type", "User", "--domain", "x", "--csv", good, "--yes")
	d.refused("say with --type", "adopt", "--yes")
	if out := d.must("adopt", "--type", "User", "--domain", "demo", "--csv", good, "--dry-run"); !strings.Contains(out, "1 ids would be taken over") {
		t.Errorf("dry: %s", out)
	}
	d.must("adopt", "--type", "User", "--domain", "demo", "--csv", good, "--yes")
	out := d.must("adopt", "--type", "User", "--yes", "--json")
	var res adminapi.AdoptResult
	if err := json.Unmarshal([]byte(out), &res); err != nil || res.Seen < 10 || res.New != res.Seen-1 {
		t.Errorf("adopt: %s %v", out, err)
	}
	if out := d.must("adopt", "--type", "User", "--yes", "--json"); !strings.Contains(out, `"new":0`) {
		t.Errorf("again: %s", out)
	}
	d.start()
	if a := d.client.want(d.client.get("/Users/"+known), 200); a.text("userName") != "quinn.baker" || a.text("externalId") != "q7" {
		t.Errorf("adopted: %s", a.body)
	}
}

// TestIDsTransfer takes the table elsewhere: export, import, backup.
func TestIDsTransfer(t *testing.T) {
	d := newDesk(t)
	d.start()
	a, b := d.client.create("/Users", userBody("a", `,"externalId":"xa"`)).id(), d.client.create("/Users", userBody("b", "")).id()
	d.must("merge", a, b, "--yes")
	file, copied := filepath.Join(d.folder, "table.jsonl"), filepath.Join(d.folder, "copy.db")
	d.must("export", "--out", file)
	d.refused("is there already", "export", "--out", file)
	others := d.write("copy.db.partial", "of another run")
	d.must("backup", copied)
	if text, err := os.ReadFile(others); err != nil || string(text) != "of another run" {
		t.Errorf("what another run writes is %q, %v", text, err)
	}
	for _, f := range []string{file, copied} {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != d.table() {
		t.Errorf("the file and the standard output differ, %v", err)
	}
	d.refused("is not empty", "import", file, "--yes")
	d.stop()
	table := filepath.Join(d.folder, "demo.db")
	if err := os.Remove(table); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.run("show", a); err == nil || !strings.Contains(err.Error(), "there is no identity table") {
		t.Errorf("without a table: %v", err)
	}
	if _, _, err := d.run("import", d.write("cut.jsonl", string(text[:len(text)-30])), "--yes"); err == nil || !strings.Contains(err.Error(), "line") && !strings.Contains(err.Error(), "cut off") {
		t.Errorf("a cut export: %v", err)
	}
	d.must("import", file, "--yes")
	if got := d.table(); got != string(text) {
		t.Errorf("imported\n%s\nof\n%s", got, text)
	}
	if err := os.Rename(copied, table); err != nil {
		t.Fatal(err)
	}
	d.start()
	if got := d.client.want(d.client.get("/Users/"+a), 200); got.text("userName") != "b" {
		t.Errorf("from the backup: %s", got.body)
	}
}

// TestIDsReach says why the commands can not reach the table.
func TestIDsReach(t *testing.T) {
	d := newDesk(t)
	d.start()
	if runtime.GOOS != "windows" {
		if info, err := os.Stat(d.c.Admin); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket: %v, %v; want 0600", info, err)
		}
	}
	if _, err := serveAdmin(t.Context(), d.c.Admin, nil, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), "another process answers") {
		t.Errorf("a second gateway on the socket: %v", err)
	}
	if err := os.Rename(d.c.Admin, d.c.Admin+".away"); err != nil { // as if it had another name
		t.Fatal(err)
	}
	if _, _, err := d.run("list"); err == nil || !strings.Contains(err.Error(), "in use by another process") || !errors.Is(err, idstore.ErrLocked) {
		t.Errorf("while another process has the file: %v", err)
	}
	if err := os.Rename(d.c.Admin+".away", d.c.Admin); err != nil {
		t.Fatal(err)
	}
	d.must("list")
	d.stop()
	// What a killed process leaves is replaced, what is no socket is not.
	if err := os.WriteFile(d.c.Admin, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := serveAdmin(t.Context(), d.c.Admin, nil, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("a file in the place of the socket: %v", err)
	}
	if err := os.Remove(d.c.Admin); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.c.Admin, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	d.start()
	d.must("list")
	d.stop()

	damaged, err := os.OpenFile(d.c.Store.Bolt, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(damaged, strings.Repeat("damage ", 10_000)); err != nil {
		t.Fatal(err)
	}
	damaged.Close()
	if _, _, err := d.run("list"); err == nil || !errors.Is(err, idstore.ErrCorrupt) {
		t.Errorf("a damaged file: %v", err)
	}
}
