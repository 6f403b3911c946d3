package failure

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What TestProvoked cannot provoke, and which of two entries wins.
func TestFromText(t *testing.T) {
	for text, want := range map[string]string{
		`--initial-cluster has a=http://etcd-1:2380 but missing from --initial-advertise-peer-urls=x (failed to resolve "http://etcd-1:2380" (lookup etcd-1: no such host))`: "name-resolution",
		"failed to resolve http://a:2380 to match --initial-cluster=a=http://a:2380 (x)":                                                                                     "name-resolution",
		"failed to save Raft hard state and entries: write /d/member/wal/0.wal: disk quota exceeded":                                                                         IDDiskFull,
		"failed to open database: open /d/member/snap/db: read-only file system":                                                                                             "disk-read-only",
		"failed to read WAL, cannot be repaired: read /d/member/wal/0.wal: input/output error":                                                                               IDDiskIO,
		"failed to open WAL: openAtIndex failed: [openWALFiles] os.OpenFile failed: open /d/member/wal/0.wal: permission denied":                                             IDDirAccess,
		"panic: invalid page type: 12: 7":                                                                          IDDamaged,
		"fatal error: runtime: out of memory":                                                                      IDOutOfMemory,
		"fatal error: runtime: cannot allocate memory":                                                             IDOutOfMemory,
		"tocommit(17) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?":             IDWipedRejoin,
		"tocommit(17) is out of range [lastIndex(10)]. Was the raft log corrupted, truncated, or lost?":            IDWALLost,
		"panic: runtime error\n[signal SIGBUS: bus error code=0x2 addr=0x7fcb5fc03000 pc=0xf2f26b]\n\ngoroutine 1": IDDamaged,
	} {
		f := FromText(text)
		if f == nil || f.ID != want {
			t.Errorf("%q is %v, want %q", text, f, want)
		}
	}
	if f := FromText("something new"); f != nil {
		t.Errorf("an unknown text is %q", f.ID)
	}
}

func TestFromError(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("write pin: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}): IDDiskFull,
		reworded{syscall.EADDRINUSE}:        "port-busy",
		fmt.Errorf("sync: %w", syscall.EIO): IDDiskIO,
		// A failure stays what it is, whatever wraps it.
		fmt.Errorf("bind: address already in use: %w", New(IDRemoved, "")): IDRemoved,
		// By its text, where the type is lost.
		fmt.Errorf("x: %v", syscall.EADDRINUSE):                   "",
		fmt.Errorf("listen tcp :1: bind: %v", syscall.EADDRINUSE): "port-busy",
	} {
		if f := FromError(err); (f != nil) != (want != "") || f != nil && f.ID != want {
			t.Errorf("%v is %v, want %q", err, f, want)
		}
	}
	if FromError(nil) != nil {
		t.Error("no error is a failure")
	}
}

// reworded is an error whose text tells nothing.
type reworded struct{ error }

func (reworded) Error() string   { return "sorry" }
func (r reworded) Unwrap() error { return r.error }

func TestNamedMember(t *testing.T) {
	f := FromText("member 8e9e05c52164694d has already been bootstrapped")
	if f == nil || f.Values["member-id"] != "8e9e05c52164694d" {
		t.Errorf("%+v", f)
	}
}

func TestFromExit(t *testing.T) {
	for _, tc := range []struct {
		ws    syscall.WaitStatus
		crash string
		id    string
		want  string
	}{
		{9, "", IDKilled, "killed by signal 9"},
		{1 << 8, "", IDEnded, "ended with exit status 1 without giving a reason"},
		{2 << 8, "panic: runtime error: index out of range\n\ngoroutine 1", IDEnded, "crashed: panic: runtime error: index out of range"},
		{2 << 8, "panic: tocommit(8) is out of range [lastIndex(0)]. Was the raft log corrupted", IDWipedRejoin, ""},
		// As the runtime writes it; who asks for memory is chance.
		{2 << 8, "goroutine 183 gp=0xc00019d808 m=6 mp=0xc000580008 [running]:\nruntime.throw({0x1d2f4a1?, 0x7f?})\n\t/go/src/runtime/panic.go:1229 +0x48\nruntime.(*mcache).refill(0x7f, 0x1b)\n\t/go/src/runtime/mcache.go:207 +0x1a5", IDOutOfMemory, ""},
		{2 << 8, "goroutine 1 [running]:\nruntime.throw({0x1d2f4a1?, 0x7f?})\n\t/go/src/runtime/panic.go:1229 +0x48\nruntime.mapaccess()\n\t/x.go:1\nruntime.sysMapOS(0x1)", IDEnded, ""},
	} {
		f := FromExit(tc.ws, tc.crash)
		if f.ID != tc.id || tc.want != "" && f.Error() != tc.want {
			t.Errorf("%v %q: %q %q", tc.ws, tc.crash, f.ID, f.Error())
		}
	}
}

