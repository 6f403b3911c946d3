package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// vpn is the address on the interface that comes later than the network.
const vpn = "10.9.0.1"

// What comes only after the unit has been started: the interface of a VPN, the
// data disk.
var lateFaults = []fault{
	{
		name: "the listed address is on an interface that comes later, no data", id: failure.IDNoAddress, goal: goalServing,
		expected: "it waits, says for what and listens on no other address; serves as soon as the address is there",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.lateInterface(false) }),
	},
	{
		name: "the same, with data", id: failure.IDNoAddress, goal: goalServing,
		expected: "it waits, says for what and listens on no other address; serves as soon as the address is there",
		run:      onHosts(func(s *scene) (string, time.Duration) { return s.lateInterface(true) }),
	},
	{
		name: "two interfaces, a list of names of which the own one is 127.0.1.1 here", id: failure.IDNoAddress, goal: goalExplained,
		expected: "it takes the address that the kernel uses towards the others, not that of eth0 with the default route",
		run:      onHosts((*scene).twoInterfaces),
	},
	{
		name: "data disk of a single member mounted after the start", id: failure.IDWiped, goal: 3 * time.Second,
		expected: "it waits and says for what; serves with its data as soon as the disk is there",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.single()
			return s.lateDisk(1)
		}),
	},
	{
		name: "data disk of one of three mounted after the start", id: failure.IDWiped, goal: 3 * time.Second,
		expected: "it waits and says for what, whatever the others say; serves with its data as soon as the disk is there",
		run: onHosts(func(s *scene) (string, time.Duration) {
			s.three()
			return s.lateDisk(3)
		}),
	},
	{
		name: "address and list of a member changed, without member update", id: failure.IDMisplaced, goal: goalExplained,
		expected: "it serves, and says that the cluster knows it at its old address; that is over after member update",
		run:      onHosts((*scene).misplaced),
	},
}

// lateInterface is a cluster of one on the address of an interface that is not
// there when the unit is started.
func (s *scene) lateInterface(data bool) (string, time.Duration) {
	s.env("ETCD_INITIAL_CLUSTER=" + s.host(1).Name + "=http://" + vpn + ":2380")
	moved := *s.host(1)
	moved.IP = vpn
	s.later(func(ctx context.Context) error {
		_, err := s.host(1).Sh(ctx, "ip link del wg0 2>/dev/null || true")
		return err
	})
	plug := func() {
		s.sh(1, "ip link add wg0 type veth peer name wg0far; ip address add "+vpn+"/24 dev wg0; ip link set wg0far up; ip link set wg0 up")
	}
	serves := func() {
		s.await("serving", func() error { return s.readsFrom(&moved) })
	}
	if data {
		plug()
		s.begin(1)
		serves()
		s.run(1, "systemctl", "stop", "etcd")
		s.run(1, "ip", "link", "del", "wg0")
	}
	s.begin(1)
	seen, _ := s.says(1, "no interface has "+vpn+" yet", "or correct ETCD_INITIAL_CLUSTER (/etc/default/etcd:1)")
	if open := s.run(1, "ss", "-Hltn"); strings.Contains(open, ":2380") || strings.Contains(open, ":2379") {
		s.failf("it listens already: %s", open)
	}
	from := lab.Now()
	plug()
	serves()
	took := lab.Now() - from
	if open := s.run(1, "ss", "-Hltn"); !strings.Contains(open, vpn+":2380") || strings.Contains(open, s.host(1).IP+":") {
		s.failf("it does not listen on %s alone: %s", vpn, open)
	}
	return seen, took
}

