// Package datadir reads what is in a member's data directory before etcd
// touches it, and recognises the contents with which etcd would not start, or
// would start and never become ready without a word.
//
// [Inspect] only reads. It creates, repairs and locks nothing for longer than
// the read of a few database pages, and takes that lock only if it is free: a
// database that another process holds is a fact to report ([DB.Locked],
// [Holder]), not an error. Damage is a fact too; an error means that the
// directory could not be looked at, which etcd will not be able to either.
//
// It reads the listing, the pages of three small buckets of the database, and
// the newest WAL file. That file is enough, because its name and its head
// repeat what the older ones lead to, and it is 64 MB at most. With little
// data this takes 0.2 ms, with a full file a tenth of the time in which etcd
// then reads the same WAL twice (BenchmarkInspect).
//
// Methods of [Data] draw the conclusions, each with its reason as text:
//
//   - [Data.Empty]: no member has ever stored anything here.
//   - [Data.HalfBegun]: a first start was killed before it stored anything.
//     etcd never gets on from there; [MoveAside] clears the way.
//   - [Data.WALLost]: the WAL is gone, or that of a cluster of one ends before
//     the last entry that the database has applied. etcd starts, elects itself,
//     and is never ready.
//   - [Data.Behind]: a follower's WAL ends too early, and the other members can
//     help.
//   - [Data.Foreign]: written by an etcd that is too old or too new.
//   - [Data.AloneOnLoopback]: a cluster of one that only its own machine can
//     reach, which no peer will ever join.
//   - [Data.OneOfSeveral]: a member of a cluster that other machines reach.
//   - [Data.Torn] and [Data.Kept]: leftovers that take space.
//
// None of them looks at the configuration; whether a finding stops the start
// is the caller's decision.
package datadir
