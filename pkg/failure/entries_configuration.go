package failure

// entriesConfiguration: what this node was told, and what it can find out.
var entriesConfiguration = []Entry{
	{
		ID: "name-resolution", Class: Transient,
		Texts: []string{"lookup …no such host", "lookup …server misbehaving", "lookup …i/o timeout", "failed to resolve…to match --initial-cluster"},
		Cause: "a name in the cluster list does not resolve",
		Means: "A peer URL holds a host name for which DNS or /etc/hosts has no answer at this moment. etcd reports it as a mismatch of the cluster list.",
		Acts:  "It tries again until the name resolves.",
		Next:  []Step{{"for each name in the cluster list; is DNS reachable?", []string{"getent hosts NAME"}}},
	},
	{
		ID: IDConfiguration, Class: Permanent, Exit: ExitConfig,
		Texts: []string{
			"couldn't find local name",
			"member count is unequal",
			"--initial-cluster has…but missing from --initial-advertise-peer-urls",
			"--initial-advertise-peer-urls has…but missing from --initial-cluster",
			"error validating peerURLs",
			"error setting up initial cluster",
			"has duplicate url",
			"incompatible with current running cluster",
		},
		Cause: "etcd refuses the configuration",
		Means: "A setting is wrong, or two contradict each other: this node's name is not in the cluster list, its URLs are others than the list's, or the list has other members than the live cluster. Stock etcd prints several of these as \"discovery failed\".",
		Acts:  "It stops, because the same configuration fails the same way each time.",
		Next: []Step{
			{"shows every setting and where it comes from", []string{"etcd-node config"}},
			{"correct /etc/default/etcd, then", []string{"systemctl restart etcd"}},
		},
		Never: "Never empty the data dir to get past it: with data in place etcd does not even look at the cluster list.",
	},
	{
		ID: IDEnvFile, Class: Operator,
		Sign:  "the env file exists, but this user may not read it",
		Cause: "the env file cannot be read by the service user",
		Means: "systemd reads /etc/default/etcd as root, so that the daemon has its settings. But a command that the user etcd runs, or a daemon with ETCD_NODE_ENV_FILE, reads the file itself, and sees other settings than the daemon's or none.",
		Acts:  "It says so instead of going on with other settings than those that you wrote.",
		Next: []Step{{"let the service's group read it; secrets stay secret from the others", []string{
			"chgrp etcd /etc/default/etcd",
			"chmod 0640 /etc/default/etcd",
		}}},
	},
	{
		ID: IDNoAddress, Class: Operator,
		Sign:  "no address of this machine fits the configuration, or several do",
		Cause: "this machine has no usable address",
		Means: "The address is looked for in the cluster list, on ETCD_NODE_INTERFACE, on eth0, and on the interface of the default route. None has one yet, or what was found is ambiguous.",
		Acts:  "It waits for ETCD_NODE_ADDRESS_WAIT at a time, and looks again.",
		Next: []Step{
			{"", []string{"ip -brief address"}},
			{"or settle it with ETCD_PEER or ETCD_NODE_INTERFACE in /etc/default/etcd", nil},
		},
	},
	{
		ID: IDCannotLook, Class: Operator,
		Sign:  "the system refuses a netlink socket, a directory, a descriptor",
		Cause: "the operating system does not tell this node's address or data",
		Means: "What this program needs to look at (addresses, the data dir) is refused by the system: too few descriptors or tasks, no memory, a hardening option.",
		Acts:  "It tries again every 30 s.",
		Next:  []Step{{"", []string{"systemctl show etcd -p LimitNOFILE -p TasksMax", "free -m", "ls -ld {data-dir}"}}},
	},
	{
		ID: IDStartTimeout, Class: Transient, Exit: ExitTimeout,
		Sign:  "the member was not ready when ETCD_NODE_START_TIMEOUT had passed",
		Cause: "not joined within ETCD_NODE_START_TIMEOUT",
		Means: "You have set a limit for the start, and the member had not joined by then. Without the setting it waits for its peers for as long as it takes.",
		Acts:  "It stops the member and ends with an exit code of its own; systemd starts it again.",
		Next:  []Step{{"names whom it waited for", []string{"systemctl status etcd"}}},
		Never: "Never shorten the limit to get the member up sooner: each end throws away what it has waited for.",
	},
	{
		ID: IDClockBack, Class: Operator, Lives: true,
		Sign:  "the clock shows a time before the last one that the recorder has written down",
		Cause: "the clock has gone back to before the last recorded time",
		Means: "Mostly a machine without a battery-backed clock, before time synchronisation. raft and leases do not depend on the clock; TLS certificates do, and so do the times in logs.",
		Acts:  "It goes on, and marks the jump in its records, which are ordered by number, not by time.",
		Next:  []Step{{"", []string{"timedatectl", "systemctl status systemd-timesyncd chrony"}}},
	},
}
