package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/history"
	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/poll"
)

const (
	// recovery is how long a host may take to serve after its fault is healed.
	// A supervisor that is left frozen is the slowest: systemd's watchdog takes
	// up to 30 s and may wait another 10 for its SIGABRT, then the member has to join.
	recovery = time.Minute
	// pollEvery is how often a host is asked whether it has recovered.
	pollEvery = 50 * time.Millisecond
	// pause is a client's longest pause between two calls: nine clients then
	// make two to three hundred calls a second, which leaves the machine air.
	pause = 60 * time.Millisecond
	// margin is added to the guaranteed share of time with a quorum: below it
	// no fault strikes more than one host.
	margin = 0.1
)

// env is /etc/default/etcd on every host. With one to two hundred writes a
// second a snapshot is due every two or three: a full disk is noticed, and a member
// that was away for longer needs one from the leader.
const env = `ETCD_INITIAL_CLUSTER=%s
ETCD_INITIAL_CLUSTER_TOKEN=soak
ETCD_SNAPSHOT_COUNT=300
ETCD_SNAPSHOT_CATCHUP_ENTRIES=300
ETCD_AUTO_COMPACTION_MODE=periodic
ETCD_AUTO_COMPACTION_RETENTION=30s
`

// soak is one run.
type soak struct {
	options
	begun time.Time
	log   io.Writer
	nodes []*node
	plan  *plan

	service     *service
	history     *history.History
	supervisors *supervisors

	counts     map[kind]int
	several    int // faults that struck more than one host
	missed     int // faults that found nobody to strike
	broken     []broken
	recoveries []gap // from the healing on
	violations []string
}

// say writes to the log what happened when.
func (s *soak) say(format string, args ...any) {
	fmt.Fprintf(s.log, "%s %8.3f  %s\n", time.Now().Format("15:04:05.000"), time.Since(s.begun).Seconds(), fmt.Sprintf(format, args...))
}

func (s *soak) violation(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.violations = append(s.violations, text)
	s.say("VIOLATION: %s", text)
}

// stockUnit runs stock etcd with the same env file. systemd starts it again, and waits for
// it as long as it takes.
const stockUnit = `[Unit]
StartLimitIntervalSec=0

[Service]
Type=notify
User=etcd
StateDirectory=etcd
StateDirectoryMode=0700
EnvironmentFile=/etc/default/etcd
ExecStart=/usr/bin/etcd --name=%[1]s --data-dir=/var/lib/etcd --listen-peer-urls=http://%[2]s:2380 --listen-client-urls=http://%[2]s:2379,http://127.0.0.1:2379 --initial-advertise-peer-urls=http://%[2]s:2380 --advertise-client-urls=http://%[2]s:2379
Restart=always
RestartSec=1s
TimeoutStartSec=infinity
LimitNOFILE=65536
`

// start makes a serving cluster of the hosts.
func (s *soak) start(ctx context.Context, l *lab.Lab, name string) (err error) {
	var cluster []string
	for _, h := range l.Hosts {
		n := &node{Host: h}
		if n.client, err = l.Client(nil, h); err != nil {
			return err
		}
		s.nodes = append(s.nodes, n)
		cluster = append(cluster, h.Name+"=http://"+h.IP+":2380")
	}
	if err := l.Install(ctx); err != nil {
		return err
	}
	if s.stock > 0 {
		if err := l.InstallStock(ctx); err != nil {
			return err
		}
		for _, n := range s.nodes[:s.stock] { // not the one with the small disk, the last
			n.stock = true
			if err := n.Write(ctx, "/etc/systemd/system/"+unit, fmt.Sprintf(stockUnit, n.Name, n.IP), 0o644); err != nil {
				return err
			}
			if _, err := n.Run(ctx, "systemctl", "daemon-reload"); err != nil {
				return err
			}
		}
	}
	small := s.small()
	if small.disk, err = newDisk(ctx, name, small); err != nil {
		return err
	}
	err = l.Each(func(h *lab.Host) error {
		if err := h.Write(ctx, "/etc/default/etcd", fmt.Sprintf(env, strings.Join(cluster, ",")), 0o644); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, recovery)
		defer cancel()
		_, err := h.Run(ctx, "systemctl", "start", unit)
		return err
	})
	if err != nil {
		return err
	}
	return s.recovered(ctx, s.nodes)
}

// clients are one of each member.
func (s *soak) clients() (all []*clientv3.Client) {
	for _, n := range s.nodes {
		all = append(all, n.client)
	}
	return all
}

// faults strikes until the time is over or something does not recover.
func (s *soak) faults(ctx context.Context) {
	half, end := s.begun.Add(s.duration/2), s.begun.Add(s.duration)
	var chased []*node // struck, and left without a wait for their recovery
	var since time.Time
	for ctx.Err() == nil && time.Now().Before(end) {
		f := s.plan.next()
		struck, as := chased, whom("again")
		if struck == nil {
			as = f.whom
			since = time.Now()
			struck = s.choose(ctx, &f)
		}
		f = s.fit(f, struck, time.Now().After(half))
		s.strike(ctx, f, struck, as)
		if f.chase && !f.left {
			chased = struck
			wait(ctx, f.calm/4) // in the middle of the recovery, now here, now there
			continue
		}
		chased = nil
		healed := time.Now()
		err := s.recovered(ctx, struck)
		name := fmt.Sprintf("(fault %d, %s)", f.number, f.kind)
		s.broken = append(s.broken, broken{span{since, time.Now()}, len(struck), name})
		if err != nil {
			if ctx.Err() == nil {
				s.violation("fault %d (%s): not serving %v after it was healed: %v", f.number, f.kind, recovery, err)
			}
			return
		}
		s.recoveries = append(s.recoveries, gap{span{healed, time.Now()}, name})
		s.say("#%d recovered in %.2f s", f.number, time.Since(healed).Seconds())
		wait(ctx, f.calm)
	}
}

// strike strikes all of them at the same time, and returns when all is healed.
func (s *soak) strike(ctx context.Context, f fault, struck []*node, as whom) {
	var names []string
	for _, n := range struck {
		names = append(names, n.Name)
	}
	s.say("#%d %s on %s (%s)%s", f.number, f.kind, strings.Join(names, ", "), as, f.length())
	errs := make([]error, len(struck))
	var wg sync.WaitGroup
	for i, n := range struck {
		wg.Go(func() { errs[i] = n.strike(ctx, f) })
	}
	wg.Wait()
	hit := 0
	for i, err := range errs {
		if err != nil {
			s.say("#%d %s: %v", f.number, struck[i].Name, err)
		}
		if !errors.Is(err, errNobody) {
			hit++
		}
	}
	switch {
	case hit == 0:
		s.missed++
		return
	case hit > 1:
		s.several++
	}
	s.counts[f.kind]++
}

// recovered waits until the nodes serve, and says which do not.
func (s *soak) recovered(ctx context.Context, nodes []*node) error {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			if err := poll.Until(ctx, pollEvery, func() error { return n.serves(context.WithoutCancel(ctx)) }); err != nil {
				errs[i] = fmt.Errorf("%s: %w", n.Name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settle is the end: everything is healed by now, and all must be well. After a
// violation there is nothing to wait for.
func (s *soak) settle() {
	if len(s.violations) > 0 {
		return
	}
	if err := s.recovered(context.Background(), s.nodes); err != nil { // also after an interrupt
		s.violation("in the end not all members serve: %v", err)
	}
}
