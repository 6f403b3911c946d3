// Package etcdflags knows how etcd is configured: its flag table, its config
// file, the settings that it no longer has, its logger. It turns settings into
// etcd's own embed.Config, by the steps of etcd's main.
//
// Nothing of it is a list kept here that etcd has itself: the flags are etcd's
// own table, the keys of the config file are the fields of etcd's own types.
// Where etcd keeps something to itself it is written down here, and a test
// holds it against etcd.
//
// The environment is not read here. Two flags of etcd's are bound to package
// variables: no two of [New], [Member] and [Validate] may run at the same time.
package etcdflags
