package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A worker is one client: it owns its connection and does one operation a call.
// i counts the worker's calls.
type worker struct {
	do    func(i int) error
	close func()
}

// figures is what was measured with some number of clients.
type figures struct {
	count    int
	rate     float64 // operations a second
	p50, p99 time.Duration
}

// measure lets workers work side by side for a while.
func measure(ctx context.Context, clients int, each time.Duration, open func(n int) (worker, error)) (figures, error) {
	workers := make([]worker, clients)
	for n := range workers {
		w, err := open(n)
		if err != nil {
			return figures{}, err
		}
		defer w.close()
		workers[n] = w
	}
	took := make([][]time.Duration, clients)
	errs := make([]error, clients)
	var wg sync.WaitGroup
	start := time.Now()
	for n, w := range workers {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				began := time.Now()
				if began.Sub(start) > each {
					return
				}
				if err := w.do(i); err != nil {
					errs[n] = err
					return
				}
				took[n] = append(took[n], time.Since(began))
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return figures{}, err
		}
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return figures{}, context.Cause(ctx)
	}
	slices.Sort(all)
	return figures{count: len(all), rate: float64(len(all)) / elapsed.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100]}, nil
}
