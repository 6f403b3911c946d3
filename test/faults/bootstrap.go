package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killWithin is the time of a first start in which it is killed: with etcd's
// own, one in five kills between the 20th and the 59th millisecond left data
// with which no later start ever became ready.
const killWithin = 100 * time.Millisecond

// bootstrapKills begins n clusters of one, each on directories of its own, and
// kills every other time the member and the daemon, at a moment of its first
// 100 ms. It has to serve in the end, every time.
func bootstrapKills(ctx context.Context, p *product, n int) error {
	var took []time.Duration
	aside, early := 0, 0
	for i := range n {
		daemon := i%2 == 1
		_, d, err := p.on(func(s *stage) (string, time.Duration) {
			l := s.cluster("a")[0]
			took, before := l.killBeginning(daemon, time.Duration(rand.Int64N(int64(killWithin))))
			if before {
				early++
			}
			if len(l.unfinished()) > 0 {
				aside++
			}
			return "", took
		})(ctx)
		if err != nil {
			return fmt.Errorf("number %d, daemon %v: %w", i+1, daemon, err)
		}
		took = append(took, d)
		if (i+1)%50 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d first starts were killed, %d moved aside\n", i+1, n, aside)
		}
	}
	slices.SortFunc(took, cmp.Compare)
	fmt.Printf("| first starts killed within %v | before they served | ended serving | moved aside and begun anew | from the kill to serving: median, slowest |\n|---|---|---|---|---|\n| %d | %d | %d | %d | %.2f s, %.2f s |\n",
		killWithin, n, early, len(took), aside, took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
	return nil
}

// killBeginning starts the daemon for the first time, kills it or its member so
// long after its start, and waits until it serves. It returns how long that
// took, and whether it had not served before.
func (n *local) killBeginning(daemon bool, after time.Duration) (took time.Duration, before bool) {
	n.start()
	pid, since := n.PID(), n.begun
	if !daemon {
		pid = n.child()
		since = time.Now()
	}
	n.rest(since.Add(after))
	at := time.Now()
	before = !n.said("STATUS=serving")
	n.Mark()
	n.signal(pid, syscall.SIGKILL)
	if daemon {
		<-n.Ended()
		at = time.Now()
		n.start()
	} else if !before {
		n.await("STATUS=backoff")
	}
	x := n.serves()
	n.kept()
	return x.At.Sub(at), before
}

// child is the member process, as soon as there is one. (Go's runtime has
// another child for a moment, to see what the kernel can do.)
func (n *local) child() int {
	path := fmt.Sprintf("/proc/%d/task/", n.PID())
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		tasks, _ := os.ReadDir(path) // none: it has ended
		for _, t := range tasks {
			children, _ := os.ReadFile(path + t.Name() + "/children")
			for pid := range strings.FieldsSeq(string(children)) {
				args, _ := os.ReadFile("/proc/" + pid + "/cmdline")
				if _, after, _ := bytes.Cut(args, []byte{0}); bytes.HasPrefix(after, []byte("member\x00")) {
					number, err := strconv.Atoi(pid)
					n.s.must(err)
					return number
				}
			}
		}
	}
	n.s.fail("it started no member: %s", n.Last())
	return 0
}
