package filewatch

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// pollInterval is how late a change is seen that the kernel does not tell, and
	// a time that has come: soon enough for an operator who looks whether a file
	// that was just put there has helped, and nothing for the machine.
	pollInterval = 5 * time.Second
	// settle is the pause between a change and the look: whoever writes one file
	// often writes two more at once.
	settle = 100 * time.Millisecond
)

// Watch looks at files whenever they may have changed.
type Watch struct {
	Paths []string
	// Look is called first of all, and then after each change. What it sees holds
	// until the time that it returns, when it is called again; zero: for ever.
	Look func() (until time.Time)
	// Again, where it is not nil, asks for a look without a change.
	Again <-chan struct{}
}

// Run returns when ctx ends. Look is called from Run's own goroutine, and may
// take as long as a file system does not answer.
func (w Watch) Run(ctx context.Context) {
	n := newNotifier() // nil: the poll alone
	defer n.close()
	w.run(ctx, n)
}

func (w Watch) run(ctx context.Context, n *notifier) {
	for ctx.Err() == nil {
		n.watch(w.Paths) // before the look: no change falls between the two
		before := attributes(w.Paths)
		at := time.Now()
		w.sleep(ctx, n, before, at, w.Look())
	}
}

// sleep returns when it is time for another look.
func (w Watch) sleep(ctx context.Context, n *notifier, before string, at, until time.Time) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.Again:
			return
		case <-n.changes():
			select {
			case <-ctx.Done():
			case <-time.After(settle):
			}
			return
		case <-poll.C:
			// By the wall clock, which certificates go by and which may be set.
			now := time.Now().Round(0)
			if !until.IsZero() && !now.Before(until) || now.Before(at.Round(0)) || attributes(w.Paths) != before {
				return
			}
		}
	}
}

// attributes tell two states of files apart, also where only the rights are
// others.
func attributes(paths []string) string {
	var b strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			fmt.Fprintln(&b, st.Dev, st.Ino, st.Ctim, st.Size)
		}
	}
	return b.String()
}
