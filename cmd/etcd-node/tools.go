package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/etcd-node/etcd-node/pkg/etcdctl"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

// runTool runs etcdctl or etcdutl if that is what the program is called, or told to
// be with ctl or utl. Under their own names they are as etcd has them; as ctl etcdctl
// is told of this node. They fail with their own exit codes, and end by a signal's
// default, which is why they come before all else.
func runTool(args []string) bool {
	called, args := filepath.Base(args[0]), args[1:]
	if len(args) == 2 && args[0] == "help" && (args[1] == "ctl" || args[1] == "utl") {
		args = []string{args[1], "--help"}
	}
	switch {
	case called == "etcdctl":
		etcdctl.Ctl(args)
	case called == "etcdutl", len(args) > 0 && args[0] == "utl":
		if called != "etcdutl" {
			args = args[1:]
		}
		etcdctl.Utl(args)
	case len(args) > 0 && args[0] == "ctl":
		etcdctl.Ctl(etcdctl.Flags(args[1:], os.Getenv, nodeValues()))
	default:
		return false
	}
	return true
}

// nodeValues are what is known of this node: what its daemon says, or, where that may
// not be asked or does not run, what it would be started with.
func nodeValues() map[string]string {
	ctx := context.Background()
	n, err := thisnode.Of(os.Environ())
	if err != nil {
		return nil // there is no such unit: then etcdctl's own defaults count
	}
	d := n.Daemon(ctx, "")
	st, _, _ := d.Ask(ctx)
	return d.Values(ctx, st)
}
