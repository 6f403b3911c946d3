package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// eventTimeout bounds what a message may cost the member while its supervisor
// does not read: the pipe takes 64 KiB before it comes to that.
const eventTimeout = 100 * time.Millisecond

// runMember is the role in which the supervisor starts this binary again.
func runMember(ctx context.Context, w world) int {
	events, err1 := pipe.Inherited(pipe.FDEvents)
	commands, err2 := pipe.Inherited(pipe.FDCommands)
	crash, err3 := pipe.Inherited(pipe.FDCrash)
	logs, err4 := pipe.Inherited(pipe.FDLog)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		fmt.Fprintln(w.stderr, "etcd-node: the role \"member\" is for the daemon itself; run etcd-node without it")
		return failure.ExitUsage
	}
	// The supervisor reads there why the runtime ended the process.
	if err := debug.SetCrashOutput(crash, debug.CrashOptions{}); err != nil {
		fmt.Fprintln(w.complaints(), "etcd-node: crashes will go unexplained:", err)
	}
	crash.Close() // SetCrashOutput has duplicated it
	options := member.Options{}
	if lines, err := recorder.NewLineWriter(logs); err != nil {
		fmt.Fprintln(w.complaints(), "etcd-node: the last log lines will not be kept:", err)
	} else {
		options.LastLines = lines.Core()
	}
	// Two processes of one binary: let ps and top tell them apart.
	_ = os.WriteFile("/proc/self/comm", []byte("etcd-member"), 0)

	out := pipe.NewWriter(events, eventTimeout)
	in := pipe.NewReader(commands)
	start, err := in.Next()
	if err != nil || start.Kind != pipe.Start {
		return failure.ExitFailure // the supervisor is gone already
	}
	grpc.EnableTracing = false // as etcd's main does
	configure := etcdflags.Member
	if start.Terminal {
		configure = readableMember(w.stderr)
	}
	cfg, err := configure(w.args[1:], start.Secrets)
	if err != nil {
		f := failure.New(failure.IDConfiguration, shown.Redacted(err.Error()))
		_ = out.Send(pipe.Message{Kind: pipe.Failing, Failure: f}) // the exit code tells too
		return f.Exit
	}

	options.Config, options.Events, options.Commands = cfg, out, in.Rest()
	options.Election, options.Guard = start.Election, start.Guard
	options.Terminal = start.Terminal
	options.Version, options.Node = ownVersion(), start.Node
	return member.Run(ctx, options)
}
