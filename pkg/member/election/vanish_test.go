package election

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/etcd-node/etcd-node/pkg/member/silence"
)

// hostSilence is the limit in simulations, the default.
const hostSilence = 400 * time.Millisecond

// allEvents is how many kinds of events there are in a simulation; those from
// hostEvents on are about hosts that are silent.
const hostEvents, allEvents = 10, 14

// path reports whether packets pass between two hosts.
func (w *world) path(i, j int) bool { return !w.away[i] && !w.away[j] }

// unplug takes a host off the network, and puts it back after a while. It may be
// given up from half of the limit on, and until what was asked then is answered.
func (w *world) unplug(n *simNode, out time.Duration) {
	w.away[n.i] = true
	if out >= hostSilence {
		w.excused[n.i] = true
		w.after(out+w.timeout, func() { w.excused[n.i] = false })
	}
	w.after(out, func() { w.away[n.i] = false })
}

// vanish is a power loss.
func (n *simNode) vanish() {
	n.die(true)
	n.w.away[n.i], n.w.excused[n.i] = true, true
}

// silenceLimit is how long a host must be silent in this world, a little more
// than it is known to be where packets are lost.
func (w *world) silenceLimit() time.Duration {
	wait := max(10*w.trip(), silence.Least/2)
	return time.Duration(float64(max(hostSilence, silence.Least/2+w.trip()+wait)) * (1 + 10*min(w.loss, 0.1)))
}

// simLine is a connection that knows where it leads.
type simLine struct {
	net.Conn
	to int
}

func (c simLine) RemoteAddr() net.Addr { return simAddr(fmt.Sprintf("%d:2380", c.to+1)) }

type simAddr string

func (simAddr) Network() string  { return "sim" }
func (a simAddr) String() string { return string(a) }

// simHost is what a member's kernel knows of another's host.
type simHost struct {
	node    *simNode
	to      int
	waiting bool
}

func (h *simHost) On(line net.Conn) {
	h.node.w.mu.Lock()
	defer h.node.w.mu.Unlock()
	h.to = line.(simLine).to
}

func (h *simHost) Refresh()                                           { _ = h }
func (h *simHost) Resolve(context.Context, []string, [][]string) bool { return h != nil }
func (h *simHost) Abandon()                                           { _ = h }
func (h *simHost) Look() (silence.Look, bool) {
	n := h.node
	simServer{n, n.life}.hesitate()
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	trip := n.w.latency[n.i][h.to] + n.w.latency[h.to][n.i]
	return silence.Look{
		At: time.Now(), Heard: n.packets[h.to], Acked: !h.waiting,
		Trip: trip, Again: silence.Least/2 + trip, Loss: n.w.loss,
	}, true
}

func (h *simHost) Ask() error {
	h.node.w.mu.Lock()
	defer h.node.w.mu.Unlock()
	h.waiting = true
	h.try(silence.Least / 2)
	return nil
}

// try sends what was asked, and does so again after ever longer pauses.
func (h *simHost) try(again time.Duration) {
	n, to := h.node, h.to
	w := n.w
	lost := func() bool { return !w.path(n.i, to) || w.rand.Float64() < w.loss }
	trip := w.latency[n.i][to] + w.latency[to][n.i]
	if again < time.Minute {
		n.living(again+trip, func() {
			if h.waiting && h.to == to {
				h.try(2 * again)
			}
		})
	}
	if lost() {
		return
	}
	n.living(trip, func() {
		if !lost() {
			n.packets[to] = time.Now()
			h.waiting = h.waiting && h.to != to
		}
	})
}
