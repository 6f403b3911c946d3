package failure

// entriesCluster: the cluster as seen from this member. None of these ends it:
// to restart a healthy member because of its peers makes things worse.
var entriesCluster = []Entry{
	{
		ID: IDNoQuorum, Class: Operator, Lives: true,
		Sign:  "no leader, and no more than half of the voting members can be reached",
		Cause: "the cluster has no quorum: no more than half of its voting members can be reached",
		Means: "Nothing can be written, and only serializable reads are answered, until more than half of the members are there. Nothing that was acknowledged is lost by that.",
		Acts:  "The member stays up and names who is missing and why. It serves again as soon as there is a quorum.",
		Next: []Step{
			{"bring the missing members back: their etcd, their machines, the network between", []string{"etcd-node status", "etcdctl endpoint status --cluster -w table"}},
			{"only if they are lost for good, with their disks: restore the last snapshot, or this member's data, as a new cluster", []string{"etcdutl snapshot restore SNAPSHOT --data-dir=NEW", "etcd-node forget"}},
		},
		Never: "Never use --force-new-cluster while a member that is missing may come back, and never wipe a member to get the others going.",
	},
	{
		ID: IDPeerFrozen, Class: Operator, Lives: true,
		Sign:  "a peer does not answer within a second although etcd counts its connection as active, which it does for 20 s and more",
		Cause: "a peer is frozen or cut off: its connection looks active, but it does not answer",
		Means: "The process there is stopped, its machine hangs, or a firewall swallows the packets. With a quorum of others the cluster goes on.",
		Acts:  "It asks each peer itself once a second, and shows the one that does not answer as missing. On that node its own supervisor restarts a member that is frozen.",
		Next:  []Step{{"on that machine", []string{"systemctl status etcd", "etcd-node status", "cat /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory"}}},
		Never: "Never remove the member before you know that its machine is off: what removes it cannot be undone.",
	},
	{
		ID: IDNoSpaceAlarm, Class: Operator, Lives: true,
		Sign:  "the cluster has a NOSPACE alarm",
		Cause: "a database has reached its quota: the cluster takes no more puts (NOSPACE alarm)",
		Means: "The database of at least one member is as large as --quota-backend-bytes allows (2 GiB unless set). Reads and deletes go on; puts are refused in the whole cluster. READY and /readyz stay good. It says nothing about the disk.",
		Acts:  "It shows the alarm. It neither compacts nor disarms by itself.",
		Next: []Step{
			{"drop old revisions and give the space back, member by member; then disarm", []string{
				"etcdctl endpoint status --cluster -w table",
				"etcdctl compact REVISION",
				"etcdctl defrag --cluster",
				"etcdctl alarm disarm",
			}},
			{"find out what filled it: a client without compaction (ETCD_AUTO_COMPACTION_RETENTION), or data that needs a larger ETCD_QUOTA_BACKEND_BYTES", nil},
		},
		Never: "Never disarm before there is space again: it comes back with the next puts.",
	},
	{
		ID: IDCorruptAlarm, Class: Operator, Lives: true,
		Sign:  "the cluster has a CORRUPT alarm",
		Cause: "members hold different data (CORRUPT alarm): the cluster refuses every request",
		Means: "The members have compared hashes and found a difference. etcd refuses reads and writes until somebody has decided which member is wrong.",
		Acts:  "It shows the alarm and the member that it names. The member stays up so that its data can be compared and saved.",
		Next: []Step{
			{"which member differs from the majority? Keep a snapshot of each", []string{
				"etcdctl alarm list --endpoints={endpoints}",
				"etcdctl endpoint hashkv --cluster -w table",
				"etcdctl snapshot save NAME.db --endpoints=URL",
			}},
			{"replace the one that differs", []string{
				"etcdctl member remove ID", "etcdctl member add NAME --peer-urls=URL",
			}},
			{"then", []string{"etcdctl alarm disarm"}},
		},
		Never: "Never disarm before the member that differs is gone: clients would read either of two truths.",
	},
}
