package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/steps"
)

// subject is one of those that are compared, two at a time.
type subject struct {
	name string
	unit string
	// prepare writes what h needs to be a member of the cluster.
	prepare func(ctx context.Context, c *cluster, h *lab.Host)
	// serving picks the process that serves clients.
	serving func(lab.Proc) bool
	// local is the program on this machine.
	local string
}

var (
	ours  = &subject{name: "etcd-node", unit: "etcd.service", prepare: prepareOurs, serving: isMember}
	stock = &subject{
		name: "stock etcd", unit: "stock.service", prepare: prepareStock,
		serving: func(lab.Proc) bool { return true },
	}
	// before is another build of etcd-node, under the same unit as ours.
	before = &subject{name: "before", unit: "etcd.service", prepare: prepareBefore, serving: isMember}
)

// Where the hosts have the programs that are not ours.
const (
	stockBinary  = "/usr/bin/etcd"
	beforeBinary = "/usr/libexec/before/etcd-node"
)

// isMember picks the process of ours that serves. In a mixed cluster one is
// stock etcd's.
func isMember(p lab.Proc) bool {
	return len(p.Args) > 1 && p.Args[1] == "member" || p.Args[0] == stockBinary
}

// install puts all onto the hosts; tree is a directory for what is not ours.
// old is the binary of before, if there is one.
func install(ctx context.Context, l *lab.Lab, tree, old string) error {
	if err := l.Install(ctx); err != nil {
		return err
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	ours.local, stock.local = filepath.Join(root, "bin/etcd-node"), filepath.Join(tree, stockBinary)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w",
		"-o", filepath.Join(tree, "usr/bin/etcd"), "go.etcd.io/etcd/server/v3")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build stock etcd: %w: %s", err, out)
	}
	if old != "" {
		before.local = old
		there := filepath.Join(tree, beforeBinary)
		raw, err := os.ReadFile(old)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(there), 0o755)
		}
		if err == nil {
			err = os.WriteFile(there, raw, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return l.Each(func(h *lab.Host) error { return h.Copy(ctx, tree, "/") })
}

func prepareOurs(ctx context.Context, c *cluster, h *lab.Host) {
	lines := []string{
		"ETCD_INITIAL_CLUSTER=" + c.initialCluster(),
		"ETCD_INITIAL_CLUSTER_TOKEN=bench",
		fmt.Sprintf("ETCD_HEARTBEAT_INTERVAL=%d", c.timing.heartbeat),
		fmt.Sprintf("ETCD_ELECTION_TIMEOUT=%d", c.timing.election),
		"ETCD_AUTO_COMPACTION_RETENTION=1",
	}
	if c.dnat {
		lines = append(lines, "ETCD_LISTEN_PEER_URLS="+c.scheme()+"://0.0.0.0:2380")
	}
	if c.tls {
		lines = append(lines, c.pki.Env()...)
	}
	steps.Must(h.Write(ctx, "/etc/default/etcd", strings.Join(lines, "\n")+"\n", 0o644))
}

// prepareBefore has the unit start the other build.
func prepareBefore(ctx context.Context, c *cluster, h *lab.Host) {
	prepareOurs(ctx, c, h)
	c.dropIn(ctx, h, "before", "ExecStart=\nExecStart="+beforeBinary+"\n")
}

// dropIn adds to the service of etcd.service on h, until the next wipe.
func (c *cluster) dropIn(ctx context.Context, h *lab.Host, name, lines string) {
	steps.Must(h.Write(ctx, "/run/systemd/system/etcd.service.d/"+name+".conf", "[Service]\n"+lines, 0o644))
	steps.Of(h.Run(ctx, "systemctl", "daemon-reload"))
}

// stockCommand is what an operator has today: the shell snippet's results,
// pasted into twelve flags.
func (c *cluster) stockCommand(h *lab.Host, dataDir string) string {
	peers, clients := c.scheme()+"://"+h.IP, c.clientURL(h)
	flags := []string{
		"--name=" + h.Name, "--data-dir=" + dataDir,
		"--listen-peer-urls=" + peers + ":2380", "--listen-client-urls=" + clients + "," + c.scheme() + "://127.0.0.1:2379",
		"--initial-advertise-peer-urls=" + c.peerURL(h), "--advertise-client-urls=" + clients,
		"--initial-cluster=" + c.initialCluster(), "--initial-cluster-token=bench", "--initial-cluster-state=new",
		fmt.Sprintf("--heartbeat-interval=%d", c.timing.heartbeat), fmt.Sprintf("--election-timeout=%d", c.timing.election),
		"--auto-compaction-retention=1",
	}
	if c.tls {
		flags = append(flags, c.pki.Flags()...)
	}
	return stockBinary + " " + strings.Join(flags, " ")
}

func prepareStock(ctx context.Context, c *cluster, h *lab.Host) {
	steps.Must(h.Write(ctx, "/etc/systemd/system/stock.service", `[Unit]
Description=etcd
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
User=etcd
StateDirectory=stock
StateDirectoryMode=0700
ExecStart=`+c.stockCommand(h, "/var/lib/stock")+`
Restart=always
RestartSec=5
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`, 0o644))
	// Enabled, because systemd forgets a stopped unit that nothing refers to,
	// and with it when it stopped.
	steps.Of(h.Run(ctx, "systemctl", "enable", "stock.service"))
}

// replaceByStock makes etcd.service on h run stock etcd.
func (c *cluster) replaceByStock(ctx context.Context, h *lab.Host) {
	// Its name puts it behind the one of before.
	c.dropIn(ctx, h, "stock", "EnvironmentFile=\nExecStart=\nExecStart="+c.stockCommand(h, "/var/lib/etcd")+"\n")
}

func (c *cluster) scheme() string {
	if c.tls {
		return "https"
	}
	return "http"
}

func (c *cluster) clientURL(h *lab.Host) string { return c.scheme() + "://" + h.IP + ":2379" }

// peerURL is where the others find h.
func (c *cluster) peerURL(h *lab.Host) string {
	if c.dnat {
		return c.scheme() + "://" + h.IP + ":" + dnatPort
	}
	return c.scheme() + "://" + h.IP + ":2380"
}

func (c *cluster) initialCluster() string {
	var entries []string
	for _, h := range c.Hosts {
		entries = append(entries, h.Name+"="+c.peerURL(h))
	}
	return strings.Join(entries, ",")
}
