package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
)

// hosts is three daemons under systemd, each on a lab host of its own.
type hosts struct {
	*lab.Lab
	all []member
}

// startHosts boots and starts the three. The cluster that it returns is to be
// closed, also when there is an error, unless it is nil.
func startHosts(ctx context.Context) (*hosts, error) {
	l, err := lab.Start(ctx, fmt.Sprintf("linearizable%d", os.Getpid()), 3, os.Stderr)
	if err != nil {
		return nil, err
	}
	c := &hosts{Lab: l}
	if err := l.Install(ctx); err != nil {
		return c, err
	}
	var list []string
	for _, h := range l.Hosts {
		list = append(list, fmt.Sprintf("%s=http://%s:2380", h.Name, h.IP))
	}
	settings := "ETCD_INITIAL_CLUSTER=" + strings.Join(list, ",") + "\nETCD_INITIAL_CLUSTER_TOKEN=linearizable\n"
	if err := l.Each(func(h *lab.Host) error {
		if err := h.Write(ctx, "/etc/default/etcd", settings, 0o644); err != nil {
			return err
		}
		_, err := h.Run(ctx, "systemctl", "start", "etcd")
		return err
	}); err != nil {
		return c, err
	}
	for _, h := range l.Hosts {
		cli, err := l.Client(nil, h)
		if err != nil {
			return c, err
		}
		c.all = append(c.all, member{cli, "http://" + h.IP + ":2379"})
	}
	return c, nil
}

func (c *hosts) members() []member { return c.all }

func (c *hosts) version(ctx context.Context) (string, error) {
	said, err := c.Hosts[0].Run(ctx, "etcd-node", "--version")
	return versionIn(said), err
}

func (c *hosts) lose(ctx context.Context, kind string, i int) (bool, error) {
	h := c.Hosts[i]
	// Also longer than raft trusts a silent stream.
	away := func() { pass(ctx, time.Duration(500+rand.IntN(6000))*time.Millisecond) }
	back := context.WithoutCancel(ctx) // or the cluster does not settle
	switch kind {
	case kill:
		procs, err := h.Procs("etcd.service")
		if err != nil {
			return false, err
		}
		for _, p := range procs {
			if len(p.Args) > 1 && p.Args[1] == "member" {
				return p.Signal(unix.SIGKILL) == nil, nil
			}
		}
		return false, nil
	case stop:
		_, err := h.Sh(back, "systemctl stop etcd; systemctl start etcd")
		return true, err
	case host:
		if err := h.PowerLoss(back); err != nil {
			return false, err
		}
		away()
		return true, h.Boot(back)
	case cable:
		if err := h.Cut(back); err != nil {
			return false, err
		}
		away()
		return true, h.Heal(back)
	}
	return false, fmt.Errorf("no such loss: %s", kind)
}

// close destroys the hosts.
func (c *hosts) close() error {
	var errs []error
	for _, m := range c.all {
		errs = append(errs, m.Close())
	}
	return errors.Join(append(errs, c.Close())...)
}
