package election

import (
	"context"
	"crypto/tls"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// What real members say of themselves.
func TestWhoLeads(t *testing.T) {
	t.Parallel()
	leader, followers, _ := roles(t, newCluster(t, 100, 1000, "a", "b", "stock")...)
	n := Network{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}}
	ask := func(x *node) leads {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return n.leads(ctx, []string{x.Peer})
	}
	if ask(leader) != somebody || ask(followers[0]) != nobody || ask(followers[1]) != nobody {
		t.Errorf("the leader says %d, the others %d and %d", ask(leader), ask(followers[0]), ask(followers[1]))
	}
	leader.cmd.Process.Signal(syscall.SIGSTOP)
	until(t, "a frozen one to say nothing", func() bool { return ask(leader) == unknown }) // the signal takes its time
	leader.kill()
	if got := ask(leader); got != nobody {
		t.Errorf("a dead one says %d", got)
	}
}

// A frozen member's kernel accepts connections, and nobody answers: nothing may
// be left of a question to it.
func TestWhoLeadsLeavesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := Network{TLS: &tls.Config{InsecureSkipVerify: true}, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}}
	before := runtime.NumGoroutine()
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if got := n.leads(ctx, []string{"https://" + l.Addr().String()}); got != unknown {
			t.Errorf("a frozen one says %d", got)
		}
		cancel()
	}
	until(t, "the connections to be given up", func() bool { return runtime.NumGoroutine() <= before })
}

// Two of three members that start at the same time are a quorum without a
// lease. They must not depose the leader that they have not heard yet: what it
// has not replicated would be lost.
func TestTwoFollowersRestarted(t *testing.T) {
	t.Parallel()
	nodes := newCluster(t, 1000, 5000, "a", "b", "c")
	leader, followers, before := roles(t, nodes...)
	for range 3 {
		for _, n := range followers {
			n.kill()
		}
		for _, n := range followers {
			n.start()
		}
		for _, n := range followers {
			n.serves()
		}
		now, _, after := roles(t, nodes...)
		if now != leader || after != before {
			t.Fatalf("%s leads in term %d, before it was %s in term %d", now.Name, after, leader.Name, before)
		}
	}
}
