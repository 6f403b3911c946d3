package datadir

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Holder names a process that holds a lock on the file, as far as this one
// can see: under ProtectProc=invisible those of its own user, else of every
// user unless hidepid hides them. Command is how the program was called, without
// its arguments, which can be secret. It reads /proc of every process; call it
// when a lock is known to be held.
func Holder(path string) (pid int, command string, ok bool) {
	return holder("/proc", path)
}

func holder(proc, path string) (pid int, command string, ok bool) {
	file, err := os.Stat(path)
	if err != nil {
		return 0, "", false
	}
	pid = byDescriptor(proc, file)
	if pid == 0 {
		pid = byTable(proc, file)
	}
	if pid == 0 {
		return 0, "", false
	}
	return pid, commandOf(proc, pid), true
}

// byDescriptor looks for a descriptor of the file with a lock on it. This also
// finds locks that were inherited, and open-file-description locks (etcd's on
// its WAL), but only processes of this user, unless it is root.
func byDescriptor(proc string, file os.FileInfo) int {
	fds, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*")) // the pattern is sound
	for _, fd := range fds {
		if at, err := os.Stat(fd); err != nil || !os.SameFile(at, file) {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		info, err := os.ReadFile(filepath.Join(dir, "fdinfo", filepath.Base(fd)))
		if err != nil || !bytes.Contains(info, []byte("\nlock:")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			return pid
		}
	}
	return 0
}

// byTable looks into the kernel's table of locks, which has those of all
// users, but none for open file descriptions (pid -1).
func byTable(proc string, file os.FileInfo) int {
	stat, ok := file.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	table, err := os.ReadFile(filepath.Join(proc, "locks"))
	if err != nil {
		return 0
	}
	id := fmt.Sprintf("%02x:%02x:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev), stat.Ino)
	for line := range strings.Lines(string(table)) {
		// "7: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF"; one that waits has "->" more
		f := strings.Fields(line)
		if len(f) < 6 || f[5] != id {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 {
			return pid
		}
	}
	return 0
}

// commandOf is the program's name as it was called, or the process's in
// brackets where it has no arguments at all; empty for one that is hidden or gone.
func commandOf(proc string, pid int) string {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	if name, _, _ := strings.Cut(string(line), "\x00"); name != "" {
		return name
	}
	if name, _ := os.ReadFile(filepath.Join(dir, "comm")); len(name) > 0 {
		return "[" + strings.TrimSpace(string(name)) + "]"
	}
	return ""
}
