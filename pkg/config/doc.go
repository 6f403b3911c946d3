// Package config computes one value, once: the resolved configuration, a
// [settings.Resolved].
//
// Settings come from flags, the environment, the env file, what this machine
// is (package netdetect) and etcd's defaults, in that order of precedence;
// etcd's own settings come from etcd's own flag table (package etcdflags), never
// from a list kept here. There are two steps,
//
//	Load    parse what the operator wrote; no look at the machine, no side effects
//	Resolve add what the shell snippet would have detected and derived; validate
//
// and everything after that only reads the result. All problems are reported
// at once, as a [*settings.Invalid], each with the variable or the line of the
// env file and the way out. Load also has etcd's own Validate look at the
// settings, under a made-up identity and until it has nothing more to say
// (validate.go), checks what etcd finds out too late (check.go), and has package
// preflight look at TLS files and directories (files.go), so that hardly any
// mistake waits for an address. Neither step writes or creates anything.
//
// # What is derived, and when
//
// Only where something cluster-like is set: a cluster list (ETCD_INITIAL_CLUSTER
// or ETCD_1, ETCD_IP_1 …), discovery, ETCD_PEER or ETCD_NODE_INTERFACE. Then
// name, the four URLs and, without list and discovery, a cluster of one follow
// from what is set, and from detection where that is not enough. What is set is
// never changed. Otherwise etcd's defaults stand: no port is open to the network
// unless somebody asked for it.
//
// # Where two sources disagree
//
// A flag wins over everything, with a notice; a variable in the environment
// wins over the env file; two variables that mean the same setting (ETCD_TOKEN
// and ETCD_INITIAL_CLUSTER_TOKEN, the pairs and ETCD_INITIAL_CLUSTER) must agree.
// An empty variable counts as not set, as for etcd. An unknown ETCD_* is a
// notice, as for etcd, with the successor of what etcd no longer has; an
// ETCD_NODE_* that is nearly one of ours is a problem. Where etcd's config file is
// used it alone counts.
//
// # What did not arrive, and what lies beside
//
// Two things would begin an empty member where an operator has one, or means to
// have one, and both are problems: an env file that systemd has not handed over
// (arrival.go), and a member's data under another name near the state directory
// (statedir.go).
//
// # Shell syntax
//
// It is a problem in addresses, names, URLs, cluster lists and tokens, and in
// paths that do not exist. In passwords and the rest it is literal, with a
// notice. shell.go has the two commands that are understood.
//
// # Adding a setting of etcd-node's own
//
// Add a row to the table [Variables] with a field in values, and a field to
// [settings.Node]; go generate then writes docs/configuration.md and
// deploy/systemd/etcd.default.
package config
