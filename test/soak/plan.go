package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is a way to break a host.
type kind string

const (
	killMember       kind = "kill the member"
	freezeMember     kind = "freeze the member"
	killSupervisor   kind = "kill the supervisor"
	freezeSupervisor kind = "freeze the supervisor"
	powerLoss        kind = "power loss"
	cutCable         kind = "cut the cable"
	fullDisk         kind = "full disk"
	restart          kind = "systemctl restart"
)

// kinds is how often each comes (of 100), and how long it lasts before it is
// healed. None lasts long: a soak is about how often, and an hour is to hold
// hundreds. A full disk hurts with the next snapshot, so it has to wait for one.
var kinds = []struct {
	kind        kind
	of          int
	least, most time.Duration
}{
	{kind: killMember, of: 24},
	{kind: freezeMember, of: 12, most: 6 * time.Second},
	{kind: killSupervisor, of: 14},
	{kind: freezeSupervisor, of: 8, most: 6 * time.Second},
	{kind: powerLoss, of: 12, most: 4 * time.Second},
	{kind: cutCable, of: 12, most: 8 * time.Second},
	{kind: fullDisk, of: 10, least: 3 * time.Second, most: 10 * time.Second},
	{kind: restart, of: 8},
}

const (
	// leftMember and leftSupervisor are how many of 100 frozen processes are
	// left to whoever watches over them: the supervisor takes ten seconds,
	// systemd's watchdog thirty.
	leftMember     = 20
	leftSupervisor = 5
	// chased is how many of 100 faults are followed by another on the same
	// hosts before they have recovered.
	chased = 20
	// maxCalm is the longest pause after a recovery.
	maxCalm = 1500 * time.Millisecond
)

// whom a fault strikes first.
type whom string

const (
	leader   whom = "leader"
	follower whom = "follower"
	anybody  whom = "anybody"
)

// fault is one event of the plan.
type fault struct {
	number int
	kind   kind
	hosts  int // how many it strikes: 1, 2 or 3
	whom   whom
	dice   int           // chooses among the hosts that fit
	hold   time.Duration // from the strike to the healing
	left   bool          // a frozen process is not thawed
	chase  bool          // the next fault does not wait for the recovery, and strikes the same hosts
	calm   time.Duration // after the recovery
}

// plan is an endless sequence of faults that depends on its seed only: who leads
// when a fault is due, and how long a recovery takes, are the run's.
type plan struct {
	rand   *rand.Rand
	broad  float64 // share of the faults that strike two or three hosts
	number int
}

func newPlan(seed uint64, broad float64) *plan {
	return &plan{rand: rand.New(rand.NewPCG(seed, 0)), broad: broad}
}

func (p *plan) next() fault {
	p.number++
	f := fault{number: p.number, hosts: 1, whom: anybody, dice: p.rand.IntN(1 << 16)}
	n := p.rand.IntN(100)
	for _, k := range kinds {
		if n -= k.of; n < 0 {
			f.kind = k.kind
			f.hold = k.least + p.upTo(k.most-k.least)
			break
		}
	}
	switch n := p.rand.IntN(10); {
	case n < 4:
		f.whom = leader
	case n < 7:
		f.whom = follower
	}
	if p.rand.Float64() < p.broad {
		f.hosts = 2 + p.rand.IntN(2)
	}
	n = p.rand.IntN(100)
	f.left = f.kind == freezeMember && n < leftMember || f.kind == freezeSupervisor && n < leftSupervisor
	f.chase = p.rand.IntN(100) < chased
	f.calm = p.upTo(maxCalm)
	return f
}

func (p *plan) upTo(d time.Duration) time.Duration {
	return time.Duration(p.rand.Int64N(int64(d) + 1))
}

// length says for how long.
func (f fault) length() string {
	switch {
	case f.left:
		return ", for good"
	case f.hold > 0:
		return fmt.Sprintf(" for %.2f s", f.hold.Seconds())
	}
	return ""
}

// endsSupervisor reports whether the supervisor does not live through it.
func (f fault) endsSupervisor() bool {
	switch f.kind {
	case killSupervisor, powerLoss, restart:
		return true
	}
	return f.kind == freezeSupervisor && f.left
}
