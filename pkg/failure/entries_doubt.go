package failure

// entriesDoubt: what looks like something worse, and is not believed at the first
// word.
var entriesDoubt = []Entry{
	{
		ID: IDRemovalUnproven, Class: Transient,
		Sign:  "etcd says that the member has been permanently removed from the cluster, but no member of the cluster confirms it",
		Cause: "this member was told that it was removed, but no member of its cluster says so",
		Means: "etcd takes every HTTP status 403 to a message between members for a removal. It can come from a proxy, a firewall or a load balancer in between, from another service at the peer's address, or from a member that is not the one this member takes it for. Two members that were both started with --force-new-cluster have dropped each other, and say so of each other, too. A removal that is real is confirmed by a member that does not list this one any more.",
		Acts:  "It asks every member for its list, names what each says, and restarts the member: at once, then with growing pauses up to 3 s. Members are dialed past the proxy that HTTP_PROXY or HTTPS_PROXY names, except at a first start by discovery.",
		Next: []Step{
			{"see what answers at the other members' peer URLs", []string{"etcd-node status"}},
			{"does a live member still list this one? Then find what sits in between, and let TCP port 2380 pass it untouched", []string{"etcdctl member list --endpoints={endpoints} -w table"}},
			{"does another member list itself alone? Both were started with --force-new-cluster: stop the one that is not meant, for good, on its machine", []string{"systemctl disable --now etcd"}},
		},
		Never: "Never remove this member, or its data, because of this.",
	},
	{
		ID: IDMessage, Class: Transient,
		Sign:  "the member ended by what a damaged message can cause as well as damaged data, for the first time since it last served for 10 s; or by a message that it could not decode",
		Cause: "the member ended because of a message from another member, or of its own data; it is started once more to find out",
		Means: "A message between members was damaged on its way (a network card, its driver, a switch, memory), or the raft log of this member lacks entries. The checksum of TCP lets one damaged packet in 65,536 pass. The data was whole when the member started.",
		Acts:  "It starts the member once more. If that ends in the same way, the data is taken for damaged, and the daemon ends.",
		Next: []Step{
			{"it should serve now; if this happens again and again, look for errors of the network card and the memory, here and on the other members' machines; TLS between the members finds every damaged message", []string{"ip -s link", "journalctl -k -p warning -n 50"}},
		},
		Never: "Never wipe the data because of one such end.",
	},
}
