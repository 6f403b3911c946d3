package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Level says how bad a result is.
type Level string

// The levels, the best first.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, and may not for long
	Problem Level = "problem" // the member will not start, or not serve well
)

var order = []Level{OK, Warning, Problem}

// Result is what one check has found.
type Result struct {
	Check string `json:"check"` // what was looked at, "ports"
	Level Level  `json:"level"`
	Text  string `json:"text"`           // one sentence
	Next  string `json:"next,omitempty"` // what to do where the level is not OK
}

// Worst is the worst level of results.
func Worst(all []Result) Level {
	worst := 0
	for _, r := range all {
		worst = max(worst, slices.Index(order, r.Level))
	}
	return order[worst]
}

// Node is what is to be checked.
type Node struct {
	Resolved *settings.Resolved
	Service  string // the unit, as a word of a command
	// Running is the status of this node's own daemon; nil: none runs.
	Running *status.Status
	// Hidden: a daemon is there, and does not tell who asks how it is.
	Hidden bool
	// Pins is where the pin is.
	Pins identity.Store
	// User is whose rights the daemon has; nil: those of who asks.
	User *preflight.User
	// LastEnd is how the daemon ended that has failed for good; "" where it has not.
	LastEnd string
	// Drift are the settings in which the files differ from what the member runs with.
	Drift []string
	// Environ is the environment of who asks.
	Environ []string

	now     func() time.Time                                               // nil: the real one
	settled func() bool                                                    // whether the clock is kept by something; nil: asks the kernel
	syncs   func(ctx context.Context, dir string) ([]time.Duration, error) // how long fsyncs take; nil: measured
}

// node is a Node with what is made of it, for the checks.
type node struct {
	Node
	config *embed.Config

	mu    sync.Mutex
	trips []time.Duration // the shortest to each peer
	fsync time.Duration   // the 99th percentile; 0: not measured
	// versions are those of the peers' etcd, by their names.
	versions map[string]string
}

// checks are all, in the order in which they are shown; those of a stage run together,
// and the second needs what the first has measured.
var checks = [][]func(*node, context.Context) []Result{
	{(*node).daemon, (*node).ports, (*node).access, (*node).data, (*node).space, (*node).disk, (*node).peers, (*node).certificates, (*node).limits, (*node).clock, (*node).proxy},
	{(*node).timing, (*node).upgrade},
}

// limit bounds all checks together: the slowest is a peer that does not answer.
const limit = 4 * time.Second

// Run runs all checks.
func Run(ctx context.Context, of Node) []Result {
	if of.now == nil {
		of.now = time.Now
	}
	if of.settled == nil {
		of.settled = clockIsKept
	}
	if of.syncs == nil {
		of.syncs = fsyncs
	}
	config, err := etcdflags.MemberAt(zap.NewNop(), of.Resolved.Args(), of.Resolved.Secrets())
	if err != nil {
		return []Result{{"configuration", Problem, err.Error(), "etcd-node config"}}
	}
	n := &node{Node: of, config: config, versions: map[string]string{}}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var all []Result
	for _, stage := range checks {
		results := make([][]Result, len(stage))
		var running sync.WaitGroup
		for i, check := range stage {
			running.Go(func() { results[i] = within(ctx, n, check) })
		}
		running.Wait()
		all = append(all, slices.Concat(results...)...)
	}
	return all
}

// within is a check that may hang in a file system: then it is left to itself.
func within(ctx context.Context, n *node, check func(*node, context.Context) []Result) []Result {
	done := make(chan []Result, 1)
	go func() { done <- check(n, ctx) }()
	select {
	case r := <-done:
		return r
	case <-time.After(limit + time.Second):
		return []Result{{"time", Problem, "a check has not come back after " + (limit + time.Second).String() + ": does a file system hang?", "dmesg | tail; findmnt"}}
	}
}

func ok(check, format string, args ...any) Result {
	return Result{check, OK, fmt.Sprintf(format, args...), ""}
}

// Text is results as lines for a terminal, 80 columns wide but for what cannot be cut.
func Text(all []Result) string {
	width := 0
	for _, r := range all {
		width = max(width, len(r.Check))
	}
	var b strings.Builder
	indent := strings.Repeat(" ", 11+width)
	for _, r := range all {
		b.WriteString(shown.Fold(fmt.Sprintf("%-8s %-*s  %s", r.Level, width, r.Check, strings.Join(strings.Fields(r.Text), " ")), indent))
		if r.Next != "" { // in one piece: it is to be copied
			fmt.Fprintf(&b, "%snext: %s\n", indent, r.Next)
		}
	}
	return b.String()
}
