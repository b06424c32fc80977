package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"postern/configs"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(crashConfig); file != "" {
		fmt.Fprintln(os.Stderr, serveUntilKilled(context.Background(), file))
		os.Exit(1)
	}
	testscript.Main(m, map[string]func(){"postern": main})
}

const scriptPassword = "of-the-directory"

// TestScripts runs the commands as a user would: testdata/*.txtar. A script may ask
// for the demo's directory, and for a gateway that serves from it.
func TestScripts(t *testing.T) {
	t.Setenv("POSTERN_DEMO_PASSWORD", scriptPassword) // of the gateway; a script that needs them too sets them
	t.Setenv("POSTERN_DEMO_TOKEN", writerToken)
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("HOME", env.WorkDir)
		env.Values[servingKey] = new(serving)
		return nil
	}, UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"directory": scriptDirectory, "application": scriptApplication, "gateway": scriptGateway, "scim": scriptRequest, "past": scriptPast}})
}

// scriptDirectory serves the demo's company until the script ends, and writes
// postern.yaml for it: directory ['OLD -> NEW' …] with texts of the sample to
// replace; in NEW, \n is the end of a line.
func scriptDirectory(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithCancel(context.Background())
	address, stopped, err := startDemoDirectory(ctx, scriptPassword)
	if err != nil {
		ts.Fatalf("the directory: %v", err)
	}
	ts.Value(servingKey).(*serving).directory = address
	ts.Defer(func() {
		cancel()
		<-stopped
	})
	sample, err := configs.Sample("demo.yaml")
	if err != nil {
		ts.Fatalf("%v", err)
	}
	replace := []string{"ldap://127.0.0.1:3890", "ldap://" + address}
	for _, a := range args {
		before, after, ok := strings.Cut(a, " -> ")
		if !ok || !strings.Contains(string(sample), before) {
			ts.Fatalf("%q: write 'OLD -> NEW' with a text of the sample", a)
		}
		replace = append(replace, before, strings.ReplaceAll(after, `\n`, "\n"))
	}
	if err := os.WriteFile(ts.MkAbs("postern.yaml"), []byte(strings.NewReplacer(replace...).Replace(string(sample))), 0o600); err != nil {
		ts.Fatalf("%v", err)
	}
}

// serving is the gateway of a script.
type serving struct {
	directory string // its address
	url       string
	stop      func() error
}

const servingKey = "SERVING"

// scriptGateway starts or stops a gateway with postern.yaml: gateway start|stop.
func scriptGateway(ts *testscript.TestScript, _ bool, args []string) {
	if strings.Join(args, " ") == "stop" {
		s, _ := ts.Value(servingKey).(*serving)
		if s == nil || s.stop == nil {
			ts.Fatalf("no gateway serves")
		}
		if err := s.end(); err != nil {
			ts.Fatalf("%v", err)
		}
		return
	}
	c, maps, problems, err := load(ts.MkAbs("postern.yaml"))
	if err != nil || problems.HasErrors() {
		ts.Fatalf("%v %v", err, problems)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := open(ctx, c, maps, zerolog.Nop())
	if err != nil {
		ts.Fatalf("%v", err)
	}
	socket, err := serveAdmin(ctx, c.Admin, a.admin(c), zerolog.Nop())
	if err != nil {
		ts.Fatalf("%v", err)
	}
	server := httptest.NewServer(a.handler)
	s, _ := ts.Value(servingKey).(*serving)
	s.url = server.URL + "/scim/v2"
	s.stop = func() error {
		server.Close()
		err := errors.Join(socket(), a.close())
		cancel()
		return err
	}
	ts.Defer(func() {
		if err := s.end(); err != nil {
			ts.Logf("%v", err)
		}
	})
}

func (s *serving) end() error {
	if s.stop == nil {
		return nil
	}
	stop := s.stop
	s.stop = nil
	return stop()
}

// scriptRequest asks the gateway: scim METHOD PATH STATUS [BODY-FILE [VARIABLE]]. The
// answer is in answer.json then, and its id in the variable, or else in ID.
func scriptRequest(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: scim METHOD PATH STATUS [BODY-FILE [VARIABLE]]")
	}
	s, _ := ts.Value(servingKey).(*serving)
	body, variable := "", "ID"
	if len(args) > 3 {
		body = ts.ReadFile(args[3])
	}
	if len(args) > 4 {
		variable = args[4]
	}
	req, err := http.NewRequestWithContext(context.Background(), args[0], s.url+args[1], strings.NewReader(body))
	if err != nil {
		ts.Fatalf("%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+writerToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		ts.Fatalf("%v", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || fmt.Sprint(res.StatusCode) != args[2] {
		ts.Fatalf("%s %s: %s %s, want %s; %v", args[0], args[1], res.Status, text, args[2], err)
	}
	var made struct{ ID string }
	if json.Unmarshal(text, &made) == nil && made.ID != "" {
		ts.Setenv(variable, made.ID)
	}
	if err := os.WriteFile(ts.MkAbs("answer.json"), text, 0o600); err != nil {
		ts.Fatalf("%v", err)
	}
}

// scriptPast changes the directory past the gateway: past delete NAME, or past add
// NAME [ATTRIBUTE=VALUE …]. The entryUUID of what it adds is in ANCHOR.
func scriptPast(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: past delete|add NAME [ATTRIBUTE=VALUE …]")
	}
	s, _ := ts.Value(servingKey).(*serving)
	conn, err := goldap.DialURL("ldap://" + s.directory)
	if err != nil {
		ts.Fatalf("%v", err)
	}
	defer conn.Close()
	if err := conn.Bind("cn=postern,dc=example,dc=com", scriptPassword); err != nil {
		ts.Fatalf("%v", err)
	}
	dn := "uid=" + args[1] + ",ou=people,dc=example,dc=com"
	if args[0] == "delete" {
		if err := conn.Del(goldap.NewDelRequest(dn, nil)); err != nil {
			ts.Fatalf("%v", err)
		}
		return
	}
	add := goldap.NewAddRequest(dn, nil)
	add.Attribute("objectClass", []string{"top", "person", "organizationalPerson", "inetOrgPerson"})
	for _, a := range []string{"uid", "cn", "sn"} {
		add.Attribute(a, args[1:2])
	}
	for _, a := range args[2:] {
		attr, value, _ := strings.Cut(a, "=")
		add.Attribute(attr, []string{value})
	}
	if err := conn.Add(add); err != nil {
		ts.Fatalf("%v", err)
	}
	res, err := conn.Search(goldap.NewSearchRequest(dn, goldap.ScopeBaseObject, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"entryUUID"}, nil))
	if err != nil || len(res.Entries) != 1 {
		ts.Fatalf("%v", err)
	}
	ts.Setenv("ANCHOR", res.Entries[0].GetAttributeValue("entryUUID"))
}
