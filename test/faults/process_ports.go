package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/loopback"
)

// heldFor is for how long something else is in the way: long enough for the
// pauses between attempts to have grown to their longest.
const heldFor = 5 * time.Second

// ports are ports and locks that another process has.
func (p *product) ports() []fault {
	busy := func(what string, which func(n *local) string, used bool) fault {
		return fault{what + " port busy for 5 s", "port-busy", back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			if used {
				n = s.used()
			}
			l, err := net.Listen("tcp", strings.TrimPrefix(which(n), "http://"))
			s.must(err)
			defer l.Close()
			n.start()
			seen, at := n.waits("port-busy")
			n.rest(at.Add(heldFor))
			n.Mark()
			l.Close()
			gone := time.Now()
			line, took := n.back(gone)
			return then(seen, line), took
		})}
	}
	metrics := func(n *local) string {
		url := "http://" + loopback.Address()
		n.set("ETCD_LISTEN_METRICS_URLS", url)
		return url
	}
	return []fault{
		busy("client", func(n *local) string { return n.Client }, true),
		busy("peer", func(n *local) string { return n.Peer }, true),
		busy("metrics", metrics, true),
		busy("at the very first start: metrics", metrics, false),
		{"database locked by another process for 5 s", failure.IDLocked, "waits, says who has the lock, and is " + back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			db, err := os.OpenFile(n.db(), os.O_RDWR, 0)
			s.must(err)
			defer db.Close()
			s.must(syscall.Flock(int(db.Fd()), syscall.LOCK_EX))
			n.start()
			x := n.await("STATUS=joining: waiting for the lock of ")
			if want := fmt.Sprintf("process %d (", os.Getpid()); !strings.Contains(x.Text, want) {
				s.fail("it does not say who has the lock: %s", x.Text)
			}
			n.rest(x.At.Add(heldFor))
			n.Mark()
			db.Close()
			line, took := n.back(time.Now())
			return then(n.essence(x.Text), line), took
		})},
		{"WAL locked by another process for 5 s", failure.IDLocked, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			f, err := fileutil.TryLockFile(n.wal()[0], os.O_RDWR, 0o600)
			s.must(err)
			defer f.Close()
			n.start()
			seen, at := n.waits(failure.IDLocked)
			n.rest(at.Add(heldFor))
			n.Mark()
			f.Close()
			line, took := n.back(time.Now())
			return then(seen, line), took
		})},
		{"the member is to listen on an address that is not this machine's", failure.IDNoAddress, "waits and says for what; it serves when started again without the cause", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.set("ETCD_LISTEN_METRICS_URLS", "http://192.0.2.1:2381") // TEST-NET-1
			n.start()
			x := n.await("STATUS=starting: no interface has 192.0.2.1 yet; waiting, or correct ETCD_LISTEN_METRICS_URLS")
			seen, took := n.essence(x.Text), x.At.Sub(n.begun)
			n.condition(failure.IDNoAddress)
			n.stop()
			n.unset("ETCD_LISTEN_METRICS_URLS")
			n.start()
			n.back(n.begun)
			return seen, took
		})},
		{"the same, by etcd's config file", failure.IDAddressGone, settled, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			file := filepath.Join(n.Dir, "etcd.yml")
			s.must(os.WriteFile(file, fmt.Appendf(nil, `name: %s
data-dir: %s
initial-cluster: %s
listen-peer-urls: %[4]s
initial-advertise-peer-urls: %[4]s
listen-client-urls: %[5]s
advertise-client-urls: %[5]s
listen-metrics-urls: http://192.0.2.1:2381
`, n.Name, n.Data(), n.Cluster, n.Peer, n.Client), 0o600))
			n.start("--config-file=" + file)
			return n.reconfigured(failure.IDAddressGone)
		})},
		{"a port below 1024, not as root", "port-forbidden", settled, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.belongsTo(nobody)
			n.set("ETCD_LISTEN_METRICS_URLS", "http://127.0.0.1:1")
			n.start()
			return n.reconfigured("port-forbidden")
		})},
		{"fewer descriptors than etcd needs", "no-descriptors", settled, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.setup = "ulimit -n 100"
			n.start()
			return n.reconfigured("no-descriptors")
		})},
	}
}

// reconfigured waits for the explanation, and starts the daemon again without
// what is the cause.
func (n *local) reconfigured(id string) (seen string, took time.Duration) {
	seen, at := n.waits(id)
	took = at.Sub(n.begun)
	n.stop()
	n.setup = ""
	n.unset("ETCD_LISTEN_METRICS_URLS")
	n.start()
	n.back(n.begun)
	return seen, took
}

// rest lets time go by until at.
func (n *local) rest(at time.Time) {
	select {
	case <-n.s.ctx.Done():
		n.s.must(n.s.ctx.Err())
	case <-time.After(time.Until(at)):
	}
}

// sh runs a shell command and returns what it said.
func (s *stage) sh(script string) (string, error) {
	out, err := exec.CommandContext(s.ctx, "sh", "-ec", script).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
