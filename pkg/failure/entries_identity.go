package failure

import "slices"

// replace is the documented way to bring a node back as a new member. The old
// data is moved aside, not deleted: until the new member has caught up it may be
// the best copy that is left.
var replace = []Step{
	addAgain("on a live member, remove this one if `member list` still shows it, and add it again"),
	aside("when that is done, here", "systemctl start etcd"),
}

// addAgain makes this node a new member of its cluster.
func addAgain(say string) Step {
	return Step{say, []string{
		"etcdctl member list --endpoints={endpoints}",
		"etcdctl member remove {member-id} --endpoints={endpoints}",
		"etcdctl member add {name} --peer-urls={peer-urls} --endpoints={endpoints}",
	}}
}

// What is to be done on a node whose data is gone. It waits until the cluster has
// it as a new member, and then has data: nothing is left to be moved away. Where a
// part of the data is there it does not wait for that.
var (
	wipedPart = aside("only if a part of the data is there (the status says that its log holds no entry, or that the WAL dir is empty), and the disk with the rest is lost: here, before anything else",
		"systemctl start --no-block etcd")
	wipedAdd = addAgain("if the data is lost: on a live member, remove this one if `member list` still shows it, and add it again; {joins}")
	wipedNew = Step{"only if you want to begin a new, empty cluster here", []string{"systemctl stop etcd", "etcd-node forget", "systemctl start etcd"}}
)

// mounted comes first if data is missing.
var mounted = Step{"is this the right disk? If not, mount the right one and start etcd (where it waits, it goes on by itself); you need nothing else", []string{
	"findmnt -T {data-dir}",
}}

const neverForce = "Never start a member with an empty data dir under its old member ID: it would have forgotten votes and entries that it has promised to keep. Remove it, and add it again."

