package main

import (
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/terminal"
)

// readable reports whether a person reads the log, who has said nothing of what
// it is to look like. Called etcd, the log is etcd's also on a terminal: test
// suites start etcd on one and read what it logs.
func readable(w world, loaded *config.Loaded) bool {
	return strings.HasPrefix(filepath.Base(os.Args[0]), "etcd-node") && w.environ.Get("NOTIFY_SOCKET") == "" &&
		!loaded.LogIsSet() && terminal.Is(w.stderr)
}

// readableMember configures the member with a log for a terminal. Of etcd's
// lines only the warnings are of use there: what the member is doing, the
// supervisor says.
func readableMember(stderr *os.File) func(args []string, secrets map[string]string) (*embed.Config, error) {
	log := zap.New(terminal.Core(stderr, zapcore.WarnLevel))
	return func(args []string, secrets map[string]string) (*embed.Config, error) {
		return etcdflags.MemberAt(log, args, secrets)
	}
}

// greeting is what a person is told at the first sight of a member that serves.
func greeting(w world, r *settings.Resolved) string {
	status := shown.Quoted(os.Args[0]) + " status"
	if w.environ.Get("RUNTIME_DIRECTORY") == "" {
		status += " --data-dir=" + shown.Quoted(r.DataDir)
	}
	// Built beside this program, as README.md does, etcdctl is found there only.
	dir := ""
	if own := filepath.Dir(os.Args[0]); own != "." {
		if _, err := os.Stat(filepath.Join(own, "etcdctl")); err == nil {
			dir = shown.Quoted(own) + "/"
		}
	}
	return "ready; try: " + dir + failure.Etcdctl("put a b", config.Values(r)) + "   (status: " + status + "; stop: Ctrl-C)"
}
