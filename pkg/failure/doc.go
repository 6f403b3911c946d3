// Package failure is the catalogue of the ways a member ends: what etcd says
// or does, and what that means for the one who is paged — class, cause in one
// sentence, next commands, exit code.
//
// etcd reports most faults only as text: an error, the message of a Fatal or
// Panic, a crash of the Go runtime. Matching on that text happens here and
// nowhere else, and tests provoke the real messages with the real etcd, so
// that a version which rewords one fails the build instead of the operator.
//
// The package knows nothing of processes and sends nothing anywhere; its
// values are plain data.
package failure
