package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	sampleEvery = 3 * time.Second
	// settled is how long a member must have served for a sample: at its start
	// the supervisor holds more for a moment.
	settled = 2 * time.Second
	// judged is the shortest life that says something about a leak.
	judged = time.Minute

	// What the numbers of a supervisor may grow by from the first sample of its
	// life to the last: Go's heap breathes by a megabyte or two, and somebody may
	// be asking for the status just then.
	moreKiB        = 4 << 10
	moreFiles      = 4
	moreGoroutines = 4
)

// usage is what a supervisor uses at one time.
type usage struct{ kib, files, goroutines int }

func (u usage) max(v usage) usage {
	return usage{max(u.kib, v.kib), max(u.files, v.files), max(u.goroutines, v.goroutines)}
}

func (u usage) String() string {
	return fmt.Sprintf("%.1f MB, %d files, %d goroutines", float64(u.kib)/1024, u.files, u.goroutines)
}

// life is that of one supervisor process.
type life struct {
	node             string
	pid              int
	from, to         time.Time
	first, last, max usage
	restarts         int // of its member
}

func (l *life) length() time.Duration { return l.to.Sub(l.from) }

// leak says what grew; "": nothing, or too young to tell.
func (l *life) leak() string {
	if l.length() < judged {
		return ""
	}
	if l.last.kib > l.first.kib+moreKiB || l.last.files > l.first.files+moreFiles || l.last.goroutines > l.first.goroutines+moreGoroutines {
		return fmt.Sprintf("the supervisor of %s grew in %s and %d restarts of its member from %v to %v",
			l.node, l.length().Round(time.Second), l.restarts, l.first, l.last)
	}
	return ""
}

// supervisors are sampled for the whole run.
type supervisors struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu    sync.Mutex
	lives []*life // in the order of their first samples
}

func watchSupervisors(nodes []*node) *supervisors {
	ctx, stop := context.WithCancel(context.Background())
	s := &supervisors{stop: stop}
	for _, n := range nodes {
		s.wg.Go(func() {
			tick := time.NewTicker(sampleEvery)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					s.sample(ctx, n)
				}
			}
		})
	}
	return s
}

// sample takes one, if the node serves now and has for a moment.
func (s *supervisors) sample(ctx context.Context, n *node) {
	p, st, err := n.status(ctx)
	if err != nil || st.State != status.Serving || time.Since(st.Since) < settled {
		return
	}
	u, err := processUsage(p.PID)
	if err != nil {
		return // it ended just now
	}
	u.goroutines = st.Goroutines
	s.add(n.Name, p.PID, st.Restarts, u, time.Now())
}

func (s *supervisors) add(node string, pid, restarts int, u usage, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var l *life
	for _, o := range s.lives {
		if o.node == node && o.pid == pid {
			l = o
		}
	}
	if l == nil {
		l = &life{node: node, pid: pid, from: now, first: u}
		s.lives = append(s.lives, l)
	}
	l.to, l.last, l.max, l.restarts = now, u, l.max.max(u), restarts
}

// end stops the sampling; lives is the caller's from then on.
func (s *supervisors) end() { s.stop(); s.wg.Wait() }

// longest is the longest life.
func (s *supervisors) longest() *life {
	longest := &life{node: "nobody"}
	for _, l := range s.lives {
		if l.length() >= longest.length() {
			longest = l
		}
	}
	return longest
}

// processUsage is a process's private memory and its open files.
func processUsage(pid int) (usage, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return usage{}, err
	}
	defer f.Close()
	u := usage{kib: privateKiB(f)}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.files = len(files)
	return u, err
}

// privateKiB is what this process has written to. Not what it only reads, the
// binary's 20 MB: those pages are its member's too, and its own alone for the
// moments in which that is dead.
func privateKiB(smaps io.Reader) (kib int) {
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		if n, err := fmt.Sscanf(lines.Text(), "Private_Dirty: %d", &kib); n == 1 && err == nil {
			return kib
		}
	}
	return 0
}
