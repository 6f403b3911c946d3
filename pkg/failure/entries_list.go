package failure

import "slices"

// What is to be done where the list and the data have other URLs. What is right in
// one case takes the change back in another.
var (
	seeURLs   = Step{"see under which URLs the data knows the members", []string{"etcd-node status"}}
	urlsToTLS = []Step{
		{"from http to https (the data has http, the list https): first restart every member, one after the other, with its certificates and the list of https. When all members are connected again, on each machine in turn (if you have set ETCD_LISTEN_PEER_URLS, first put https there)", []string{
			updateURLs,
			"systemctl restart etcd",
		}},
	}
	urlsFromTLS = []Step{
		{"the data has https, the list http: the list is what is wrong. Put https into it and name the certificates, on all machines, then restart them, one after the other; all at once where there is no leader", []string{
			"systemctl restart etcd",
		}},
	}
	urlsEarly = []Step{
		{"`member update` was done before this member had its certificate, and the others have http: give it its certificate and the list of https, and restart it", []string{
			"systemctl restart etcd",
		}},
		{"or take that back, and restart none of the others before", []string{updateURLs}},
	}
	urlsRestart = []Step{
		{"`member update` was done, and the list is right: only this member does not listen there yet", []string{"systemctl restart etcd"}},
	}
	urlsMoved = []Step{
		{"another address, and the cluster has a leader: tell it the new one, on this machine or, with --endpoints, on any other", []string{updateURLs}},
		{"all addresses are new, and there is no leader: on each machine give this member its old address beside the new one, and add the line ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380 (https with TLS) to /etc/default/etcd", []string{
			"ip address add OLD-ADDRESS dev DEVICE",
			"systemctl restart etcd",
		}},
		{"as soon as there is a leader, on each machine", []string{updateURLs}},
		{"when that is done on all machines, take both away again, on one after the other: the line in /etc/default/etcd and the old address", []string{
			"ip address del OLD-ADDRESS dev DEVICE",
			"systemctl restart etcd",
		}},
	}
	urlsCorrect = Step{"if the data is right, correct the list: it is what a new machine begins with", nil}
)

const updateURLs = "etcdctl member update {member-id} --peer-urls={peer-urls}"

