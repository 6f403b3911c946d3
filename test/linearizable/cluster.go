package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// cluster is three daemons on loopback and a client of each.
type cluster struct {
	dir     string
	nodes   []*node
	clients []*clientv3.Client
}

type node struct {
	cmd    *exec.Cmd
	log    *os.File
	client string
}

func start(bin string, port int) (*cluster, error) {
	dir, err := os.MkdirTemp("", "linearizable")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	url := func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", port+i) }
	var list []string
	for i := range 3 {
		list = append(list, fmt.Sprintf("m%d=%s", i, url(2*i)))
	}
	for i := range 3 {
		if err := c.add(bin, fmt.Sprintf("m%d", i), url(2*i), url(2*i+1), strings.Join(list, ",")); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *cluster) add(bin, name, peer, client, list string) error {
	log, err := os.Create(filepath.Join(c.dir, name+".log"))
	if err != nil {
		return err
	}
	n := &node{log: log, client: client}
	n.cmd = exec.Command(bin, "--name="+name, "--data-dir="+filepath.Join(c.dir, name),
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--listen-client-urls="+client, "--advertise-client-urls="+client, "--initial-cluster="+list)
	n.cmd.Stderr = log
	// It shall believe that systemd waits for it; what it tells goes nowhere.
	n.cmd.Env = []string{"NOTIFY_SOCKET=" + filepath.Join(c.dir, "nobody")}
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		log.Close()
		return fmt.Errorf("start %s: %w (make build?)", bin, err)
	}
	c.nodes = append(c.nodes, n)
	cli, err := clientv3.New(clientv3.Config{Endpoints: []string{client}, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	c.clients = append(c.clients, cli)
	return nil
}

// close ends all and removes their data.
func (c *cluster) close() {
	for _, cli := range c.clients {
		cli.Close()
	}
	for _, n := range c.nodes {
		n.cmd.Process.Kill() // its member goes with it
		n.cmd.Wait()
		n.log.Close()
	}
	os.RemoveAll(c.dir)
}

// leader waits until one of the members says that it is the leader, and
// returns its node and term.
func (c *cluster) leader(ctx context.Context) (*node, uint64, error) {
	for {
		for i, cli := range c.clients {
			s, err := status(ctx, cli, c.nodes[i].client)
			if err == nil && s.Leader != 0 && s.Leader == s.Header.MemberId {
				return c.nodes[i], s.RaftTerm, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func status(ctx context.Context, cli *clientv3.Client, endpoint string) (*clientv3.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	return cli.Status(ctx, endpoint)
}

// killMember kills the daemon's member process, if it has one now.
func (n *node) killMember() bool {
	// Any thread may be the one that forked.
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", n.cmd.Process.Pid))
	if err != nil {
		return false
	}
	for _, t := range lists {
		raw, err := os.ReadFile(t)
		if err != nil {
			continue
		}
		var pid int
		if _, err := fmt.Sscan(string(raw), &pid); err == nil {
			return syscall.Kill(pid, syscall.SIGKILL) == nil
		}
	}
	return false
}