// entriesIdentity: the identity of this member, and whether its cluster agrees.
var entriesIdentity = []Entry{
	{
		ID: IDRemoved, Class: Permanent, Exit: ExitRemoved,
		Texts: []string{"the member has been permanently removed from the cluster"},
		Cause: "this member was removed from the cluster; its data is of no further use to it",
		Means: "Somebody ran `etcdctl member remove` for this member, or another member was started with --force-new-cluster (ETCD_FORCE_NEW_CLUSTER): that one has dropped all others, and goes on alone. If that was meant so, all is well. A removal is permanent: a member ID is never used again. Stock etcd ends with status 0, or reports READY and then ends, depending on whether it was up at that moment.",
		Acts:  "It has another member of the cluster confirm this, unless it has applied the removal itself. Then it stops, does not come back by itself, and keeps the data dir as it is.",
		Next: []Step{
			addAgain("if this node is to be a member again: " + replace[0].Say),
			replace[1],
			{"if it was meant to go, nothing is wrong; so that no reboot starts it again", []string{"systemctl disable etcd"}},
		},
		Never: "Never copy the data of another member over it to bring it back.",
	},
	{
		ID: IDWiped, Class: Permanent, Exit: ExitNoData, Waits: true,
		Sign:  "the data dir is empty, and the pin (kept outside of the data dir) says that a member has lived here",
		Cause: "the data dir is empty where a member used to be: was the disk wiped, or is it not mounted?",
		Means: "This node has run a member with this data dir before. In most cases the disk is not mounted. etcd would silently begin a new, empty cluster here, or break the promises that this member has made to its peers.",
		Acts:  "It touches nothing. Under systemd it waits until a mount has brought the data, and goes on by itself; data that somebody copies there, or to an empty disk that was mounted there, is not taken before a restart, because it may not be whole yet. Without systemd it refuses to start. There is one exception: if the cluster already lists a new, unstarted member with this node's peer URLs, this node is the replacement, and starts. It asks all other members, and asks again while they may not know of the new one yet: for 2 s if a quorum lists none, for 10 s if only some of them answer, for 15 s if none does. With ETCD_INITIAL_CLUSTER_STATE=existing, and while it waits, it goes on asking.",
		Next:  []Step{mounted, wipedPart, wipedAdd, wipedNew},
		Cases: map[string][]Step{
			CaseEmpty: {mounted, wipedAdd, wipedNew},
			CasePart:  {mounted, wipedPart, wipedAdd, wipedNew},
		},
		Never: neverForce,
	},
	{
		ID: IDWipedRejoin, Class: Permanent, Exit: ExitNoData,
		Texts: []string{"has already been bootstrapped", "tocommit(…is out of range [lastIndex(0)]"},
		Cause: "the cluster knows this member and counts on its data, but the data dir is empty: was the disk wiped, or is it not mounted?",
		Means: "The other members list this one and have its votes and acknowledgements on record, but there is no data here. etcd says \"already bootstrapped\" if ETCD_INITIAL_CLUSTER_STATE is new, and panics with \"tocommit is out of range\" if it is existing.",
		Acts:  "Under systemd it asks the listed members before etcd starts. It ends if a quorum of their longest list says so for 2 s; while fewer do, it waits and asks on, because one that lags behind does not know yet that this node was replaced. Without systemd it stops at once instead of trying again and again; the files that etcd has begun to write meanwhile hold nothing.",
		Next:  append([]Step{mounted}, replace...),
		Never: neverForce,
	},
	{
		ID: IDOtherIdentity, Class: Permanent, Exit: ExitForeign,
		Sign:  "the cluster ID or the member ID in the data dir differs from the pin's",
		Cause: "the data dir holds the data of another member than the one that this node has run before",
		Means: "The data names a different cluster or a different member than the pin. Either another disk is mounted, data was copied from another machine, or a snapshot was restored here on purpose. Two members with one identity corrupt a cluster.",
		Acts:  "It refuses to start and touches nothing. There is one exception: if the cluster lists the data's member and the pinned one no more, this is a replacement that has not served yet, and it goes on.",
		Next: []Step{
			{"is this the right disk? If not, mount the right one and start etcd", []string{"findmnt -T {data-dir}"}},
			{"if the data belongs here (a restored snapshot, or a disk that was moved and whose old machine is off)", []string{"etcd-node forget", "systemctl start etcd"}},
		},
		Never: "Never run `etcd-node forget` while the machine that the data came from still runs it.",
	},
	{
		ID: IDPinElsewhere, Class: Permanent, Exit: ExitConfig,
		Sign:  "the pin names another data dir than this daemon's, and there is no data of the pinned member here",
		Cause: "the pin is of another data dir",
		Means: "The pin says that another data dir is this unit's. In most cases a second unit on this machine was copied from the first one, with the same StateDirectory=: the two would overwrite each other's pin and records, and each would take the other's member for its own. Or ETCD_DATA_DIR was changed, and the data is still in the old place.",
		Acts:  "It refuses to start and touches neither the data nor the pin. There is one exception: if the cluster lists a new, unstarted member with this node's peer URLs, and the pinned one's data is gone, this node is the replacement, and starts.",
		Next: []Step{
			{"for a second member on this machine, use the template unit, whose instances have directories of their own; the settings of the instance NAME are in /etc/default/etcd@NAME", []string{
				"systemctl disable --now UNIT",
				"systemctl enable --now etcd@NAME",
			}},
			{"or, if the unit is to be kept, give it directories of its own: in [Service] an empty line StateDirectory=, then StateDirectory=NAME etcd-node@NAME, and the same with RuntimeDirectory=NAME and LogsDirectory=NAME", []string{
				"systemctl edit UNIT",
			}},
			{"if it is the same member, and only ETCD_DATA_DIR was changed, move the data", []string{
				halted("mv -T OLD-DIR/member {data-dir}/member"),
				"systemctl start etcd",
			}},
			{"only if the member of the old place is gone for good", []string{"etcd-node forget", "systemctl start etcd"}},
		},
		Never: "Never run `etcd-node forget` for a second unit that shares the pin: the first one's data would no longer be guarded.",
	},
	{
		ID: IDLoopbackData, Class: Permanent, Exit: ExitConfig,
		Sign:  "by its data this is the only member, with peer URLs on loopback, but the configuration names several members",
		Cause: "the data is that of a cluster of one on loopback, but the configuration names several members",
		Means: "Either etcd was started here once without a cluster list, or a snapshot was restored without --initial-cluster: etcdutl then writes a cluster of one on localhost. Data outranks the list, so this member would serve alone and look healthy, while the others wait for it.",
		Acts:  "It refuses to start, because only you know which of these it is and which data counts.",
		Next: slices.Concat(
			[]Step{aside("if it is a trial's data (etcd was started here once without the cluster list), move it aside and start", "etcd-node forget", "systemctl start etcd")},
			restored("if a snapshot was restored here, restore it again with the list"),
			[]Step{
				{"if this member served alone and its data counts, let it serve alone once more, with ETCD_INITIAL_CLUSTER={name}={peer-urls} in /etc/default/etcd; give it the peer URL that the others can reach; then add the others one by one", []string{
					"systemctl start etcd",
					"etcdctl member update {member-id} --peer-urls={peer-urls}",
					"etcdctl member add NAME --peer-urls=URL",
				}},
			},
		),
		Never: "Never mistake a restored snapshot for a trial: once you have moved it aside on every host, the cluster has lost it. Never start the other members with ETCD_INITIAL_CLUSTER_STATE=new while this data still counts: they would begin a cluster without it.",
	},
	{
		ID: IDLoopbackConfig, Class: Permanent, Exit: ExitConfig,
		Sign:  "by its data this is one member of several, with a peer URL that other machines reach, but neither URLs nor a cluster list are configured",
		Cause: "the data belongs to one member of several, but nothing is configured: it would serve on loopback only",
		Means: "/etc/default/etcd is empty, or is not the file with which this node was set up. The member would still follow its cluster, but it would listen only on 127.0.0.1 and send clients there.",
		Acts:  "It refuses to start and touches nothing.",
		Next: []Step{
			{"bring the configuration back; every node has the same file", []string{
				"scp OTHER-NODE:/etc/default/etcd /etc/default/etcd",
				"etcd-node config",
				"systemctl start etcd",
			}},
			{"only to look at a copy of the data, on another machine, as a separate cluster", []string{
				"etcd --data-dir=COPY --force-new-cluster",
			}},
		},
		Never: "Never use --force-new-cluster to start a member of a cluster that is serving.",
	},
	{
		ID: IDForeign, Class: Permanent, Exit: ExitForeign,
		Sign:  "the member never becomes ready, and its peers answer with another cluster ID; etcd logs \"request cluster ID mismatch\"",
		Cause: "the peers belong to another cluster (another token, or data of another cluster on this node)",
		Means: "The peers in this node's configuration answer, but with another cluster ID. etcd itself waits for ever and returns no error.",
		Acts:  "It asks each peer for its cluster ID, and stops when a quorum of them agrees on another ID than this member's. A node without data stops, under systemd, when a quorum lists it as a member of another token, or under a peer URL that is written otherwise (a name, an address), and waits while fewer do.",
		Next: []Step{
			{"compare ETCD_INITIAL_CLUSTER_TOKEN and the cluster list on all nodes", []string{"etcd-node config"}},
			aside("if this node's data is the wrong one, as where it was begun under a token or list that was corrected since, and has never served", "etcd-node forget", "systemctl start etcd"),
		},
		Never: "Never delete data on the side that serves.",
	},
}
