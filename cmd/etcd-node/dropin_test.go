package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/status"
)

// What scripts and test suites see of etcd, and where they look for it; the
// commands are in testdata/script/dropin.txtar.

// dropIn is a cluster of one, called as scripts call it.
func dropIn(t *testing.T) *node {
	n := single(t)
	n.called = "etcd"
	return n
}

// TestEndsAsEtcd: what cannot start ends at once, never with 0, and a bad flag
// with 2. A code of 0 here means any other.
func TestEndsAsEtcd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		flags []string
		env   []string
		make  func(dir string) error // what is there before
		code  int
	}{
		{name: "unknown flag", flags: []string{"--no-such-flag"}, code: 2},
		{name: "bad value", flags: []string{"--election-timeout=soon"}, code: 2},
		{name: "not a flag", flags: []string{"start"}},
		{name: "bad variable", env: []string{"ETCD_MAX_WALS=many"}},
		{name: "bad combination", flags: []string{"--heartbeat-interval=1000", "--election-timeout=1000"}},
		{name: "not in the initial cluster", flags: []string{"--initial-cluster=b=http://127.0.0.1:1"}},
		{name: "v2 proxy", flags: []string{"--discovery-fallback=proxy"}},
		{name: "no certificate", flags: []string{"--listen-peer-urls=https://127.0.0.1:0", "--peer-cert-file=none", "--peer-key-file=none"}},
		{name: "config file of no use", flags: []string{"--config-file=etcd.yml"}, make: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etcd.yml"), []byte("listen-peer-urls: nowhere\n"), 0o600)
		}},
		{name: "data dir is a file", make: func(dir string) error { return os.WriteFile(filepath.Join(dir, "data"), nil, 0o600) }},
		{name: "junk for a database", make: func(dir string) error {
			snap := filepath.Join(dir, "data/member/snap")
			return errors.Join(os.MkdirAll(snap, 0o700), os.WriteFile(filepath.Join(snap, "db"), []byte(strings.Repeat("junk", 10000)), 0o600))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := dropIn(t)
			if tc.make != nil {
				if err := tc.make(n.Dir); err != nil {
					t.Fatal(err)
				}
			}
			n.env = tc.env
			n.start(false, tc.flags...)
			if code := n.exit(); code <= 0 || tc.code != 0 && code != tc.code {
				t.Errorf("exit code %d", code)
			}
			if len(n.Lines()) == 0 {
				t.Error("it says nothing")
			}
		})
	}
}

// A SIGKILL leaves nothing behind: whoever starts it again at once, as test
// suites do, finds ports and locks free, and nothing holds its stderr.
func TestKilledAndStartedAtOnce(t *testing.T) {
	t.Parallel()
	n := dropIn(t)
	for range 5 {
		n.start(false)
		n.says("ready to serve client requests")
		n.signal(syscall.SIGKILL)
		// Not n.exit, which waits for the end of its stderr too.
		if err := unix.Waitid(unix.P_PID, n.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil && err != unix.ECHILD {
			t.Fatal(err)
		}
		n.ForgetLines()
		defer func(ended <-chan struct{}) {
			select {
			case <-ended:
			case <-time.After(patience):
				t.Error("something holds its stderr")
			}
		}(n.Ended())
	}
	n.start(false)
	n.says("ready to serve client requests")
	n.stop()
}

// TestRevisionsAreEtcds: nothing writes, leases or watches but the clients, so
// that revisions and counters are those of etcd; and there are its metrics.
func TestRevisionsAreEtcds(t *testing.T) {
	t.Parallel()
	seen := make(map[string][]string)
	for _, called := range []string{"stock-etcd", "etcd"} {
		n := single(t)
		n.called = called
		n.start(false)
		n.says("ready to serve client requests")
		cli := n.etcd()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		first, err1 := cli.Get(ctx, "", clientv3.WithPrefix())
		put, err2 := cli.Put(ctx, "k", "v")
		leases, err3 := cli.Leases(ctx)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		seen[called] = append(seen[called], fmt.Sprint("revision ", first.Header.Revision, put.Header.Revision), fmt.Sprint(first.Kvs, leases.Leases))
		s := &site{node: n}
		for line := range strings.Lines(s.fetch(n.Client+"/metrics", nil, nil)) {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " ")
			switch {
			case strings.HasPrefix(line, "# TYPE "):
				seen[called] = append(seen[called], name)
			case strings.HasPrefix(line, "etcd_debugging_") && !strings.Contains(name, "_bytes") && !strings.Contains(name, "duration") && !strings.Contains(name, "_ms"):
				seen[called] = append(seen[called], strings.TrimSpace(line))
			}
		}
		n.stopAs(called)
	}
	for _, line := range seen["stock-etcd"] {
		if !slices.Contains(seen["etcd"], line) {
			t.Errorf("etcd has %s", line)
		}
	}
	if len(seen["etcd"]) < 100 {
		t.Errorf("only %d facts: %q", len(seen["etcd"]), seen["etcd"])
	}
}

// TestThereAndBack: the same data under etcd, under etcd-node, and under etcd
// again.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	n := single(t)
	for i, called := range []string{"stock-etcd", "etcd", "stock-etcd"} {
		n.called = called
		n.ForgetLines()
		n.start(false)
		n.says("ready to serve client requests")
		if i > 0 {
			n.holds("k", fmt.Sprint(i-1))
		}
		n.put("k", fmt.Sprint(i))
		n.stopAs(called)
	}
}

// stopAs stops what was started under a name: etcd takes its own signal again
// in the end.
func (n *node) stopAs(called string) {
	n.t.Helper()
	n.signal(syscall.SIGTERM)
	if code := n.exit(); code != 0 && called == "etcd" || code >= 0 && called != "etcd" {
		n.t.Errorf("%s: exit code %d", called, code)
	}
}

// TestMixedCluster: one member is etcd's own, as in the middle of a takeover.
func TestMixedCluster(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	nodes := []*node{a, b, c}
	a.called, b.called = "stock-etcd", "etcd"
	for _, n := range nodes {
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
	nodes[0].put("k", "v")
	for _, n := range nodes[1:] {
		n.holds("k", "v")
		n.until("connected", func(st status.Status) bool { return st.View.AllConnected() })
	}
}

// TestProxies: gateway and grpc-proxy carry a client's requests, tell systemd
// when they are ready, and end at a signal.
func TestProxies(t *testing.T) {
	t.Parallel()
	n := dropIn(t)
	n.start(false)
	n.says("ready to serve client requests")
	for _, kind := range []string{"gateway", "grpc-proxy"} {
		p := newNode(t, kind)
		p.called = "etcd"
		p.flags = []string{kind, "start", "--endpoints=" + strings.TrimPrefix(n.Client, "http://"), "--listen-addr=" + strings.TrimPrefix(p.Client, "http://")}
		p.up()
		p.put("through", kind)
		n.holds("through", kind)
		p.signal(syscall.SIGTERM)
		p.exit()
	}
	n.stop()
}

// TestWarnsOnceOfShadowed: Fedora's unit sets flags and their variables, on
// which etcd ends itself.
func TestWarnsOnceOfShadowed(t *testing.T) {
	t.Parallel()
	n := dropIn(t)
	n.env = []string{"ETCD_NAME=a", "ETCD_DATA_DIR=" + n.Data(), "ETCD_LISTEN_CLIENT_URLS=" + n.Client}
	n.start(false)
	n.says("ready to serve client requests")
	if log := strings.Join(n.Lines(), "\n"); strings.Count(log, "do not count") != 1 {
		t.Errorf("not one warning:\n%s", log)
	}
	n.stop()
	n.logIsEtcds()
}
