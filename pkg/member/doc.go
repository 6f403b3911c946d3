// Package member is the process that embeds etcd: it runs embed.StartEtcd
// exactly once, watches what came of it, and reports to its supervisor.
//
// [Run] blocks until the member is told to stop, fails, or loses its
// supervisor, and returns the exit code; it restarts nothing. Whatever goes
// wrong is reported before the process ends, also where etcd ends it with a
// Fatal or Panic of its own.
//
// The member calls itself ready when it has published itself through raft in
// this start, has answered one linearizable read, and has not been stopped or
// removed meanwhile. Until then it says for which members it waits, from probes
// of its own: etcd itself only knows that a peer is silent, not why.
//
// One goroutine, the loop, owns the member's life: it beats, reports and stops.
// It never waits for etcd, whose locks a hanging disk can hold. The others tell
// it what they find:
//
//	observer    what etcd knows: members, leader, alarms
//	tap         what etcd logs: connections with peers, why it ends
//	probes      what peers answer (package peers)
//	disk watch  an access that does not come back; the reserve (package disk)
//	elector     asks for elections (package election)
//
// It stops in a fraction of a second, even with watches open: the leadership is
// handed over first, clients are told to go, and then the server stops without
// waiting for the streams that never end by themselves.
package member
