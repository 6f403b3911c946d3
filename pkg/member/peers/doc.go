// Package peers is one member's view of the others over the network: one
// client for all that is asked of them, what it found last, and the care for
// raft's connections with them.
//
// [Client] asks over the same port and with the same certificates as raft, so
// that what it meets is what raft meets. [Client.Watch] keeps asking and fills
// [Findings]: etcd itself only knows that a peer is silent, not why.
//
// [Minder] ends TCP connections with peers that have outlived the network under
// them, so that raft is back as soon as the network is.
//
// etcd means to give a stream up after 5 s without a word from its peer
// (--raft-read-timeout; each end says something every third of it). In 3.7 that
// has no effect: its transport sets DialContext, and so net/http never calls
// the dialer that would set the deadlines. A stream into a cut cable then lasts
// as long as TCP tries, a quarter of an hour, at intervals that double up to
// two minutes. For up to two minutes after the cable is back nothing passes,
// and what is written to such a stream is lost in the end.
//
// These connections are etcd's own and out of reach by its API. They are found
// by their ports, and what is set or ended is the socket in the kernel; etcd
// then does what it does whenever a connection breaks, and dials again.
package peers
