package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/lab"
)

const (
	unit = "etcd.service"
	// glance is how long a question to one member may take. A member that is
	// well answers in milliseconds, also on a loaded machine.
	glance = 500 * time.Millisecond
)

// node is one host and a client of it alone.
type node struct {
	*lab.Host
	client *clientv3.Client
	disk   *disk // under its data dir; nil: the host's own
	stock  bool  // it runs etcd itself, which systemd starts again
}

func (n *node) url() string { return "http://" + n.IP + ":2379" }

// processes are those of the unit that there are now; PID 0: there is none.
func (n *node) processes() (supervisor, member lab.Proc, err error) {
	procs, err := n.Procs(unit)
	for _, p := range procs {
		switch {
		case n.stock: // the one process is both
			supervisor, member = p, p
		case len(p.Args) > 1 && p.Args[1] == "member":
			member = p
		case filepath.Base(p.Args[0]) == "etcd-node":
			supervisor = p
		}
	}
	return supervisor, member, err
}

// status asks the supervisor what `etcd-node status -o json` asks it, through
// the same socket, without the price of a process on the host.
func (n *node) status(ctx context.Context) (supervisor lab.Proc, st status.Status, err error) {
	if n.stock {
		return supervisor, st, errors.New("stock etcd has no supervisor")
	}
	supervisor, _, err = n.processes()
	if err != nil {
		return supervisor, st, err
	}
	if supervisor.PID == 0 {
		return supervisor, st, errors.New("no supervisor")
	}
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	raw, err := control.Ask(ctx, fmt.Sprintf("/proc/%d/root/run/etcd", supervisor.PID))
	if err != nil {
		return supervisor, st, fmt.Errorf("supervisor: %w", err)
	}
	return supervisor, st, json.Unmarshal(raw, &st)
}

// serves says why the node does not serve; nil: its member answers a
// linearizable read, its supervisor says the same and has told systemd.
func (n *node) serves(ctx context.Context) error {
	_, st, err := n.status(ctx)
	if err != nil && !n.stock {
		return err
	}
	if !n.stock && (st.State != status.Serving || !st.Ready) {
		return fmt.Errorf("%s (READY=1 sent: %t)", st.Line(), st.Ready)
	}
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	if _, err := n.client.Get(ctx, "soak"); err != nil {
		return fmt.Errorf("supervisor says %q, but a read: %w", st.Line(), err)
	}
	return nil
}

// leads reports whether the member says it leads, and in which term.
func (n *node) leads(ctx context.Context) (bool, uint64) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	s, err := n.client.Status(ctx, n.url())
	if err != nil {
		return false, 0
	}
	return s.Leader != 0 && s.Leader == s.Header.MemberId, s.RaftTerm
}

// describe is what an operator would look at first.
func (n *node) describe() string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := n.Sh(ctx, `
		systemctl --no-pager --full --lines=0 status etcd || true
		timeout 5 etcd-node status || true
		df -h /var/lib/etcd; ls -la /var/lib/etcd /var/lib/etcd/member || true
		journalctl --no-pager --output=short-precise --unit=etcd --lines=150`)
	if err != nil {
		out += err.Error() + "\n"
	}
	return fmt.Sprintf("---- %s ----\n%s", n.Name, out)
}
