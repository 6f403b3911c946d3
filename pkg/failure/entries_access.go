package failure

var own = Step{"give the files to the service user; the member then comes back by itself", []string{
	"ls -ld {data-dir} {data-dir}/member {data-dir}/member/*",
	"chown -R etcd:etcd {data-dir}",
	"chmod 0700 {data-dir}",
}}

// entriesAccess: files and directories that this user cannot use as they are,
// or that somebody else is using.
var entriesAccess = []Entry{
	{
		ID: IDLocked, Class: Transient,
		Texts: []string{"file already locked", "db file is flocked by another process"},
		Cause: "another process holds the lock on this member's data",
		Means: "Another etcd, an etcdutl, or a backup program has the database or the WAL open. etcd waits for the database's lock without limit and without a word for 10 s; for the WAL's lock it does not wait at all.",
		Acts:  "It names the process as far as the unit's hardening lets it see, and goes on as soon as the lock is free.",
		Next: []Step{
			{"which process has it? STATUS names it where it may be seen", []string{"fuser -v {data-dir}/member/snap/db {data-dir}/member/wal/*"}},
			{"stop it, in its own way", nil},
		},
		Never: "Never delete the file to get rid of its lock: the other process goes on writing to a file that nobody can open any more.",
	},
	{
		ID: IDDirAccess, Class: Operator,
		Texts: []string{
			"cannot access data directory", "cannot access member directory",
			"cannot write to WAL directory",
			"failed to create snapshot directory", "failed to create WAL",
			"os.OpenFile failed…permission denied", "failed to open database…permission denied",
		},
		Cause: "the data dir cannot be read or written by this user",
		Means: "A directory is missing rights, belongs to somebody else, or a file stands where a directory is expected. Mostly etcdutl or an etcd was run as root once, or data was copied without its owner.",
		Acts:  "It tries again every 30 s, and is back by itself once it may.",
		Next:  []Step{own},
		Never: "Never run the daemon as root to get past it: what it then writes belongs to root.",
	},
	{
		ID: IDDirOwner, Class: Operator,
		Sign:  "the data dir, or something in it, belongs to another user than the one that runs the daemon",
		Cause: "the data dir, or something in it, belongs to another user",
		Means: "Mostly `etcdutl snapshot restore` was run as root, or data was copied without its owner.",
		Acts:  "It tries again every 30 s, and is back by itself once the owner is right. It changes no owner.",
		Next:  []Step{own},
		Never: "Never run the daemon as root to get past it: what it then writes belongs to root.",
	},
	{
		ID: IDDirMode, Class: Operator, Lives: true,
		Sign:  "others than the service user may read or write the data dir",
		Cause: "the data dir is open to other users",
		Means: "It holds every key and value, also those that etcd's own authentication protects.",
		Acts:  "It serves, and says so. It changes no mode.",
		Next:  []Step{{"", []string{"chmod 0700 {data-dir}"}}},
	},
	{
		ID: IDCannotRecord, Class: Operator, Lives: true,
		Sign:  "the flight recorder or the pin cannot be written",
		Cause: "this node cannot write down what happens to it",
		Means: "The recorder (LogsDirectory=) or the pin (StateDirectory=) cannot be written: the disk is full, or the directory is missing or not the service user's.",
		Acts:  "The member serves on. The write is tried again; the journal has what the recorder lacks.",
		Next:  []Step{{"", []string{"ls -ld /var/log/etcd-node /var/lib/etcd-node", "df -h /var/log /var/lib"}}},
	},
}
