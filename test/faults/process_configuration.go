package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// configuration is what a node was told, and the time.
func (p *product) configuration() []fault {
	// wrong is a configuration that is refused before anything starts.
	wrong := func(name, says string, spoil func(n *local) (flags []string)) fault {
		return fault{name, failure.IDConfiguration, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a")[0]
			n.start(spoil(n)...)
			x := n.await("STATUS=failed: ")
			if code := n.exit(); code != failure.ExitConfig {
				s.fail("exit code %d", code)
			}
			if !strings.Contains(x.Text, says) {
				s.fail("%q lacks %q", x.Text, says)
			}
			return n.essence(x.Text), x.At.Sub(n.begun)
		})}
	}
	return []fault{
		wrong("this node's name is not in the cluster list", "ETCD_NAME", func(n *local) []string {
			n.set("ETCD_INITIAL_CLUSTER", "b="+n.Peer)
			return nil
		}),
		wrong("another peer URL than in the cluster list", "ETCD_INITIAL_ADVERTISE_PEER_URLS", func(n *local) []string {
			n.set("ETCD_INITIAL_CLUSTER", "a=http://192.0.2.1:2380")
			return nil
		}),
		wrong("a variable with a typing error", "ETCD_NODE_REDY", func(n *local) []string {
			n.set("ETCD_NODE_REDY", "all")
			return nil
		}),
		wrong("a flag that etcd does not have", "heartbeat-intervall", func(*local) []string {
			return []string{"--heartbeat-intervall=50"}
		}),
		{"flag and variable both set, to different values", "-", "the flag counts, and that is said", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.set("ETCD_HEARTBEAT_INTERVAL", "50")
			n.start("--heartbeat-interval=60")
			x := n.serves()
			n.kept()
			st, _ := n.until("serving", func(st status.Status) bool { return st.View.Ready })
			seen := strings.Join(st.Notices, "; ")
			if !strings.Contains(seen, "ETCD_HEARTBEAT_INTERVAL") {
				s.fail("it does not say so: %q", seen)
			}
			return "notice: " + seen, x.At.Sub(n.begun)
		})},
		{"not joined within ETCD_NODE_START_TIMEOUT", failure.IDStartTimeout, "ends with an exit code of its own; systemd starts it again", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.cluster("a", "b")[0]
			n.set("ETCD_NODE_START_TIMEOUT", "2s")
			n.start()
			return n.refused(failure.IDStartTimeout)
		})},
		{"the clock shows a time before the last record", failure.IDClockBack, carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			r := recorder.New(n.Log(), zap.NewNop())
			r.Add(recorder.Record{Kind: recorder.Start, Time: time.Now().Add(24 * time.Hour)})
			s.must(r.Close(patience))
			n.start()
			x := n.serves()
			n.kept()
			st, _ := n.until("serving", func(st status.Status) bool { return st.View.Ready })
			seen := strings.Join(st.Notices, "; ")
			if !strings.Contains(seen, "the clock is behind") {
				s.fail("it does not say so: %q", seen)
			}
			if out := n.command("history"); !strings.Contains(out, "the clock was set back") {
				s.fail("history does not mark the jump:\n%s", out)
			}
			return "notice: " + seen, x.At.Sub(n.begun)
		})},
		{"directory where the control socket should be", "-", carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			s.must(os.MkdirAll(filepath.Join(n.Run(), control.Socket, "not-empty"), 0o700))
			n.up()
			n.kept()
			line := n.logged("`etcd-node status` will not work")
			_, text, _ := strings.Cut(line, `"msg":"`)
			text, _, _ = strings.Cut(text, `"`)
			return "log: " + text, time.Since(n.begun)
		})},
	}
}
