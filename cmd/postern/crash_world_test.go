package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

// crashWorld is a gateway that dies again and again, in front of a directory that
// does not, with all that its clients were ever told.
type crashWorld struct {
	t       *testing.T // the test that runs now
	whole   *testing.T // the test that the world is for
	file    string     // the configuration
	table   string     // the file of the identity table
	past    *goldap.Conn
	shape   crashShape
	process *crashProcess
	proxy   *losingProxy

	what       string               // is being done, for the tale of a failure
	strikes    func() error         // arms whatever kills the gateway
	strikesOff func() error         // and disarms it
	struck     func() (bool, error) // tells whether what the gateway lives on after has happened; nil where it dies
	relief     func() error         // ends that
	patience   int                  // of the gateway, in milliseconds
	late       bool                 // a write came after the gateway had looked for it
	downAfter  bool                 // the directory can not be reached when the gateway is started again
	recovering bool                 // a recovery is killed too, at each of its steps
	atOnce     func() error         // is done right after a restart, while the gateway recovers
	killed     bool                 // the last request
	died       string               // where
	kills      int                  // so far
	mu         sync.Mutex
	told       map[string]told   // by id
	paths      map[string]string // where an id is read
	touched    map[string]bool   // ids that were told since all were read
	made       map[string]bool   // whom the operation that is tried has made
	dangling   map[string]bool   // anchors of objects that were deleted past the gateway
	count      int
}

// told is what an id may be answered with: the numbers of persons, "" for 404.
type told map[string]bool

// person is somebody who is known by the number whatever else changes.
type person struct {
	number, userName, title, external string
	id                                string // as a client knows it
}

// must fails the test where the gateway did what it should not.
func (w *crashWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.violated("%v", err)
	}
}

// violated ends the test with what is wrong and when that was.
func (w *crashWorld) violated(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s, %s: %s", w.what, w.died, fmt.Sprintf(format, args...))
}

// start starts the gateway, which ends at a step if that is not 0.
func (w *crashWorld) start(at int) (err error) {
	w.t.Helper()
	w.process, err = startCrashProcess(w.whole, w.file, at, fmt.Sprintf("%s=%d", crashPatience, w.patience))
	if err != nil {
		return err
	}
	if w.proxy.isDown() {
		if err := w.meetDown(); err != nil {
			return err
		}
	}
	if w.atOnce != nil {
		if err := w.atOnce(); err != nil {
			return err
		}
	}
	if w.proxy.isHolding() {
		if err := w.process.tell("/recover", nil, nil, nil); err != nil {
			return err
		}
		w.proxy.release()
		w.proxy.await()
		w.late = true
		defer func() { w.late = false }()
	}
	return w.settle()
}

// meetDown asks a gateway whose directory can not be reached: it does not say of
// anybody that he is not there. Then the directory is back.
func (w *crashWorld) meetDown() error {
	for id := range w.touched {
		a, err := w.process.ask("GET", w.process.scim+w.paths[id], "")
		if err != nil {
			return err
		}
		if a.status != http.StatusServiceUnavailable && (a.status != http.StatusNotFound || !w.told[id][""]) {
			return fmt.Errorf("without a directory GET %s is answered %d %s", id, a.status, a.body)
		}
	}
	w.proxy.setDown(false)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		a, err := w.process.ask("GET", w.process.scim+"/Users?count=1", "")
		if err != nil {
			return err
		}
		if a.status == http.StatusOK {
			break
		}
	}
	return w.process.tell("/recover", nil, nil, nil)
}

// settle waits until nothing is open in the table: no intent, no deferred work.
// Where the gateway goes on after a lost answer, it does not wait for its clocks.
func (w *crashWorld) settle() error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(40 * time.Second); ; <-tick.C {
		if w.struck != nil || w.late {
			if err := w.process.tell("/recover", nil, nil, nil); err != nil {
				return err
			}
		}
		table, err := w.process.table()
		if err != nil {
			return err
		}
		if len(table.Intents)+len(table.Work) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("still open: %q %q", table.Intents, table.Work)
		}
	}
}

