package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// TestDemo starts the demo as `postern demo` does and runs the lines it prints.
func TestDemo(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal("no shell to paste the demo's lines into")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("no curl to run the demo's lines with; install it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- demo(ctx, w, "127.0.0.1:0", zerolog.Nop())
		w.Close()
	}()
	var lines []string
	for s := bufio.NewScanner(r); len(lines) < 3 && s.Scan(); {
		if line := strings.TrimSpace(s.Text()); strings.HasPrefix(line, "curl ") {
			lines = append(lines, line)
		}
	}
	go io.Copy(io.Discard, r)
	if len(lines) != 3 {
		t.Fatalf("the demo printed %d curl lines, want 3: %v", len(lines), <-ended)
	}
	answers := make([]map[string]any, len(lines))
	for i, line := range lines {
		out, err := exec.CommandContext(ctx, shell, "-c", line).Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if err := json.Unmarshal(out, &answers[i]); err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
	}
	if n := len(asList(answers[0]["Resources"])); n != 3 {
		t.Errorf("the first line lists %d people: %v", n, answers[0])
	}
	if answers[1]["userName"] != "grace" || answers[1]["id"] == nil {
		t.Errorf("the second line creates %v", answers[1])
	}
	if found := at(answers[2], "Resources", 0, "id"); found == nil || found != answers[1]["id"] {
		t.Errorf("the third line finds %v, want %v", found, answers[1]["id"])
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the demo ended with %v", err)
	}
}
