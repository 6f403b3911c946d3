package failure

// entriesForce: a setting that is for one start.
var entriesForce = []Entry{
	{
		ID: IDForced, Class: Operator, Lives: true,
		Sign:  "ETCD_FORCE_NEW_CLUSTER is set, and a member has started with it: in this daemon, or according to the pin",
		Cause: "ETCD_FORCE_NEW_CLUSTER is still set, although it is for one start",
		Means: "The setting makes etcd drop all other members from the data and serve alone. That is meant to happen once, after a quorum was lost for good. A second time it would drop the members that were added since, and they would end as removed.",
		Acts:  "It passes the setting on to etcd once, and remembers that in the pin. A restart of the member leaves it out, and so does a start of the daemon while this member is the only one. With more members a start is refused.",
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
}
