package failure

import "syscall"

// entriesDisk: the disk under the data, as the kernel reports it.
var entriesDisk = []Entry{
	{
		ID: IDDiskFull, Class: Transient,
		Texts: []string{"no space left on device", "disk quota exceeded"},
		errs:  []error{syscall.ENOSPC, syscall.EDQUOT},
		Cause: "the disk under the data dir is full",
		Means: "etcd ends its process when it cannot write its log or its database. What it has acknowledged is on the disk.",
		Acts:  "It releases the reserve (ETCD_NODE_DISK_RESERVE) if there is one, so that etcd can start, be compacted and defragmented, and it tries again at least every 3 s. The member is back within a second of there being space.",
		Next: []Step{
			{"what takes the space? Free some: the member comes back by itself", []string{"df -h {data-dir}", "df -i {data-dir}", "du -xsh {data-dir}/* {data-dir}/member/*"}},
			{"if it is etcd's own database, once it serves", []string{"etcdctl compact REVISION", "etcdctl defrag"}},
		},
		Never: "Never delete *.wal or *.snap files by hand: they are the data. Left-over *.wal.broken files may go.",
	},
	{
		ID: IDWALRepair, Class: Transient,
		Texts: []string{"failed to repair WAL"},
		Cause: "the end of the raft log (WAL) is cut off, and etcd cannot repair it: is the disk full?",
		Means: "A crash or a full disk has cut off the last record, which is harmless: it was never acknowledged. But the repair first copies the last WAL file, 64 MB as a rule, and that has failed. etcd logs the reason in the line before.",
		Acts:  "It tries again at least every 3 s, and releases the reserve (ETCD_NODE_DISK_RESERVE) if the disk is full.",
		Next:  []Step{{"64 MB free and writable for the service user? The member comes back by itself", []string{"df -h {data-dir}", "ls -l {data-dir}/member/wal"}}},
		Never: "Never cut or delete WAL files by hand, except for left-over *.wal.broken files.",
	},
	{
		ID: IDDiskLow, Class: Operator, Lives: true,
		Sign:  "less than a tenth of the file system, or less than twice the database's size, is free; or the reserve is released",
		Cause: "the disk under the data dir is nearly full",
		Means: "etcd writes its log in files of 64 MB, and a defragmentation needs room for a second database. When nothing is left it ends.",
		Acts:  "It shows the numbers. The reserve is released when the disk is full, and restored when there has been room for a while.",
		Next: []Step{
			{"what takes the space? Delete what is not etcd's, or enlarge the disk", []string{"df -h {data-dir}", "du -xsh {data-dir}/* {data-dir}/member/*"}},
			{"if it is etcd's own database, one member after the other", []string{"etcdctl compact REVISION", "etcdctl defrag"}},
		},
		Never: "Never delete *.wal or *.snap files by hand.",
	},
	{
		ID: IDDiskIO, Class: Operator,
		Texts: []string{"input/output error"},
		errs:  []error{syscall.EIO},
		Cause: "the disk under the data dir reports an input/output error",
		Means: "A read, a write or an fsync has failed. After a failed fsync the page cache may hold what the disk does not, so that what looks well now may be gone after the next boot. A put whose fsync failed may still have been acknowledged by the other members.",
		Acts:  "It tries again every 30 s, and says so each time. A file system that is mounted anew beside the running unit does not reach it: stop it first.",
		Next: []Step{
			{"what does the kernel say?", []string{"dmesg --level=err,warn | tail -n 50", "findmnt -T {data-dir}"}},
			{"check disk and file system before you trust this data again; with a quorum elsewhere, replace this member on another disk", []string{
				"etcdctl member remove {member-id} --endpoints={endpoints}",
				"etcdctl member add {name} --peer-urls={peer-urls} --endpoints={endpoints}",
			}},
		},
		Never: "Never take the next good start for a repair.",
	},
	{
		ID: "disk-read-only", Class: Operator,
		Texts: []string{"read-only file system"},
		errs:  []error{syscall.EROFS},
		Cause: "the file system under the data dir is read-only",
		Means: "Either the kernel has made it read-only after an error of the disk, or the unit does not allow this directory (ProtectSystem=strict allows StateDirectory= and ReadWritePaths= alone).",
		Acts:  "It tries again every 30 s. A file system that is mounted anew beside the running unit does not reach it: stop it first.",
		Next: []Step{
			{"", []string{"findmnt -T {data-dir}", "dmesg --level=err,warn | tail -n 50", "systemctl show etcd -p ReadWritePaths -p StateDirectory"}},
			{"after an error of the disk: stop, unmount, check (fsck), mount, start", []string{"systemctl stop etcd", "umount {data-dir}"}},
			{"for a data dir outside of /var/lib/etcd: ReadWritePaths= in a drop-in", []string{"systemctl edit etcd"}},
		},
		Never: "Never remount it read-write before the file system was checked.",
	},
	{
		ID: IDDiskSlow, Class: Operator, Lives: true,
		Sign:  "an fsync in the data dir does not return, or the member's process cannot be ended; etcd itself reports \"slow fdatasync\" only afterwards",
		Cause: "the disk under the data dir does not answer",
		Means: "A write to the disk hangs: a storage network, a hypervisor, a failing disk. Requests time out, and a leader with such a disk loses its followers. It comes back with the disk.",
		Acts:  "It shows which device and for how long. It does not restart the member: a start needs the same disk, and even SIGKILL waits for it.",
		Next: []Step{
			{"what does the kernel say, and who waits?", []string{"dmesg --level=err,warn | tail -n 50", "ps -eo pid,stat,wchan:32,comm | grep ' D'", "cat /proc/pressure/io"}},
		},
		Never: "Never count on SIGKILL: a process that waits for the disk ends when the disk answers.",
	},
	{
		ID: IDWALBroken, Class: Operator, Lives: true,
		Sign:  "files named *.wal.broken beside the WAL",
		Cause: "copies that repairs of the raft log (WAL) have left take space",
		Means: "Each repair of a cut-off last record keeps a copy of the WAL file as it was. Many of them tell of many power losses or of a disk that was full for long.",
		Acts:  "It reports number and size, and deletes none.",
		Next:  []Step{{"once the member serves they are of no use to it", []string{"ls -l {data-dir}/member/wal/*.broken", "rm {data-dir}/member/wal/*.broken"}}},
		Never: "Never delete files that end in .wal.",
	},
}
