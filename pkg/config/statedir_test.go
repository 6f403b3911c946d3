package config

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// TestTwoDataDirs: the state directory holds a member, and so does etcd's own
// default inside of it. Nothing is guessed, unless the operator has said.
func TestTwoDataDirs(t *testing.T) {
	disk := fstest.MapFS{"var/lib/etcd/member/wal/x": {}, "var/lib/etcd/default.etcd/member/wal/x": {}}
	in := Input{
		Environ: []string{"STATE_DIRECTORY=/var/lib/etcd"},
		ReadDir: func(path string) ([]fs.DirEntry, error) { return disk.ReadDir(strings.TrimPrefix(path, "/")) },
	}
	want := "STATE_DIRECTORY: a member's data is in /var/lib/etcd and in /var/lib/etcd/default.etcd (set ETCD_DATA_DIR to the one that counts)"
	if _, err := Load(in); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	in.Environ = append(in.Environ, "ETCD_DATA_DIR=/var/lib/etcd/default.etcd")
	if _, err := Load(in); err != nil {
		t.Error(err)
	}
}
