package admission

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	await "github.com/etcd-node/etcd-node/test/poll"
)

// inMountNamespace says whether the test runs in a mount namespace of its own.
// Outside of one it runs the test again, in a process that is.
func inMountNamespace(t *testing.T) bool {
	const mark = "ADMISSION_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		must(t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: cannot make a mount namespace")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), mark+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	switch out, err := cmd.CombinedOutput(); {
	case err != nil && cmd.ProcessState == nil:
		t.Skipf("cannot make a mount namespace: %v", err)
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// admissionRun is a look at the data that takes its time.
type admissionRun struct {
	said func() string
	done chan struct{}
	a    Admission
	f    *failure.Failure
	stop context.CancelFunc
}

// patient runs Admit where somebody sees why a start takes long.
func patient(t *testing.T, n Node, a fakeAsker) *admissionRun {
	n.Guard.Patient = true
	d, said := checker(n, a)
	ctx, stop := context.WithCancel(t.Context())
	r := &admissionRun{said: said, done: make(chan struct{}), stop: stop}
	go func() {
		defer close(r.done)
		r.a, r.f = d.Admit(ctx)
	}()
	t.Cleanup(func() { stop(); <-r.done })
	return r
}

func (r *admissionRun) says(t *testing.T, text string) {
	t.Helper()
	await.Eventually(t, func() error {
		select {
		case <-r.done:
			t.Fatalf("it has ended with %v; said: %s", r.f, r.said())
		default:
		}
		if !strings.Contains(r.said(), text) {
			return os.ErrNotExist
		}
		return nil
	})
}

func (r *admissionRun) ends(t *testing.T) (Admission, *failure.Failure) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(await.Patience):
		t.Fatalf("it has not ended; said: %s", r.said())
	}
	return r.a, r.f
}

// Input 9 of the reports: the pin, an empty data dir, and the disk comes later.
// That the others know the member says nothing against it.
func TestDiskComesLater(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	for name, others := range map[string][]fakePeer{"alone": nil, "one of three": {lists(whole), lists(whole)}} {
		t.Run(name, func(t *testing.T) {
			disk := dataDir(t, entry)
			must(t, os.Chmod(disk, 0o700))
			dir := t.TempDir()
			r := patient(t, Node{DataDir: dir, New: true, Guard: pin("c", "3")}, fakeAsker{peers: others})
			r.says(t, "wiped: waiting for its disk to be mounted: the data dir "+dir+" is empty where a member used to be (the pin says member 3 ")
			if others != nil {
				r.says(t, "2 of 2 say no so far; waiting for its disk")
			}
			must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700")) // another mount, and nothing on it
			must(t, unix.Mount(disk, dir, "", unix.MS_BIND, ""))
			if a, f := r.ends(t); f != nil || a.Joins {
				t.Errorf("%v, joins %v", f, a.Joins)
			}
			must(t, unix.Unmount(dir, unix.MNT_DETACH))
			must(t, unix.Unmount(dir, unix.MNT_DETACH))
		})
	}
}

// A mount point may be nothing that this user can use, as where it is root's. That
// is no reason to give it away: the disk brings its own rights.
func TestMountPointCannotBeUsed(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	for name, come := range map[string]func(disk, dir string) error{
		"the disk comes":      func(disk, dir string) error { return unix.Mount(disk, dir, "", unix.MS_BIND, "") },
		"it is given to this": func(_, dir string) error { return unix.Unmount(dir, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := dataDir(t, entry)
			dir := t.TempDir()
			must(t, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "mode=0755")) // root may write where it is not allowed to, but not there
			defer func() {
				for unix.Unmount(dir, unix.MNT_DETACH) == nil {
				}
			}()
			n := Node{DataDir: dir, New: true, Guard: pin("c", "3")}
			if _, f := admit(t, n); idOf(f) != "disk-read-only" {
				t.Fatalf("without anybody who waits: %v", f)
			}
			r := patient(t, n, fakeAsker{})
			r.says(t, "wiped: waiting for its disk to be mounted: the data dir "+dir+" is empty where a member used to be (the pin says member 3 ")
			if said := r.said(); !strings.Contains(said, "; as it is, it cannot be used: ") {
				t.Errorf("it said %s", said)
			}
			begun := time.Now()
			must(t, come(disk, dir))
			if name == "the disk comes" {
				if _, f := r.ends(t); f != nil {
					t.Error(f)
				}
			} else {
				await.Eventually(t, func() error { // the usual wait
					if said := r.said(); strings.LastIndex(said, "waiting for its disk to be mounted") < strings.LastIndex(said, "as it is") {
						return fmt.Errorf("it said %s", said)
					}
					return nil
				})
				r.stop()
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("it went on after %v", took)
			}
		})
	}
}

