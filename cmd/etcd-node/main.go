// Command etcd-node runs one etcd member under a supervisor.
//
// Without a subcommand it is the daemon: the supervisor, which runs this same
// binary again in the role "member". The subcommands are for the operator, but
// for etcd's own gateway and grpc-proxy. Called etcd it does the same.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/server/v3/etcdmain"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/journal"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
)

// world is what the program sees of its surroundings.
type world struct {
	called  string   // the program's name
	args    []string // without the program's name
	environ unit.Environ
	stdout  *os.File
	stderr  *os.File
}

// complaints is stderr for what is said in plain text, before or without the
// log. In the journal that is an error, too.
func (w world) complaints() io.Writer {
	if journal.OnStderr() {
		return journal.Writer(w.stderr, zapcore.ErrorLevel)
	}
	return w.stderr
}

func main() {
	if len(os.Args) > 1 && etcds(os.Args[1]) {
		etcdmain.Main(os.Args)
		return
	}
	if runTool(os.Args) {
		return
	}
	w := world{os.Args[0], os.Args[1:], os.Environ(), os.Stdout, os.Stderr}
	// Signals first: a stop that arrives during the start is heard too.
	ctx, force := stopOn(stopSignals(w))
	done := make(chan int, 1)
	go func() { done <- run(ctx, force, w) }()
	select {
	case code := <-done:
		os.Exit(code)
	case <-force:
	}
	// Told twice: whatever it hangs in, it ends now. The member goes with it.
	select {
	case code := <-done:
		os.Exit(code)
	case <-time.After(forceLimit):
		os.Exit(failure.ExitFailure)
	}
}

// etcds reports whether a subcommand is etcd's own: one of its two proxies.
// They hold no data, so there is nothing to supervise; they tell systemd
// themselves when they are ready, and end by a signal's default, which is why
// they come before all else. Everything else that etcd calls a subcommand it
// refuses, so our own words are free under either name of the binary.
func etcds(subcommand string) bool { return subcommand == "gateway" || subcommand == "grpc-proxy" }

// forceLimit is how long the orderly way out may take after the second signal.
const forceLimit = time.Second

// stopSignals hooks the signals that stop the program. A terminal that goes
// away is one of them, unless the caller (nohup) has said otherwise; a service
// has no terminal, and whoever sends it a SIGHUP wants it to reload (see onHangup).
func stopSignals(w world) <-chan os.Signal {
	stop := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	member := len(w.args) > 0 && w.args[0] == "member" // its supervisor hears it
	switch {
	case member, w.environ.Get("NOTIFY_SOCKET") != "":
		signal.Ignore(syscall.SIGHUP)
	case !signal.Ignored(syscall.SIGHUP):
		stop = append(stop, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 2) // holds the second while the first is being handled
	signal.Notify(signals, stop...)
	return signals
}

// commands are the subcommands that [runCommand] knows; the last four are cobra's.
var commands = []string{"config", "check", "adopt", "status", "explain", "reload", "restart", "can-stop", "history", "bundle", "forget", "version", "help", "completion", "__complete", "__completeNoDesc"}

// run is the program. Like etcd it knows a subcommand only by the first
// argument: all else is the daemon's command line, flags alone.
func run(ctx context.Context, force <-chan struct{}, w world) int {
	if len(w.args) > 0 {
		switch first := w.args[0]; {
		case first == "member":
			return runMember(ctx, w)
		case first == "help" && len(w.args) > 1 && etcds(w.args[1]):
			etcdmain.Main([]string{w.called, w.args[1], "--help"})
			return failure.ExitOK
		case first == "help" && len(w.args) > 1 && !strings.HasPrefix(w.args[1], "-") && !slices.Contains(commands, w.args[1]):
			return refuse(w, nil, unknownCommand(w.args[1])) // cobra would exit with 0
		case slices.Contains(commands, first):
			return runCommand(ctx, w)
		case !strings.HasPrefix(first, "-"):
			return refuse(w, supervisor.Notifier(w.environ.Get("NOTIFY_SOCKET")), unknownCommand(first))
		}
	}
	return runDaemon(ctx, force, w)
}

// unknownCommand is the error of a first argument that is neither a flag nor a
// subcommand.
func unknownCommand(word string) error {
	hint := "--help lists the commands"
	if near := settings.Nearest(word, append(slices.Clone(commands), "gateway", "grpc-proxy", "ctl", "utl")); near != "" {
		hint = "did you mean " + near + "?"
	}
	if word == "start" || word == "stop" {
		hint = "systemctl " + word + " etcd does that"
	}
	return &settings.Invalid{Problems: []settings.Problem{{What: fmt.Sprintf("unknown command %q", word), Hint: hint, Usage: true}}}
}

// stopOn returns a context that the first signal cancels, and a channel that
// the second one closes.
func stopOn(signals <-chan os.Signal) (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancelCause(context.Background())
	force := make(chan struct{})
	go func() {
		cancel(supervisor.Signal{Signal: <-signals})
		<-signals
		close(force)
	}()
	return ctx, force
}
