package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/daemon"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// cluster is three daemons on loopback and a client of each.
type cluster struct {
	dir     string
	nodes   []*daemon.Daemon
	clients []*clientv3.Client
}

// start starts the three. The cluster that it returns is to be closed, also
// when there is an error.
func start(bin string) (*cluster, error) {
	c := new(cluster)
	bin, err := filepath.Abs(bin) // each runs in a directory of its own
	if err == nil {
		c.dir, err = os.MkdirTemp("", "linearizable")
	}
	if err != nil {
		return c, err
	}
	var members []*loopback.Member
	for i := range 3 {
		name := fmt.Sprintf("m%d", i)
		d, err := daemon.New(loopback.New(name, filepath.Join(c.dir, name)))
		if err != nil {
			return c, err
		}
		c.nodes, members = append(c.nodes, d), append(members, &d.Member)
	}
	loopback.Unite(members...)
	for _, n := range c.nodes {
		cmd := exec.Command(bin, n.Flags()...)
		cmd.Env = n.Environ()
		if err := n.Start(cmd, true); err != nil {
			return c, fmt.Errorf("%w (make build?)", err)
		}
		cli, err := n.Dial()
		if err != nil {
			return c, err
		}
		c.clients = append(c.clients, cli)
	}
	return c, nil
}

// close ends all and removes their data.
func (c *cluster) close() {
	for _, cli := range c.clients {
		cli.Close()
	}
	for _, n := range c.nodes {
		n.Kill()
	}
	os.RemoveAll(c.dir)
}

// leader waits until one of the members says that it is the leader, and
// returns its node and term.
func (c *cluster) leader(ctx context.Context) (leader *daemon.Daemon, term uint64, err error) {
	err = poll.Until(ctx, 10*time.Millisecond, func() error {
		for i, cli := range c.clients {
			s, err := status(ctx, cli, c.nodes[i].Client)
			if err == nil && s.Leader != 0 && s.Leader == s.Header.MemberId {
				leader, term = c.nodes[i], s.RaftTerm
				return nil
			}
		}
		return fmt.Errorf("none of %d members says that it leads", len(c.clients))
	})
	return leader, term, err
}

func status(ctx context.Context, cli *clientv3.Client, endpoint string) (*clientv3.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	return cli.Status(ctx, endpoint)
}

// killMember kills the daemon's member process, if it has one now.
func killMember(n *daemon.Daemon) bool {
	st, err := n.Status()
	return err == nil && st.MemberPID != 0 && syscall.Kill(st.MemberPID, syscall.SIGKILL) == nil
}
