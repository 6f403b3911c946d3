package unit

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// Starter is the unit that has started this process; its zero value where none
// has, or where its files cannot be found.
func (e Environ) Starter() (u File) {
	if name := own(); name != "" && (e.Get("NOTIFY_SOCKET") != "" || e.OfSystemd()) {
		u, _ = Read(name)
	}
	return u
}

// own is the name of the unit that this process is a service of, as its cgroup
// tells; "" where it is none. A unit of a user's own systemd is none: its files
// lie elsewhere.
func own() string { return ofProcess("self") }

// OfProcess is the name of the unit that a process is a service of; "" where it is
// none, or where that cannot be seen.
func OfProcess(pid int) string {
	if pid <= 0 {
		return ""
	}
	return ofProcess(strconv.Itoa(pid))
}

func ofProcess(pid string) string {
	data, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return ""
	}
	return ofCgroup(string(data))
}

// ofCgroup takes the name out of /proc/self/cgroup: HIERARCHY:CONTROLLERS:PATH,
// a line each. systemd's own hierarchy is 0, or is called so.
func ofCgroup(text string) string {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || parts[0] != "0" && parts[1] != "name=systemd" || strings.Contains(parts[2], "/user@") {
			continue
		}
		for p := parts[2]; p != "/" && p != "."; p = path.Dir(p) { // a service may divide its cgroup
			if strings.HasSuffix(p, ".service") {
				return path.Base(p)
			}
		}
	}
	return ""
}
