package failure

import "syscall"

// entriesNetwork: addresses, ports and peers.
var entriesNetwork = []Entry{
	{
		ID: "port-busy", Class: Transient,
		Texts: []string{"bind: address already in use"},
		errs:  []error{syscall.EADDRINUSE},
		Cause: "a port of this member is in use by another process",
		Means: "Another process listens on the client, peer or metrics port. Often it is an etcd that was started by hand or by another unit.",
		Acts:  "It tries again at least every 3 s.",
		Next: []Step{
			{"stop the other process; {comes-back}", []string{"ss -tlnp"}},
			{"or give this member ports of its own, as every further member on a machine needs, in /etc/default/etcd", []string{"etcd-node config"}},
		},
		Never: "Never remove a member because of this: the other process may be that member.",
	},
	{
		ID: IDAddressGone, Class: Operator,
		Texts: []string{"bind: cannot assign requested address"},
		errs:  []error{syscall.EADDRNOTAVAIL},
		Cause: "this machine does not have the address that the member is to listen on",
		Means: "The address was moved or renumbered, or its interface is not up.",
		Acts:  "It looks for its address again after 30 s. At a start under systemd it waits for the address instead, and goes on as soon as the kernel reports it; with etcd's config file, which it does not take apart, it tries again every 30 s.",
		Next:  []Step{{"", []string{"ip -brief address", "etcd-node config"}}},
	},
	{
		ID: "port-forbidden", Class: Operator,
		Texts: []string{"bind: permission denied"},
		Cause: "the service user may not listen on this port",
		Means: "Ports below 1024 (net.ipv4.ip_unprivileged_port_start) need a capability.",
		Acts:  "It tries again every 30 s.",
		Next:  []Step{{"use a port above 1023, or give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE", []string{"systemctl edit etcd"}}},
	},
	{
		ID: "no-descriptors", Class: Operator,
		Texts: []string{"too many open files", "file descriptor limit of etcd process is too low"},
		errs:  []error{syscall.EMFILE, syscall.ENFILE},
		Cause: "the member cannot open any more files or connections",
		Means: "Each client connection takes a descriptor, and the limit is used up (etcd keeps 150 for itself, and does not start with fewer). In most cases a client opens connections and never closes them.",
		Acts:  "If the member could not start, it tries again every 30 s.",
		Next:  []Step{{"find the client that has so many, or allow more with LimitNOFILE= in a drop-in", []string{"ss -tnp 'sport = :2379' | awk '{print $5}' | sort | uniq -c | sort -n | tail", "systemctl edit etcd"}}},
	},
	{
		ID: "listener-lost", Class: Transient,
		Texts: []string{"mux: server closed", "mux: listener closed", "use of closed network connection", "accept4: invalid argument"},
		Cause: "a listening socket of the member was closed under it",
		Means: "etcd cannot serve without it, and does not open it again.",
		Acts:  "It restarts the member at once.",
	},
	{
		ID: "peers-unreachable", Class: Transient,
		Texts: []string{"cannot fetch cluster info from peer urls"},
		Cause: "joining an existing cluster needs one reachable member of it, and none answered",
		Means: "With ETCD_INITIAL_CLUSTER_STATE=existing and no data, etcd asks the others who the members are. None of them has answered.",
		Acts:  "It tries again at least every 3 s, and names the members that do not answer, and the reason for each.",
		Next: []Step{
			{"see which members this node asks, and whether they are up and TCP port 2380 is open", []string{"etcd-node config", "etcd-node status"}},
		},
		Never: "Never set ETCD_INITIAL_CLUSTER_STATE=new to get past this: this node would begin a cluster of its own.",
	},
}
