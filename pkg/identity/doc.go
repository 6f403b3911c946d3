// Package identity remembers, outside of the data directory, which member of
// which cluster lives on this node: the pin.
//
// It guards against one thing. A data directory that is empty where a member
// used to be (its disk is not mounted, somebody wiped it) looks to etcd like a
// new node: a cluster of one begins anew, silently, and a member of three
// forgets what it has voted for. With a pin the node refuses, and says why.
//
// The pin is written when a member first serves, and follows it: a replacement
// that has joined under another ID pins itself. It never says what a member
// may be called or where it listens; names and addresses change freely. What
// cannot be told from an accident (a snapshot restored under other IDs, a
// deliberate new beginning) takes the operator's word, [Store.Forget]; what is
// forgotten is kept beside it.
package identity