// strike does something while the gateway may be killed at any step of it or of
// what follows of it. If it was killed, it is started again, and what must hold
// is checked.
func (w *crashWorld) strike(do func() error) {
	w.t.Helper()
	w.killed, w.died = false, ""
	w.must(w.strikes())
	err := do()
	if w.struck != nil {
		hit, late := w.untilStruck(err == nil)
		w.must(errors.Join(late, w.relief()))
		if hit {
			w.killed, w.died = true, "struck"
			return // whatever the client was told, it tries again
		}
	}
	if err == nil {
		err = w.settle()
	}
	if err == nil {
		err = w.strikesOff()
	}
	if err != nil && !errors.Is(err, errKilled) {
		w.violated("%v", err)
	}
	if err == nil {
		return
	}
	<-w.process.ended
	w.killed, w.died = true, w.process.step()
	w.kills++
	w.restart()
	w.check()
}

// untilStruck tells whether it has happened, and waits for what follows of a request
// that succeeded.
func (w *crashWorld) untilStruck(wait bool) (hit bool, err error) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		table, err := w.process.table()
		if err != nil {
			return false, err
		}
		hit, err = w.struck()
		if err != nil || hit || !wait || len(table.Intents)+len(table.Work) == 0 {
			return hit, err
		}
	}
	return false, nil
}

// restart starts the gateway again after a kill.
func (w *crashWorld) restart() {
	w.t.Helper()
	at := 0
	if w.recovering {
		at = 1
	}
	if !w.proxy.isHolding() {
		w.proxy.await()
	}
	w.proxy.setDown(w.downAfter)
	for {
		err := w.start(at)
		if err == nil {
			err = w.process.arm(0)
		}
		if at == 0 || !errors.Is(err, errKilled) {
			w.must(err)
			return
		}
		<-w.process.ended
		w.died += ", then " + w.process.step()
		w.kills++
		at++
	}
}

// ask asks a SCIM question and remembers what it was told.
func (w *crashWorld) ask(method, path, body string) (answer, error) {
	a, err := w.process.ask(method, w.process.scim+path, body)
	if err == nil {
		err = w.note(a.json)
	}
	return a, err
}

// note remembers which id was told of whom. An id is of the same person for ever,
// but for what an administrator does.
func (w *crashWorld) note(resource map[string]any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	resources, listed := resource["Resources"].([]any)
	if !listed {
		resources = []any{resource}
	}
	for _, r := range resources {
		one, _ := r.(map[string]any)
		id, _ := one["id"].(string)
		if id == "" {
			continue
		}
		known, ok := w.told[id]
		if !ok {
			known = told{whoIs(one): true}
			w.told[id] = known
			w.paths[id] = "/Users/" + id
			if strings.HasPrefix(whoIs(one), "group ") {
				w.paths[id] = "/Groups/" + id
			}
		}
		if !ok || !listed {
			w.touched[id] = true
		}
		if !known[whoIs(one)] {
			return fmt.Errorf("the id %s was told of %v and now of %q", id, known, whoIs(one))
		}
	}
	return nil
}

// tells says what an id may be answered with from now on.
func (w *crashWorld) tells(id string, whom ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told[id] = told{}
	for _, who := range whom {
		w.told[id][who] = true
	}
	w.touched[id] = true
}

// whoIs is who a resource is: the number of a person, the name of a group.
func whoIs(resource map[string]any) string {
	if number, ok := at(resource, enterpriseURN, "employeeNumber").(string); ok {
		return number
	}
	name, _ := resource["displayName"].(string)
	return "group " + name
}

// get returns what is there under a path, or fails where it is not answered.
func (w *crashWorld) get(path string) answer {
	w.t.Helper()
	a, err := w.ask("GET", path, "")
	w.must(err)
	if a.status != http.StatusOK && a.status != http.StatusNotFound {
		w.violated("GET %s: %d %s", path, a.status, a.body)
	}
	return a
}

// find lists by a filter.
func (w *crashWorld) find(path, filter string) []any {
	w.t.Helper()
	a := w.get(path + "?count=1000&filter=" + url.QueryEscape(filter))
	list, _ := a.json["Resources"].([]any)
	if total := fmt.Sprint(a.json["totalResults"]); total != fmt.Sprint(len(list)) {
		w.violated("%s has %d of %s resources", filter, len(list), total)
	}
	return list
}

// want fails unless a request is answered with one of the statuses.
func (w *crashWorld) want(a answer, err error, statuses ...int) answer {
	w.t.Helper()
	w.must(err)
	for _, s := range statuses {
		if a.status == s {
			return a
		}
	}
	w.violated("answer %d, want one of %v: %s", a.status, statuses, a.body)
	return a
}
