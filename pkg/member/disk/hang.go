package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Wait is a thread that has been waiting for a file all the time.
type Wait struct {
	Since time.Time // when it was first seen so
	Call  string    // "fdatasync", "write", …; "page fault" where a mapped file is read
	// File is empty where the kernel does not tell.
	File string
}

func (w Wait) String() string {
	s := w.Call
	if w.File != "" {
		s += " of " + w.File
		if d, ok := device(w.File); ok {
			s += " (" + d + ")"
		}
	}
	return fmt.Sprintf("%s has been hanging since %s", s, w.Since.Format(time.TimeOnly))
}

// Watch remembers which threads it has seen waiting. It is for one goroutine.
// The zero value is ready.
type Watch struct {
	// proc is /proc/self, except in tests.
	proc    string
	threads map[string]thread
}

type thread struct {
	// doing is the same only if the thread has not run since: its system call
	// and how often it was switched.
	doing string
	since time.Time
}

// Look returns the longest wait, or false if no thread waits. A wait begins
// when a Look first sees it. A busy disk, on which calls come and go, makes no
// long one.
func (w *Watch) Look(now time.Time) (Wait, bool) {
	if w.proc == "" {
		w.proc = "/proc/self"
	}
	tasks, err := os.ReadDir(w.proc + "/task")
	if err != nil {
		return Wait{}, false // no /proc: nothing to see
	}
	seen := map[string]thread{}
	var longest string
	for _, t := range tasks {
		tid := t.Name()
		doing, ok := w.waiting(tid)
		if !ok {
			continue
		}
		th, same := w.threads[tid]
		if !same || th.doing != doing {
			th = thread{doing, now}
		}
		seen[tid] = th
		if longest == "" || th.since.Before(seen[longest].since) {
			longest = tid
		}
	}
	w.threads = seen
	if longest == "" {
		return Wait{}, false
	}
	wait := w.describe(seen[longest].doing)
	wait.Since = seen[longest].since
	return wait, true
}

// waiting reports whether a thread is in uninterruptible sleep, and in what.
func (w *Watch) waiting(tid string) (doing string, ok bool) {
	dir := w.proc + "/task/" + tid
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return "", false // it has ended
	}
	// "pid (comm) state …", and comm may hold anything.
	_, after, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	if !strings.HasPrefix(after, "D ") {
		return "", false
	}
	call, err := os.ReadFile(dir + "/syscall")
	if err != nil {
		call = nil // a kernel that does not tell; how often it was switched is enough
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return "", false
	}
	doing = strings.TrimSpace(string(call))
	for line := range strings.Lines(string(status)) {
		if strings.Contains(line, "ctxt_switches:") {
			doing += "\n" + strings.TrimSpace(line)
		}
	}
	return doing, true
}

// describe reads a line of /proc/PID/syscall: number and arguments; -1 outside
// of any call.
func (w *Watch) describe(doing string) Wait {
	line, _, _ := strings.Cut(doing, "\n")
	f := strings.Fields(line)
	if len(f) < 2 {
		return Wait{Call: "an access to the disk"}
	}
	if f[0] == "-1" {
		return Wait{Call: "page fault"}
	}
	number, err := strconv.Atoi(f[0])
	if err != nil {
		return Wait{Call: "an access to the disk"}
	}
	name, ok := calls[number]
	if !ok {
		return Wait{Call: "system call " + f[0]}
	}
	wait := Wait{Call: name}
	if fd, err := strconv.ParseUint(f[1], 0, 31); err == nil {
		// Reading the link does not touch the file.
		if file, err := os.Readlink(w.proc + "/fd/" + strconv.FormatUint(fd, 10)); err == nil && filepath.IsAbs(file) {
			wait.File = file
		}
	}
	return wait
}