// entriesList: the cluster list of the configuration against the members in the
// data. The data counts, so none of these ends the member.
var entriesList = []Entry{
	{
		ID: IDOtherURLs, Class: Operator, Lives: true,
		Sign:  "the cluster list has other peer URLs than the data, for this member or for one that does not answer",
		Cause: "the data knows members under other peer URLs than the cluster list: the data counts",
		Means: "etcd reads the list at a first start only. From then on the members dial each other under the URLs in the data, and only `etcdctl member update` changes those: a list with new addresses, or with https, changes nothing. If the members do not find each other because of this, no data is lost, and no snapshot has to be restored.",
		Acts:  "It says so, and serves. Where it derives the URLs on which it listens for peers, it goes on listening as the data says, and so with or without TLS, until `member update` was done and this member is restarted. What you have set as ETCD_LISTEN_PEER_URLS stays as it is.",
		Next:  slices.Concat([]Step{seeURLs}, urlsToTLS, urlsFromTLS, urlsEarly, urlsRestart, urlsMoved, []Step{urlsCorrect}),
		Cases: map[string][]Step{
			CaseToTLS:   slices.Concat([]Step{seeURLs}, urlsToTLS),
			CaseFromTLS: slices.Concat([]Step{seeURLs}, urlsFromTLS),
			CaseEarly:   slices.Concat([]Step{seeURLs}, urlsEarly),
			CaseRestart: slices.Concat([]Step{seeURLs}, urlsRestart),
			CaseMoved:   slices.Concat([]Step{seeURLs}, urlsMoved, []Step{urlsCorrect}),
			CaseOther:   {seeURLs, urlsCorrect},
		},
		Never: "Never restore a snapshot and never move data aside because of this: the members have all their data, and only dial each other at the wrong place.",
	},
	{
		ID: IDOtherMembers, Class: Operator, Lives: true,
		Sign:  "the cluster list names a member that the data does not have",
		Cause: "the cluster list names members that the cluster does not have: the data counts",
		Means: "etcd reads the list at a first start only. From then on the members are those in the data, and only `etcdctl member add` and `etcdctl member remove` change them. Either the cluster is to grow (it began with fewer members), or a member was removed and the list is old.",
		Acts:  "It says so, and serves with the members that the data has. It asks what lives at the listed addresses that are no members, and names the command only where no member of another cluster answers. A node that the cluster does not have does not become a member by being in a list.",
		Next: []Step{
			{"if `etcd-node status` says that the list, or ETCD_NAME, has another name for this member, correct that line, on this machine or on all: no member is missing, and none is to be added", nil},
			{"if the cluster is to grow, and no member of another cluster lives there (see `etcd-node status`): add one member, as a learner, which does not count for the quorum, and start etcd on its machine with the same list", []string{
				"etcdctl member add NAME --learner --peer-urls=URL",
			}},
			{"when `etcd-node status` shows it as connected, make it a voter, then add the next", []string{
				"etcdctl member promote ID",
			}},
			aside("if a listed node belongs to another cluster, decide which data counts. On the node whose data does not, move it aside, forget, and start; it then says how it is added",
				"etcd-node forget", "systemctl start etcd"),
			{"if a member was removed on purpose, take it out of ETCD_INITIAL_CLUSTER in /etc/default/etcd, on all machines; the next restart reads it", nil},
		},
		Never: "Never add two members to a cluster of one before the first of them runs: two of three are a quorum, and there would be one. Never add a node that has data of another cluster: it cannot join, and as a voter it costs the quorum all the same. Never start the others as a new cluster while this data counts.",
	},
	{
		ID: IDNeverStarted, Class: Operator, Lives: true,
		Sign:  "there is no leader, and without the members that were added and have never started there can be none; or the cluster list has another peer URL for a member that has never started than the data",
		Cause: "a member was added that has never started: it counts for the quorum from the moment it was added",
		Means: "`etcdctl member add` makes the cluster larger at once. A cluster of one that adds a second member has no quorum, and accepts no writes, until that one starts, with exactly the peer URL that was given to `member add`. If that URL is wrong, nobody starts there, and without a quorum `member remove` and `member update` do not work any more. No data is lost.",
		Acts:  "It shows the member and the URL with which it was added, and goes on by itself as soon as that member has started.",
		Next: []Step{
			{"see the URL with which it was added", []string{"etcd-node status"}},
			{"start a member under exactly this URL, on the machine with its address and an empty data dir: with that URL in its list, ETCD_INITIAL_CLUSTER_STATE=existing and, if the URL has the port for clients, ETCD_LISTEN_CLIENT_URLS with another port. When it serves, tell the cluster the right URL, then restart it with that one in its list and without the other lines", []string{
				"etcdctl member update ID --peer-urls=URL",
			}},
			{"only if this was a cluster of one, and no other member of it has ever run: make it one again. Its data is kept. First keep a copy", []string{
				halted("cp -a {data-dir} {data-dir}.$(date +%s)"),
			}},
			{"add the line ETCD_FORCE_NEW_CLUSTER=true to /etc/default/etcd, and start it once", []string{
				"systemctl start etcd",
				"etcdctl member list",
			}},
			{"take the line away again, at once", []string{
				"systemctl restart etcd",
			}},
			{"if there is a leader: the URL can be changed, or the member removed", []string{
				"etcdctl member update ID --peer-urls=URL",
				"etcdctl member remove ID",
			}},
		},
		Never: "Never use --force-new-cluster if another member has ever served in this cluster: that one holds the same data, and would go on by itself.",
	},
}
