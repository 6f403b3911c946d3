package main

import (
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// An env file that systemd does not hand over: it passes over what it cannot
// take, and starts the unit without.
var arrivalFaults = []fault{
	{
		name: "a byte in /etc/default/etcd that systemd refuses", id: failure.IDConfiguration, goal: goalExplained, expected: refusal,
		run: onHosts(func(s *scene) (string, time.Duration) {
			return s.unarrived(`printf 'ETCD_NAME=etcd\377\n' >>/etc/default/etcd`, "not valid UTF-8")
		}),
	},
	{
		name: "etcd's config file in the place of /etc/default/etcd", id: failure.IDConfiguration, goal: goalExplained, expected: refusal,
		run: onHosts(func(s *scene) (string, time.Duration) {
			return s.unarrived(`printf '%s\n' 'name: etcd-1' 'initial-cluster: etcd-1=http://192.168.122.5:2380' >/etc/default/etcd`, "this is YAML", "ETCD_CONFIG_FILE=")
		}),
	},
	{
		name: "a unit that does not read /etc/default/etcd", id: failure.IDConfiguration, goal: goalExplained, expected: refusal,
		run: onHosts(func(s *scene) (string, time.Duration) {
			return s.unarrived(`mkdir -p /etc/systemd/system/etcd.service.d
				printf '%s\n' '[Service]' EnvironmentFile= >/etc/systemd/system/etcd.service.d/test.conf
				systemctl daemon-reload`, "ETCD_INITIAL_CLUSTER (line 1)", "EnvironmentFile=/etc/default/etcd")
		}),
	},
}

// unarrived spoils what host 1 was told; it has to say so and to begin nothing,
// and serves when that is mended.
func (s *scene) unarrived(spoil string, texts ...string) (string, time.Duration) {
	s.env("ETCD_INITIAL_CLUSTER=" + s.initialCluster(s.host(1)))
	s.sh(1, "cp /etc/default/etcd /root/etcd.good; "+spoil)
	from := s.begin(1)
	seen, at := s.says(1, append(texts, "failed: ", "systemd has not handed over /etc/default/etcd")...)
	s.ends(1, failure.ExitConfig)
	if left := s.sh(1, "find "+dataDir+" -mindepth 1"); left != "" {
		s.failf("it has begun something: %s", strings.TrimSpace(left))
	}
	s.sh(1, `mv /root/etcd.good /etc/default/etcd; rm -rf /etc/systemd/system/etcd.service.d; systemctl daemon-reload`)
	s.start(1)
	return seen, at - from
}