// Whatever is permanent must have an exit code of its own, which systemd is
// told not to restart; whoever is told of a failure must be told what to do,
// and how the entry is recognised.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	prevented := preventedExits(t)
	for _, e := range catalogue {
		if seen[e.ID] {
			t.Errorf("%s stands twice", e.ID)
		}
		seen[e.ID] = true
		switch {
		case e.Exit == ExitOK || e.Exit == ExitUsage:
			t.Errorf("%s exits %d", e.ID, e.Exit)
		case (e.Class == Permanent) != slices.Contains(prevented, e.Exit):
			t.Errorf("%s is %s, but the unit has RestartPreventExitStatus=%v, and it exits %d", e.ID, e.Class, prevented, e.Exit)
		case e.Lives && e.Class == Permanent:
			t.Errorf("%s is permanent, but the member lives on", e.ID)
		case e.Class != Transient && len(e.Next) == 0:
			t.Errorf("%s has no next step", e.ID)
		case e.Cause == "" || strings.HasSuffix(e.Cause, "."):
			t.Errorf("%s: cause %q", e.ID, e.Cause)
		case e.Means == "" || e.Acts == "":
			t.Errorf("%s explains nothing", e.ID)
		case e.Class == Permanent && e.Never == "" && e.ID != IDHalfBegun:
			t.Errorf("%s does not say what makes it worse", e.ID)
		case len(e.Texts) == 0 && e.Sign == "":
			t.Errorf("%s is recognised by nothing", e.ID)
		}
	}
}

// preventedExits are those after which the unit tells systemd not to restart.
func preventedExits(t *testing.T) (codes []int) {
	unit, err := os.ReadFile("../../deploy/systemd/etcd.service")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(unit), "\nRestartPreventExitStatus=")
	line, _, _ := strings.Cut(rest, "\n")
	for word := range strings.FieldsSeq(line) {
		code, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	return codes
}

func TestFill(t *testing.T) {
	f := New(IDRemoved, "").Fill(map[string]string{"name": "etcd-1", "member-id": "abc", "peer-urls": ""})
	all := strings.Join(f.Next, "\n")
	for _, want := range []string{"member remove abc", "member add etcd-1 --peer-urls=PEER-URLS", "DATA-DIR/member"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q lacks %q", all, want)
		}
	}
	if again := New(IDRemoved, ""); strings.Contains(strings.Join(again.Next, ""), "etcd-1") {
		t.Error("Fill has changed the catalogue")
	}
}

func TestAllIsACopy(t *testing.T) {
	for _, e := range All() {
		for i := range e.Texts {
			e.Texts[i] = ""
		}
		for i := range e.Next {
			clear(e.Next[i].Run)
			e.Next[i].Say = "x"
		}
	}
	if f := New(IDRemoved, ""); !strings.Contains(strings.Join(f.Next, ""), "member remove") {
		t.Error("All gives the catalogue away")
	}
	if f := FromText("bind: address already in use"); f.ID != "port-busy" {
		t.Error("All gives the texts away")
	}
}

func TestErrorTellsDetailOnce(t *testing.T) {
	f := New("port-busy", "listen tcp :2379: bind: address already in use")
	if got := f.Error(); got != "a port of this member is in use by another process: listen tcp :2379: bind: address already in use" {
		t.Error(got)
	}
	f.Detail = f.Cause
	if got := f.Error(); got != f.Cause {
		t.Error(got)
	}
}
