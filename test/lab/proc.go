package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Proc is a process of a unit on a host, seen from this machine, where it has
// a number of its own: signalling and watching it costs no way into the host.
type Proc struct {
	PID  int // here
	Host int // on the host
	Args []string
}

// Procs lists the processes of a unit, in no order. None: the unit is down.
func (h *Host) Procs(unit string) ([]Proc, error) {
	pids, err := h.cgroup(unit, "cgroup.procs")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var procs []Proc
	for pid := range strings.FieldsSeq(string(pids)) {
		if p, err := proc(pid); err == nil { // it may have ended meanwhile
			procs = append(procs, p)
		}
	}
	return procs, nil
}

// cgroup reads a file of a unit's cgroup.
func (h *Host) cgroup(unit, file string) ([]byte, error) {
	cgroups, err := cgroup2()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(cgroups, h.lab.name, h.Name, "box/payload/system.slice", unit, file))
}

// CPU is what all processes of a unit have used since its start, also those that
// have ended.
func (h *Host) CPU(unit string) (time.Duration, error) {
	stat, err := h.cgroup(unit, "cpu.stat")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(stat)) {
		if used, ok := strings.CutPrefix(line, "usage_usec "); ok {
			µs, err := strconv.Atoi(strings.TrimSpace(used))
			return time.Duration(µs) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("the cgroup of %s on %s does not say what it has used", unit, h.Name)
}

// Switches is how often the process's threads were put on a core: voluntarily,
// which is about how often it was woken, or not.
func (p Proc) Switches() (n int, err error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID))
	if err != nil {
		return 0, err
	}
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(status)) {
			if name, value, _ := strings.Cut(line, ":"); strings.HasSuffix(name, "voluntary_ctxt_switches") {
				some, err := strconv.Atoi(strings.TrimSpace(value))
				if err != nil {
					return 0, err
				}
				n += some
			}
		}
	}
	return n, nil
}

// Memory is what a process has in memory, in bytes.
type Memory struct {
	Pss     int // what it shares counts in part
	Private int // what it alone has
}

// Memory asks the kernel.
func (p Proc) Memory() (m Memory, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(rollup)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "kB" {
			continue
		}
		kib, err := strconv.Atoi(f[1])
		if err != nil {
			return m, err
		}
		switch f[0] {
		case "Pss:":
			m.Pss += kib << 10
		case "Private_Clean:", "Private_Dirty:":
			m.Private += kib << 10
		}
	}
	return m, nil
}

func proc(pid string) (Proc, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return Proc{}, err
	}
	args, err := os.ReadFile("/proc/" + pid + "/cmdline")
	if err != nil {
		return Proc{}, err
	}
	p := Proc{Args: strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")}
	if p.PID, err = strconv.Atoi(pid); err != nil {
		return Proc{}, err
	}
	for line := range strings.Lines(string(status)) {
		// Its number in each PID namespace, the innermost last.
		if f := strings.Fields(line); len(f) > 1 && f[0] == "NSpid:" {
			if p.Host, err = strconv.Atoi(f[len(f)-1]); err != nil {
				return Proc{}, err
			}
		}
	}
	return p, nil
}

// Signal sends it a signal.
func (p Proc) Signal(sig unix.Signal) error { return unix.Kill(p.PID, sig) }

// Gone reports whether the process has ended; a zombie that nobody has reaped
// yet has: its sockets and locks are free.
func (p Proc) Gone() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		return true
	}
	// "pid (comm) state …", and comm may hold anything.
	after := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return strings.HasPrefix(after, " Z") || strings.HasPrefix(after, " X")
}

// Now is the time on the clock that systemd stamps a unit's changes with.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // Linux always has it
	}
	return time.Duration(ts.Nano())
}

// cgroup2 is where the unified hierarchy is mounted.
func cgroup2() (string, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], nil
		}
	}
	return "", errors.New("no cgroup2 mount")
}
