// Soak lets random faults strike three lab hosts, with a real systemd and the
// installed etcd-node, while clients read and write, and checks in the end that
// nothing was lost and everything came back by itself. It needs root.
//
//	go run ./test/soak -duration 60m
//	go run ./test/soak -duration 60m -stock 1    # one of the members is stock etcd of the same release
//
// The faults: SIGKILL and SIGSTOP of the member and of the supervisor, power
// loss, a cut cable, a full disk (on the host whose data dir is a small file
// system), systemctl restart; most on one host, some on two or three at once,
// some on hosts that have not recovered from the last. What has to hold:
//
//   - every host serves again within a minute after its fault was healed;
//   - every client's answers fit one order of events (see test/history);
//   - every acknowledged put of a unique key is there in the end, on each member;
//   - all members have the same hash at the same revision;
//   - for a guaranteed share of the time puts get through within a second;
//   - no supervisor grows, in memory, open files or goroutines.
//
// It prints a table, and exits 1 if any of that did not hold, or if no fault struck
// or nothing was asked. -seed repeats the order of the faults; who leads at that
// moment and how long a recovery takes may differ. The directory -out gets a log of all events and each host's journal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/history"
	"github.com/etcd-node/etcd-node/test/lab"
)

type options struct {
	duration time.Duration
	seed     uint64
	broad    float64
	quorum   float64
	out      string
	stock    int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.DurationVar(&o.duration, "duration", 2*time.Minute, "how long faults strike")
	flag.Uint64Var(&o.seed, "seed", 0, "repeat the faults of the run that printed it (0: new ones)")
	flag.Float64Var(&o.broad, "broad", 0.1, "share of the faults that strike two or three hosts at once")
	flag.Float64Var(&o.quorum, "quorum", 0.5, "guaranteed share of the time with a quorum")
	flag.IntVar(&o.stock, "stock", 0, "how many of the members, of three, are stock etcd: 2 at most")
	flag.StringVar(&o.out, "out", "bin/soak", "directory for the log and the journals")
	flag.Parse()
	if o.stock < 0 || o.stock > 2 {
		fmt.Fprintln(os.Stderr, "soak: -stock takes 0, 1 or 2")
		os.Exit(2)
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "soak: %v (seed %d, see %s)\n", err, o.seed, o.out)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(o.out, "log"))
	if err != nil {
		return err
	}
	defer log.Close()

	name := fmt.Sprintf("soak%d", os.Getpid())
	l, err := lab.Start(ctx, name, 3, os.Stderr)
	if err != nil {
		return err
	}
	s := &soak{options: o, begun: time.Now(), log: log, plan: newPlan(o.seed, o.broad), counts: map[kind]int{}}
	defer s.close(l, &err)
	fmt.Fprintf(os.Stderr, "soak: %v of faults with seed %d; LAB_NAME=%s test/lab/lab exec 1 looks at a host\n", o.duration, o.seed, name)
	if err := s.start(ctx, l, name); err != nil {
		return fmt.Errorf("before the first fault: %w", err)
	}

	s.begun = time.Now()
	s.say("seed %d", o.seed)
	s.service, s.supervisors = watchService(s.nodes), watchSupervisors(s.nodes)
	s.history = history.Start(s.clients(), pause)
	s.faults(ctx)
	took := time.Since(s.begun)
	s.settle()
	v := s.judge()
	s.report(os.Stdout, v, took)
	s.report(log, v, took)
	s.journals()
	if len(s.violations) == 0 {
		return nil
	}
	for _, n := range s.nodes {
		fmt.Fprint(log, n.describe())
	}
	for _, text := range s.violations {
		fmt.Fprintln(os.Stderr, "soak:", text)
	}
	return fmt.Errorf("%d violations", len(s.violations))
}

// close ends the hosts and forgets the disk under one of them.
func (s *soak) close(l *lab.Lab, err *error) {
	for _, n := range s.nodes {
		_ = n.client.Close() // its member goes now
	}
	if closing := l.Close(); closing != nil {
		*err = errors.Join(*err, closing)
	}
	for _, n := range s.nodes {
		if n.disk != nil {
			n.disk.close()
		}
	}
}

// journals keeps what the hosts' daemons have said.
func (s *soak) journals() {
	ctx, cancel := context.WithTimeout(context.Background(), recovery)
	defer cancel()
	for _, n := range s.nodes {
		text, err := n.Run(ctx, "journalctl", "--no-pager", "--output=short-precise", "--unit=etcd")
		if err == nil {
			err = os.WriteFile(filepath.Join(s.out, n.Name+".journal"), []byte(text), 0o644)
		}
		if err != nil {
			s.say("journal of %s: %v", n.Name, err)
		}
	}
}
