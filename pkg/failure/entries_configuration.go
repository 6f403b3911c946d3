package failure

import "strings"

// entriesConfiguration: the settings of this node, and what it can find out by itself.
var entriesConfiguration = []Entry{
	{
		ID: "name-resolution", Class: Transient,
		Texts: []string{"lookup …no such host", "lookup …server misbehaving", "lookup …i/o timeout", "failed to resolve…to match --initial-cluster"},
		Cause: "a name in the cluster list does not resolve",
		Means: "A peer URL contains a host name that neither DNS nor /etc/hosts resolves at this moment. etcd reports this as a mismatch of the cluster list.",
		Acts:  "It tries again until the name resolves.",
		Next:  []Step{{"check every name in the cluster list, and whether DNS is reachable", []string{"getent hosts HOST"}}},
	},
	{
		ID: IDConfiguration, Class: Permanent, Exit: ExitConfig,
		Sign: "etcd-node finds a value that a setting does not take, or settings that contradict each other",
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
		Means: "A setting has a value that it does not take, or two contradict each other: for example, this node's name is not in the cluster list, its URLs differ from those in the list, or the members in the list differ from those of the live cluster. Stock etcd reports several of these as \"discovery failed\".",
		Acts:  "It stops, because the same configuration would fail in the same way every time.",
		Next: []Step{
			{"see every setting and where it comes from", []string{"etcd-node config"}},
			{"correct /etc/default/etcd, then", []string{"systemctl restart etcd"}},
		},
		Never: "Never empty the data dir to get past this: if there is data, etcd does not even look at the cluster list.",
	},
	{
		ID: IDEnvFile, Class: Operator,
		Sign:  "the env file exists, but this user may not read it",
		Cause: "the env file cannot be read by the service user",
		Means: "systemd reads /etc/default/etcd as root, so the daemon has its settings. But a command that the user etcd runs, or a daemon with ETCD_NODE_ENV_FILE, reads the file itself, and would go on without these settings.",
		Acts:  "It reports this instead of going on without the settings that you wrote.",
		Next: []Step{{"let the service's group read the file; other users still cannot", []string{
			"chgrp etcd /etc/default/etcd",
			"chmod 0640 /etc/default/etcd",
		}}},
	},
	{
		ID: IDNoAddress, Class: Operator, Waits: true,
		Sign:  "no address of this machine fits the configuration, or several do",
		Cause: "this machine has no usable address",
		Means: "etcd-node looks for the address in the cluster list, on ETCD_NODE_INTERFACE, on eth0, and on the interface of the default route. It has found no address yet, or more than one. Often the interface is not there yet: a VPN, a virtual IP, a bond.",
		Acts:  "Under systemd it waits for as long as it takes, says in the status what for, and goes on at once when the kernel reports the address. It listens on no other address meanwhile. Without systemd it ends at once, or when ETCD_NODE_ADDRESS_WAIT has passed.",
		Next: []Step{
			{"", []string{"ip -brief address"}},
			{"or correct the address in the cluster list, or set ETCD_PEER or ETCD_NODE_INTERFACE in /etc/default/etcd", nil},
		},
	},
	{
		ID: IDCannotLook, Class: Operator,
		Sign:  "the system refuses a netlink socket, a directory, or a descriptor",
		Cause: "the operating system does not let this node see its address or its data",
		Means: "The system does not let this program look at its addresses or its data dir. It has run out of descriptors, tasks or memory, or a hardening option forbids it.",
		Acts:  "It tries again every 30 s.",
		Next:  []Step{{"", []string{"systemctl show etcd -p LimitNOFILE -p TasksMax", "free -m", "ls -ld {data-dir}"}}},
	},
	{
		ID: IDStartTimeout, Class: Transient, Exit: ExitTimeout,
		Sign:  "the member was not ready when ETCD_NODE_START_TIMEOUT had passed",
		Cause: "not joined within ETCD_NODE_START_TIMEOUT",
		Means: "You have set a limit for the start, and the member had not joined by then. Without the setting it waits for its peers for as long as it takes.",
		Acts:  "It stops the member and ends with exit code 75; systemd starts it again.",
		Next:  []Step{{"on each of the machines that it waited for (they are named there), start etcd and see what it says itself", []string{"systemctl start etcd", "etcd-node status"}}},
		Never: "Never shorten the limit to get the member up sooner: every time the limit ends a start, the wait begins again.",
	},
	{
		ID: IDClockBack, Class: Operator, Lives: true,
		Sign:  "the clock shows an earlier time than the recorder's last record",
		Cause: "the clock has gone back to before the last recorded time",
		Means: "In most cases the machine has no battery-backed clock, and time synchronisation has not set it yet. raft and leases do not depend on the clock. TLS certificates and the times in logs do.",
		Acts:  "It goes on, and marks the jump in its records, which are ordered by number, not by time.",
		Next:  []Step{{"", []string{"timedatectl", "systemctl status systemd-timesyncd chrony"}}},
	},
}

// refused is the entry of a configuration that etcd-node itself has refused: it knows
// what is wrong, a line each, and etcd has not said a word.
func (e Entry) refused(lines string) Entry {
	e.Cause = "the configuration is not valid"
	e.Means = "A setting has a value that it does not take, or settings contradict each other. The member was not started, and its data is as it was."
	e.Texts = nil
	var wrong []Step
	for line := range strings.Lines(lines) {
		wrong = append(wrong, Step{Say: "correct " + strings.TrimSpace(line)})
	}
	e.Next = append(wrong, e.Next...)
	return e
}
