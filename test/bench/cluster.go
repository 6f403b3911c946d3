package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/lab"
)

// patience is how long anything may take before the bench gives up.
const patience = 2 * time.Minute

// cluster is one subject on the three hosts, for one measurement.
type cluster struct {
	*lab.Lab
	*subject
	setup
	pki     *lab.PKI // nil without TLS
	clients map[*lab.Host]*clientv3.Client
}

// client is a client of this host alone.
func (c *cluster) client(h *lab.Host) (*clientv3.Client, error) {
	if cli, ok := c.clients[h]; ok {
		return cli, nil
	}
	cli, err := c.Client(c.pki.TLS(), h)
	if err != nil {
		return nil, err
	}
	if c.clients == nil {
		c.clients = map[*lab.Host]*clientv3.Client{}
	}
	c.clients[h] = cli
	return cli, nil
}

func (c *cluster) close() {
	for _, cli := range c.clients {
		_ = cli.Close() // its members are gone by now
	}
}

// wipe stops both subjects on all hosts and removes their data and settings.
func (c *cluster) wipe(ctx context.Context) error {
	return c.Each(func(h *lab.Host) error {
		_, err := h.Sh(ctx, `
			systemctl kill --signal=KILL etcd.service stock.service 2>/dev/null || true
			systemctl stop etcd.service stock.service 2>/dev/null || true
			systemctl reset-failed
			rm -rf /var/lib/etcd /var/lib/etcd-node /var/log/etcd-node /var/lib/stock /run/systemd/system/etcd.service.d /etc/etcd
			nft flush ruleset
			systemctl daemon-reload`)
		return err
	})
}

func (c *cluster) prepare(ctx context.Context) error {
	if c.tls {
		c.pki = lab.NewPKI(c.Hosts)
	}
	return c.Each(func(h *lab.Host) error {
		if c.tls {
			if err := c.pki.Install(ctx, h); err != nil {
				return err
			}
		}
		if c.dnat {
			if _, err := h.Sh(ctx, dnatUp); err != nil {
				return err
			}
		}
		if err := c.subject.prepare(ctx, c, h); err != nil {
			return err
		}
		if c.mixed && c.subject != stock && h == c.Hosts[len(c.Hosts)-1] {
			return c.replaceByStock(ctx, h)
		}
		return nil
	})
}

// start writes the settings, starts all members at once and waits until
// systemd calls all of them active.
func (c *cluster) start(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	return c.Each(func(h *lab.Host) error {
		_, err := h.Run(ctx, "systemctl", "start", c.unit)
		return err
	})
}

// settle waits until every member answers a linearizable read, and a moment
// more for streams between members to be established, as in real life.
func (c *cluster) settle(ctx context.Context) error {
	for _, h := range c.Hosts {
		if err := c.answers(ctx, h); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	return nil
}

// answers waits until the member on h answers a linearizable read.
func (c *cluster) answers(ctx context.Context, h *lab.Host) error {
	cli, err := c.client(h)
	if err != nil {
		return err
	}
	return poll(ctx, h.Name+" to answer", func() (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err := cli.Get(ctx, "settled")
		return err == nil, nil
	})
}

// leader is the host whose member leads, and the two others.
func (c *cluster) leader(ctx context.Context) (leader *lab.Host, followers []*lab.Host, err error) {
	for _, h := range c.Hosts {
		cli, err := c.client(h)
		if err != nil {
			return nil, nil, err
		}
		s, err := cli.Status(ctx, c.clientURL(h))
		if err != nil {
			return nil, nil, fmt.Errorf("status of %s: %w", h.Name, err)
		}
		if s.Leader == s.Header.MemberId {
			leader = h
		} else {
			followers = append(followers, h)
		}
	}
	if leader == nil || len(followers) != len(c.Hosts)-1 {
		return nil, nil, errors.New("the members do not agree on a leader")
	}
	return leader, followers, nil
}

// term is raft's, as h knows it.
func (c *cluster) term(ctx context.Context, h *lab.Host) (uint64, error) {
	cli, err := c.client(h)
	if err != nil {
		return 0, err
	}
	s, err := cli.Status(ctx, c.clientURL(h))
	if err != nil {
		return 0, fmt.Errorf("status of %s: %w", h.Name, err)
	}
	return s.RaftTerm, nil
}

// process is the process on h that serves clients.
func (c *cluster) process(h *lab.Host) (lab.Proc, error) {
	procs, err := h.Procs(c.unit)
	if err != nil {
		return lab.Proc{}, err
	}
	for _, p := range procs {
		if c.serving(p) {
			return p, nil
		}
	}
	return lab.Proc{}, fmt.Errorf("no serving process among %+v on %s", procs, h.Name)
}

// supervisor is the process on h that is not the member's.
func (c *cluster) supervisor(h *lab.Host) (lab.Proc, error) {
	procs, err := h.Procs(c.unit)
	if err != nil {
		return lab.Proc{}, err
	}
	for _, p := range procs {
		if !c.serving(p) {
			return p, nil
		}
	}
	return lab.Proc{}, fmt.Errorf("no supervisor among %+v on %s", procs, h.Name)
}

// streams opens a watch and a lease that is kept alive on every member: they
// are what makes stock etcd slow to stop.
func (c *cluster) streams(ctx context.Context) error {
	for _, h := range c.Hosts {
		cli, err := c.client(h)
		if err != nil {
			return err
		}
		lease, err := cli.Grant(ctx, 60)
		if err != nil {
			return err
		}
		if _, err := cli.KeepAlive(ctx, lease.ID); err != nil {
			return err
		}
		select {
		case <-cli.Watch(ctx, "w", clientv3.WithPrefix(), clientv3.WithCreatedNotify()):
		case <-time.After(patience):
			return fmt.Errorf("no watch on %s", h.Name)
		}
	}
	return nil
}

// poll asks every millisecond until ok.
func poll(ctx context.Context, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if done, err := ok(); done || err != nil {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waited %v for %s", patience, what)
		}
	}
}
