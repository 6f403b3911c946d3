package reference

// section is a part of the env file. Its text is printed as it is, above the
// variables of config.Variables that belong to it: what it says of etcd's own
// settings, and in which order they make sense, no table knows.
type section struct{ key, title, text string }

var sections = []section{
	{"cluster", "Three machines", `# Replace names and addresses, uncomment, copy the file to all three, and on
# each of them:  systemctl enable --now etcd
#
#ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380,etcd-2=http://192.168.122.6:2380,etcd-3=http://192.168.122.7:2380
#ETCD_INITIAL_CLUSTER_TOKEN=my-etcd
#
# Or the same cluster as numbered pairs. The two lines with $( ) may stay if
# you paste them: nothing runs them, they say "find it out", which is the
# default.
#
#ETCD_TOKEN=my-etcd
#ETCD_PEER=$(ip addr show eth0 | grep "inet\b" | awk '{print $2}' | cut -d/ -f1)
#ETCD_NAME=$(hostname -s)
#ETCD_1=etcd-1
#ETCD_IP_1=192.168.122.5
#ETCD_2=etcd-2
#ETCD_IP_2=192.168.122.6
#ETCD_3=etcd-3
#ETCD_IP_3=192.168.122.7
#
# The initial cluster is for the first start: afterwards the data knows the
# members. A machine that joins an existing cluster gets
#ETCD_INITIAL_CLUSTER_STATE=existing
`},
	{"address", "Which address", ""},
	{"timing", "Timing, in milliseconds", `# etcd's defaults, 100 and 1000, suit machines in one place. Across data
# centres, or with slow disks: heartbeat about the round trip between members,
# election ten times as much. The price: a leader that is lost with its machine
# is replaced after 5-7 s instead of 1-1.6 s. The same on all machines.
#ETCD_HEARTBEAT_INTERVAL=1000
#ETCD_ELECTION_TIMEOUT=5000
`},
	{"tls", "TLS", `# For a new cluster: see docs/operations.md before you change a running one.
# With certificates given, the URLs that etcd-node derives are https; write
# https in the initial cluster too. The user etcd must be able to read the
# keys: chown root:etcd, mode 0640, in a directory outside of /home and /root.
#ETCD_CERT_FILE=/etc/etcd/server.crt
#ETCD_KEY_FILE=/etc/etcd/server.key
#ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
#ETCD_CLIENT_CERT_AUTH=true
#ETCD_PEER_CERT_FILE=/etc/etcd/server.crt
#ETCD_PEER_KEY_FILE=/etc/etcd/server.key
#ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt
#ETCD_PEER_CLIENT_CERT_AUTH=true
`},
	{"ready", "When it is ready", ""},
	{"election", "Elections without waiting; see docs/failover.md", ""},
	{"fault", "When things go wrong; see docs/failures.md and `etcd-node explain`", ""},
}

const envFileHead = "# Settings of etcd on this machine: the same file on every machine of a cluster.\n" + `#
# Each etcd node finds its own address and name; ` + "`etcd-node config`" + ` shows the
# result and where each value comes from, and says what is wrong with it.
# With every line commented out: one member, on loopback only.
#
# systemd reads this file, and it is not a shell script: one NAME=value a line,
# nothing is expanded, and a comment needs a line of its own, because a # behind
# a value belongs to the value. All of etcd's settings work here under etcd's
# own names (--some-setting is ETCD_SOME_SETTING); docs/configuration.md has all.
#
# A change is taken up by ` + "`systemctl reload etcd`" + `, said on all machines at once if
# you like: they take turns, and the cluster serves throughout. ` + "`etcd-node check`" + `
# looks beforehand, and ` + "`etcd-node config --diff FILE`" + ` says what another file
# would change.
`