// Whoever is not the user etcd is told so, and not to give its files away.
func TestOwnerCase(t *testing.T) {
	for owner, gives := range map[string]bool{"etcd": false, "root": true, "": true} {
		next := strings.Join(failure.Steps(failure.IDDirOwner, failure.Values{"case": ownerCase(owner)}), "\n")
		if strings.Contains(next, "chown") != gives || strings.Contains(next, "sudo -u etcd") == gives {
			t.Errorf("the files are %q's: %s", owner, next)
		}
	}
}

// What somebody copies there may be half of it: it is noticed, and not taken.
func TestDataCopiedByHand(t *testing.T) {
	kept := dataDir(t, entry)
	dir := t.TempDir()
	guard := pin("c", "3")
	guard.Values = map[string]string{"unit": "etcd@a"}
	r := patient(t, Node{DataDir: dir, New: true, Guard: guard}, fakeAsker{})
	r.says(t, "waiting for its disk to be mounted")
	must(t, os.Rename(filepath.Join(kept, "member"), filepath.Join(dir, "member")))
	r.says(t, "data is there now, but no mount has brought it; once it is whole: systemctl restart etcd@a (at the start the data dir "+dir)
	r.stop()
	if _, f := r.ends(t); idOf(f) != failure.IDSignalled {
		t.Errorf("%v", f)
	}
}

// A new disk is mounted, which is empty, and the data of the old one is copied to
// it: that is by hand, too, and perhaps half of it. The old disk is still taken.
func TestDataCopiedToANewDisk(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	kept := dataDir(t, entry)
	must(t, os.Chmod(kept, 0o700))
	dir := t.TempDir()
	r := patient(t, Node{DataDir: dir, New: true, Guard: pin("c", "3")}, fakeAsker{})
	r.says(t, "waiting for its disk to be mounted")
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700"))
	r.says(t, "what is mounted there now holds no data; waiting for its disk to be mounted")
	must(t, os.CopyFS(filepath.Join(dir, "member"), os.DirFS(filepath.Join(kept, "member"))))
	r.says(t, "data is there now, but no mount has brought it; once it is whole: systemctl restart etcd")
	must(t, unix.Mount(kept, dir, "", unix.MS_BIND, ""))
	if a, f := r.ends(t); f != nil || a.Joins {
		t.Errorf("%v, joins %v", f, a.Joins)
	}
	must(t, unix.Unmount(dir, unix.MNT_DETACH))
	must(t, unix.Unmount(dir, unix.MNT_DETACH))
}

// While it waits for a disk it may become the replacement of the member that it
// was.
func TestReplacedWhileItWaits(t *testing.T) {
	r := patient(t, Node{DataDir: t.TempDir(), New: true, Guard: pin("c", "3")},
		fakeAsker{peers: []fakePeer{later(300*time.Millisecond, lists(whole), lists([]peers.Member{peerA, peerB, replacement})), lists(whole)}})
	if a, f := r.ends(t); f != nil || !a.Joins {
		t.Errorf("%v, joins %v", f, a.Joins)
	}
	if !strings.Contains(r.said(), "waiting for its disk to be mounted") {
		t.Errorf("it said %s", r.said())
	}
}

// TestWaitNamesItsUnit: the command that goes on with it, while the others are
// asked, is for this unit.
func TestWaitNamesItsUnit(t *testing.T) {
	guard := pin("c", "3")
	guard.Values = map[string]string{"unit": "etcd@a"}
	r := patient(t, Node{DataDir: t.TempDir(), New: true, Guard: guard}, fakeAsker{peers: []fakePeer{lists(whole), lists(whole)}})
	r.says(t, "2 of 2 say no so far; waiting for its disk")
	if said := r.said(); strings.Contains(said, "systemctl restart etcd;") || strings.Contains(said, ": etcd-node explain") {
		t.Errorf("it said %s", said)
	}
}

// A WAL on a disk of its own that is late, while the database is there.
func TestWALDiskComesLater(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	kept := dataDir(t, entry)
	dir, wal := t.TempDir(), t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700))
	db, err := bolt.Open(filepath.Join(dir, "member", "snap", "db"), 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(schema.Meta.Name())
		must(t, err)
		return b.Put(schema.MetaConsistentIndexKeyName, []byte{7: 1})
	}))
	must(t, db.Close())
	n := Node{DataDir: dir, WALDir: filepath.Join(wal, "wal"), New: true, Guard: pin("c", "3")}
	d, _ := checker(n, fakeAsker{})
	if _, f := d.Admit(t.Context()); idOf(f) != failure.IDWALLost {
		t.Fatalf("without anybody who waits: %v", f)
	}
	r := patient(t, n, fakeAsker{})
	r.says(t, "waiting for its disk to be mounted: the WAL dir "+filepath.Join(wal, "wal")+" is empty")
	must(t, unix.Mount(filepath.Join(kept, "member"), wal, "", unix.MS_BIND, ""))
	if _, f := r.ends(t); f != nil {
		t.Errorf("%v", f)
	}
	must(t, unix.Unmount(wal, unix.MNT_DETACH))
}
