package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/etcd-node/etcd-node/test/lab"
)

// subject is one of the two that are compared.
type subject struct {
	name string
	unit string
	// prepare writes what h needs to be a member with this timing.
	prepare func(ctx context.Context, h *lab.Host, all []*lab.Host, t timing) error
	// serving picks the process that serves clients.
	serving func(lab.Proc) bool
}

var (
	ours = &subject{
		name: "etcd-node", unit: "etcd.service", prepare: prepareOurs,
		serving: func(p lab.Proc) bool { return len(p.Args) > 1 && p.Args[1] == "member" },
	}
	stock = &subject{
		name: "stock etcd", unit: "stock.service", prepare: prepareStock,
		serving: func(lab.Proc) bool { return true },
	}
	subjects = []*subject{ours, stock}
)

// install puts both onto the hosts.
func install(ctx context.Context, l *lab.Lab) error {
	if err := l.Install(ctx); err != nil {
		return err
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	tree, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w",
		"-o", filepath.Join(tree, "usr/bin/etcd"), "go.etcd.io/etcd/server/v3")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build stock etcd: %w: %s", err, out)
	}
	return l.Each(func(h *lab.Host) error { return h.Copy(ctx, tree, "/") })
}

func prepareOurs(ctx context.Context, h *lab.Host, all []*lab.Host, t timing) error {
	return h.Write(ctx, "/etc/default/etcd", fmt.Sprintf(`ETCD_INITIAL_CLUSTER=%s
ETCD_INITIAL_CLUSTER_TOKEN=bench
ETCD_HEARTBEAT_INTERVAL=%d
ETCD_ELECTION_TIMEOUT=%d
ETCD_AUTO_COMPACTION_RETENTION=1
`, initialCluster(all), t.heartbeat, t.election), 0o644)
}

// prepareStock writes the unit that an operator has today: the shell snippet's
// results, pasted into twelve flags.
func prepareStock(ctx context.Context, h *lab.Host, all []*lab.Host, t timing) error {
	err := h.Write(ctx, "/etc/systemd/system/stock.service", fmt.Sprintf(`[Unit]
Description=etcd
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
User=etcd
StateDirectory=stock
StateDirectoryMode=0700
ExecStart=/usr/bin/etcd --name=%[1]s --data-dir=/var/lib/stock \
  --listen-peer-urls=http://%[2]s:2380 --listen-client-urls=http://%[2]s:2379,http://127.0.0.1:2379 \
  --initial-advertise-peer-urls=http://%[2]s:2380 --advertise-client-urls=http://%[2]s:2379 \
  --initial-cluster=%[3]s --initial-cluster-token=bench --initial-cluster-state=new \
  --heartbeat-interval=%[4]d --election-timeout=%[5]d --auto-compaction-retention=1
Restart=always
RestartSec=5
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`, h.Name, h.IP, initialCluster(all), t.heartbeat, t.election), 0o644)
	if err != nil {
		return err
	}
	// Enabled, because systemd forgets a stopped unit that nothing refers to,
	// and with it when it stopped.
	_, err = h.Run(ctx, "systemctl", "enable", "stock.service")
	return err
}

func initialCluster(all []*lab.Host) string {
	var entries []string
	for _, h := range all {
		entries = append(entries, h.Name+"=http://"+h.IP+":2380")
	}
	return strings.Join(entries, ",")
}
