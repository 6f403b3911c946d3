package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/poll"
	"github.com/etcd-node/etcd-node/test/steps"
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
	// mends undo what was done to the hosts from outside, the last first.
	mends []func(ctx context.Context) error
}

// later undoes something once the measurement is over, however it ends.
func (c *cluster) later(undo func(ctx context.Context) error) { c.mends = append(c.mends, undo) }

// mend undoes all.
func (c *cluster) mend(ctx context.Context) {
	var errs []error
	for _, undo := range slices.Backward(c.mends) {
		errs = append(errs, undo(ctx))
	}
	c.mends = nil
	steps.Must(errors.Join(errs...))
}

// client is a client of this host alone.
func (c *cluster) client(h *lab.Host) *clientv3.Client {
	if c.clients[h] == nil {
		if c.clients == nil {
			c.clients = map[*lab.Host]*clientv3.Client{}
		}
		c.clients[h] = steps.Of(c.Client(c.pki.TLS(), h))
	}
	return c.clients[h]
}

func (c *cluster) close() {
	for _, cli := range c.clients {
		_ = cli.Close() // its members are gone by now
	}
}

// each takes steps for every host at once.
func (c *cluster) each(f func(h *lab.Host)) {
	steps.Must(c.Each(func(h *lab.Host) error { return steps.Run(func() { f(h) }) }))
}

// wipe stops all subjects on all hosts and removes their data and settings.
func (c *cluster) wipe(ctx context.Context) {
	c.each(func(h *lab.Host) {
		steps.Of(h.Sh(ctx, `
			systemctl kill --signal=KILL etcd.service stock.service 2>/dev/null || true
			systemctl stop etcd.service stock.service 2>/dev/null || true
			systemctl reset-failed
			rm -rf /var/lib/etcd /var/lib/etcd-node /var/log/etcd-node /var/lib/stock /run/systemd/system/etcd.service.d /etc/etcd
			nft flush ruleset
			systemctl daemon-reload`))
	})
}

func (c *cluster) prepare(ctx context.Context) {
	if c.tls {
		c.pki = lab.NewPKI(c.Hosts)
	}
	c.each(func(h *lab.Host) {
		if c.tls {
			steps.Must(c.pki.Install(ctx, h))
		}
		if c.dnat {
			steps.Of(h.Sh(ctx, dnatUp))
		}
		c.subject.prepare(ctx, c, h)
		if c.mixed && c.subject != stock && h == c.Hosts[len(c.Hosts)-1] {
			c.replaceByStock(ctx, h)
		}
	})
}

// start writes the settings, starts all members at once and waits until
// systemd calls all of them active.
func (c *cluster) start(ctx context.Context) {
	c.prepare(ctx)
	c.each(func(h *lab.Host) { steps.Of(h.Run(ctx, "systemctl", "start", c.unit)) })
}

// settle waits until every member answers a linearizable read, and a moment
// more for streams between members to be established, as in real life.
func (c *cluster) settle(ctx context.Context) {
	for _, h := range c.Hosts {
		c.answers(ctx, h)
	}
	time.Sleep(time.Second)
}

// answers waits until the member on h answers a linearizable read.
func (c *cluster) answers(ctx context.Context, h *lab.Host) {
	cli := c.client(h)
	await(ctx, h.Name+" to answer", func() bool {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err := cli.Get(ctx, "settled")
		return err == nil
	})
}

// status is what the member on h says of itself.
func (c *cluster) status(ctx context.Context, h *lab.Host) *clientv3.StatusResponse {
	s, err := c.client(h).Status(ctx, c.clientURL(h))
	if err != nil {
		steps.Fail("status of %s: %w", h.Name, err)
	}
	return s
}

// leader is the host whose member leads, and the others.
func (c *cluster) leader(ctx context.Context) (leader *lab.Host, followers []*lab.Host) {
	for _, h := range c.Hosts {
		if s := c.status(ctx, h); s.Leader == s.Header.MemberId {
			leader = h
		} else {
			followers = append(followers, h)
		}
	}
	if leader == nil || len(followers) != len(c.Hosts)-1 {
		steps.Fail("the members do not agree on a leader")
	}
	return leader, followers
}

// term is raft's, as h knows it.
func (c *cluster) term(ctx context.Context, h *lab.Host) uint64 { return c.status(ctx, h).RaftTerm }

// process is the process on h that serves clients.
func (c *cluster) process(h *lab.Host) lab.Proc { return c.pick(h, "serving process", c.serving) }

// supervisor is the other one.
func (c *cluster) supervisor(h *lab.Host) lab.Proc {
	return c.pick(h, "supervisor", func(p lab.Proc) bool { return !c.serving(p) })
}

func (c *cluster) pick(h *lab.Host, what string, fits func(lab.Proc) bool) lab.Proc {
	procs := steps.Of(h.Procs(c.unit))
	i := slices.IndexFunc(procs, fits)
	if i < 0 {
		steps.Fail("no %s among %+v on %s", what, procs, h.Name)
	}
	return procs[i]
}

// streams opens a watch and a lease that is kept alive on every member: they
// are what makes stock etcd slow to stop.
func (c *cluster) streams(ctx context.Context) {
	for _, h := range c.Hosts {
		cli := c.client(h)
		lease := steps.Of(cli.Grant(ctx, 60))
		steps.Of(cli.KeepAlive(ctx, lease.ID))
		select {
		case <-cli.Watch(ctx, "w", clientv3.WithPrefix(), clientv3.WithCreatedNotify()):
		case <-time.After(patience):
			steps.Fail("no watch on %s", h.Name)
		}
	}
}

// await asks every millisecond until ok: what is measured is as precise as that.
func await(ctx context.Context, what string, ok func() bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	steps.Must(poll.Until(ctx, time.Millisecond, func() error {
		if !ok() {
			return fmt.Errorf("waited %v for %s", patience, what)
		}
		return nil
	}))
}

// pass lets time go by.
func pass(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
		steps.Must(ctx.Err())
	}
}
