package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postern/configs"
)

const token = "bench-token-that-is-long-enough"

// gatewayProcess is the gateway in a process of its own, so that its time and
// memory can be told from the load's.
type gatewayProcess struct {
	cmd     *exec.Cmd
	base    string
	started time.Duration // from the start of the process to the first answer
	profile string        // the address of the profiler
}

func startGateway(ctx context.Context, dir string, d *directory, o options) (*gatewayProcess, error) {
	return startGatewayAt(ctx, dir, d, o, d.server.TLSURL)
}

// startGatewayAt starts a gateway that reaches the directory under a URL. One that is started after another in the same folder has its
// identity table.
func startGatewayAt(ctx context.Context, dir string, d *directory, o options, url string) (*gatewayProcess, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	config, err := writeConfig(dir, address, d, url)
	if err != nil {
		return nil, err
	}
	return launchGateway(ctx, dir, config, address, o.profile, "/Users?filter=userName+eq+%22user00000%22", "POSTERN_BIND_PASSWORD="+d.server.ServicePassword)
}

// launchGateway builds the gateway and starts it with a configuration file, and waits until it answers a request for
// a path.
func launchGateway(ctx context.Context, dir, config, address, profile, first string, env ...string) (*gatewayProcess, error) {
	binary := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/postern").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	g := &gatewayProcess{base: "http://" + address + "/scim/v2"}
	log, err := os.Create(filepath.Join(dir, "gateway.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	g.cmd = exec.Command(binary, "serve", "--config", config)
	g.cmd.Env = append(append(os.Environ(), "IDP_TOKEN="+token, "ENTRA_TOKEN="+token), env...)
	if profile != "" {
		if g.profile, err = freeAddress(ctx); err != nil {
			return nil, err
		}
		g.cmd.Args = append(g.cmd.Args, "--profile", g.profile)
	}
	g.cmd.Stdout, g.cmd.Stderr = log, log
	began := time.Now()
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(began) < 20*time.Second {
		if status, _, err := newHTTP().do(ctx, "GET", g.base+first, nil); err == nil && status == http.StatusOK {
			g.started = time.Since(began)
			return g, nil
		}
		time.Sleep(time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("the gateway did not come up: %s", text)
}

// writeConfig writes the sample for the kind of directory, with the directory put in.
func writeConfig(dir, address string, d *directory, url string) (string, error) {
	s := d.server
	sample, err := configs.Sample(string(s.Kind) + ".yaml")
	if err != nil {
		return "", err
	}
	file := strings.NewReplacer(
		"listen: 127.0.0.1:8880", "listen: "+address,
		"dialect: entra", "dialect: rfc",
		"ldaps://dc1.corp.example.com, ldaps://dc2.corp.example.com", url, "ldaps://ldap.example.com", url,
		"# tls: { ca: corp-ca.pem }", "tls: { ca: "+s.CAFile+" }",
		"CN=svc-postern,OU=Service,DC=corp,DC=example,DC=com", s.ServiceDN,
		"cn=postern,ou=services,dc=example,dc=com", s.ServiceDN,
		"cn=postern,dc=example,dc=com", s.ServiceDN,
		"OU=Staff,DC=corp,DC=example,DC=com", s.PeopleBase, "ou=people,dc=example,dc=com", s.PeopleBase,
		"OU=Groups,DC=corp,DC=example,DC=com", s.GroupsBase, "ou=groups,dc=example,dc=com", s.GroupsBase,
	).Replace(string(sample))
	config := filepath.Join(dir, "bench.yaml")
	return config, os.WriteFile(config, []byte(file), 0o600)
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (g *gatewayProcess) stop() {
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	_ = g.cmd.Wait()
}

// cpu is the time that the process has spent on a processor.
func (g *gatewayProcess) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// After the name in parentheses: state is field 3, utime 14, stime 15, in ticks of 10 ms.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// peak is the most memory of its own, without the pages of files, that the process has while fn runs, in MiB beyond what it
// has before. It is looked at every half millisecond.
func (g *gatewayProcess) peak(fn func() error) (float64, error) {
	before := g.memory("RssAnon")
	most, done, stopped := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(500 * time.Microsecond):
				most = max(most, g.memory("RssAnon"))
			}
		}
	}()
	err := fn()
	close(done)
	<-stopped
	return most - before, err
}

// memory is a line of /proc/PID/status in MiB: VmRSS is now, VmHWM the peak.
func (g *gatewayProcess) memory(line string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib) / 1024
		}
	}
	return 0
}

// httpClient is one SCIM client with one connection that stays open.
type httpClient struct{ c *http.Client }

func newHTTP() httpClient {
	return httpClient{&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
}

func (h httpClient) do(ctx context.Context, method, url string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	res, err := h.c.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// count counts how often a text is in an answer, which is not held as a whole.
func (h httpClient) count(ctx context.Context, url, text string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := h.c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	n, kept := 0, 0
	buffer := make([]byte, 64<<10)
	for {
		read, err := res.Body.Read(buffer[kept:])
		held := buffer[:kept+read]
		n += bytes.Count(held, []byte(text))
		switch {
		case err == io.EOF && res.StatusCode != http.StatusOK:
			return 0, fmt.Errorf("GET %s: status %d: %.300s", url, res.StatusCode, held)
		case err == io.EOF:
			return n, nil
		case err != nil:
			return 0, err
		}
		kept = copy(buffer, held[max(0, len(held)-len(text)+1):]) // too little for the whole text
	}
}

// expect is do for a request that has to succeed.
func (h httpClient) expect(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	status, answer, err := h.do(ctx, method, url, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s: status %d: %.300s", method, url, status, answer)
	}
	return answer, err
}

// walk reads all users by pages of 100.
func walk(ctx context.Context, g *gatewayProcess, d *directory) (time.Duration, error) {
	h := newHTTP()
	defer h.c.CloseIdleConnections()
	began := time.Now()
	seen := make(map[string]bool, len(d.users))
	for start := 1; start <= len(d.users); start += 100 {
		body, err := h.expect(ctx, "GET", fmt.Sprintf("%s/Users?startIndex=%d&count=100", g.base, start), nil)
		if err != nil {
			return 0, err
		}
		var page struct {
			TotalResults int
			Resources    []struct{ ID string }
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return 0, err
		}
		for _, r := range page.Resources {
			seen[r.ID] = true
		}
		if page.TotalResults != len(d.users) {
			return 0, fmt.Errorf("a page says there are %d users, there are %d", page.TotalResults, len(d.users))
		}
	}
	if len(seen) != len(d.users) {
		return 0, fmt.Errorf("the walk saw %d of %d users", len(seen), len(d.users))
	}
	return time.Since(began), nil
}

// writeProfile asks the gateway what it spends its time on while it is measured.
func (g *gatewayProcess) writeProfile(ctx context.Context, file string, each time.Duration) error {
	body, err := newHTTP().expect(ctx, "GET", fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", g.profile, max(1, int(each.Seconds()))), nil)
	if err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o600)
}
