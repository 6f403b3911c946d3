// Package election asks for an election where etcd would wait for a timer.
//
// etcd's followers learn within milliseconds that the leader's process is gone,
// for its kernel closes its connections, but they wait for the election timeout
// before they act. An [Elector] stands beside one member, gathers what that
// member can know, and then asks raft, through the server's exported Process,
// for what its timer would ask for later: an election with pre-vote. It decides
// no election. A quorum must agree that the leader is gone, and members that
// still hear it do not; so a wrong guess changes nothing.
//
// The rules are two tables, in rules.go and in docs/failover.md. They look at
// a snapshot, which is data, so a decision rests on nothing else: no clock, no
// lock, no connection. The Elector takes the snapshots, does what the rules
// say, and waits until something moves.
//
// # What it promises
//
// It never forgets a leader that is newer than the one that it found dead, and
// never asks for an election in a later term than the one that it looked at:
// raft ignores both, for they carry the term. It never sends MsgTimeoutNow,
// which would skip pre-vote and the others' leases.
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
// follower give up its lease. TestRaft and TestTerms fail when either changes its
// meaning.
package election
