package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/poll"
)

// Notes are what systemd was told since the last mark.
func (d *Daemon) Notes() []Note {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notes[d.from:])
}

// Mark makes only what systemd is told from now on count.
func (d *Daemon) Mark() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from = len(d.notes)
}

// Readies counts how often READY=1 was said, in all runs.
func (d *Daemon) Readies() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.notes {
		if strings.HasPrefix(x.Text, "READY=1") {
			n++
		}
	}
	return n
}

// Last is the last STATUS=.
func (d *Daemon) Last() string {
	for _, x := range slices.Backward(d.Notes()) {
		if s, ok := strings.CutPrefix(x.Text, "STATUS="); ok {
			return s
		}
	}
	return "nothing"
}

// Lines are the lines of the log, of all runs.
func (d *Daemon) Lines() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// ForgetLines makes only the lines count that are logged from now on.
func (d *Daemon) ForgetLines() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = nil
}

// Await waits until systemd was told something that begins with prefix, since
// the last mark.
func (d *Daemon) Await(ctx context.Context, prefix string) (note Note, err error) {
	err = d.wait(ctx, fmt.Sprintf("said %q", prefix), func() bool {
		return first(d.notes[d.from:], &note, func(x Note) bool { return strings.HasPrefix(x.Text, prefix) })
	})
	return note, err
}

// Next is Await, and a mark behind what it waited for.
func (d *Daemon) Next(ctx context.Context, prefix string) (note Note, err error) {
	note, err = d.Await(ctx, prefix)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from += slices.Index(d.notes[d.from:], note) + 1
	return note, err
}

// Logged waits for a line of the log that holds the text.
func (d *Daemon) Logged(ctx context.Context, text string) (line string, err error) {
	err = d.wait(ctx, fmt.Sprintf("logged %q", text), func() bool {
		return first(d.lines, &line, func(x string) bool { return strings.Contains(x, text) })
	})
	return line, err
}

// first finds the first that fits.
func first[T any](list []T, found *T, fits func(T) bool) bool {
	i := slices.IndexFunc(list, fits)
	if i >= 0 {
		*found = list[i]
	}
	return i >= 0
}

// wait waits until something is done, and asks whenever something was said. It
// gives up when the run is over.
func (d *Daemon) wait(ctx context.Context, what string, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, poll.Patience)
	defer cancel()
	for {
		over := d.Over() // before it looks: what was said last counts
		d.mu.Lock()
		yes, news := done(), d.news
		d.mu.Unlock()
		switch {
		case yes:
			return nil
		case over:
			return fmt.Errorf("%s ended with exit code %d before it %s; last: %s", d.Name, d.cmd.ProcessState.ExitCode(), what, d.Last())
		}
		select {
		case <-news:
		case <-d.ended:
		case <-ctx.Done():
			return fmt.Errorf("%s has not %s: %w; last: %s", d.Name, what, ctx.Err(), d.Last())
		}
	}
}

// Over reports whether the run is over.
func (d *Daemon) Over() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// Exit waits for the daemon's end and returns its exit code.
func (d *Daemon) Exit(ctx context.Context) (int, error) {
	err := d.wait(ctx, "ended", d.Over)
	return d.cmd.ProcessState.ExitCode(), err
}

// Stop stops the daemon as systemd does, and returns its exit code.
func (d *Daemon) Stop(ctx context.Context) (int, error) {
	_ = d.Signal(syscall.SIGTERM) // it may have ended
	return d.Exit(ctx)
}

// Status asks the daemon, as `etcd-node status` does.
func (d *Daemon) Status() (st status.Status, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	raw, err := control.Ask(ctx, d.Run())
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal(raw, &st)
}

// Until asks until the status is as wanted.
func (d *Daemon) Until(ctx context.Context, what string, ok func(status.Status) bool) (st status.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, poll.Patience)
	defer cancel()
	if err = poll.Until(ctx, 5*time.Millisecond, func() error {
		if st, err = d.Status(); err == nil && !ok(st) {
			err = errors.New(st.Line())
		}
		return err
	}); err != nil {
		err = fmt.Errorf("%s is not %s: %w", d.Name, what, err)
	}
	return st, err
}
