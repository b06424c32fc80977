// Command bench measures the gateway against raw LDAP: it starts an OpenLDAP
// server with 10,000 users and a group of 5,000, and does the same work on that
// server in the same run with go-ldap and, over HTTP, through the gateway. It
// prints rates and their ratios, latencies, and the CPU time that the gateway
// spent on a request, the figure that bears a noisy machine best.
//
//	go run ./cmd/bench            the whole table
//	go run ./cmd/bench -quick     a fifth of the time, for a first look
//	go run ./cmd/bench -profile cpu.out -only "read by id" -clients 16
//	go run ./cmd/bench ids        the identity table alone, at a million entities
//	go run ./cmd/bench groups     a group of 100,000 members
//	go run ./cmd/bench rest       an application with a JSON interface
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

type options struct {
	users, members int
	each           time.Duration
	only, profile  string
	clients        []int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 {
		parts := map[string]func(context.Context, []string) error{"ids": runIDs, "groups": runGroups, "rest": runREST}
		if part, ok := parts[os.Args[1]]; ok {
			done(part(ctx, os.Args[2:]))
			return
		}
	}
	o := options{clients: []int{1, 16, 64}}
	flag.IntVar(&o.users, "users", 10_000, "users in the directory")
	flag.IntVar(&o.members, "members", 5_000, "members of the large group")
	flag.DurationVar(&o.each, "each", 5*time.Second, "how long each figure is measured")
	flag.StringVar(&o.only, "only", "", "measure only the scenarios whose name contains this")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the gateway to this file; use with -only and -clients")
	flag.Func("clients", "how many clients work side by side, as in 1,16,64", func(list string) error {
		o.clients = nil
		for n := range strings.SplitSeq(list, ",") {
			clients, err := strconv.Atoi(n)
			if err != nil || clients < 1 {
				return fmt.Errorf("%q is not a number of clients", n)
			}
			o.clients = append(o.clients, clients)
		}
		return nil
	})
	quick := flag.Bool("quick", false, "measure for a fifth of the time")
	flag.Parse()
	if *quick {
		o.each /= 5
	}
	done(run(ctx, o))
}

// done ends the program where something went wrong.
func done(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "postern-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d, err := startDirectory(ctx, dir, o)
	if err != nil {
		return err
	}
	defer d.server.Stop()
	g, err := startGateway(ctx, dir, d, o)
	if err != nil {
		return err
	}
	defer g.stop()
	fmt.Printf("start to first answer  %8.0f ms   (bar 100)\n", float64(g.started.Microseconds())/1000)
	fmt.Printf("memory idle            %8.1f MiB  (bar 64)\n\n", g.memory("VmRSS"))

	took, err := walk(ctx, g, d)
	if err != nil {
		return err
	}
	fmt.Printf("walk of %d users by pages of 100: %.2f s (bar 2), raw paged search %.2f s\n\n", o.users, took.Seconds(), d.walked.Seconds())
	fmt.Printf("%-22s %7s %10s %10s %6s %8s %8s %8s %6s\n", "scenario", "clients", "raw/s", "gateway/s", "ratio", "p50 ms", "p99 ms", "CPU µs", "bar")
	all, err := scenarios(ctx, d, g)
	if err != nil {
		return err
	}
	for _, s := range all {
		if !strings.Contains(s.name, o.only) {
			continue
		}
		for _, clients := range o.clients {
			raw, err := measure(ctx, clients, o.each, s.raw)
			if err != nil {
				return fmt.Errorf("%s, raw: %w", s.name, err)
			}
			profiled := make(chan error, 1)
			if o.profile != "" && clients == o.clients[0] {
				go func() { profiled <- g.writeProfile(ctx, o.profile, o.each) }()
			} else {
				profiled <- nil
			}
			before := g.cpu()
			ours, err := measure(ctx, clients, o.each, s.http)
			if err != nil {
				return fmt.Errorf("%s, gateway: %w", s.name, err)
			}
			cpu := float64((g.cpu() - before).Microseconds()) / float64(ours.count)
			fmt.Printf("%-22s %7d %10.0f %10.0f %5.0f%% %8.2f %8.2f %8.0f %6d\n", s.name, clients, raw.rate, ours.rate, 100*ours.rate/raw.rate,
				ms(ours.p50), ms(ours.p99), cpu, s.bar)
			if err := <-profiled; err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nmemory at the peak     %8.1f MiB  (bar 64)\n", g.memory("VmHWM"))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
