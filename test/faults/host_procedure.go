package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/lab"
)

// The documented ways of an operator, with the commands as documented. The pin
// stands in none of them.
var procedures = []fault{
	{
		name: "replacement: disk lost, member removed and added anew", id: failure.IDWiped, goal: goalExplained,
		expected: "it waits while the cluster lists no new member; then it joins as one by itself, without `forget`",
		run:      onHosts((*scene).replacement),
	},
	{
		name: "snapshot restored on all three", id: failure.IDOtherIdentity, goal: goalExplained,
		expected: "refused until `etcd-node forget`; then it serves what the snapshot holds",
		run:      onHosts((*scene).restored),
	},
	{
		name: "address of a member changed: member update, new address, new list", id: failure.IDOtherIdentity, goal: goalExplained,
		expected: "serves at its new address with its data and its pin",
		run:      onHosts((*scene).moved),
	},
	{
		name: "data taken over from stock etcd", id: failure.IDOtherIdentity, goal: goalExplained,
		expected: "serves with its data, as the member that it was",
		run:      onHosts((*scene).takenOver),
	},
}

// ctl runs etcdctl on host i.
func (s *scene) ctl(i int, args ...string) string {
	return s.run(i, append([]string{"etcdctl", "--endpoints=http://" + s.host(i).IP + ":2379"}, args...)...)
}

// ctlUntil is ctl again and again: etcd refuses a change of membership for 5 s
// after another.
func (s *scene) ctlUntil(i int, args ...string) {
	s.await("done: etcdctl "+strings.Join(args, " "), func() error {
		_, err := s.host(i).Run(s.ctx, append([]string{"etcdctl", "--endpoints=http://" + s.host(i).IP + ":2379"}, args...)...)
		return err
	})
}

// memberID is that of the member called name.
func (s *scene) memberID(i int, name string) string {
	for line := range strings.Lines(s.ctl(i, "member", "list")) {
		if f := strings.Split(strings.TrimSpace(line), ", "); len(f) > 2 && f[2] == name {
			return f[0]
		}
	}
	s.failf("no member is called %s", name)
	return ""
}

func (s *scene) replacement() (string, time.Duration) {
	s.three()
	s.put(3)
	name, url := s.host(3).Name, "http://"+s.host(3).IP+":2380"
	id := s.memberID(1, name)
	s.sh(3, "systemctl stop etcd; rm -rf "+dataDir+"/member")
	s.put(1, 2)
	s.begin(3)
	s.says(3, "waiting for its disk to be mounted: the data dir "+dataDir+" is empty where a member used to be")
	s.explained(3, failure.IDWiped, "etcd-node ctl member remove "+id, "etcd-node ctl member add "+name+" --peer-urls="+url)

	s.ctlUntil(1, "member", "remove", id)
	from := lab.Now()
	s.ctlUntil(1, "member", "add", name, "--peer-urls="+url)
	s.put(1, 2)
	took := s.serves(3) - from
	seen, _ := s.says(3, "serving: ", "3 of 3 members")
	if now := s.memberID(3, name); now == id {
		s.failf("it has the member ID of the one that it replaces, %s", id)
	}
	// The pin is the new member's: it would refuse another one's data.
	s.run(3, "systemctl", "restart", "etcd")
	s.serves(3)
	return seen, took
}

func (s *scene) restored() (string, time.Duration) {
	s.three()
	s.put(1)
	s.ctl(1, "snapshot", "save", "/tmp/snapshot.db")
	snapshot := s.run(1, "base64", "-w0", "/tmp/snapshot.db")
	s.each(func(h *lab.Host) error {
		if _, err := h.Feed(s.ctx, strings.NewReader(snapshot), "sh", "-ec", "base64 -d >/tmp/snapshot.db"); err != nil {
			return err
		}
		_, err := h.Sh(s.ctx, fmt.Sprintf(`
			systemctl stop etcd
			mkdir /var/lib/kept
			mv -T %[1]s/member /var/lib/kept/member
			etcdutl snapshot restore /tmp/snapshot.db --data-dir=/var/lib/kept/restored --name=%[2]s \
				--initial-cluster=%[3]s --initial-cluster-token=restored --initial-advertise-peer-urls=http://%[4]s:2380
			mv -T /var/lib/kept/restored/member %[1]s/member
			chown -R etcd:etcd %[1]s
			rm /tmp/snapshot.db`, dataDir, h.Name, s.initialCluster(s.Hosts...), h.IP))
		return err
	})
	s.begin(1)
	s.says(1, "failed: ", failure.New(failure.IDOtherIdentity, "").Cause)
	s.ends(1, failure.ExitForeign)
	s.explained(1, failure.IDOtherIdentity, "etcd-node forget")
	forgotten := s.run(1, "etcd-node", "forget")
	s.run(2, "etcd-node", "forget")
	s.run(3, "etcd-node", "forget")
	var from time.Duration
	for i := range s.Hosts {
		from = s.begin(i + 1)
	}
	var served time.Duration
	for i := range s.Hosts {
		served = s.serves(i + 1)
	}
	seen, _ := s.says(1, "serving: ", "3 of 3 members")
	return strings.SplitN(forgotten, ":", 2)[0] + "; " + seen, served - from
}

func (s *scene) moved() (string, time.Duration) {
	s.three()
	s.put(3)
	moved := *s.host(3)
	moved.IP = "192.168.122.77"
	id := s.memberID(1, moved.Name)
	s.ctlUntil(1, "member", "update", id, "--peer-urls=http://"+moved.IP+":2380")
	s.sh(3, "systemctl stop etcd; ip address flush dev eth0 scope global; ip address add "+moved.IP+"/24 dev eth0")
	s.put(1, 2)
	s.env("ETCD_INITIAL_CLUSTER=" + s.initialCluster(s.host(1), s.host(2), &moved))
	from := s.begin(3)
	var served time.Duration
	s.await("serving", func() error {
		if err := s.readsFrom(&moved); err != nil {
			return err
		}
		served = lab.Now()
		return nil
	})
	seen, _ := s.says(3, "serving: ", "3 of 3 members")
	if now := s.memberID(1, moved.Name); now != id {
		s.failf("it was member %s and is %s", id, now)
	}
	return seen, served - from
}

// takenOver lets stock etcd write the data of a single member, under the user
// and in the place that the unit uses.
func (s *scene) takenOver() (string, time.Duration) {
	h := s.host(1)
	s.env("ETCD_INITIAL_CLUSTER=" + s.initialCluster(h))
	s.sh(1, fmt.Sprintf(`
		systemd-run --quiet --unit=stock --uid=etcd --property=StateDirectory=etcd --property=StateDirectoryMode=0700 \
			/usr/bin/etcd --name=%[1]s --data-dir=%[2]s --initial-cluster=%[3]s \
			--listen-peer-urls=http://%[4]s:2380 --initial-advertise-peer-urls=http://%[4]s:2380 \
			--listen-client-urls=http://%[4]s:2379 --advertise-client-urls=http://%[4]s:2379`,
		h.Name, dataDir, s.initialCluster(h), h.IP))
	s.serves(1)
	s.put(1)
	id := s.memberID(1, h.Name)
	s.run(1, "systemctl", "stop", "stock")
	from := s.begin(1)
	took := s.serves(1) - from
	seen, _ := s.says(1, "serving: ", "1 of 1 member")
	if now := s.memberID(1, h.Name); now != id {
		s.failf("it was member %s and is %s", id, now)
	}
	return seen, took
}
