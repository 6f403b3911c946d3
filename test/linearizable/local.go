package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/etcd-node/etcd-node/test/daemon"
	"github.com/etcd-node/etcd-node/test/loopback"
)

// local is three daemons on loopback.
type local struct {
	bin   string
	dir   string
	nodes []*daemon.Daemon
	all   []member
}

// startLocal starts the three. The cluster that it returns is to be closed, also
// when there is an error.
func startLocal(bin string) (*local, error) {
	c := new(local)
	bin, err := filepath.Abs(bin) // each runs in a directory of its own
	if err == nil {
		c.bin = bin
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
		if err := c.run(n); err != nil {
			return c, fmt.Errorf("%w (make build?)", err)
		}
		cli, err := n.Dial()
		if err != nil {
			return c, err
		}
		c.all = append(c.all, member{cli, n.Client})
	}
	return c, nil
}

func (c *local) run(n *daemon.Daemon) error {
	cmd := exec.Command(c.bin, n.Flags()...)
	cmd.Env = n.Environ()
	return n.Start(cmd, true)
}

func (c *local) members() []member { return c.all }

func (c *local) version(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, c.bin, "--version").Output()
	return versionIn(string(said)), err
}

func (c *local) lose(ctx context.Context, kind string, i int) (bool, error) {
	n := c.nodes[i]
	switch kind {
	case kill:
		st, err := n.Status()
		return err == nil && st.MemberPID != 0 && syscall.Kill(st.MemberPID, syscall.SIGKILL) == nil, nil
	case stop:
		if err := n.Signal(syscall.SIGTERM); err != nil {
			return false, err
		}
		<-n.Ended()
		return true, c.run(n)
	}
	return false, fmt.Errorf("no such loss without hosts: %s", kind)
}

// close ends all and removes their data.
func (c *local) close() error {
	for _, m := range c.all {
		m.Close()
	}
	for _, n := range c.nodes {
		n.Kill()
	}
	return os.RemoveAll(c.dir)
}
