// Package identity remembers, outside of the data directory, which member of
// which cluster lives on this node: the pin.
//
// It guards against one thing. A data directory that is empty where a member
// used to be (its disk is not mounted, somebody wiped it) looks to etcd like a
// new node: a cluster of one begins anew, silently, and a member of three
// forgets what it has voted for. With a pin the node refuses, and says why.
//
// The pin is written when a member has first stored something, and follows it: a
// replacement that has joined under another ID pins itself. The pin does not bind the
// member to a name or an address; these change freely. It names the data dir, and
// follows the data to another one: by that a second unit on the machine, which
// shares the directory with the first one, is told from a member that has moved. A
// snapshot restored under other IDs and a deliberate new beginning look like an
// accident. There the operator has to speak, with [Store.Forget], which keeps the
// pin under another name.
//
// [Store] is the file, [Keeper] writes it for a caller that must not wait for
// its disk.
package identity
