package failure

var rightOwner = Step{"give the files to the service user; {comes-back}", []string{
	"ls -ld {data-dir} {data-dir}/member {data-dir}/member/*",
	"chown -R etcd:etcd {data-dir}",
	"chmod -R u+rwX {data-dir}",
	"chmod 0700 {data-dir}",
}}

var rightCaller = Step{"if the files are the user etcd's and this was started by hand as another user, nothing is wrong with them: start it as that user (sudo -u etcd and the same command), or start the unit", []string{"systemctl start etcd"}}

// entriesAccess: files and directories that this user cannot use as they are,
// or that another process is using.
var entriesAccess = []Entry{
	{
		ID: IDLocked, Class: Transient,
		Texts: []string{"file already locked", "db file is flocked by another process"},
		Cause: "another process holds the lock on this member's data",
		Means: "Another etcd, an etcdutl, or a backup program has the database or the WAL open. etcd waits for the database's lock without limit, and logs nothing about it for 10 s. It does not wait for the WAL's lock at all.",
		Acts:  "It names the process, if the unit's hardening lets it see that process, and goes on as soon as the lock is free.",
		Next: []Step{
			{"find the process that holds the lock (the status names it if it can be seen)", []string{"fuser -v {data-dir}/member/snap/db {data-dir}/member/wal/*"}},
			{"stop that process in the way that is meant for it", nil},
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
		Means: "A directory lacks permissions or belongs to another user, or a file stands where a directory is expected. In most cases etcdutl or etcd was run as root once, or the data was copied without its owner.",
		Acts:  "It tries again every 30 s, and comes back by itself once it has access.",
		Next:  []Step{rightOwner},
		Never: "Never run the daemon as root to get past it: what it then writes belongs to root.",
	},
	{
		ID: IDDirOwner, Class: Operator,
		Sign:  "the data dir, or something in it, does not belong to the user that runs the daemon",
		Cause: "the data dir, or something in it, belongs to another user",
		Means: "In most cases `etcdutl snapshot restore` was run as root, or the data was copied without its owner.",
		Acts:  "It tries again every 30 s, and comes back by itself once the owner is right. It does not change the owner.",
		Next: []Step{
			rightOwner,
			rightCaller,
		},
		Cases: map[string][]Step{CaseOwner: {rightOwner}, CaseCaller: {rightCaller}},
		Never: "Never run the daemon as root to get past it: what it then writes belongs to root.",
	},
	{
		ID: IDDirMode, Class: Operator, Lives: true,
		Sign:  "users other than the service user can read or write the data dir",
		Cause: "the data dir is open to other users",
		Means: "The data dir holds every key and value, including those that etcd's own authentication protects.",
		Acts:  "It serves, and reports this. It does not change the mode.",
		Next:  []Step{{"", []string{"chmod 0700 {data-dir}"}}},
	},
	{
		ID: IDCannotRecord, Class: Operator, Lives: true,
		Sign:  "the flight recorder or the pin cannot be written",
		Cause: "this node cannot write down what happens to it",
		Means: "The recorder (LogsDirectory=) or the pin (StateDirectory=) cannot be written: the disk is full, the directory is missing or belongs to another user, or the unit names none.",
		Acts:  "The member keeps serving. etcd-node tries the write again; the journal has what the recorder lacks.",
		Next:  []Step{{"", []string{"systemctl show etcd -p LogsDirectory -p StateDirectory", "ls -ld /var/log/etcd-node /var/lib/etcd-node", "df -h /var/log /var/lib"}}},
	},
}