// lateDisk moves the data of host i to a disk that is mounted long after the
// unit was started.
func (s *scene) lateDisk(i int) (string, time.Duration) {
	s.put(i)
	s.run(i, "systemctl", "stop", "etcd")
	// A bind mount plays the disk: the kernel propagates both in the same way.
	s.sh(i, "mkdir -p /srv/disk; rm -rf /srv/disk/*; chown etcd:etcd /srv/disk; chmod 0700 /srv/disk; mv "+dataDir+"/member /srv/disk/member")
	s.later(func(ctx context.Context) error {
		_, err := s.host(i).Sh(ctx, "systemctl stop etcd; umount "+dataDir+" || true; rm -rf /srv/disk")
		return err
	})
	s.begin(i)
	seen, _ := s.says(i, "waiting for its disk to be mounted: the data dir "+dataDir+" is empty where a member used to be")
	s.explained(i, failure.IDWiped, "findmnt -T "+dataDir)
	s.wait(5 * time.Second) // the others have said that they know this member
	s.says(i, "waiting for its disk to be mounted")
	from := lab.Now()
	s.run(i, "mount", "--bind", "/srv/disk", dataDir)
	took := s.serves(i) - from
	return seen, took
}

// misplaced is what remains of a change of address where the cluster was not
// told.
func (s *scene) misplaced() (string, time.Duration) {
	s.three()
	s.put(3)
	moved := *s.host(3)
	moved.IP = "192.168.122.77"
	id := s.memberID(1, moved.Name)
	s.sh(3, "systemctl stop etcd; ip address flush dev eth0 scope global; ip address add "+moved.IP+"/24 dev eth0")
	s.env("ETCD_INITIAL_CLUSTER=" + s.initialCluster(s.host(1), s.host(2), &moved))
	from := s.begin(3)
	seen, at := s.shows(3, failure.IDMisplaced)
	s.explained(3, failure.IDMisplaced, "etcd-node ctl member update "+id+" --peer-urls=http://"+moved.IP+":2380")
	s.ctlUntil(1, "member", "update", id, "--peer-urls=http://"+moved.IP+":2380")
	s.await("at its place", func() error {
		if line := s.status(3); strings.Contains(line, "the cluster knows this member at") || !strings.Contains(line, "3 of 3 members") {
			return fmt.Errorf("it says %q", line)
		}
		return nil
	})
	return seen, at - from
}

// twoInterfaces gives host 1 an eth0 that leads to the world, beside the interface
// on which the members are.
func (s *scene) twoInterfaces() (string, time.Duration) {
	own := s.host(1)
	s.later(func(ctx context.Context) error {
		_, err := own.Sh(ctx, `systemctl stop etcd
			ip link del eth0
			ip link set eth1 down; ip link set eth1 name eth0; ip link set eth0 up`)
		return err
	})
	var hosts, list []string
	for _, h := range s.Hosts {
		list = append(list, h.Name+"=http://"+h.Name+":2380")
		hosts = append(hosts, h.IP+" "+h.Name)
	}
	s.each(func(h *lab.Host) error {
		_, err := h.Sh(s.ctx, "cp /etc/hosts /etc/hosts.row")
		return err
	})
	s.later(func(ctx context.Context) error {
		return s.Each(func(h *lab.Host) error {
			_, err := h.Sh(ctx, "mv /etc/hosts.row /etc/hosts")
			return err
		})
	})
	for _, h := range s.Hosts {
		lines := strings.Replace(strings.Join(hosts, "\n"), h.IP, "127.0.1.1", 1)
		s.must(h.Write(s.ctx, "/etc/hosts", "127.0.0.1 localhost\n"+lines+"\n", 0o644))
	}
	s.sh(1, `ip link set eth0 down; ip link set eth0 name eth1; ip link set eth1 up
		ip address replace `+own.IP+`/24 dev eth1
		ip link add eth0 type veth peer name eth0far; ip link set eth0far up; ip link set eth0 up
		ip address add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2 dev eth0`)
	s.env("ETCD_INITIAL_CLUSTER=" + strings.Join(list, ","))
	from := lab.Now()
	s.start(1, 2, 3)
	took := s.serves(1) - from
	if open := s.run(1, "ss", "-Hltn"); !strings.Contains(open, own.IP+":2380") || strings.Contains(open, "10.0.2.15") {
		s.failf("it does not listen on %s alone: %s", own.IP, open)
	}
	for line := range strings.Lines(s.run(1, "etcd-node", "config")) {
		if strings.HasPrefix(line, "listen-peer-urls") {
			return strings.Join(strings.Fields(line), " "), took
		}
	}
	s.failf("etcd-node config does not show listen-peer-urls")
	return "", 0
}
