// Package failure is the catalogue of the ways a member ends, cannot start, or
// runs without being of use: what etcd says or does, and what that means for
// the operator who is paged — class, cause in one sentence, next commands, exit
// code, and an explanation.
//
// etcd reports most faults only as text: an error, the message of a Fatal or
// Panic, a crash of the Go runtime. Only this package tells failures apart by
// that text (docs/ARCHITECTURE.md lists the other places that match text). A
// test provokes every message of etcd's with the real etcd, in processes of its
// own, so that a version which rewords one fails the build instead of the
// operator. A package that can see what etcd does in silence (member,
// supervisor, datadir, disk) recognises it there, and names the entry by its ID.
//
// The catalogue is one table, split by subject: entries_*.go. Every output prints
// the same entry: STATUS= and the log ([Failure]), `etcd-node explain`
// ([Explain]), docs/failures.md ([Page]).
//
// The package knows nothing of processes and sends nothing anywhere; its
// values are plain data, and all its functions may be called concurrently.
package failure

//go:generate go test -run=^TestPage$ -update .
