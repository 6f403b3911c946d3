package failure

// entry is one row of the catalogue. The first row that matches wins, so the
// special ones stand before the general ones.
type entry struct {
	id    string
	class Class
	exit  int      // 0: ExitFailure
	match []string // any of these; "…" separates parts that must follow one another
	cause string
	next  []string // {name}, {data-dir}, {member-id} and {peer-urls} are filled in
}

// IDs that the program itself names.
const (
	IDConfiguration = "configuration"
	IDForeign       = "foreign-cluster"
	IDRemoved       = "removed"
	IDKilled        = "killed"
	IDEnded         = "ended"
	IDHang          = "hang"
	IDNoAddress     = "no-address"
	IDStartTimeout  = "start-timeout"
	IDCannotExecute = "cannot-execute"
	IDServerStopped = "server-stopped"
	IDSignalled     = "signalled"
	IDAddressGone   = "address-gone"
	IDCannotLook    = "cannot-look"
	IDHalfBegun     = "half-bootstrapped"
	IDNotStarted    = "not-started"
)

// replace is the documented way to bring a node back as a new member.
var replace = []string{
	"on a live member: etcdctl member list, etcdctl member remove {member-id}, etcdctl member add {name} --peer-urls={peer-urls}",
	"here: move {data-dir}/member aside if it exists (keep it until the member is back), set ETCD_INITIAL_CLUSTER_STATE=existing, systemctl start etcd",
}

var restore = []string{
	"with a quorum of healthy members left: replace this one — etcdctl member remove {member-id}; move {data-dir}/member aside; etcdctl member add {name} --peer-urls={peer-urls}; set ETCD_INITIAL_CLUSTER_STATE=existing; systemctl start etcd",
	"without: restore the last snapshot with etcdutl snapshot restore",
}

