package main

import (
	"context"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// A second member on a machine that has one.
var secondFaults = []fault{
	{
		name: "a second instance with the env file of the first, and so with its ports", id: "port-busy", goal: goalExplained,
		expected: "it waits, begins nothing, names the port and who has it, and speaks of no removal; the first one is as it was; it serves when it has ports of its own",
		run:      onHosts((*scene).secondInstance),
	},
}

// secondInstance starts an instance beside a member that its cluster counts on:
// asked about the instance, the cluster would say that its data is lost.
func (s *scene) secondInstance() (string, time.Duration) {
	const second = "etcd@events"
	ip := s.host(1).IP
	s.later(func(ctx context.Context) error {
		_, err := s.host(1).Sh(ctx, `
			systemctl stop etcd@events || true
			rm -rf /var/lib/etcd@events /var/lib/etcd-node@events /var/log/etcd-node@events /run/etcd@events /etc/default/etcd@events
			systemctl reset-failed etcd@events 2>/dev/null || true`)
		return err
	})
	s.three()
	s.put(1)
	_, before := s.procs(1)
	from := lab.Now()
	s.sh(1, "cp /etc/default/etcd /etc/default/"+second+"; systemctl start --no-block "+second)
	seen, at := s.saysAs(1, second+".service", "backoff: "+failure.New("port-busy", "").Cause, ip+":2380 is in use by process ", "(etcd)")
	s.wait(5 * time.Second) // some more attempts
	s.saysAs(1, second+".service", ip+":2380 is in use by process ")
	out := s.explainedAs(1, second, "port-busy", "ETCD_NODE_UNIT="+second+" etcd-node config", "/etc/default/"+second)
	journal, err := s.host(1).Journal(s.ctx, second+".service", s.since)
	s.must(err)
	for _, bad := range []string{"member remove", "member add", "counts on its data"} {
		if strings.Contains(out+journal, bad) {
			s.failf("it says %q:\n%s\n%s", bad, out, journal)
		}
	}
	if left := s.sh(1, "find /var/lib/"+second+" -mindepth 1"); left != "" {
		s.failf("it has begun something: %s", strings.TrimSpace(left))
	}
	s.same(1, before)
	s.put(1)

	s.must(s.host(1).Write(s.ctx, "/etc/default/"+second, "ETCD_INITIAL_CLUSTER=events=http://"+ip+":2390\nETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2389\n", 0o644))
	s.run(1, "systemctl", "restart", second)
	s.saysAs(1, second+".service", "serving: leader, 1 of 1 member")
	s.same(1, before)
	s.serves(1)
	return seen, at - from
}
