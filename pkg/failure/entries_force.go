package failure

// entriesForce: a setting that is for one start.
var entriesForce = []Entry{
	{
		ID: IDForced, Class: Operator, Lives: true,
		Sign:  "ETCD_FORCE_NEW_CLUSTER is set, and a member has started with it: in this daemon, or according to the pin",
		Cause: "ETCD_FORCE_NEW_CLUSTER is still set, although it is for one start",
		Means: "The setting makes etcd drop all other members from the data and serve alone. That is meant to happen once, after a quorum was lost for good. A second time it would drop the members that were added since, and they would end as removed.",
		Acts:  "It passes the setting on to etcd once, if no other member of the data is alive, and remembers that in the pin. A restart of the member leaves it out, and so does a start of the daemon while this member is the only one. With more members a start is refused.",
		Next:  []Step{{"remove the line from /etc/default/etcd, then add the other members; this needs no restart", []string{"etcd-node config", "etcdctl member add NAME --peer-urls=URL"}}},
		Never: "Never leave the line there.",
	},
	{
		ID: IDForcedAgain, Class: Permanent, Exit: ExitConfig,
		Sign:  "ETCD_FORCE_NEW_CLUSTER is set, the pin says that a member has started with it, and the data has several members",
		Cause: "ETCD_FORCE_NEW_CLUSTER is still set, and would now drop the members that were added since its first use",
		Means: "The setting is meant for one start. It was left in the configuration, and the cluster has more than this one member by now.",
		Acts:  "It refuses to start and touches nothing. After a start without the setting it counts once more.",
		Next: []Step{
			{"remove the line (`etcd-node config` says where it is), and start", []string{"etcd-node config", "systemctl start etcd"}},
			{"only if this member shall once more begin a cluster without the others: start it once without the setting, then set it again", nil},
		},
		Never: "Never force a new cluster while a quorum of the members is alive.",
	},
	{
		ID: IDForcedBeside, Class: Permanent, Exit: ExitConfig,
		Sign:  "ETCD_FORCE_NEW_CLUSTER is set, and another member of the data answers as a member of this very cluster, or is about to begin with the same setting",
		Cause: "ETCD_FORCE_NEW_CLUSTER is set, but other members of this cluster are alive",
		Means: "The setting makes etcd drop all other members from the data and serve alone. Members that are alive would be thrown out and lose what only they hold, and those with the same setting would begin one cluster each, all with the same ID.",
		Acts:  "It asks the other members of the data at all their peer URLs, for 2 s, and goes on only where none of them answers. It refuses to start and touches nothing. Without systemd nobody is asked.",
		Next: []Step{
			{"if the others are to go on, remove the line (`etcd-node config` says where it is), and start", []string{"etcd-node config", "systemctl start etcd"}},
			{"only if this member alone shall go on, for good: first stop every other one, so that no reboot starts it again, on its own machine", []string{"systemctl disable --now etcd"}},
			{"then here", []string{"systemctl start etcd"}},
			{"and take the line away again. The others come back as new members, each with an empty data dir; what to do there", []string{"etcd-node explain removed"}},
		},
		Never: "Never put the line into a file that all members share: only the member that is to go on alone may have it. Never force a new cluster while a quorum of the members is alive.",
	},
}
