package failure

// How space is given back. A member is deaf while it is defragmented, for longer
// than etcdctl's 5 s where the database is large. The leader comes last: when it
// is deaf, the others may elect another, which is then to be defragmented too.
var (
	compactAll = Step{"see how much of the file is in use, and drop old revisions; do this and the next on the leader's machine, which etcd-node status names", []string{
		"etcdctl endpoint status --cluster -w table",
		`rev=$(etcdctl endpoint status --write-out=fields {own-endpoint} {client-tls} {client-user} | sed -n 's/^"Revision" : //p')`,
		`etcdctl compact "$rev"`,
	}}
	defragOthers = Step{"give the space back, first on the other members, if there are any", []string{"etcdctl defrag --endpoints={endpoints} --command-timeout=60s"}}
	defragLeader = Step{"the leader, which is this one, comes last: a member is deaf meanwhile", []string{"etcdctl defrag --command-timeout=60s"}}
)

// entriesCluster: the cluster as seen from this member. None of these ends it:
// restarting a healthy member because of its peers makes things worse.
var entriesCluster = []Entry{
	{
		ID: IDNoQuorum, Class: Operator, Lives: true,
		Sign:  "this member knows no leader, or leads and hears no quorum; the status shows it at once, and names this entry once there was no leader for 10 s, or for two election timeouts if that is longer",
		Cause: "this member cannot reach a quorum: it knows no leader, and cannot become one",
		Means: "A quorum is more than half of the voting members. Either too few of them are up (before the first start of the others, for example) and the whole cluster waits, or only this member is cut off and the others go on without it. Until this member reaches a quorum it accepts no writes, and at most it answers serializable reads. No acknowledged write is lost by this.",
		Acts:  "The member stays up, and names the missing members and the reason for each. It serves as soon as it reaches a quorum.",
		Next: append([]Step{
			{"see which members it waits for, and why (connection refused, no route, a certificate that is refused)", []string{"etcd-node status"}},
			{"ask the others; if they have a leader, only this member is cut off", []string{"etcdctl endpoint status --endpoints={endpoints} -w table"}},
			{"remove the cause: start etcd on the others, open TCP port 2380 between all members, or renew the certificate; the member then serves by itself", nil},
		}, restored("if, and only if, more than half of the members have lost their data for good, begin a new cluster from a snapshot")...),
		Never: "Never use --force-new-cluster while a missing member may come back, and never wipe a member or restore a snapshot to get the others going: the others may lack what that member held.",
	},
	{
		ID: IDPeerFrozen, Class: Operator, Lives: true,
		Sign:  "a peer does not answer within a second, although etcd counts its connection as active (for 20 s and longer)",
		Cause: "a peer is frozen or cut off: its connection looks active, but it does not answer",
		Means: "The peer's process is stopped, its machine hangs, or a firewall drops the packets. If the other members are a quorum, the cluster goes on.",
		Acts:  "It asks each peer once a second, and shows a peer that does not answer as missing. A frozen member is restarted by the supervisor on its own node.",
		Next:  []Step{{"on that machine", []string{"systemctl status etcd", "etcd-node status", "cat /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory"}}},
		Never: "Never remove the member before you know that its machine is off: a removal cannot be undone.",
	},
	{
		ID: IDQuotaLow, Class: Operator, Lives: true,
		Sign:  "the database file is larger than 90 % of --quota-backend-bytes (2 GiB unless set)",
		Cause: "the database has nearly reached its quota; at the quota the whole cluster refuses puts (NOSPACE alarm)",
		Means: "The size of the file counts, not what is in use in it. A compaction makes room inside the file, which new data then uses; only a defragmentation makes the file smaller. If much less is in use than the file is large, a defragmentation is enough. If nearly all of it is in use after a compaction too, the data needs a larger quota, or is too much.",
		Acts:  "It shows the size, what is in use, how fast the file has grown since this member started (over an hour, or a day, at most) and when it will be full at that pace. It does not compact or defragment by itself.",
		Next: []Step{
			compactAll,
			defragOthers,
			defragLeader,
			{"so that it does not happen again, on every member: compact by itself (ETCD_AUTO_COMPACTION_RETENTION=1h), or allow more (ETCD_QUOTA_BACKEND_BYTES=4294967296 is 4 GiB; etcd is tried up to 8 GiB), and restart one member after the other", []string{"etcd-node config"}},
		},
		Never: "Never wait for the alarm: while it stands no put is taken, and it has to be disarmed by hand.",
	},
	{
		ID: IDNoSpaceAlarm, Class: Operator, Lives: true,
		Sign:  "the cluster has a NOSPACE alarm",
		Cause: "a database has reached its quota: the cluster accepts no more puts (NOSPACE alarm)",
		Means: "The database of at least one member is as large as --quota-backend-bytes allows (2 GiB unless set). Reads and deletes still work; the whole cluster refuses puts. READY and /readyz do not change. The alarm says nothing about the disk.",
		Acts:  "It shows the alarm. It does not compact or disarm anything by itself.",
		Next: []Step{
			compactAll,
			defragOthers,
			defragLeader,
			{"then disarm", []string{"etcdctl alarm disarm"}},
			{"find out what filled it: old revisions that nobody compacts (set ETCD_AUTO_COMPACTION_RETENTION), or data that needs a larger ETCD_QUOTA_BACKEND_BYTES", nil},
		},
		Never: "Never disarm before the database has room again: the alarm comes back with the next puts.",
	},
	{
		ID: IDCorruptAlarm, Class: Operator, Lives: true,
		Sign:  "the cluster has a CORRUPT alarm",
		Cause: "members hold different data (CORRUPT alarm): the cluster refuses every request",
		Means: "The members have compared hashes and found a difference. etcd refuses reads and writes until somebody has decided which member is wrong.",
		Acts:  "It shows the alarm and the member that it names. The member stays up so that its data can be compared and saved.",
		Next: []Step{
			{"find the member that differs from the majority, and keep a snapshot of each", []string{
				"etcdctl alarm list --endpoints={endpoints}",
				"etcdctl endpoint hashkv --cluster -w table",
				"etcdctl snapshot save NAME.db --endpoints=CLIENT-URL",
			}},
			{"replace the one that differs", []string{
				"etcdctl member remove ID", "etcdctl member add NAME --peer-urls=URL",
			}},
			{"then", []string{"etcdctl alarm disarm"}},
		},
		Never: "Never disarm before the member that differs is gone: the answer to a client would depend on which member it asks.",
	},
}
