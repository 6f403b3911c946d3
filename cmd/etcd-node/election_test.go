package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// asked is what the status and etcd's own /metrics say about elections that
// were asked for.
func (n *node) asked() (status.Elections, string) {
	n.t.Helper()
	metrics := (&site{node: n}).fetch(n.Client+"/metrics", nil, nil)
	_, rest, _ := strings.Cut(metrics, "\netcd_node_election_campaigns_total ")
	value, _, _ := strings.Cut(rest, "\n")
	return n.status().View.Elections, value
}

func TestElectionsAtStart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		flags, env []string
		asks       bool
	}{
		"default":     {nil, nil, true},
		"off":         {nil, []string{"ETCD_NODE_FAST_START=off"}, false},
		"no pre-vote": {[]string{"--pre-vote=false"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := single(t)
			n.env = append(n.env, tc.env...)
			// etcd's own timer runs out a heartbeat after the start, which on a busy
			// machine must not be before it is asked.
			n.up(append(tc.flags, "--heartbeat-interval=1000", "--election-timeout=5000")...)
			st, metric := n.asked()
			if asks := st.Campaigns > 0; asks != tc.asks || (metric != "0") != tc.asks {
				t.Errorf("asked %d times, metric %q", st.Campaigns, metric)
			}
			n.stop()
		})
	}
}

// threeAndLeader are three nodes that serve, and which of them leads. Where
// they ask for elections, each follower has its line to the leader.
func threeAndLeader(t *testing.T, flags ...string) ([]*node, int) {
	t.Helper()
	a, b, c := abc(t)
	nodes := []*node{a, b, c}
	for _, n := range nodes {
		n.start(true, flags...)
	}
	var leader status.Status
	for _, n := range nodes {
		n.await("READY=1")
		leader = n.until("following a leader with all connected", func(st status.Status) bool {
			return serving(st) && st.View.Leader != "" && st.View.AllConnected()
		})
	}
	i := slices.IndexFunc(nodes, func(n *node) bool { return n.Name == leader.View.Leader })
	for _, n := range nodes {
		if n != nodes[i] && !slices.Contains(flags, "--pre-vote=false") {
			poll.Eventually(t, func() error { return loopback.Line(n.status().MemberPID, nodes[i].Peer) })
		}
	}
	return nodes, i
}

// A leader whose member process is killed is replaced long before a timer
// could have run out.
func TestLeaderKilled(t *testing.T) {
	t.Parallel()
	nodes, i := threeAndLeader(t, "--heartbeat-interval=400", "--election-timeout=4000")
	if err := syscall.Kill(nodes[i].status().MemberPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	survivor := nodes[(i+1)%3]
	st := survivor.until("following another", func(st status.Status) bool {
		return st.View.Leader != "" && st.View.Elections.Deaths > 0
	})
	if took := time.Since(begun); took > time.Second {
		t.Errorf("took %v; the timer takes 4 s and more", took)
	}
	if st.View.Elections.Deceived > 0 {
		t.Errorf("deceived: %+v", st.View.Elections)
	}
	for _, n := range nodes {
		n.until("serving", serving)
	}
	for _, n := range nodes {
		n.stop()
	}
}

// Without pre-vote nobody is asked, also not when a leader dies: etcd's timer
// decides.
func TestLeaderKilledWithoutPreVote(t *testing.T) {
	t.Parallel()
	nodes, i := threeAndLeader(t, "--pre-vote=false")
	if err := syscall.Kill(nodes[i].status().MemberPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Only an election lets the one that was killed serve again.
	nodes[i].until("serving again", func(st status.Status) bool { return serving(st) && st.Restarts == 1 })
	for _, n := range nodes {
		st := n.until("serving with all connected", func(st status.Status) bool {
			return serving(st) && st.View.Leader != "" && st.View.AllConnected()
		})
		if st.View.Elections != (status.Elections{}) {
			t.Errorf("%s: %+v", n.Name, st.View.Elections)
		}
		if text := n.run("status"); !strings.Contains(text, "\n  elections off (pre-vote=false)\n") {
			t.Errorf("%s: the status is\n%s", n.Name, text)
		}
	}
	for _, n := range nodes {
		n.stop()
	}
}
