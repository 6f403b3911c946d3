package failure

// restore are the steps that remain if the data itself is bad.
var restore = append([]Step{
	{"if a quorum of healthy members is left, replace this one; on one of the healthy members", []string{
		"etcdctl member remove {member-id} --endpoints={endpoints}",
		"etcdctl member add {name} --peer-urls={peer-urls} --endpoints={endpoints}",
	}},
	aside("then here", "systemctl start etcd"),
}, restored("if, and only if, more than half of the members have lost their data for good and no quorum is left, begin a new cluster from a snapshot")...)

const (
	stopsKeeps = "It stops, does not come back by itself, and keeps the data as it is."
	neverMend  = "Never delete single files in the data dir: what is left may start, and be wrong. Never copy another member's files here."
)

// entriesData: the data itself.
var entriesData = []Entry{
	{
		ID: IDHalfBegun, Class: Permanent, Exit: ExitData,
		Sign:  "cluster of one: the WAL holds no entry and its hard state is empty; etcd has neither members nor a term",
		Cause: "the first start of this cluster of one was interrupted before anything was stored; etcd cannot go on from there",
		Means: "The very first start was killed within its first milliseconds, and left a raft log without the entry that makes this member a member. From then on etcd starts without an error but never becomes ready. Nothing was ever stored.",
		Acts:  "It moves the unfinished files aside and begins again, if the cluster list names only this member, the state is new, there is no pin, and the WAL is empty. Otherwise it stops.",
		Next:  []Step{{"move the unfinished files aside and start again; nothing is lost", []string{halted("mv -T {data-dir}/member {data-dir}/member.unfinished"), "systemctl start etcd"}}},
	},
	{
		ID: IDAsideLimit, Class: Permanent, Exit: ExitData,
		Sign:  "unfinished files were moved aside several times already",
		Cause: "the first start of this cluster of one was interrupted too often",
		Means: "Each time, the unfinished files were moved aside and kept, and the next start was cut off as well. Something ends the member in its first milliseconds: the OOM killer, a limit, or a disk.",
		Acts:  "It does not try again.",
		Next: []Step{
			{"find out what ends the member", []string{"journalctl -u etcd -n 200", "etcd-node explain"}},
			{"when that is fixed, remove the files that were moved aside (they hold no entry), and start", []string{halted("rm -r {data-dir}/member/*.unfinished-*"), "systemctl start etcd"}},
		},
		Never: "Never remove member/wal or member/snap themselves if etcd has ever served from them.",
	},
	{
		ID: IDDamaged, Class: Permanent, Exit: ExitData,
		Texts: []string{
			"unmarshal should never fail", // before the reason, which stands behind it
			"assertion failed: ", "invalid page type: ", "invalid freelist page", "freepages: ",
			"failed to recover v3 backend from snapshot",
			"proto:…cannot parse invalid wire-format data", // between the two: one of two kinds of blank, by the build
			"failed to read WAL, cannot be repaired",
			"[signal SIGBUS", "unexpected fault address", // the mapped database ends too early
			"crc mismatch",
			// What etcd took for a torn record and cut off was the whole WAL.
			"nil pointer dereference…etcdserver.bootstrap(",
		},
		Wire:  []string{"unmarshal should never fail"},
		Sign:  "a runtime error of Go with go.etcd.io/bbolt on top of the stack",
		Cause: "the files in the data dir are damaged",
		Means: "The database or the raft log (WAL) contains something that etcd cannot have written: bytes have changed, a file is cut off, or files from different times lie side by side. The cause is a disk, a file system, a restored backup, or a change by hand.",
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
		Wire:  []string{"tocommit(…is out of range [lastIndex("},
		Sign:  "the last entry in the WAL is older than what the database has applied; or there is a database but no WAL",
		Cause: "the raft log (WAL) of this member lacks entries that it has acknowledged",
		Means: "The WAL was lost, cut off or set back to an older state. Entries that this member has acknowledged may be gone. In a cluster of one, etcd starts, elects itself, and never becomes ready, without an error. In a larger cluster it panics when the leader refers to a missing entry.",
		Acts:  stopsKeeps,
		Next:  append([]Step{{"is a separate WAL dir not mounted? If so, mount it and start etcd; you need nothing else", []string{"etcd-node config", "ls -l {data-dir}/member/wal"}}}, restore...),
		Never: neverMend,
	},
	{
		ID: "data-inconsistent", Class: Permanent, Exit: ExitData,
		Texts: []string{"found data inconsistency with peers"},
		Cause: "this member's data differs from its peers' at the same revision",
		Means: "The check at the start (--initial-corrupt-check) has compared hashes: at the same revision, this member and a peer hold different keys or values. The check does not tell which of the two is wrong.",
		Acts:  stopsKeeps,
		Next:  append([]Step{{"find the member that differs from the others", []string{"etcdctl endpoint hashkv --endpoints={endpoints} -w table"}}}, restore...),
		Never: neverMend,
	},
	{
		ID: "database-unreadable", Class: Operator,
		Texts: []string{"failed to open database"},
		Cause: "the database file cannot be opened",
		Means: "Both meta pages of the database are bad, something else stands in its place, or there is not enough address space to map it. etcd does not say which of these it is.",
		Acts:  "It tries again every 30 s.",
		Next:  append([]Step{{"is the database a file of a plausible size, and is there enough memory?", []string{"ls -l {data-dir}/member/snap", "free -m", "systemctl show etcd -p LimitAS"}}}, restore...),
		Never: neverMend,
	},
}
