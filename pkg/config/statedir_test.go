package config

import (
	"fmt"
	"io/fs"
	"slices"
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

// TestDataBeside: a member's data under another name than the data dir's stops a
// first start, unless the operator has said which dir it is.
func TestDataBeside(t *testing.T) {
	const (
		d    = "var/lib/etcd"
		wal  = "/member/wal/0000000000000000-0000000000000000.wal"
		list = "ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380"
	)
	one := func(dir string) string {
		return "STATE_DIRECTORY: there is no data in /var/lib/etcd, but a member's data in " + dir + " (set ETCD_DATA_DIR=" + dir +
			" to go on with it, or ETCD_DATA_DIR=/var/lib/etcd to begin without it)"
	}
	for _, tc := range []struct {
		name    string
		disk    []string
		environ []string
		want    string
	}{
		{"Debian's", []string{d + "/default" + wal}, []string{list}, one("/var/lib/etcd/default")},
		{"etcd's default, with a name", []string{d + "/default.etcd" + wal}, []string{list, "ETCD_NAME=etcd-1"}, one("/var/lib/etcd/default.etcd")},
		{"a name's, without one", []string{d + "/etcd-1.etcd" + wal}, []string{list}, one("/var/lib/etcd/etcd-1.etcd")},
		{"what a shell left", []string{d + "/${name}.etcd" + wal}, []string{list}, one("'/var/lib/etcd/${name}.etcd'")},
		{"a database alone", []string{d + "/default/member/snap/db"}, []string{list}, one("/var/lib/etcd/default")},
		{"deeper", []string{d + "/data/x.etcd" + wal}, []string{list}, one("/var/lib/etcd/data/x.etcd")},
		{"beside", []string{"var/lib/etcd-1.etcd" + wal}, []string{list, "ETCD_NAME=etcd-1"}, one("/var/lib/etcd-1.etcd")},
		{"a restore that was not finished", []string{d + "/restored" + wal}, []string{list}, one("/var/lib/etcd/restored")},
		{"in the pin's directory", []string{"var/lib/etcd-node" + wal}, []string{list}, one("/var/lib/etcd-node")},
		{"several", []string{d + "/default" + wal, d + "/etcd-1.etcd" + wal}, []string{list},
			"STATE_DIRECTORY: there is no data in /var/lib/etcd, but a member's data in /var/lib/etcd/default and in /var/lib/etcd/etcd-1.etcd" +
				" (set ETCD_DATA_DIR to the one that counts, or ETCD_DATA_DIR=/var/lib/etcd to begin without them)"},
		{"nothing is configured", []string{d + "/default" + wal}, nil, one("/var/lib/etcd/default")},

		{"the operator has decided", []string{d + "/default" + wal}, []string{list, "ETCD_DATA_DIR=/var/lib/etcd"}, ""},
		{"it has begun", []string{d + "/default" + wal, d + wal}, []string{list}, ""},
		{"it has begun, with a WAL of its own", []string{d + "/default" + wal, "srv/wal/1.wal"}, []string{list, "ETCD_WAL_DIR=/srv/wal"}, ""},
		{"another unit's", []string{"var/lib/etcd-events" + wal, "var/lib/etcd@events" + wal}, []string{list}, ""},
		{"moved aside", []string{d + "/member.1764200000/wal/1.wal", d + "/member.1764200000/snap/db"}, []string{list}, ""},
		{"no member", []string{d + "/lost+found/x", d + "/notes/member"}, []string{list}, ""},
		{"too deep to be looked for", []string{d + "/a/b/c" + wal}, []string{list}, ""},
	} {
		disk := fstest.MapFS{}
		for _, path := range tc.disk {
			disk[path] = &fstest.MapFile{}
		}
		in := Input{Host: goodHost(), Environ: append(tc.environ, "STATE_DIRECTORY=/var/lib/etcd:/var/lib/etcd-node"),
			Hostname: func() (string, error) { return "etcd-9", nil },
			ReadDir:  func(path string) ([]fs.DirEntry, error) { return disk.ReadDir(strings.TrimPrefix(path, "/")) }}
		got := ""
		if _, err := Load(in); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s:\n%s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// TestDataInWorkingDir: etcd's own default is in the working directory, wherever
// that is. A first start beside that data would come up empty, and ready.
func TestDataInWorkingDir(t *testing.T) {
	const wal = "/member/wal/0000000000000000-0000000000000000.wal"
	one := func(dir string) string {
		return "STATE_DIRECTORY: there is no data in /var/lib/etcd, but a member's data in " + dir + " (set ETCD_DATA_DIR=" + dir +
			" to go on with it, or ETCD_DATA_DIR=/var/lib/etcd to begin without it)"
	}
	for _, tc := range []struct {
		name string
		dir  string
		disk []string
		args []string
		want string
	}{
		{"by its name", "/srv", []string{"srv/m1.etcd" + wal}, []string{"--name=m1"}, one("/srv/m1.etcd")},
		{"without a name", "/srv", []string{"srv/default.etcd" + wal}, nil, one("/srv/default.etcd")},
		{"before it had a name", "/srv", []string{"srv/default.etcd" + wal}, []string{"--name=m1"}, one("/srv/default.etcd")},
		{"systemd's own working directory", "/", []string{"default.etcd" + wal}, nil, one("/default.etcd")},
		{"inside of the state directory", "/var/lib/etcd/run", []string{"var/lib/etcd/run/m1.etcd" + wal}, []string{"--name=m1"}, one("/var/lib/etcd/run/m1.etcd")},

		{"the state directory itself: it is used", "/var/lib/etcd", []string{"var/lib/etcd/m1.etcd" + wal}, []string{"--name=m1"}, ""},
		{"it has begun", "/srv", []string{"srv/m1.etcd" + wal, "var/lib/etcd" + wal}, []string{"--name=m1"}, ""},
		{"the operator has decided", "/srv", []string{"srv/m1.etcd" + wal}, []string{"--name=m1", "--data-dir=/var/lib/etcd"}, ""},
		{"another member's", "/srv", []string{"srv/m2.etcd" + wal}, []string{"--name=m1"}, ""},
		{"not known", "", []string{"default.etcd" + wal}, nil, ""},
	} {
		disk := fstest.MapFS{}
		for _, path := range tc.disk {
			disk[path] = &fstest.MapFile{}
		}
		_, err := Load(Input{Host: goodHost(), Args: tc.args, Environ: []string{"STATE_DIRECTORY=/var/lib/etcd:/var/lib/etcd-node"}, WorkingDir: tc.dir,
			Hostname: func() (string, error) { return "etcd-9", nil },
			ReadDir:  func(path string) ([]fs.DirEntry, error) { return disk.ReadDir(strings.TrimPrefix(path, "/")) }})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s:\n%s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// The way out is a line of an env file, and is pasted.
func TestDataBesideIsPasted(t *testing.T) {
	disk := fstest.MapFS{"srv/my data/x/member/wal/1.wal": {}}
	_, err := Load(Input{Host: goodHost(), Environ: []string{"STATE_DIRECTORY=/srv/my data"},
		ReadDir: func(path string) ([]fs.DirEntry, error) { return disk.ReadDir(strings.TrimPrefix(path, "/")) }})
	if err == nil || !strings.HasSuffix(err.Error(), "(set ETCD_DATA_DIR='/srv/my data/x' to go on with it, or ETCD_DATA_DIR='/srv/my data' to begin without it)") {
		t.Errorf("%v", err)
	}
}

// With a pin an empty data dir is the pin's affair: its disk may still come. But
// not where the pinned data itself lies beside.
func TestDataBesideWithPin(t *testing.T) {
	disk := fstest.MapFS{"var/lib/etcd/default/member/wal/1.wal": {}}
	for pinned, refused := range map[string]bool{"": true, "/var/lib/etcd/default": true, "/var/lib/etcd": false} {
		l, err := Load(Input{Host: goodHost(), Environ: []string{"STATE_DIRECTORY=/var/lib/etcd:/var/lib/etcd-node"}, Pinned: pinned,
			ReadDir: func(path string) ([]fs.DirEntry, error) { return disk.ReadDir(strings.TrimPrefix(path, "/")) }})
		if (err != nil) != refused || !refused && !slices.Contains(l.Notices, "there is no data in /var/lib/etcd, but a member's data in /var/lib/etcd/default") {
			t.Errorf("pinned in %q: %v, %+v", pinned, err, l)
		}
	}
}

// A first start does not take long where somebody keeps a lot.
func TestDataBesideIsBounded(t *testing.T) {
	disk, reads := fstest.MapFS{}, 0
	for i := range 3000 {
		disk[fmt.Sprintf("d/backup-%04d/x", i)] = &fstest.MapFile{}
	}
	_, err := Load(Input{Host: goodHost(), Environ: []string{"STATE_DIRECTORY=/d"}, ReadDir: func(path string) ([]fs.DirEntry, error) {
		reads++
		return disk.ReadDir(strings.TrimPrefix(path, "/"))
	}})
	if err != nil || reads > 4*besideLimit {
		t.Errorf("%d reads, %v", reads, err)
	}
}
