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
		Acts:  "It releases the reserve (ETCD_NODE_DISK_RESERVE) if there is one, so that etcd can start and you can compact and defragment it. It tries again at least every 3 s. Once there is space, the member is back within a second.",
		Next: []Step{
			{"find what takes the space, and free some; {comes-back}", []string{"df -h {data-dir}", "df -i {data-dir}", "du -xsh {data-dir}/* {data-dir}/member/*"}},
			{"if etcd's own database takes it, once the member serves", []string{"etcdctl compact REVISION", "etcdctl defrag --command-timeout=60s"}},
		},
		Never: "Never delete *.wal or *.snap files by hand: they are the data. You may delete leftover *.wal.broken files.",
	},
	{
		ID: IDWALRepair, Class: Transient,
		Texts: []string{"failed to repair WAL"},
		Cause: "the end of the raft log (WAL) is cut off, and etcd cannot repair it: is the disk full?",
		Means: "A crash or a full disk has cut off the last record. That is harmless, because the record was never acknowledged. But the repair first copies the last WAL file, which usually has 64 MB, and this copy has failed. etcd logs the reason in the line before.",
		Acts:  "It tries again at least every 3 s, and releases the reserve (ETCD_NODE_DISK_RESERVE) if the disk is full.",
		Next:  []Step{{"make sure that 64 MB are free and that the service user can write there; {comes-back}", []string{"df -h {data-dir}", "ls -l {data-dir}/member/wal"}}},
		Never: "Never cut or delete WAL files by hand, except for leftover *.wal.broken files.",
	},
	{
		ID: IDDiskLow, Class: Operator, Lives: true,
		Sign:  "less than a tenth of the file system, or less than twice the database's size, is free; or the reserve is released",
		Cause: "the disk under the data dir is nearly full",
		Means: "etcd writes its log in files of 64 MB, and a defragmentation needs room for a second database. When no space is left, etcd ends.",
		Acts:  "It shows the numbers. It releases the reserve when the disk is full, and restores it when there has been room for a while.",
		Next: []Step{
			{"find what takes the space; delete what is not etcd's, or enlarge the disk", []string{"df -h {data-dir}", "du -xsh {data-dir}/* {data-dir}/member/*"}},
			{"if etcd's own database takes it, one member after the other", []string{"etcdctl compact REVISION", "etcdctl defrag --command-timeout=60s"}},
		},
		Never: "Never delete *.wal or *.snap files by hand.",
	},
	{
		ID: IDDiskIO, Class: Operator,
		Texts: []string{"input/output error"},
		errs:  []error{syscall.EIO},
		Cause: "the disk under the data dir reports an input/output error",
		Means: "A read, a write or an fsync has failed. After a failed fsync the page cache may hold what the disk does not, so data that looks fine now may be gone after the next boot. A put whose fsync failed may still have been acknowledged by the other members.",
		Acts:  "It tries again every 30 s, and reports this each time. The running unit does not see a file system that you mount again meanwhile: stop the unit first.",
		Next: []Step{
			{"see what the kernel says", []string{"dmesg --level=err,warn | tail -n 50", "findmnt -T {data-dir}"}},
			{"check the disk and the file system before you trust this data again; if the other members have a quorum, replace this member on another disk", []string{
				"etcdctl member remove {member-id} --endpoints={endpoints}",
				"etcdctl member add {name} --peer-urls={peer-urls} --endpoints={endpoints}",
			}},
		},
		Never: "Never take a successful start for a repair.",
	},
	{
		ID: "disk-read-only", Class: Operator,
		Texts: []string{"read-only file system"},
		errs:  []error{syscall.EROFS},
		Cause: "the file system under the data dir is read-only",
		Means: "Either the kernel has made it read-only after a disk error, or the unit does not let the daemon write to this directory (ProtectSystem=strict allows only StateDirectory= and ReadWritePaths=).",
		Acts:  "It tries again every 30 s. The running unit does not see a file system that you mount again meanwhile: stop the unit first.",
		Next: []Step{
			{"does the unit let the daemon write there? For a data dir outside /var/lib/etcd this names the lines that are lacking, for a drop-in", []string{"etcd-node config", "systemctl edit etcd"}},
			{"if it does, what has made the file system read-only?", []string{"findmnt -T {data-dir}", "dmesg --level=err,warn | tail -n 50", "systemctl show etcd -p ReadWritePaths -p StateDirectory"}},
			{"after a disk error, stop the unit, unmount, check (fsck), mount, and start it", []string{halted("umount {data-dir}")}},
		},
		Never: "Never remount it read-write before you have checked the file system.",
	},
	{
		ID: IDDiskSlow, Class: Operator, Lives: true,
		Sign:  "an fsync in the data dir does not return, or the member's process cannot be ended; etcd itself reports \"slow fdatasync\" only afterwards",
		Cause: "the disk under the data dir does not answer",
		Means: "A write to the disk hangs. The cause may be a storage network, a hypervisor, or a failing disk. Requests time out, and a leader with such a disk loses its followers. The member recovers when the disk does.",
		Acts:  "It shows which device hangs and for how long. It does not restart the member: a new start needs the same disk, and even SIGKILL waits for it.",
		Next: []Step{
			{"see what the kernel says, and which processes wait", []string{"dmesg --level=err,warn | tail -n 50", "ps -eo pid,stat,wchan:32,comm | grep ' D'", "cat /proc/pressure/io"}},
		},
		Never: "Never count on SIGKILL: a process that waits for the disk ends when the disk answers.",
	},
	{
		ID: IDWALBroken, Class: Operator, Lives: true,
		Sign:  "files named *.wal.broken beside the WAL",
		Cause: "repairs of the raft log (WAL) have left copies that take up space",
		Means: "Each repair of a cut-off last record keeps a copy of the WAL file as it was. Many copies are a sign of many power losses, or of a disk that was full for a long time.",
		Acts:  "It reports their number and size. It does not delete them.",
		Next:  []Step{{"once the member serves, it does not need them any more", []string{"ls -l {data-dir}/member/wal/*.broken", "rm {data-dir}/member/wal/*.broken"}}},
		Never: "Never delete files that end in .wal.",
	},
}
