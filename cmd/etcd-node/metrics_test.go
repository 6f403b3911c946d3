package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/test/poll"
)

// metrics is what there is on the member's client port.
func (n *node) metrics() (string, error) {
	resp, err := http.Get(n.Client + "/metrics")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// onSocket is what there is on the control socket.
func (n *node) onSocket() string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	answer, err := control.Get(ctx, n.Run(), "/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Close()
	text, err := io.ReadAll(answer)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

// The supervisor's counters are on the socket all the time, and on the member's own
// /metrics, where they go on after it was restarted. etcd's are there, too.
func TestMetrics(t *testing.T) {
	t.Parallel()
	n := running(t)
	const ends = `etcd_node_member_ends_total{class="transient"} `
	for i := range 3 {
		text, err := n.metrics()
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(ends+"%d\n", i); !containsAll(text, want, "\netcd_server_has_leader 1\n", "etcd_node_election_campaigns_total") {
			t.Fatalf("no %q in the member's", want)
		}
		before := n.status().MemberPID
		syscall.Kill(before, syscall.SIGKILL)
		poll.Eventually(t, func() error {
			if st := n.status(); !serving(st) || st.MemberPID == before {
				return fmt.Errorf("%s", st.Line())
			}
			return nil
		})
	}
	here := n.onSocket()
	if !containsAll(here, ends+"3\n", `etcd_node_state{state="serving"} 1`+"\n", "etcd_node_voting_members 1\n") || strings.Contains(here, "go_goroutines") {
		t.Errorf("on the socket:\n%s", here)
	}
	// Both say the same, but for the time that goes by.
	moving := regexp.MustCompile(`(?m)^etcd_node_state_seconds_total.*$`)
	poll.Eventually(t, func() error { // the member is told with the next second
		there, err := n.metrics()
		if err != nil {
			return err
		}
		for line := range strings.Lines(moving.ReplaceAllString(here, "")) {
			if strings.TrimSpace(line) != "" && !strings.Contains(there, line) {
				return fmt.Errorf("the member's do not have %s", line)
			}
		}
		return nil
	})
	// Without a member there is the socket.
	syscall.Kill(n.status().MemberPID, syscall.SIGSTOP)
	if text := n.onSocket(); !strings.Contains(text, ends+"3\n") {
		t.Errorf("while the member hangs:\n%s", text)
	}
}
