// Package peers is one member's view of the others over the network: one
// client for all questions to them, its last findings, and the care for raft's
// connections with them.
//
// [Client] asks over the same ports, with the same certificates and from the same
// address as raft, so it meets the same obstacles. Neither goes through a proxy.
// [Client.Removed] has the others confirm that this member was removed. [Client.Watch] keeps asking and fills
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
// and everything written to such a stream is lost in the end.
//
// These connections are etcd's own, and its API does not reach them. The Minder
// finds them by their ports, and sets options of the sockets or ends them in the
// kernel; etcd then dials again, as it does whenever a connection breaks.
package peers
