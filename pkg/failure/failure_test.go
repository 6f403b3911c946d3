package failure

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The texts are what etcd 3.7.3 printed; those that real processes can be made
// to print in seconds are provoked again in cmd/etcd-node.
func TestFromText(t *testing.T) {
	for text, want := range map[string]string{
		"server error: the member has been permanently removed from the cluster":                                                                                             "removed",
		"member 8e9e05c52164694d has already been bootstrapped":                                                                                                              "already-bootstrapped",
		"tocommit(17) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?":                                                                       "wiped",
		`couldn't find local name "etcd-9" in the initial cluster configuration`:                                                                                             "configuration",
		"error validating peerURLs {ClusterID:1 Members:[]}: member count is unequal":                                                                                        "configuration",
		`--initial-cluster has a=http://10.0.0.1:2380 but missing from --initial-advertise-peer-urls=http://10.0.0.2:2380 (resolved urls: "a" != "b")`:                       "configuration",
		`--initial-cluster has a=http://etcd-1:2380 but missing from --initial-advertise-peer-urls=x (failed to resolve "http://etcd-1:2380" (lookup etcd-1: no such host))`: "name-resolution",
		"failed to save Raft hard state and entries: write /d/member/wal/0.wal: no space left on device":                                                                     "disk-full",
		"failed to commit tx: write /d/member/snap/db: no space left on device":                                                                                              "disk-full",
		"failed to repair WAL: write: no space left on device":                                                                                                               "disk-full",
		"failed to commit tx: sync /d/member/snap/db: input/output error":                                                                                                    "io-error",
		"failed to open WAL: fileutil: file already locked":                                                                                                                  "data-locked",
		"cannot access data directory: mkdir /d: permission denied":                                                                                                          "data-dir-access",
		"failed to create snapshot directory: mkdir /d/member/snap: permission denied":                                                                                       "data-dir-access",
		"listen tcp 127.0.0.1:2379: bind: address already in use":                                                                                                            "port-busy",
		"listen tcp 192.168.9.9:2380: bind: cannot assign requested address":                                                                                                 "address-gone",
		"unmarshal should never fail: proto: wrong wireType":                                                                                                                 "data-version",
		"[signal SIGBUS: bus error code=0x2 addr=0x7fcb5fc03000 pc=0xf2f26b]\n\ngoroutine 1":                                                                                 "data-damaged",
		"panic: assertion failed: Page expected to be: 3, but self identifies as 0":                                                                                          "data-damaged",
		"failed to recover v3 backend from snapshot: failed to find database snapshot file":                                                                                  "data-damaged",
		"proto: cannot parse invalid wire-format data":                                                                                                                       "data-damaged",
		"failed to read WAL, cannot be repaired: walpb: crc mismatch":                                                                                                        "data-damaged",
		"checkInitialHashKV failed: 8e9e05c52164694d found data inconsistency with peers":                                                                                    "data-inconsistent",
		"cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs":                                                               "peers-unreachable",
		"failed to open database: invalid database":                                                                                                                          "database-unreadable",
		"mux: server closed": "listener-lost",
		"server is stopping": "server-stopped",
	} {
		f, ok := FromText(text)
		if !ok || f.ID != want {
			t.Errorf("%q is %q, want %q", text, f.ID, want)
		}
	}
	if f, ok := FromText("something new"); ok {
		t.Errorf("an unknown text is %q", f.ID)
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
		{2 << 8, "panic: tocommit(8) is out of range [lastIndex(0)]. Was the raft log corrupted", "wiped", ""},
	} {
		f := FromExit(tc.ws, tc.crash)
		if f.ID != tc.id || tc.want != "" && f.Error() != tc.want {
			t.Errorf("%v %q: %q %q", tc.ws, tc.crash, f.ID, f.Error())
		}
	}
}

// Whatever is permanent must have an exit code of its own, which systemd is
// told not to restart, and whoever ends must have a next step.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	prevented := []int{ExitData, ExitNoData, ExitRemoved, ExitForeign, ExitConfig}
	for _, e := range catalogue {
		if seen[e.id] {
			t.Errorf("%s stands twice", e.id)
		}
		seen[e.id] = true
		f := e.failure("")
		switch {
		case f.Exit == ExitOK || f.Exit == ExitUsage:
			t.Errorf("%s exits %d", e.id, f.Exit)
		case e.class == Permanent && !slices.Contains(prevented, f.Exit) && e.id != IDStartTimeout:
			t.Errorf("%s is permanent, but systemd restarts after exit %d", e.id, f.Exit)
		case e.class != Permanent && f.Exit != ExitFailure:
			t.Errorf("%s is %s, but exits %d", e.id, e.class, f.Exit)
		case e.class != Transient && len(e.next) == 0:
			t.Errorf("%s has no next step", e.id)
		case e.cause == "" || strings.HasSuffix(e.cause, "."):
			t.Errorf("%s: cause %q", e.id, e.cause)
		}
	}
}

func TestFill(t *testing.T) {
	f := New(IDRemoved, "").Fill(map[string]string{"name": "etcd-1", "member-id": "abc", "peer-urls": ""})
	all := strings.Join(f.Next, "\n")
	for _, want := range []string{"member remove abc", "member add etcd-1 --peer-urls={peer-urls}", "{data-dir}/member"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q lacks %q", all, want)
		}
	}
	if again := New(IDRemoved, ""); strings.Contains(strings.Join(again.Next, ""), "etcd-1") {
		t.Error("Fill has changed the catalogue")
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
