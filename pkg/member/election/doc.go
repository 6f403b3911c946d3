// Package election asks for an election where etcd would wait for a timer.
//
// etcd's followers learn within milliseconds that the leader's process is
// gone, for its kernel closes its connections, but they wait for the election
// timeout before they act. An [Elector] stands beside one member, gathers what
// that member can know, and then asks raft, through the server's exported
// Process, for what its timer would ask for later: an election with pre-vote.
// It never decides one. A quorum must agree that the leader is gone, and
// members that still hear the leader do not; so a wrong guess changes nothing.
//
// # A dead leader
//
// All of this must be so, or nothing is done:
//
//  1. an idle connection of our own to the leader's peer port has ended;
//  2. a new one is refused, not merely reset or unanswered;
//  3. the streams on which raft hears the leader are lost;
//  4. the stream that the leader opened to us is lost too. What stands between
//     us and its port (a firewall, a load balancer, a DNAT) can bring about 1
//     to 3 for every follower at once while the leader lives; its own
//     connections to us end with its process only, or after seconds in which
//     nothing passes between the hosts. A connection that is only
//     written to shows its end when it is written to: see knock.
//
// Every follower with the evidence then forgets the leader, so that it may vote
// for another; they campaign in the order of their member IDs, [stagger] apart,
// while there still is no leader. A leader that turns out to be alive is left
// to etcd's timers for minutes, longer each time.
//
// # A start
//
// A member that starts and sees a quorum of connected voting members (itself,
// when it is the only one) asks the others whether one of them leads, and if
// none does campaigns in the same order. Two that have just started have no
// lease: a leader that neither has heard yet would have to step down.
//
// # What it asks of its caller
//
// The member runs with pre-vote and check-quorum (etcd always has the latter).
// Run it once, after the server was started; it blocks until its context ends.
// [Streams] must listen to the server's log from before the start.
//
// # What it rests on
//
// Two exported parts of raft that are not meant for this: [raft.LocalAppendThread]
// as sender lets MsgHup through to raft, and raftpb.MsgForgetLeader makes a
// follower give up its lease. TestRaft fails when either changes its meaning.
// MsgTimeoutNow is never sent: it would skip pre-vote and the others' leases.
package election
