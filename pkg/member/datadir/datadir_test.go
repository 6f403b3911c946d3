package datadir

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/poll"
)

func TestEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if d := inspect(t, spec{Dir: filepath.Join(dir, "none")}); !d.Empty() || d.HalfBegun() {
		t.Errorf("no directory: %+v", d)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("Inspect created the directory")
	}
	must(t, os.Mkdir(filepath.Join(dir, "lost+found"), 0o700))
	must(t, os.MkdirAll(filepath.Join(dir, "member", "wal"), 0o700))
	must(t, os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "member", "wal", "0.tmp"), []byte("x"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "member", "snap", "db"), nil, 0o600))
	if d := inspect(t, spec{Dir: dir}); !d.Empty() || d.HalfBegun() {
		t.Errorf("lost+found, an unfinished WAL and database: %+v", d)
	}
	must(t, os.WriteFile(filepath.Join(dir, "member", "snap", "db"), []byte(strings.Repeat("garbage ", 9000)), 0o600))
	if d := inspect(t, spec{Dir: dir}); d.Empty() || d.DB.Damage == nil {
		t.Errorf("a database that cannot be read: %+v", d)
	}
}

func TestCannotLook(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Inspect(file, ""); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file for a data dir: %v", err)
	}
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	for _, part := range []string{"wal", "snap", "snap/db", "wal/0000000000000000-0000000000000000.wal"} {
		s := recorded(t, "etcd-3.6")
		must(t, os.Chmod(filepath.Join(s.Dir, "member", part), 0))
		if d, err := Inspect(s.Dir, ""); !errors.Is(err, fs.ErrPermission) || d.DB.Damage != nil || d.WAL.Damage != nil {
			t.Errorf("%s: %+v, %v", part, d, err)
		}
		must(t, os.Chmod(filepath.Join(s.Dir, "member", part), 0o700)) // to be removed
	}
}

func TestStoppedMember(t *testing.T) {
	t.Parallel()
	m := start(t, alone(t)).serves(10)
	var status *clientv3.StatusResponse
	poll.Eventually(t, func() (err error) { // etcd writes the version of its data a moment after it serves
		status, err = m.client.Status(context.Background(), m.client.Endpoints()[0])
		if err == nil && status.StorageVersion != "3.7.0" {
			err = fmt.Errorf("storage version %q", status.StorageVersion)
		}
		return err
	})
	m.stop()
	before := fingerprint(t, m.Dir)
	d := sound(t, m.spec)
	if after := fingerprint(t, m.Dir); after != before {
		t.Errorf("Inspect changed the directory:\n%s\n%s", before, after)
	}
	if d.WAL.ClusterID != status.Header.ClusterId || d.WAL.MemberID != status.Header.MemberId {
		t.Errorf("IDs %x %x, want %x %x", d.WAL.ClusterID, d.WAL.MemberID, status.Header.ClusterId, status.Header.MemberId)
	}
	if d.WAL.LastIndex != status.RaftIndex || d.DB.ConsistentIndex != status.RaftAppliedIndex || d.WAL.Term != status.RaftTerm || d.DB.Term != status.RaftTerm {
		t.Errorf("%+v, want what the member said: %v", d, status)
	}
	if d.DB.StorageVersion != "3.7.0" || d.DB.ClusterVersion != "3.7.0" || d.DB.Size == 0 {
		t.Errorf("%+v", d.DB)
	}
	if len(d.DB.Members) != 1 || d.DB.Members[0].ID != d.WAL.MemberID || d.DB.Members[0].Name != "m1" {
		t.Errorf("members %+v", d.DB.Members)
	}
	_, torn := d.Torn()
	_, kept := d.Kept()
	_, behind := d.Behind()
	if torn || kept || behind {
		t.Errorf("torn %v, kept %v, behind %v", torn, kept, behind)
	}
}

// TestKilledUnderLoad is what the findings must not mistake for damage.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.SnapshotCount, s.Segment = 50, 16<<10 // many snapshots and WAL files
	for i := range 12 {
		m := start(t, s).serves(1)
		go func() {
			for m.put(time.Second) == nil {
			}
		}()
		<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
		if i == 11 { // however slow the machine is
			poll.Eventually(t, func() error {
				files, err := filepath.Glob(filepath.Join(s.Dir, "member", "wal", "*.wal"))
				if err == nil && len(files) < 2 {
					err = fmt.Errorf("%d WAL files: the test wants several", len(files))
				}
				return err
			})
		}
		m.kill()
		sound(t, s)
	}
}

