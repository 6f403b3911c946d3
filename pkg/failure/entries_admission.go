package failure

// entriesAdmission: a member that may not begin, or not yet, because of what the
// others say.
var entriesAdmission = []Entry{
	{
		ID: IDNotListed, Class: Operator, Asks: true,
		Sign:  "this node has no data, and a member at an address of its cluster list belongs to a cluster that does not list this node's peer URLs; or another node without data says that it waits for such a cluster",
		Cause: "a cluster lives at an address of the cluster list, and does not list this node",
		Means: "The list was changed and the cluster was not: a cluster grows by `etcdctl member add`, not by a longer ETCD_INITIAL_CLUSTER. With the list alone, this node and the other new ones would begin a second, empty cluster beside the one that lives.",
		Acts:  "It writes nothing into the data dir, asks the members of the list twice a second, and joins by itself, by the cluster's own list, once it is added. Until then it waits under systemd; without systemd it ends.",
		Next: []Step{
			{"add this node to that cluster, and it joins by itself", []string{
				"etcdctl member add {name} --learner --peer-urls={peer-urls} --endpoints={endpoints}",
			}},
			{"if that cluster has a member of this node's name, at a wrong address, that has never started (its list was mistyped when it began): tell it the right one; this node then joins by itself", []string{
				"etcdctl member update ID --peer-urls={peer-urls} --endpoints={endpoints}",
			}},
			{"a node that was added joins as a learner, which does not count for the quorum. When it runs, make it a voter; its ID is in `etcd-node status`", []string{
				"etcdctl member promote ID --endpoints={endpoints}",
			}},
			{"if that cluster is not meant, first stop it: on each of its machines", []string{"systemctl stop etcd"}},
			aside("when all of them are stopped, move the data aside and forget it: on each of its machines", "etcd-node forget"),
			{"then start all nodes of the list", []string{"systemctl restart etcd"}},
		},
		Never: "Never add several nodes at once: after each `member add`, wait until the new member serves and is promoted. Without --learner a cluster of one takes no writes until the new member has joined, and a node that never joins costs the quorum.",
	},
	{
		ID: IDSeveral, Class: Operator, Asks: true,
		Sign:  "this node has no data, and members at addresses of its cluster list belong to several clusters, of which at least one does not list this node's peer URLs",
		Cause: "members of several clusters are in the cluster list, and which one is meant cannot be told",
		Means: "A member belongs to one cluster. An entry of the list is another cluster's machine, or a second cluster was begun where one was meant. A command to add this node would be as good for one cluster as for the other, and with the client URLs of both it would go to either.",
		Acts:  "It writes nothing into the data dir, names no command, asks the members of the list twice a second, and joins by itself if one of the clusters lists it as a new member. Until then it waits under systemd; without systemd it ends.",
		Next: []Step{
			{"take the members of all clusters but the one that is meant out of ETCD_INITIAL_CLUSTER in /etc/default/etcd; this node then says how it is added to that one", []string{"systemctl restart etcd"}},
			{"if a machine of the list is in the wrong cluster, first stop it there", []string{"systemctl stop etcd"}},
			aside("and there, move its data aside and forget it; it then says how it is added", "etcd-node forget", "systemctl start etcd"),
		},
		Never: "Never give etcdctl the client URLs of several clusters at once: it takes any of them.",
	},
	{
		ID: IDNoCluster, Class: Operator, Lives: true,
		Sign:  "this node has no data, ETCD_INITIAL_CLUSTER_STATE is existing, and no member of the list answers as one of a cluster that serves",
		Cause: "ETCD_INITIAL_CLUSTER_STATE is existing, but no member of the list answers that could let this node join",
		Means: "With existing, a node without data joins a cluster that serves, and never begins one. If no node of the list has data, they all wait for each other.",
		Acts:  "It writes nothing into the data dir, and joins as soon as a member answers that lists this node. It never begins a cluster by itself. Without systemd it ends as etcd does.",
		Next: []Step{
			{"if a node of the list has data, start etcd there; this node then joins by itself", []string{"systemctl start etcd"}},
			{"if none has, this is a new cluster: on every node, set ETCD_INITIAL_CLUSTER_STATE=new in /etc/default/etcd, or remove the line; then", []string{"systemctl restart etcd"}},
		},
		Never: "Never set it to new while a node that has the data is only switched off: the others would begin an empty cluster beside it.",
	},
	{
		ID: IDNoAnswer, Class: Transient, Lives: true,
		Sign:  "this node has no data, no member of the list has said that its cluster lists this node, and a machine of the list neither refuses the connection nor answers as a node without data",
		Cause: "a machine of the cluster list gives no answer that counts, and an older cluster may live there",
		Means: "Before a new cluster begins, the machines of the list are asked whether one lives already. A machine that refuses the connection for 2 s has no etcd. One that does not answer (switched off, cut off, a firewall, a name that does not resolve) may have one. So may one that answers, but under the other scheme (http, https), with a certificate that does not fit, or as something else than an etcd.",
		Acts:  "It waits for up to ETCD_NODE_BOOTSTRAP_WAIT (30s) for a machine that is silent. Then it begins without it, as etcd does, and says so in the log, if a quorum of the list begins with it. For a machine that answers it waits without limit, except with ETCD_NODE_BOOTSTRAP_WAIT=0.",
		Next: []Step{
			{"start that machine, or open TCP port 2380 between all members", []string{"etcd-node status"}},
			{"if it answers, compare the cluster list with the URLs under which its etcd listens for peers, and the certificates of both", []string{"etcd-node config"}},
			{"if it may stay away for longer while it has the data, set ETCD_NODE_BOOTSTRAP_WAIT=forever", nil},
		},
	},
	{
		ID: IDCloned, Class: Permanent, Exit: ExitForeign,
		Sign:  "the member whose data or pin is on this node answers at the address at which it is listed, and this node is not there",
		Cause: "the member that this node remembers runs on another machine",
		Means: "This machine, its data dir or its pin is a copy of another node's. Two processes with one member ID answer for each other and forget each other's promises: acknowledged writes get lost.",
		Acts:  "It asks the member's listed address before etcd starts on the data, for 2 s, refuses to start, and touches nothing. Data of a cluster of one is not asked for, and nothing is without systemd. While it serves it asks every 30 s, where the listed address is not this machine's, and shows it. Where the cluster list does not tell them apart, it cannot see a copy while the other one is down.",
		Next: []Step{
			{"if the member has moved here, first stop it for good, on the other machine", []string{"systemctl disable --now etcd"}},
			{"and then, where it has moved to, start it here", []string{"systemctl start etcd"}},
			aside("if this machine is a clone that is to become a member of its own, move the copied data aside, forget, and start; it then says whether it has to be added",
				"etcd-node forget", "systemctl start etcd"),
		},
		Never: "Never start both, not even one after the other: each has acknowledged what the other does not know.",
	},
	{
		ID: IDOtherEntry, Class: Operator, Lives: true,
		Sign:  "the data has its own member at the address of another entry of the cluster list than this machine is, and neither this member nor another one of its cluster answers there",
		Cause: "the data is of a member that the cluster list has at another address than this machine's, and nobody says where that runs",
		Means: "Either machines have changed their addresses (DHCP, a wrong entry, a disk that was moved), and the data is right here. Or it is a copy of another machine's, which may be off: two processes with one member ID lose acknowledged writes.",
		Acts:  "Under systemd it waits, tells the other nodes whose data it has, and asks twice a second. It goes on by itself: it starts as soon as another member of the cluster answers at that address, or a node that waits with other data, or a quorum lists this member here; it looks for its address again when an address of this machine comes or goes; it ends, as cloned, if this very member answers there. Where it starts, it shows that it is not where the cluster knows it. Data of a cluster of one starts at once; without systemd all does, as with etcd.",
		Next: []Step{
			{"if machines have changed their addresses, give them back: the members go on by themselves", nil},
			{"or tell the cluster where this member is now, by one that serves", []string{
				"etcdctl member update {member-id} --peer-urls={peer-urls} --endpoints={endpoints}",
			}},
			{"etcd refuses an address that another member has: first tell the cluster the new one of that member; where two have swapped theirs, for a moment one that nobody has", []string{
				"etcdctl member update ID --peer-urls=http://127.0.0.1:1 --endpoints={endpoints}",
			}},
			{"if you know that this member runs nowhere else (its machine is off for good, or its disk is here now), say so: in /etc/default/etcd, set ETCD_INITIAL_ADVERTISE_PEER_URLS to the address at which the data has it, until the cluster knows the new one", []string{"systemctl restart etcd"}},
			{"if only the entry of this machine is wrong (ETCD_NAME, the addresses in the cluster list), correct that", []string{"etcd-node config", "systemctl restart etcd"}},
			aside("if this machine is a copy that is to become a member of its own, move the copied data aside, forget, and start; it then says whether it has to be added",
				"etcd-node forget", "systemctl start etcd"),
		},
		Never: "Never say that it runs nowhere else while the machine that it may be a copy of can come back, and never move the data aside before you know that it is a copy: it may be the only one.",
	},
}
