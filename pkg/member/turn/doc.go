// Package turn is the one turn that the members of a cluster take at what stops a
// member on purpose: a reload, a restart, a defragmentation.
//
// Whoever holds the lease of the well-known [ID] has the turn: etcd refuses to grant
// the same ID twice. The lease writes no key and moves no revision, works where
// authentication is on, beside members of stock etcd, and ends by itself [TTL] after
// its holder died; a change of leader may begin that time anew, because etcd then
// extends all leases.
//
// The turn is a courtesy, which keeps members from stopping one another's plans. What
// makes a stop safe is the question in package spare, asked while the turn is held.
package turn
