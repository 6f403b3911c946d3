package reference

// The prose of docs/configuration.md; its tables come from the settings.

const pageHead = `# Configuration

<!-- Generated from pkg/config/reference by go generate. Change it there. -->

All settings are variables: etcd's, under etcd's own names, and the few below that are etcd-node's. They stand in the env
file, ` + "`/etc/default/etcd`" + `, which is the same on every machine. ` + "`etcd-node config`" + ` shows the result on this machine, and
where each value comes from. If something is wrong it prints every problem at once and exits 78 (2 for a flag that does not
exist, as every command does). The daemon makes the same checks before it starts a member, and writes nothing before that.

A flag wins over everything, with a notice; then come the environment, the env file, what is found out about this machine,
and etcd's default. Two variables that mean the same setting must agree. An empty variable counts as not set. With etcd's own
` + "`--config-file`" + ` that file alone counts, as for etcd. It is checked like the variables, and keys that etcd ignores silently are named.

## The command

` + "```sh" + `
etcd-node config                    # a table: setting, value, origin
etcd-node config -o json            # the same for programs
etcd-node config -o env --origin    # as an env file, with each origin as a comment
etcd-node config -o command         # the line with which plain etcd would do the same
etcd-node config --diff FILE        # what would change if FILE were the env file, and when
etcd-node config --name=x …         # etcd's flags count, as for the daemon
` + "```" + `

Every format redacts secrets: ` + "`discovery-password`" + `, a ` + "`discovery-user`" + ` with a password, and credentials inside a URL.
They are not in argv either.

The command reads what the unit names, as systemd does: its ` + "`Environment=`" + `, then the files of ` + "`EnvironmentFile=`" + ` in their
order, of which the last counts. ` + "`ETCD_NODE_UNIT=etcd@events`" + ` makes this and every other command speak of another unit. Flags
on the unit's command line are not read, and that is said; so is a unit that starts another program than this one. Run as root, the command checks files and directories with the rights of the user ` + "`etcd`" + `,
if there is one, because that is the unit's user.

## etcd-node's own

`

const pageEtcd = `
An ` + "`ETCD_NODE_*`" + ` that is nearly one of these is an error; any other unknown ` + "`ETCD_*`" + ` is a notice, as for etcd. Members may also be named in pairs,
` + "`ETCD_1=etcd-1`" + ` and ` + "`ETCD_IP_1=192.168.122.5`" + ` and so on, instead of ` + "`ETCD_INITIAL_CLUSTER`" + `.

## etcd's

Each is also a flag: ` + "`ETCD_DATA_DIR`" + ` is ` + "`--data-dir`" + `.

`

const pageRetired = `
## What etcd 3.7 no longer has

Such a variable is ignored with a notice, so that it does not stop an upgrade. Such a flag is an error, as for etcd.

`

const pageTail = `
## What is checked before a member starts

Problems (exit code 78; 2 for a bad command line without systemd):

* URLs: scheme, port, a name where etcd can only listen on an address, https without a certificate, one port for clients and
  peers
* the cluster list: syntax, a static list together with discovery; before there is data also two members with one address, and
  a list that lacks this member's name or its URLs
* timing: the election timeout is at least five heartbeats and at most 50 s
* TLS files that etcd loads: they exist, the user that runs the daemon can read them, they are PEM, every
  certificate of a trusted CA can be parsed, key and certificate fit. Under systemd the daemon does not end because of these: it
  waits until they are good, with the reason in the status, and goes on by itself. A revocation list is not among them: etcd reads
  it, in DER, when somebody shows a certificate, so one that it cannot read is a notice
* the peer certificate, where the list has other members with https and there is no data yet: it verifies against the trusted
  CA, may be used as a server and, where peers must show one, as a client, and names this member's address
* values that etcd would only refuse halfway through its start: cipher suites, compaction retention
* shell syntax, quotes, comments and blanks that systemd leaves in the value of a name, an address or a URL
* an env file that systemd has not handed over, where nothing else was configured and an empty member would come up on
  loopback: the file has settings, but none is in the environment; it cannot be read; it holds a byte that systemd refuses; it is
  etcd's config file. And an env file that is given as ` + "`ETCD_CONFIG_FILE`" + `
* no data in the unit's state directory, but a member's data in a directory near it (` + "`default/`, `NAME.etcd/`" + `): only you know
  whether it counts, and ` + "`ETCD_DATA_DIR`" + ` says so
* a path with shell syntax, such as ` + "`${HOME}/etcd`" + `, unless that very path exists

Problems for ` + "`etcd-node config`" + ` alone (the daemon waits until they are mended): a data or WAL dir that is not a directory
or, for root, does not belong to the user ` + "`etcd`" + `.

Notices, which do not stop the start:

* with data, which then tells etcd its members: two members with one address in the list, and what is said above of the peer
  certificate
* chain, key usages and names of all other certificates: etcd serves with them, and some clients may not connect
* certificates that have expired, are not valid yet, or expire soon: within 30 days, or within the last quarter of their life
* TLS files that no URL needs
* an even number of members, a quota above 8 GiB, a name that the env file sets twice, settings without effect
* a data dir on a network, overlay or memory file system
* from ` + "`etcd-node config`" + ` alone: a data dir whose mode lets other users in; an env file that is not the one that
  ` + "`etcd.service`" + ` reads, or one that is not there; a unit that starts another program, or that systemd has not read anew; what ` + "`etcd.service`" + ` hides from the daemon (` + "`ProtectHome=`" + `) or does not let it write to
  (` + "`ProtectSystem=`, `ReadWritePaths=`" + `)
`
