// Package thisnode is this node as a command finds it, from outside of its daemon
// and whether or not one runs: [Node] is the unit that the command is about and
// what the operator wrote for it, [Daemon] whoever answers for it, and what that
// one has recorded.
//
// A command is about etcd.service, or about the unit that ETCD_NODE_UNIT names,
// and never takes what belongs to another unit. A daemon that no unit has started
// is found by its data dir. What a daemon says and has recorded counts more than
// the pin, and the pin more than what is derived here from the configuration.
//
// A command is to answer: what a daemon would wait for is waited for two seconds.
// Where nobody answers, or this user may not ask, the error is a [*NoAnswer], with
// the exit code that goes with it. Nothing is changed, and nothing is kept.
package thisnode
