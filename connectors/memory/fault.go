package memory

import (
	"context"
	"errors"
	"time"

	"postern/connectors"
)

// An Op is one method of the connector.
type Op string

// The operations that a fault may hit.
const (
	OpGet    Op = "get"
	OpSearch Op = "search"
	OpCreate Op = "create"
	OpApply  Op = "apply"
	OpDelete Op = "delete"
	OpTrace  Op = "trace"
	OpSweep  Op = "sweep"
	OpWatch  Op = "watch" // before each event, or wait for one
)

// Fail makes the backend ask f before each operation (done is false) and once
// more when it has had its effect and the answer is on its way. An error of the
// first call is that of a backend out of reach: nothing was sent. An error of
// the second is that of an answer lost: Timeout, and the write stands. An
// *connectors.Error is given to the caller as it is. F may block, which makes
// the backend hang; it must not call the connector. Nil ends all faults.
func (b *Backend) Fail(f func(op Op, done bool) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

// enter is the way to the backend, half the latency long.
func (b *Backend) enter(ctx context.Context, op Op) error {
	if err := ctx.Err(); err != nil {
		return &connectors.Error{Kind: connectors.Unavailable, Reason: "the request was given up", Unsent: true, Err: err}
	}
	if err := b.ask(ctx, op, false); err != nil {
		if e, ok := errors.AsType[*connectors.Error](err); ok {
			return e
		}
		return &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: err}
	}
	return b.pause(ctx, b.options.Latency/2)
}

// leave is the way back, the rest of the latency long.
func (b *Backend) leave(ctx context.Context, op Op) error {
	if err := b.ask(ctx, op, true); err != nil {
		if e, ok := errors.AsType[*connectors.Error](err); ok {
			return e
		}
		return &connectors.Error{Kind: connectors.Timeout, Err: err}
	}
	return b.pause(ctx, b.options.Latency-b.options.Latency/2)
}

// ask calls the fault, on a goroutine of its own because it may block for longer
// than the caller is willing to wait.
func (b *Backend) ask(ctx context.Context, op Op, done bool) error {
	b.mu.RLock()
	f := b.fault
	b.mu.RUnlock()
	if f == nil {
		return nil
	}
	answer := make(chan error, 1)
	go func() { answer <- f(op, done) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return timeout(ctx)
	}
}

func (b *Backend) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return timeout(ctx)
	}
}

func timeout(ctx context.Context) error {
	return &connectors.Error{Kind: connectors.Timeout, Err: context.Cause(ctx)}
}
