package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// units are what a unit, and the files and directories that it names, can have
// wrong.
func (p *product) units() []fault {
	return []fault{
		{"no data in the data dir, a member's data in default/ below it", failure.IDConfiguration, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			s.must(os.Remove(n.pinFile())) // it was stock etcd's
			s.must(os.MkdirAll(filepath.Join(n.Data(), "default"), 0o700))
			s.must(os.Rename(filepath.Join(n.Data(), "member"), filepath.Join(n.Data(), "default", "member")))
			n.start()
			x := n.await("STATUS=failed: ")
			if code := n.exit(); code != failure.ExitConfig || !strings.Contains(x.Text, "ETCD_DATA_DIR="+filepath.Join(n.Data(), "default")) {
				s.fail("exit code %d, %q", code, x.Text)
			}
			if _, err := os.Stat(filepath.Join(n.Data(), "member")); !os.IsNotExist(err) {
				s.fail("it has begun something: %v", err)
			}
			took := x.At.Sub(n.begun)
			n.set("ETCD_DATA_DIR", filepath.Join(n.Data(), "default")) // as it says
			n.up()
			n.kept()
			return n.essence(x.Text), took
		})},
		{"a second unit with the first one's pin and socket", failure.IDPinElsewhere, refusal + "; the first one is as it was", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			first := s.single()
			s.eventually(func() error { _, err := os.Stat(first.pinFile()); return err })
			second := s.cluster("b")[0]
			second.set("STATE_DIRECTORY", second.Data()+":"+first.Pins())
			second.set("RUNTIME_DIRECTORY", first.Run())
			second.start()
			x := second.await("STATUS=failed: this pin is of " + first.Data())
			if code := second.exit(); code != failure.ExitConfig {
				s.fail("exit code %d", code)
			}
			if st, _ := first.until("serving", func(st status.Status) bool { return st.View.Ready }); st.View.Name != "a" {
				s.fail("the first one's socket answers as %s", st.View.Name)
			}
			first.kept()
			return second.essence(strings.ReplaceAll(x.Text, first.Data(), "/var/lib/etcd")), x.At.Sub(second.begun)
		})},
		{"variables of others that begin with ETCD_NODE_", "-", carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.set("ETCD_NODE_NAME", "etcd-1")
			n.set("ETCD_NODE_IP", "192.168.122.5")
			n.start()
			x := n.serves()
			n.kept()
			st, _ := n.until("serving", func(st status.Status) bool { return st.View.Ready })
			seen := strings.Join(st.Notices, "; ")
			if !strings.Contains(seen, "ETCD_NODE_NAME: ") || !strings.Contains(seen, "ETCD_NODE_IP: ") {
				s.fail("it does not say so: %q", seen)
			}
			return "notice: " + seen, x.At.Sub(n.begun)
		})},
		{"an env file as etcd's config file", failure.IDConfiguration, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			path := filepath.Join(n.Dir, "etcd.env")
			s.must(os.WriteFile(path, []byte("ETCD_NAME=etcd-3\n"), 0o600))
			n.start("--config-file=" + path)
			x := n.await("STATUS=failed: ")
			if code := n.exit(); code != failure.ExitConfig || !strings.Contains(x.Text, "this is an env file") {
				s.fail("exit code %d, %q", code, x.Text)
			}
			return n.essence(x.Text), x.At.Sub(n.begun)
		})},
	}
}
