// Package cmdline makes command lines of etcd for tests that compare etcd-node
// with etcd itself.
//
// [Help] takes etcd's `--help` apart, as its text stands in the etcd that is
// linked in: what a user reads is what must work. [Random] rolls a command line
// and an environment out of those settings, with values that etcd can parse;
// whether they make sense together is for etcd to say.
package cmdline
