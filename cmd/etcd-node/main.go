// Command etcd-node runs one etcd member under a supervisor.
//
// Without a subcommand it is the daemon: the supervisor, which runs this same
// binary again in the role "member". The subcommands are for the operator.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// world is what the program sees of its surroundings.
type world struct {
	args    []string // without the program's name
	environ []string
	stdout  *os.File
	stderr  *os.File
}

func main() {
	// Signals first: a stop that arrives during the start is heard too. The
	// channel holds the second one while the first is being handled.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(world{os.Args[1:], os.Environ(), os.Stdout, os.Stderr}, signals))
}

// run is the program. Like etcd it knows a subcommand only by the first
// argument: all else is the daemon's command line.
func run(w world, signals <-chan os.Signal) int {
	ctx, force := stopOn(signals)
	if len(w.args) > 0 {
		switch w.args[0] {
		case "member":
			return runMember(ctx, w)
		case "config", "status", "version", "help", "completion", "__complete":
			return runCommand(ctx, w)
		}
	}
	return runDaemon(ctx, force, w)
}

// stopOn returns a context that the first signal cancels, and a channel that
// the second one closes.
func stopOn(signals <-chan os.Signal) (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	force := make(chan struct{})
	go func() {
		<-signals
		cancel()
		<-signals
		close(force)
	}()
	return ctx, force
}

// getenv looks a variable up in an environment list.
func getenv(environ []string, key string) string {
	for i := len(environ) - 1; i >= 0; i-- {
		if len(environ[i]) > len(key) && environ[i][len(key)] == '=' && environ[i][:len(key)] == key {
			return environ[i][len(key)+1:]
		}
	}
	return ""
}
