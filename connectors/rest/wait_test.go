package rest

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// TestRetryAfter reads what applications write of when they want to be asked again,
// and waits no longer than is worth it.
func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, c := range []struct {
		text        string
		least, most time.Duration
		waits       bool
	}{
		{"", 0, 0, true},
		{"0", 0, 0, true},
		{"7", 7 * time.Second, 7 * time.Second, true},
		{"11", 11 * time.Second, 11 * time.Second, false},
		{"-5", 0, 0, true},
		{"soon", 0, 0, true},
		{"1073741824", longestAfter, longestAfter, false},
		{"99999999999", longestAfter, longestAfter, false},
		{"99999999999999999999", longestAfter, longestAfter, false},
		{"-99999999999999999999", 0, 0, true},
		{"1073741823", 1073741823 * time.Second, 1073741823 * time.Second, false},
		{in(5 * time.Second), 3 * time.Second, 5 * time.Second, true},
		{in(time.Hour), 59 * time.Minute, time.Hour, false},
		{in(-time.Hour), 0, 0, true},
	} {
		resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {c.text}}}
		if got := retryAfter(resp); got < c.least || got > c.most {
			t.Errorf("%q is %s, want %s to %s", c.text, got, c.least, c.most)
		}
		if got := waitable(t.Context(), resp); got != c.waits {
			t.Errorf("%q is waited for: %v", c.text, got)
		}
		for attempt := range 12 {
			if wait := backoff(50*time.Millisecond, 5*time.Second, attempt, resp); wait < c.least || c.most == 0 && wait > 5*time.Second {
				t.Errorf("%q, attempt %d: waits %s", c.text, attempt, wait)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if waitable(ctx, &http.Response{Header: http.Header{"Retry-After": {"2"}}}) {
		t.Error("it waits longer than the request may take")
	}
	if retryAfter(nil) != 0 {
		t.Error("no answer says nothing")
	}
}

// TestBackoffGrows waits longer and longer, up to a bound, and never the same time.
func TestBackoffGrows(t *testing.T) {
	seen := map[time.Duration]bool{}
	for attempt := range 20 {
		for range 50 {
			wait := backoff(50*time.Millisecond, 5*time.Second, attempt, nil)
			most := min(5*time.Second, 50*time.Millisecond<<min(attempt, 10))
			if wait < most/2 || wait > most {
				t.Fatalf("attempt %d waits %s, want %s to %s", attempt, wait, most/2, most)
			}
			seen[wait] = true
		}
	}
	if len(seen) < 500 {
		t.Errorf("%d different times in 1,000", len(seen))
	}
}
