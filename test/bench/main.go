// Bench prints the numbers that etcd-node promises, beside those of stock etcd
// of the same build on the same three lab hosts, taking turns. It needs root
// and an otherwise idle machine: the tests show that things work, this shows
// how fast.
//
//	go run ./test/bench                   every row, n = 10: an hour
//	go run ./test/bench -n 3 -run stop    the rows whose name matches
//	go run ./test/bench -old FILE         beside another build of etcd-node instead, called "before"
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	n := flag.Int("n", 10, "measurements per row")
	only := flag.String("run", "", "run the rows whose name and timing (such as 100/1000) match this regular expression")
	alone := flag.Duration("alone", time.Minute, "how long host 1 is alone in the row about that")
	oursOnly := flag.Bool("ours", false, "leave stock etcd out: its stops take minutes")
	old := flag.String("old", "", "another binary of etcd-node that takes stock etcd's place")
	flag.Parse()
	other := stock
	if *old != "" {
		other = before
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}

	var chosen []row
	hosts := 0
	for _, r := range rows(*alone) {
		if match.MatchString(r.name + ", " + r.timing.String()) {
			r.oursOnly = r.oursOnly || *oursOnly
			chosen, hosts = append(chosen, r), max(hosts, r.size())
		}
	}
	l, err := lab.Start(ctx, fmt.Sprintf("bench%d", os.Getpid()), hosts, os.Stderr)
	if err != nil {
		return err
	}
	defer func() {
		if closing := l.Close(); err == nil {
			err = closing
		}
	}()
	tree, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := install(ctx, l, tree, *old); err != nil {
		return err
	}
	fmt.Printf("| case | goal | %s: median (p90, worst) | %s: median (p90, worst) | n |\n|---|---|---|---|---|\n", ours.name, other.name)
	for _, r := range chosen {
		if err := r.print(ctx, l, *n, other); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}
