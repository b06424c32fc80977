package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"postern/gateway/adminapi"
)

// crashProcess is a gateway in a process of its own.
type crashProcess struct {
	cmd     *exec.Cmd
	scim    string // the base URL
	control string
	log     *locked
	ended   chan struct{} // closed once it is gone

	mu   sync.Mutex
	died string // at which step, in its own words
}

var errKilled = errors.New("the gateway was killed")

// startCrashProcess starts a gateway that ends at a step, or at none where that is
// 0. It returns errKilled where it ends before it answers.
func startCrashProcess(t testing.TB, file string, at int, env ...string) (*crashProcess, error) {
	t.Helper()
	p := &crashProcess{cmd: exec.Command(os.Args[0]), log: &locked{}, ended: make(chan struct{})}
	p.cmd.Env = append(append(os.Environ(), crashConfig+"="+file, fmt.Sprintf("%s=%d", crashAt, at)), env...)
	p.cmd.Stderr = p.log
	if _, err := p.cmd.StdinPipe(); err != nil { // it ends when this process does
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	serving := make(chan struct{})
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line := lines.Text()
			if at, ok := strings.CutPrefix(line, "serving "); ok {
				scim, control, _ := strings.Cut(at, " ")
				p.scim, p.control = "http://"+scim+"/scim/v2", "http://"+control
				close(serving)
				continue
			}
			p.mu.Lock()
			p.died = line
			p.mu.Unlock()
		}
		_ = p.cmd.Wait() // it was killed
	}()
	select {
	case <-serving:
		return p, nil
	case <-p.ended:
		if p.step() != "" {
			return p, errKilled
		}
		return p, fmt.Errorf("the gateway does not start: %s", p.log)
	}
}

// step is at which step it was killed, or "".
func (p *crashProcess) step() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.died
}

// kill ends the process at once, and returns when it is gone.
func (p *crashProcess) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.ended
}

// crashClient asks each question over a connection of its own: one that is kept
// might be found broken and lead to a second try that no test knows of.
var crashClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends a request, and returns errKilled where the process dies before it has
// answered.
func (p *crashProcess) ask(method, target, body string) (answer, error) {
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, target, rd)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+writerToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	res, err := crashClient.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errKilled, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errKilled, err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(raw)}
	if len(raw) > 0 && raw[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		err = dec.Decode(&a.json)
	}
	return a, err
}

// tell says something to the process past SCIM. into, if not nil, is filled with
// the answer.
func (p *crashProcess) tell(what string, query url.Values, body any, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	a, err := p.ask("POST", p.control+what+"?"+query.Encode(), string(raw))
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return errors.New(strings.TrimSpace(a.body))
	}
	if into != nil {
		return json.Unmarshal([]byte(a.body), into)
	}
	return nil
}

// administer asks for what administrators ask.
func (p *crashProcess) administer(call string, request any) error {
	raw, err := json.Marshal(request)
	if err != nil {
		return err
	}
	a, err := p.ask("POST", p.control+"/v1/"+call, string(raw))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	var end struct {
		Done  json.RawMessage
		Error *adminapi.Error
	}
	err = json.Unmarshal([]byte(lines[len(lines)-1]), &end)
	switch {
	case err != nil:
		return fmt.Errorf("the answer %q: %w", a.body, err)
	case end.Error != nil:
		return end.Error
	case end.Done == nil:
		return fmt.Errorf("the answer %q has no end", a.body)
	}
	return nil
}

// arm makes it end at a step from now on; at 0 it does not.
func (p *crashProcess) arm(at int) error {
	return p.tell("/arm", url.Values{"at": {fmt.Sprint(at)}}, nil, nil)
}

func (p *crashProcess) table() (t crashTable, err error) {
	err = p.tell("/table", nil, nil, &t)
	return t, err
}
