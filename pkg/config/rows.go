package config

// row is a setting of ours. Parsing, `etcd-node config`, --help,
// docs/configuration.md and deploy/systemd/etcd.default are made from the
// rows; nothing else lists them. ETCD_1, ETCD_IP_1 … are an open list and
// stand in [Loaded.loadPairs].
type row struct {
	name    string
	preset  string // the default, as one would write it; "" for none
	takes   string // unit or kind of the value
	section string // of the env file, a title in [sections]
	help    string // one sentence without its full stop
	more    string // what an operator has to know beyond that; "" for nothing
	example string // the value in the env file's commented line; "" leaves the row to its section's text
	into    func(*own) any
}

const (
	duration = "duration, such as 90s or 5m"
	onOff    = "on or off"
)

// rows is the one table of the settings that are ours.
var rows = []row{
	{
		name: "ETCD_NODE_INTERFACE", takes: "name of an interface", section: addressSection,
		help:    "Interface on which to look for this machine's address",
		more:    "Without it: the address that stands in the initial cluster; else eth0's; else that of the interface with the default route.",
		example: "bond0",
		into:    func(o *own) any { return &o.Interface },
	}, {
		name: "ETCD_NODE_ADDRESS_WAIT", preset: "60s", takes: duration, section: addressSection,
		help:    "How long to wait at a time for an address that is not there yet (DHCP, DNS)",
		more:    "When it has passed, the daemon says what is missing, pauses, and looks again.",
		example: "60s",
		into:    func(o *own) any { return &o.AddressWait },
	}, {
		name: "ETCD_NODE_READY", preset: "quorum", takes: "quorum or all", section: readySection,
		help:    "When systemd is told READY: once this member has joined and serves, or, with all, once every voting member is connected, too",
		more:    "With all, one dead machine keeps the others from becoming ready.",
		example: "all",
		into:    func(o *own) any { return &o.Ready },
	}, {
		name: "ETCD_NODE_START_TIMEOUT", preset: "0s", takes: duration, section: readySection,
		help:    "How long it asks systemd for more time while it waits for its peers; 0s is for ever",
		more:    "For ever, so that the machines may be started one after the other. When a limit has passed, the daemon ends with exit code 75.",
		example: "0s",
		into:    func(o *own) any { return &o.StartTimeout },
	}, {
		name: "ETCD_NODE_FAILOVER", preset: "on", takes: onOff, section: electionSection,
		help:    "Whether a leader whose process has died is replaced at once, where etcd waits for the election timeout",
		more:    "The others are asked through raft's pre-vote, so that a quorum must agree that the leader is gone.",
		example: "off",
		into:    func(o *own) any { return &o.Failover },
	}, {
		name: "ETCD_NODE_FAST_START", preset: "on", takes: onOff, section: electionSection,
		help:    "Whether a start without a leader asks for an election at once",
		example: "off",
		into:    func(o *own) any { return &o.FastStart },
	}, {
		name: "ETCD_NODE_DISK_RESERVE", preset: "192MiB", takes: "size, such as 192MiB", section: faultSection,
		help:    "Size of a file that is kept inside the data directory and given up when the disk is full, so that etcd can start and compact; 0 is none",
		more:    "On a small disk it is smaller, or not there at all. It is made again once there is room.",
		example: "192MiB",
		into:    func(o *own) any { return &o.DiskReserve },
	}, {
		name: "ETCD_NODE_HANG_LIMIT", preset: "10s", takes: "duration of at least 3s", section: faultSection,
		help:    "How long the member may give no sign of life before it is asked what it does, killed, and started again",
		more:    "Never because of peers, leader or disk.",
		example: "10s",
		into:    func(o *own) any { return &o.HangLimit },
	}, {
		name: "ETCD_NODE_ENV_FILE", preset: DefaultEnvFile, takes: "path",
		help: "The env file that commands read; for the shell's environment, not for the file itself",
		more: "systemd reads the file that EnvironmentFile= in the unit names. A daemon that is started by hand reads one only where this variable is set, as etcd reads none.",
		into: func(o *own) any { return &o.EnvFile },
	}, {
		name: "ETCD_PEER", takes: "IP address", section: clusterSection,
		help: "This machine's own address, of the shell snippet",
		more: "The snippet's command, $(ip addr show eth0 …), is not run and means what is the default: find it out, on that interface.",
		into: func(o *own) any { return &o.Peer },
	}, {
		name: "ETCD_TOKEN", takes: "text", section: clusterSection,
		help: "The shell snippet's name for ETCD_INITIAL_CLUSTER_TOKEN",
		into: func(o *own) any { return &o.Token },
	},
}
