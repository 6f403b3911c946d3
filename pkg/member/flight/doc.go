// Package flight answers the requests that nobody else will answer: those that
// were under way to a leader that is gone.
//
// etcd's follower forwards what changes the cluster's state to the leader and
// waits until the change comes back to it, applied. If the leader is lost
// meanwhile, so may be the request, and nobody says so: the client waits for
// etcd's request timeout, 5 s and two election timeouts, and is told that the
// request timed out, possibly due to the previous leader's failure. The [Tracker]
// gives the same answer as soon as it is true.
//
// It knows the requests under way ([Tracker.Intercept]) and when this member
// lost its leader ([Tracker.Hears]). What the lost leader had stored is answered by
// etcd once this member has applied the first entry of the next leader's term;
// so has all that raft kept back while there was no leader, a moment later. What
// began before the loss and is still unanswered then is ended. (The first entry may
// come in a snapshot. That one answers nobody.)
//
// A leader that goes in good order loses none: see [Tracker.Hold].
//
// # What it promises
//
// A request is ended only if it began before this member lost a leader; never
// under the leader that it was proposed to, however slow that one is. An answer
// that comes wins. The error claims nothing about the outcome, as etcd's does not,
// and the request is not repeated: that could carry it out twice.
//
// # What it asks of its caller
//
// [Tracker.Intercept] stands inside etcd's own interceptors, [Tracker.Hears]
// listens to etcd's log from before the start, and [Tracker.Run] runs once the
// server was started. All methods are safe for concurrent use.
//
// # What it rests on
//
// Raft's words in the log for a leader that is lost or replaced, and that etcd's
// Term is the term of the last applied entry. TestLeaderKilled fails when either
// changes. So do TestRaft, for raft's words about a message that it ignores, and
// TestSnapshotText, for etcd's about a snapshot that it has applied. At run time the
// worst that follows is etcd's own timeout.
package flight
