package failure

// restore is what is left where the data itself is bad.
var restore = append([]Step{
	{"with a quorum of healthy members left, replace this one; on one of them", []string{
		"etcdctl member remove {member-id} --endpoints={endpoints}",
		"etcdctl member add {name} --peer-urls={peer-urls} --endpoints={endpoints}",
	}},
	{"then here", []string{
		"mv -T {data-dir}/member {data-dir}/member.old",
		"systemctl start etcd",
	}},
}, restored("only where no quorum is left, and more than half of the members have lost their data for good, begin a new cluster from a snapshot")...)

const (
	stopsKeeps = "It stops, does not come back by itself, and keeps the data as it is."
	neverMend  = "Never delete single files of it: what is left may start, and be wrong. Never copy the files of another member here."
)

// entriesData: the data itself.
var entriesData = []Entry{
	{
		ID: IDHalfBegun, Class: Permanent, Exit: ExitData,
		Sign:  "cluster of one: the WAL holds no entry and its hard state is empty; etcd has neither members nor a term",
		Cause: "the first start of this cluster of one was interrupted before anything was stored; etcd cannot go on from there",
		Means: "A kill within the first milliseconds of the very first start leaves a raft log without the entry that makes this member a member. Every later start of etcd is silent and never ready. Nothing was ever stored.",
		Acts:  "Where the list names this member alone, the state is new, there is no pin, and the WAL read offline is empty, it moves the beginnings aside and begins again. Where one of these does not hold it ends like this.",
		Next:  []Step{{"nothing is lost", []string{"mv -T {data-dir}/member {data-dir}/member.unfinished", "systemctl start etcd"}}},
	},
	{
		ID: IDAsideLimit, Class: Permanent, Exit: ExitData,
		Sign:  "unfinished beginnings were moved aside several times already",
		Cause: "the first start of this cluster of one was interrupted too often",
		Means: "Each time the beginnings were moved aside and kept, and each time the next start was cut off as well. Something ends the member in its first milliseconds: the OOM killer, a limit, a disk.",
		Acts:  "It does not try again.",
		Next: []Step{
			{"what ends it?", []string{"journalctl -u etcd -n 200", "etcd-node explain"}},
			{"when that is mended, remove what was kept (it holds no entry), and start", []string{"rm -r {data-dir}/member/*.unfinished-*", "systemctl start etcd"}},
		},
		Never: "Never remove member/wal or member/snap themselves where etcd has ever served from them.",
	},
	{
		ID: IDDamaged, Class: Permanent, Exit: ExitData,
		Texts: []string{
			"assertion failed: ", "invalid page type: ", "invalid freelist page", "freepages: ",
			"failed to recover v3 backend from snapshot",
			"proto:…cannot parse invalid wire-format data", // between the two: one of two kinds of blank, by the build
			"failed to read WAL, cannot be repaired",
			"[signal SIGBUS", "unexpected fault address", // the mapped database ends too early
			"crc mismatch",
			// What etcd took for a torn record and cut off was the whole WAL.
			"nil pointer dereference…etcdserver.bootstrap(",
		},
		Cause: "the files in the data dir are damaged",
		Means: "The database or the raft log (WAL) holds what etcd cannot have written: bytes changed, a file cut off, files of different times side by side. Disks, file systems, restored backups and hands do that.",
		Acts:  stopsKeeps,
		Next:  restore,
		Never: neverMend,
	},
	{
		ID: IDWALLost, Class: Permanent, Exit: ExitData,
		Texts: []string{
			"tocommit(…is out of range [lastIndex(", // the one with (0) stands before this
			"state.commit…is out of range",
			"wal: file not found",
		},
		Sign:  "the last entry in the WAL is older than what the database has applied; or the database is there and the WAL is not",
		Cause: "the raft log (WAL) of this member lacks entries that it has acknowledged",
		Means: "The WAL was lost, cut off or set back to an older state. Entries that count on this member's word may be gone. In a cluster of one, etcd starts, elects itself, and never becomes ready, without an error; in a cluster it panics when the leader names what is missing.",
		Acts:  stopsKeeps,
		Next:  append([]Step{{"is a separate WAL dir not mounted? If so mount it, and start etcd; nothing else is needed", []string{"etcd-node config", "ls -l {data-dir}/member/wal"}}}, restore...),
		Never: neverMend,
	},
	{
		ID: "data-inconsistent", Class: Permanent, Exit: ExitData,
		Texts: []string{"found data inconsistency with peers"},
		Cause: "this member's data differs from its peers' at the same revision",
		Means: "The check at the start (--initial-corrupt-check) has compared hashes: this member holds other keys or values than a peer at the same revision. Which of the two is wrong it does not say.",
		Acts:  stopsKeeps,
		Next:  append([]Step{{"who differs from the others?", []string{"etcdctl endpoint hashkv --endpoints={endpoints} -w table"}}}, restore...),
		Never: neverMend,
	},
	{
		ID: "database-unreadable", Class: Operator,
		Texts: []string{"failed to open database"},
		Cause: "the database file cannot be opened",
		Means: "Both of the database's head pages are bad, something else stands in its place, or there is not enough address space to map it. etcd does not say which of these needs a replacement.",
		Acts:  "It tries again every 30 s.",
		Next:  append([]Step{{"is it a file, of a plausible size, and is there memory?", []string{"ls -l {data-dir}/member/snap", "free -m", "systemctl show etcd -p LimitAS"}}}, restore...),
		Never: neverMend,
	},
}
