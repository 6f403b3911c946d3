package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

// dnatPort is the peer port that others know where there is a DNAT.
const dnatPort = "23800"

const dnatUp = `nft -f - <<'END'
	table ip translate {
		chain in { type nat hook prerouting priority dstnat; tcp dport ` + dnatPort + ` redirect to :2380; }
	}
END`

// trick makes a leader that lives look dead to some of its followers.
type trick struct {
	name string
	goal goal // besides: a new term in ours is an error
	dnat bool
	all  bool // deceive both followers, not one
	// on and off are scripts for the leader's host, on for each follower that is
	// deceived.
	on  func(follower *lab.Host) string
	off string
	// line is a script for the follower's host, after that.
	line func(leader *lab.Host) string
}

// wall refuses new connections to the leader's peer port, or all packets of
// old ones too. As a firewall in the middle does, it sends RST to both sides.
func wall(match string) func(*lab.Host) string {
	return func(f *lab.Host) string {
		return fmt.Sprintf(`nft -f - <<'END'
			table ip wall {
				chain in { type filter hook input priority filter; ip saddr %[1]s tcp dport 2380 %[2]s reject with tcp reset; }
				chain out { type filter hook output priority filter; ip daddr %[1]s tcp sport 2380 %[2]s reject with tcp reset; }
			}
END`, f.IP, match)
	}
}

const wallDown = `nft delete table ip wall`

// idle ends the follower's connections to the leader's peer port on which
// nothing was ever received: the line by which it knows that the leader lives.
func idle(leader *lab.Host) string {
	return fmt.Sprintf(`ss -tniHO dst %[1]s dport = 2380 | awk '!/bytes_received/ { n = split($4, a, ":"); print a[n] }' |
		while read port; do ss -Kt src :$port dst %[1]s >/dev/null; done`, leader.IP)
}

func tricks() []trick {
	short := goal{words: "no new term, worst < 50 ms", worst: 0.05}
	asStock := goal{words: "no new term, ≤ 1.1 × stock", atMost: 1.1}
	return []trick{
		{name: "one follower's line to the leader ends, and its port refuses a new one, for 3 s",
			goal: short, on: wall("tcp flags & (syn | ack) == syn"), off: wallDown, line: idle},
		{name: "the same for both followers",
			goal: short, all: true, on: wall("tcp flags & (syn | ack) == syn"), off: wallDown, line: idle},
		{name: "a firewall that answers all packets of one follower to the leader with RST, for 3 s",
			goal: asStock, on: wall(""), off: wallDown},
		{name: "a DNAT in front of the leader that goes away with all connections, for 3 s",
			goal: asStock, all: true, dnat: true,
			on: func(*lab.Host) string { return "nft flush ruleset; conntrack -F 2>/dev/null" }, off: dnatUp},
	}
}

// deceptionRows are about a leader that lives, but does not look so. Where the
// connections on which it speaks to its followers end, stock etcd pauses too.
func deceptionRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		for _, k := range tricks() {
			all = append(all, row{name: k.name + "; longest gap of puts through each", setup: setup{timing: t, dnat: k.dnat}, figures: took(k.goal), measure: once(k.measure)})
		}
	}
	return all
}

// measure is the longest gap of puts through all three members. A new term in
// ours is an error.
func (k trick) measure(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	leader, followers := c.leader(ctx)
	if !k.all {
		followers = followers[:1]
	}
	targets, _ := c.puts(c.Hosts)
	before := c.term(ctx, leader)
	watched := c.watch(ctx, func() *prober.Prober { return prober.Start(10*time.Millisecond, 20*time.Second, targets...) })
	for _, f := range followers {
		steps.Of(leader.Sh(ctx, k.on(f)))
		if k.line != nil {
			steps.Of(f.Sh(ctx, k.line(leader)))
		}
	}
	time.Sleep(3 * time.Second)
	steps.Of(leader.Sh(ctx, k.off))
	time.Sleep(time.Second)
	longest := watched.longest(targets)
	after := c.term(ctx, leader)
	if k.line != nil && c.subject != stock {
		for _, f := range followers {
			if out, err := f.Run(ctx, "etcd-node", "status", "-o", "json"); err != nil || !strings.Contains(out, `"doubts":`) {
				steps.Fail("%s was not deceived: %w: %s", f.Name, err, out)
			}
		}
	}
	if after != before {
		fmt.Fprintf(os.Stderr, "%s: term %d, then %d\n", c.subject.name, before, after)
		if c.subject == ours {
			steps.Fail("a new term: %d, then %d", before, after)
		}
	}
	return longest
}