// TestDamagedPages: whatever is in the files, Inspect comes back with an
// answer. bbolt faults and panics on such pages.
func TestDamagedPages(t *testing.T) {
	t.Parallel()
	m := start(t, alone(t)).serves(50)
	m.stop()
	path := filepath.Join(m.Dir, "member", "snap", "db")
	whole, err := os.ReadFile(path)
	must(t, err)
	used := len(bytes.TrimRight(whole, "\x00"))
	must(t, os.Truncate(path, 4*4096))
	if d := inspect(t, m.spec); d.DB.Damage == nil || !strings.Contains(d.DB.Damage.Error(), "cut short") {
		t.Errorf("a database cut short: %+v", d.DB)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(whole, 0)
	must(t, err)
	found := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		at := r.IntN(used)
		b := make([]byte, min(1+r.IntN(8192), used-at))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		_, err := f.WriteAt(b, int64(at))
		must(t, err)
		if d := inspect(t, m.spec); d.DB.Damage != nil {
			found++
		}
		_, err = f.WriteAt(whole[at:at+len(b)], int64(at))
		must(t, err)
	}
	if found == 0 {
		t.Error("no damage found")
	}
	t.Logf("%d of 300 seen", found)
}

// TestFault: a bucket that points behind the end of the file faults, which
// ends a Go program unless it is prepared.
func TestFault(t *testing.T) {
	t.Parallel()
	s := recorded(t, "etcd-3.4")
	path := filepath.Join(s.Dir, "member", "snap", "db")
	b, err := os.ReadFile(path)
	must(t, err)
	key := []byte("members") // its value begins with its root page
	for at := range b {
		if bytes.HasPrefix(b[at:], key) && b[at+len(key)] != '_' { // not members_removed
			binary.LittleEndian.PutUint64(b[at+len(key):], 1<<24)
		}
	}
	must(t, os.WriteFile(path, b, 0o600))
	if d := inspect(t, s); d.DB.Damage == nil || d.DB.ConsistentIndex != 0 {
		t.Errorf("%+v", d.DB)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	waldir := filepath.Join(dir, "member", "wal")
	must(t, os.MkdirAll(waldir, 0o700))
	for i := range 2 {
		must(t, os.WriteFile(filepath.Join(waldir, fmt.Sprintf("%016x-%016x.wal.broken", i, i)), make([]byte, 1<<20), 0o600))
	}
	d := inspect(t, spec{Dir: dir})
	if d.Broken.Files != 2 || d.Broken.Bytes < 1<<20 {
		t.Errorf("%+v", d.Broken)
	}
	if w, _ := d.Torn(); !strings.Contains(w, "the torn part, 2 files of ") || !strings.Contains(w, waldir) {
		t.Errorf("%q", w)
	}
}

// Root pastes the commands.
func TestWarningsArePasted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my data;reboot")
	waldir := filepath.Join(dir, "member", "wal")
	must(t, os.MkdirAll(waldir+".unfinished-1", 0o700))
	d := Data{Dir: dir, WALDir: waldir}
	d.Broken.Files = 1
	if w, _ := d.Torn(); !strings.HasSuffix(w, ", rm '"+waldir+"'/*.wal.broken") {
		t.Errorf("%q", w)
	}
	if w, _ := d.Kept(); !strings.HasSuffix(w, ": rm -r '"+waldir+".unfinished-1'") {
		t.Errorf("%q", w)
	}
}

// fingerprint is the names, times and contents below dir.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&out, path, info.ModTime(), info.Mode())
		if e.Type().IsRegular() {
			b, err := os.ReadFile(path)
			fmt.Fprintf(&out, "%x\n", sha256.Sum256(b))
			return err
		}
		return nil
	}))
	return out.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPeerHosts(t *testing.T) {
	d := Data{WAL: WAL{MemberID: 2}, DB: DB{Members: []Member{
		{ID: 1, PeerURLs: []string{"http://10.0.0.1:2380"}},
		{ID: 2, PeerURLs: []string{"https://10.0.0.2:2380", "http://etcd-2:2380", "http://[fd00::2]:2380", ":"}},
	}}}
	if got, want := d.PeerHosts(), []string{"10.0.0.2", "etcd-2", "fd00::2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	d.WAL.MemberID = 3
	if got := d.PeerHosts(); got != nil {
		t.Errorf("not among the members: %q", got)
	}
}
