package failure

// entriesCluster: the cluster as seen from this member. None of these ends it:
// to restart a healthy member because of its peers makes things worse.
var entriesCluster = []Entry{
	{
		ID: IDNoQuorum, Class: Operator, Lives: true,
		Sign:  "this member has known no leader for 10 s, or for two election timeouts where that is longer",
		Cause: "this member reaches no quorum: it knows no leader, and cannot become one",
		Means: "A quorum is more than half of the voting members. Either too few of them are up, as before the others' first start, and the whole cluster waits; or this member alone is cut off, and the others go on without it. Until it reaches a quorum nothing can be written through this member, and at most serializable reads are answered. Nothing that was acknowledged is lost by that.",
		Acts:  "The member stays up and names who is missing and why. It serves as soon as it reaches a quorum.",
		Next: append([]Step{
			{"for whom does it wait, and why: connection refused, no route, a certificate that is refused?", []string{"etcd-node status"}},
			{"what do the others say? If they have a leader, it is this member alone that is cut off", []string{"etcdctl endpoint status --endpoints={endpoints} -w table"}},
			{"mend that reason: start etcd on the others, open TCP 2380 between all, renew the certificate; it then serves by itself", nil},
		}, restored("only where more than half of the members have lost their data for good, begin a new cluster from a snapshot")...),
		Never: "Never use --force-new-cluster while a member that is missing may come back, and never wipe a member or restore a snapshot to get the others going: what it held may be what they lack.",
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
