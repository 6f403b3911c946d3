package failure

// entriesPlace: members that do not find each other, at the beginning or because
// one of them is elsewhere.
var entriesPlace = []Entry{
	{
		ID: IDNoQuorumYet, Class: Operator, Lives: true,
		Sign:  "this member knows no leader, and by its data the cluster has never had one; the status shows it at once, and names this entry after 10 s, or after two election timeouts if that is longer",
		Cause: "the cluster has not begun yet: more than half of its members have to be up and to reach each other",
		Means: "A new cluster begins when more than half of the members in the cluster list run and reach each other. This one has never had a leader, so nothing is stored in it, and nothing can be lost.",
		Acts:  "The member stays up, and names the missing members and the reason for each. It serves as soon as there is a quorum.",
		Next: []Step{
			{"see which members it waits for, and why", []string{"etcd-node status"}},
			{"on each of those machines, start etcd and see what it says itself", []string{"systemctl start etcd", "etcd-node status"}},
			{"on every machine, compare the cluster list and the address that was found; TCP port 2380 must be open between all of them", []string{"etcd-node config"}},
		},
		Never: "Never use --force-new-cluster or a snapshot to get it going: the members would no longer be of one cluster.",
	},
	{
		ID: IDMisplaced, Class: Operator, Lives: true,
		Sign:  "the cluster's list has this member at an address that is on none of this machine's interfaces, or on which it does not listen, and no other member has a connection to it; or another member answers there",
		Cause: "this member is not where the cluster knows it: the other members cannot connect to it",
		Means: "The machine's address has changed, or two machines have got each other's, or the member listens on another interface than the one in the cluster's list of members. It still follows, over the connections that it opens itself. But the others cannot open one to it: they show it as missing, and cannot send it a snapshot once it has fallen far behind.",
		Acts:  "The member stays up, and shows both addresses. It does not change the cluster's list of members.",
		Next: []Step{
			{"see which addresses this machine has, and where this member listens and why", []string{"ip -brief address", "etcd-node config"}},
			{"if the address in the cluster's list is the right one, give it back to the machine, and", []string{"systemctl restart etcd"}},
			{"if the new one is, tell the cluster; then write it into the cluster list on every machine", []string{
				"etcdctl member update {member-id} --peer-urls={own-urls} --endpoints={endpoints}",
				"systemctl restart etcd",
			}},
			{"etcd refuses an address that another member has: first tell the cluster the new one of that member; where two have swapped theirs, for a moment one that nobody has", []string{
				"etcdctl member update ID --peer-urls=http://127.0.0.1:1 --endpoints={endpoints}",
			}},
		},
		Never: "Never remove this member and add it again for this: it has all its data.",
	},
}
