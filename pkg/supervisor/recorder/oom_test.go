package recorder

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCgroupDir(t *testing.T) {
	const (
		mount  = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid = "24 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 24 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n37 24 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		inside = "35 24 0:30 /machine.slice/c1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
		space  = "35 24 0:30 / /mnt/c\\040g rw - cgroup2 cgroup2 rw\n"
	)
	for name, tc := range map[string]struct{ own, mounts, want string }{
		"unit":              {"0::/system.slice/etcd.service\n", mount, "/sys/fs/cgroup/system.slice/etcd.service"},
		"root":              {"0::/\n", mount, "/sys/fs/cgroup"},
		"hybrid":            {"4:memory:/a\n0::/b\n", hybrid, "/sys/fs/cgroup/unified/b"},
		"version 1 only":    {"4:memory:/a\n", hybrid, ""},
		"container":         {"0::/machine.slice/c1/x\n", inside, "/sys/fs/cgroup/x"},
		"not in the mount":  {"0::/machine.slice/c10\n", inside, ""},
		"name with a space": {"0::/a\n", space, "/mnt/c g/a"},
		"not mounted":       {"0::/a\n", "", ""},
		"protected again":   {"0::/a\n", mount + "99 24 0:30 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/a"},
	} {
		if got, ok := cgroupDir(tc.own, tc.mounts); got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, tc.want)
		}
	}
}

func TestOOMKills(t *testing.T) {
	dir := t.TempDir()
	if _, ok := OOMKills(dir); ok {
		t.Error("no file, but a count")
	}
	for text, want := range map[string]uint64{
		"low 0\nhigh 0\nmax 3\noom 2\noom_kill 7\noom_group_kill 1\n": 7,
		"low 0\noom_kill 0\n": 0,
	} {
		if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, ok := OOMKills(dir); !ok || n != want {
			t.Errorf("%q: %d, %v, want %d", text, n, ok, want)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte("oom_kill many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := OOMKills(dir); ok {
		t.Error("a count that is no number")
	}
}

// TestOwnCgroup looks at this machine, whatever it has.
func TestOwnCgroup(t *testing.T) {
	dir, ok := Cgroup()
	if !ok {
		t.Skip("this process is in no cgroup of version 2")
	}
	if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
		t.Error(err)
	}
	n, ok := OOMKills(dir)
	t.Logf("%s: %d, %v", dir, n, ok)
}
