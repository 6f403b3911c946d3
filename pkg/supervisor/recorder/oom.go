package recorder

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// OOMCounter returns a func that counts the OOM kills in this process's own
// cgroup, see [OOMKills]; nil where they are not counted.
func OOMCounter() func() (uint64, bool) {
	dir, ok := Cgroup()
	if !ok {
		return nil
	}
	return func() (uint64, bool) { return OOMKills(dir) }
}

// Cgroup returns the directory of this process's own cgroup (version 2); false
// where it has no cgroup, or the cgroup cannot be found.
func Cgroup() (dir string, ok bool) {
	own, err1 := os.ReadFile("/proc/self/cgroup")
	mounts, err2 := os.ReadFile("/proc/self/mountinfo")
	if err1 != nil || err2 != nil {
		return "", false
	}
	return cgroupDir(string(own), string(mounts))
}

// cgroupDir finds the directory from what the two files of /proc say.
func cgroupDir(own, mounts string) (string, bool) {
	path, ok := "", false
	for line := range strings.Lines(own) {
		if p, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); found {
			path, ok = p, true
		}
	}
	if !ok {
		return "", false
	}
	dir := ""
	for line := range strings.Lines(mounts) {
		// 30 24 0:26 <root> <mount point> <options> [<tags>…] - cgroup2 …
		before, after, found := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if !found || len(f) < 5 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		root, mount := unescape.Replace(f[3]), unescape.Replace(f[4])
		if rel, err := filepath.Rel(root, path); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			dir = filepath.Join(mount, rel) // a later mount hides the earlier ones
		}
	}
	return dir, dir != ""
}

// unescape undoes what the kernel does to a path in mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// OOMKills returns how many processes of a cgroup the kernel has killed for
// want of memory since the cgroup was made; false where it does not count them
// (no memory controller, the root cgroup). Compare two readings: one from
// before the member's start, one from after its end.
func OOMKills(cgroupDir string) (n uint64, ok bool) {
	f, err := os.Open(filepath.Join(cgroupDir, "memory.events"))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, found := strings.CutPrefix(s.Text(), "oom_kill "); found {
			n, err := strconv.ParseUint(v, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
