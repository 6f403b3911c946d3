package preflight

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDirs(t *testing.T) {
	there := map[string]Info{
		"/": {Dir: true}, "/srv": {Dir: true, Mode: 0o755}, "/srv/etcd": {Dir: true, Mode: 0o750, UID: 7}, "/srv/file": {},
		"/nfs": {Dir: true}, "/ram": {Dir: true}, "/own": {Dir: true, Mode: 0o700, UID: 990},
	}
	types := map[string]string{"/nfs": "nfs", "/ram": "tmpfs"}
	h := &Host{
		Stat: func(path string) (Info, error) {
			if i, ok := there[path]; ok {
				return i, nil
			}
			return Info{}, fs.ErrNotExist
		},
		FileSystem: func(path string) (string, error) { return types[path], nil },
	}
	etcd := &User{Name: "etcd", UID: 990}
	for _, tc := range []struct {
		data, wal string
		user      *User
		want      string
	}{
		{"/srv/etcd", "", nil, ""},
		{"/own", "", etcd, ""},
		{"/srv/new/deeper", "", etcd, ""}, // etcd makes it
		{"/srv/etcd", "", etcd, "problem data-dir: /srv/etcd belongs to user 7, not to etcd (990)\nnotice data-dir: /srv/etcd has mode 0750: other users may look into the data\n"},
		{"/srv/file", "", nil, "problem data-dir: /srv/file is not a directory\n"},
		{"/own", "/srv/file/wal", nil, "problem wal-dir: /srv/file is not a directory\n"},
		{"/nfs/etcd", "/ram", nil, "notice data-dir: /nfs/etcd is on a file system of type nfs, over a network\nnotice wal-dir: /ram is on a file system of type tmpfs, in memory, which is empty after a reboot\n"},
	} {
		h.User = tc.user
		if got := text(h.Dirs(tc.data, tc.wal)); got != tc.want {
			t.Errorf("%s, %s: got:\n%swant:\n%s", tc.data, tc.wal, got, tc.want)
		}
	}
}

// TestDirsArePasted: the hints are commands, and root pastes them.
func TestDirsArePasted(t *testing.T) {
	h := &Host{
		Stat:       func(string) (Info, error) { return Info{Dir: true, Mode: 0o755, UID: 7}, nil },
		FileSystem: func(string) (string, error) { return "", nil },
		User:       &User{Name: "etcd", UID: 990},
	}
	var hints []string
	for _, f := range h.Dirs("/srv/my data;reboot", "") {
		hints = append(hints, f.Hint)
	}
	if want := []string{"chown -R etcd '/srv/my data;reboot'", "chmod 0700 '/srv/my data;reboot'"}; !slices.Equal(hints, want) {
		t.Errorf("%q, want %q", hints, want)
	}
}

// TestNewWAL: etcd renames its first WAL into place, and cannot do that to a
// mount point.
func TestNewWAL(t *testing.T) {
	h := &Host{MountPoint: func(path string) bool {
		return path == "/var/lib/etcd-wal" || path == "/srv/etcd" || path == "/var/lib/etcd/member/wal"
	}}
	for _, tc := range []struct{ data, wal, want string }{
		{"/srv/etcd", "", ""}, // the data dir may be one
		{"/srv/etcd", "/var/lib/etcd-wal/wal", ""},
		{"/srv/etcd", "/var/lib/etcd-wal", "problem wal-dir: /var/lib/etcd-wal is a mount point, and etcd has to put a directory of its own in this place\n"},
		{"/var/lib/etcd", "", "problem data-dir: /var/lib/etcd/member/wal is a mount point, and etcd has to put a directory of its own in this place\n"},
	} {
		found := h.NewWAL(tc.data, tc.wal)
		if got := text(found); got != tc.want {
			t.Errorf("%s, %s: %q, want %q", tc.data, tc.wal, got, tc.want)
		}
		if tc.wal == "/var/lib/etcd-wal" && !strings.HasSuffix(found[0].Hint, ", /var/lib/etcd-wal/wal") {
			t.Errorf("the hint is %q", found[0].Hint)
		}
	}
}

// TestMountPoint: the kernel's own.
func TestMountPoint(t *testing.T) {
	h := System()
	for path, want := range map[string]bool{"/": true, "/proc": true, "/proc/self": false, t.TempDir(): false, "/nowhere": false} {
		if got := h.MountPoint(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestSystem: the real machine answers.
func TestSystem(t *testing.T) {
	h := System()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if info, err := h.Stat(file); err != nil || info.Dir || info.Mode != 0o640 || int(info.UID) != os.Getuid() {
		t.Errorf("%+v, %v", info, err)
	}
	if got := text(h.Dirs(filepath.Join(file, "etcd"), "")); got != "problem data-dir: "+file+" is not a directory\n" {
		t.Errorf("below a file: %q", got)
	}
	if fsys, err := h.FileSystem("/proc/self"); err != nil || fsys != "" {
		t.Errorf("/proc: %q, %v", fsys, err)
	}
	if fsys, err := h.FileSystem("/dev/shm"); err == nil && fsys != "tmpfs" {
		t.Errorf("/dev/shm: %q", fsys)
	}
}

// TestSystemAs: root sees with another user's eyes, on that one thread only.
func TestSystemAs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: only root can look as another user")
	}
	nobody, ok := Lookup("nobody", "")
	if !ok || nobody.UID == 0 || len(nobody.GIDs) == 0 {
		t.Fatalf("nobody: %+v, %v", nobody, ok)
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, mode fs.FileMode, gid int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 0, gid); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret, shared, open := write("secret", 0o600, 0), write("shared", 0o640, int(nobody.GIDs[0])), write("open", 0o644, 0)
	h := SystemAs(nobody)
	for range 20 {
		if _, err := h.ReadFile(secret); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("root's file: %v", err)
		}
		for _, path := range []string{shared, open} {
			if data, err := h.ReadFile(path); err != nil || string(data) != filepath.Base(path) {
				t.Errorf("%s: %q, %v", path, data, err)
			}
		}
		if _, err := os.ReadFile(secret); err != nil {
			t.Fatalf("this process has lost its own rights: %v", err)
		}
	}
	// A second group counts, and none of root's does.
	const other = 4242
	theirs := write("theirs", 0o640, other)
	if _, err := h.ReadFile(theirs); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a group that nobody is not in: %v", err)
	}
	nobody.GIDs = []uint32{nobody.GIDs[0], other}
	if _, err := SystemAs(nobody).ReadFile(theirs); err != nil {
		t.Errorf("a second group: %v", err)
	}
	found, _ := h.TLS(Side{Cert: open, Key: secret})
	if got := text(found); !strings.Contains(got, secret+" cannot be read by the user nobody") {
		t.Errorf("%s", got)
	}
}
