// Package redminetest runs Redmine for tests, as Debian packages it: a real
// application with a JSON interface of its own.
package redminetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern/connectors/servertest"
)

// Requirement is what Redmine needs on the machine.
func Requirement() servertest.Requirement {
	return servertest.Requirement{
		Name:     "redmine",
		Programs: []string{"puma", "ruby"},
		Files:    []string{home + "/config.ru", database},
		Packages: []string{"redmine", "redmine-sqlite", "puma"},
		Root:     true, // Its configuration is readable for it alone.
	}
}

const (
	home     = "/usr/share/redmine"
	database = "/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default"

	// launchTime bounds a start.
	launchTime = 2 * time.Minute
)

// A Server is a running Redmine with nobody in it but its administrator.
type Server struct {
	URL string // http://host:port
	Key string // the administrator's API key
	Dir string // its folder, removed by Stop

	address *servertest.Address
	owner   *servertest.Lock
	process *servertest.Process
}

// Start runs a Redmine of the test's own, whose users have custom fields of long
// text with these names and the ids 1, 2 and so on. It is stopped when the test ends.
// If it is missing or does not start, the test is skipped with the reason; with
// CI=true or POSTERN_SERVERS=require it fails.
func Start(t testing.TB, fields ...string) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launchTime)
	defer cancel()
	s, err := Launch(ctx, fields...)
	if err != nil {
		servertest.Leave(t, err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stopping redmine: %v", err)
		}
	})
	return s
}

// Launch starts a Redmine on a copy of the database that its package made. The
// caller must Stop it. ctx bounds the start alone; fields are those of [Start].
func Launch(ctx context.Context, fields ...string) (*Server, error) {
	if missing := Requirement().Missing(); missing != "" {
		return nil, errors.New(missing)
	}
	dir, owner, err := servertest.Scratch(ctx, "", "redmine")
	if err != nil {
		return nil, fmt.Errorf("redmine: %w", err)
	}
	s := &Server{Dir: dir, owner: owner}
	if err := s.start(ctx, fields); err != nil {
		log, _ := os.ReadFile(s.logFile())
		err = fmt.Errorf("redmine did not start: %w%s", err, servertest.LastLines(string(log), 20))
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, fields []string) error {
	key := make([]byte, 20)
	_, _ = rand.Read(key) // never fails
	s.Key = hex.EncodeToString(key)
	var err error
	if s.address, err = servertest.FreePorts(); err != nil {
		return err
	}
	s.URL = "http://" + servertest.Join(s.address.Host, s.address.Plain)
	data, err := s.prepare(ctx, fields)
	if err != nil {
		return err
	}
	program, err := servertest.LookProgram("puma")
	if err != nil {
		return err
	}
	rackup := filepath.Join(s.Dir, "config.ru")
	if err := os.WriteFile(rackup, []byte(oneAtATime), 0o600); err != nil {
		return err
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	command := exec.Command(program, "-b", "tcp://"+strings.TrimPrefix(s.URL, "http://"), "-e", "production", "-t", "1:4", rackup)
	command.Dir, command.Stdout, command.Stderr = home, log, log
	command.Env = append(os.Environ(), "REDMINE_INSTANCE=default", "RAILS_ENV=production", "DATABASE_URL=sqlite3:"+data+"")
	if s.process, err = servertest.Spawn(command); err != nil {
		return err
	}
	return s.await(ctx)
}

// oneAtATime is Redmine's own config.ru but for the lock: SQLite refuses a
// transaction that reads and then writes while another does.
const oneAtATime = `require "` + home + `/config/environment"
TURN = Mutex.new
run lambda { |env| TURN.synchronize { Rails.application.call(env) } }
`

// settings switches the API on, which is off in a new Redmine, and gives its
// administrator a key for it and leave to be used at once. An id is never given out
// again, as by the databases that Redmine has in earnest.
const settings = `
db = SQLite3::Database.new(ARGV[0])
now = Time.now.utc.strftime("%F %T")
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA writable_schema = ON")
db.execute("update sqlite_master set sql = replace(sql, '\"id\" integer NOT NULL PRIMARY KEY', '\"id\" integer PRIMARY KEY AUTOINCREMENT NOT NULL') where name = 'users'")
db.execute("insert into settings (name, value, updated_on) values ('rest_api_enabled', '1', ?)", [now])
db.execute("update users set must_change_passwd = 0 where login = 'admin'")
db.execute("insert into tokens (user_id, action, value, created_on, updated_on) select id, 'api', ?, ?, ? from users where login = 'admin'", [ARGV[1], now, now])
ARGV[2..].each_with_index do |name, i|
  db.execute("insert into custom_fields (id, type, name, field_format, position, editable, visible) values (?, 'UserCustomField', ?, 'text', ?, 1, 1)", [i + 1, name, i + 1])
end
`

// prepare copies the database and sets it up.
func (s *Server) prepare(ctx context.Context, fields []string) (string, error) {
	data, err := os.ReadFile(database)
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, "redmine.sqlite")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return "", err
	}
	return file, servertest.Run(ctx, s.Dir, nil, "ruby", append([]string{"-rsqlite3", "-e", settings, file, s.Key}, fields...)...)
}

// await waits until the application answers its administrator.
func (s *Server) await(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.process.Done:
			return fmt.Errorf("it ended: %v", s.process.Err)
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

func (s *Server) ask(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/users.json?limit=1", nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Redmine-API-Key", s.Key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// Stop ends the application, waits until it is gone and removes its folder.
func (s *Server) Stop() error {
	if s.process != nil {
		s.process.Kill()
	}
	if s.address != nil {
		s.address.Release()
	}
	err := os.RemoveAll(s.Dir)
	s.owner.Release()
	return err
}

func (s *Server) logFile() string { return filepath.Join(s.Dir, "output.log") }
