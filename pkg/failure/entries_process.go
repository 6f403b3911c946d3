package failure

var journal = Step{"", []string{"journalctl -u etcd -p warning -n 50"}}

// entriesProcess: the member process, as its supervisor sees it.
var entriesProcess = []Entry{
	{
		ID: IDOutOfMemory, Class: Transient,
		Texts: []string{"runtime: out of memory", "runtime: cannot allocate memory"},
		Sign:  "SIGKILL, and the cgroup's memory.events counts one more oom_kill",
		Cause: "the member was killed because memory ran out",
		Means: "The kernel's OOM killer, or the unit's MemoryMax=, ended the member; or the system refused it more memory. What it had acknowledged is on the disk.",
		Acts:  "It restarts the member at once, then with growing pauses up to 3 s.",
		Next: []Step{
			{"find out what took the memory", []string{"journalctl -k -g 'oom|Out of memory' -n 20", "systemctl show etcd -p MemoryMax -p MemoryPeak", "free -m"}},
			{"etcd keeps its index and parts of its database in memory; large range requests and many watchers take more", nil},
		},
		Never: "Never set MemoryMax= below the size of the database.",
	},
	{
		ID: IDServerStopped, Class: Transient,
		Texts: []string{"server is stopping"},
		Cause: "the etcd server in the member stopped by itself",
		Means: "etcd has ended its service without a reason that this catalogue knows.",
		Acts:  "It restarts the member at once, then with growing pauses up to 3 s.",
		Next:  []Step{journal},
	},
	{
		ID: IDSignalled, Class: Transient,
		Sign:  "SIGTERM or SIGINT reached the member process, and not from its supervisor",
		Cause: "the member process was told to stop by a signal from outside",
		Means: "Somebody has sent the signal to the member process instead of the unit.",
		Acts:  "It restarts the member at once: the unit was not asked to stop.",
		Next:  []Step{{"to stop the unit", []string{"systemctl stop etcd"}}},
	},
	{
		ID: IDNotStarted, Class: Transient,
		Sign:  "etcd returned an error that this catalogue does not know",
		Cause: "etcd did not start",
		Means: "The text after the cause is etcd's own error.",
		Acts:  "It tries again at least every 3 s.",
		Next:  []Step{journal},
	},
	{
		ID: IDKilled, Class: Transient,
		Sign:  "a signal ended the process, and memory had not run out",
		Cause: "killed by a signal",
		Means: "Somebody or something sent SIGKILL or a similar signal, or the process crashed. What it had acknowledged is on the disk.",
		Acts:  "It restarts the member at once, then with growing pauses up to 3 s.",
		Next:  []Step{{"if you have not sent it, find out who has", []string{"journalctl -k -n 50", "journalctl -u etcd -n 50"}}},
	},
	{
		ID: IDEnded, Class: Transient,
		Sign:  "the process ended with a status, or with a message that this catalogue does not know",
		Cause: "ended without giving a reason",
		Means: "etcd ends its process in about 150 places. The catalogue does not know this one.",
		Acts:  "It restarts the member at once, then with growing pauses up to 3 s.",
		Next:  []Step{journal},
	},
	{
		ID: IDHang, Class: Transient,
		Sign:  "the member's loop gives no sign of life for ETCD_NODE_HANG_LIMIT, counted by the supervisor's own ticks",
		Cause: "the member stopped answering its supervisor and was killed",
		Means: "The process was stopped (SIGSTOP, a debugger, the freezer), starved, or deadlocked. A paused machine does not count, because the supervisor is paused with it. A lost quorum, a missing leader or a slow disk does not count either.",
		Acts:  "It writes the member's goroutines to the flight recorder, kills it, and starts it again.",
		Next:  []Step{{"was the machine out of memory, or was the process frozen?", []string{"etcd-node history", "cat /proc/pressure/cpu /proc/pressure/memory"}}},
	},
	{
		ID: IDDaemonKilled, Class: Transient,
		Sign:  "the flight recorder does not end with the daemon's end, and the machine has not been booted since",
		Cause: "etcd-node itself ended without a word: it was killed, or it crashed",
		Means: "The daemon's process was killed (SIGKILL, systemd's watchdog, the kernel for want of memory) or crashed, and its member ended with it. What the member had acknowledged is on the disk.",
		Acts:  "systemd starts it again after a second.",
		Next:  []Step{{"systemd and the kernel know what ended it", []string{"journalctl -u etcd -n 50", "journalctl -k -g 'oom|Out of memory' -n 20"}}},
	},
	{
		ID: IDMachineDown, Class: Transient,
		Sign:  "the flight recorder does not end with the daemon's end, and the machine has been booted since",
		Cause: "the machine went down without stopping etcd-node: it lost power, was reset, or its kernel crashed",
		Means: "What the member had acknowledged is on the disk, unless the disk has lost what it had reported as written.",
		Acts:  "It starts when the machine boots, and joins as after any restart.",
		Next:  []Step{{"see the last lines before it, and when the machine was up", []string{"journalctl -b -1 -n 50", "last -x -n 10"}}},
	},
	{
		ID: IDCannotExecute, Class: Operator,
		Sign:  "the system refuses to start the member process",
		Cause: "the member process cannot be started",
		Means: "Something else has replaced the binary, or the system has no memory, process or descriptor left.",
		Acts:  "It tries again every 30 s.",
		Next:  []Step{{"", []string{"ls -l /usr/bin/etcd-node", "free -m", "systemctl show etcd -p TasksMax -p LimitNOFILE"}}},
	},
}