var catalogue = []entry{
	// ---- the cluster does not know this member (any more) ----
	{
		id: IDRemoved, class: Permanent, exit: ExitRemoved,
		match: []string{"the member has been permanently removed from the cluster"},
		cause: "this member was removed from the cluster; its data is of no further use to it",
		next:  replace,
	},
	{
		id: "already-bootstrapped", class: Permanent, exit: ExitNoData,
		match: []string{"has already been bootstrapped"},
		cause: "the cluster knows this member but its data dir is empty: was the disk wiped, or is it not mounted?",
		next:  append([]string{"is {data-dir} the right disk? findmnt -T {data-dir}; if not, mount it and systemctl start etcd"}, replace...),
	},
	{
		id: "wiped", class: Permanent, exit: ExitNoData,
		match: []string{"tocommit(…is out of range [lastIndex(0)]"},
		cause: "the cluster counts on data that this member no longer has: its data dir was emptied while the cluster kept it as a member",
		next:  append([]string{"is {data-dir} the right disk? findmnt -T {data-dir}; if not, mount it and systemctl start etcd"}, replace...),
	},
	{
		id: IDForeign, class: Permanent, exit: ExitForeign,
		cause: "the peers belong to another cluster (another token, or data of another cluster on this node)",
		next: []string{
			"compare ETCD_INITIAL_CLUSTER_TOKEN and the cluster list on all nodes: etcd-node config",
			"if this node's data is the stray one: move {data-dir}/member aside (keep it), then systemctl start etcd",
		},
	},

	// ---- names ---- (before the configuration: etcd reports a name that does not
	// resolve at this moment as a mismatch of the cluster list)
	{
		id: "name-resolution", class: Transient,
		match: []string{"lookup …no such host", "lookup …server misbehaving", "lookup …i/o timeout", "failed to resolve host"},
		cause: "a name in the cluster list does not resolve",
		next:  []string{"getent hosts NAME for each name in the cluster list; is DNS reachable?"},
	},

	// ---- the configuration ----
	{
		id: IDConfiguration, class: Permanent, exit: ExitConfig,
		match: []string{
			"couldn't find local name",
			"member count is unequal",
			"--initial-cluster…but missing from…--initial-advertise-peer-urls",
			"--initial-cluster…include",
			"but missing from --initial-cluster",
			"error validating peerURLs",
			"error setting up initial cluster",
			"incompatible with current running cluster",
		},
		cause: "etcd refuses the configuration",
		next:  []string{"etcd-node config shows every setting and where it comes from; correct /etc/default/etcd, then systemctl restart etcd"},
	},

	// ---- the disk ---- (before "damaged": a full disk makes etcd say both)
	{
		id: "disk-full", class: Transient,
		match: []string{"no space left on device", "disk quota exceeded"},
		cause: "the disk under the data dir is full",
		next:  []string{"df -h {data-dir}; free some space: the member comes back by itself, nothing acknowledged is lost"},
	},
	{
		id: "io-error", class: Operator,
		match: []string{"input/output error"},
		cause: "the disk under the data dir reports an input/output error",
		next:  []string{"dmesg --level=err; check the disk and its file system before trusting this member's data again: after a failed fsync the page cache may hold what the disk does not"},
	},
	{
		id: "data-locked", class: Transient,
		match: []string{"failed to open WAL…file already locked", "file already locked"},
		cause: "another process holds the lock on this data dir",
		next:  []string{"fuser -v {data-dir}/member/snap/db {data-dir}/member/wal; stop the other etcd"},
	},
	{
		id: "data-dir-access", class: Operator,
		match: []string{
			"cannot access data directory", "cannot access member directory",
			"cannot write to WAL directory", "failed to create snapshot directory",
			"failed to list data directory", "failed to open WAL…permission denied",
		},
		cause: "the data dir cannot be read or written by this user",
		next:  []string{"ls -ld {data-dir} {data-dir}/member {data-dir}/member/*; chown -R etcd:etcd {data-dir}: the member comes back by itself"},
	},

	// ---- damaged data, data of another version ----
	{
		id: "data-version", class: Permanent, exit: ExitData,
		match: []string{"unmarshal should never fail", "invalid downgrade; server version is lower"},
		cause: "the data dir was written by a version of etcd that this one cannot read",
		next:  []string{"upgrade one minor version at a time: 3.4 → 3.5 → 3.6 → 3.7; back to the version before needs etcdctl downgrade first"},
	},
	{
		id: "data-damaged", class: Permanent, exit: ExitData,
		match: []string{
			"assertion failed: Page expected to be",
			"failed to recover v3 backend from snapshot",
			"proto: cannot parse invalid wire-format data",
			"failed to read WAL, cannot be repaired",
			"[signal SIGBUS", "unexpected fault address", // the mapped database ends too early
			"walpb: crc mismatch", "wal: crc mismatch", "snap: crc mismatch",
		},
		cause: "the files in the data dir are damaged",
		next:  restore,
	},
	{
		id: "data-inconsistent", class: Permanent, exit: ExitData,
		match: []string{"found data inconsistency with peers"},
		cause: "this member's data differs from its peers' at the same revision",
		next:  restore,
	},
	{
		id: "database-unreadable", class: Operator,
		match: []string{"failed to open database"},
		cause: "the database file cannot be opened",
		next:  append([]string{"ls -l {data-dir}/member/snap/db; free -m"}, restore...),
	},

	// ---- the network ----
	{
		id: "port-busy", class: Transient,
		match: []string{"bind: address already in use"},
		cause: "a port of this member is in use by another process",
		next:  []string{"ss -tlnp '( sport = :2379 or sport = :2380 )'; stop the other process: the member comes back by itself"},
	},
	{
		id: IDAddressGone, class: Operator,
		match: []string{"bind: cannot assign requested address"},
		cause: "this machine does not have the address the member shall listen on",
		next:  []string{"ip address; etcd-node config"},
	},
	{
		id: "port-forbidden", class: Operator,
		match: []string{"bind: permission denied"},
		cause: "the service user may not listen on this port",
		next:  []string{"use a port above 1023, or give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE"},
	},
	{
		id: "listener-lost", class: Transient,
		match: []string{"mux: server closed", "use of closed network connection", "accept4: invalid argument"},
		cause: "a listening socket of the member was closed under it",
	},
	{
		id: "peers-unreachable", class: Transient,
		match: []string{"cannot fetch cluster info from peer urls"},
		cause: "joining an existing cluster needs one reachable member of it, and none answered",
		next:  []string{"are the other members up and TCP 2380 open? etcd-node config shows whom this node asks"},
	},

	// ---- what the program itself sees ----
	{
		id: IDServerStopped, class: Transient,
		match: []string{"server is stopping", "etcdserver: server stopped"},
		cause: "the etcd server in the member stopped by itself",
	},
	{
		id: IDSignalled, class: Transient, cause: "the member process was told to stop by a signal from outside",
		next: []string{"to stop the unit: systemctl stop etcd"},
	},
	{
		id: IDNotStarted, class: Transient, cause: "etcd did not start",
		next: []string{"journalctl -u etcd -p warning -n 50"},
	},
	{
		id: IDKilled, class: Transient, cause: "killed by a signal",
	},
	{
		id: IDEnded, class: Transient, cause: "ended without giving a reason",
		next: []string{"journalctl -u etcd -p warning -n 50"},
	},
	{
		id: IDHang, class: Transient, cause: "the member stopped answering its supervisor and was killed",
		next: []string{"journalctl -u etcd -n 100; was the machine out of memory or the process frozen?"},
	},
	{
		id: IDNoAddress, class: Operator, cause: "this machine has no usable address",
		next: []string{"ip address; set ETCD_PEER or ETCD_NODE_INTERFACE in /etc/default/etcd"},
	},
	{
		id: IDCannotLook, class: Operator, cause: "the operating system does not tell this node's address or data",
		next: []string{"systemctl show etcd -p LimitNOFILE -p TasksMax; free -m; ls -ld /var/lib/etcd: the node tries again by itself"},
	},
	{
		id: IDHalfBegun, class: Permanent, exit: ExitData,
		cause: "the first start of this cluster of one was interrupted before anything was stored; etcd cannot go on from there",
		next:  []string{"nothing is lost: mv {data-dir}/member {data-dir}/member.unfinished && systemctl start etcd"},
	},
	{
		id: IDStartTimeout, class: Permanent, exit: ExitTimeout,
		cause: "not joined within ETCD_NODE_START_TIMEOUT",
		next:  []string{"systemctl status etcd names whom it waited for"},
	},
	{
		id: IDCannotExecute, class: Operator, cause: "the member process cannot be started",
		next: []string{"ls -l /usr/bin/etcd-node; free -m; systemctl show etcd -p TasksMax"},
	},
}
