package check

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/listener"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// of is a node with a configuration, beside one real member.
func of(t *testing.T, more ...string) Node {
	t.Helper()
	self, peer := loopback.New("a", t.TempDir()), loopback.New("b", t.TempDir())
	cfg := peer.Config()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(poll.Patience):
		t.Fatal("etcd is not ready")
	}
	loopback.Unite(&self, &peer)
	loaded, err := config.Load(config.Input{Args: append(self.Flags(), more...)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := loaded.Resolve(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return Node{Resolved: r, Service: "etcd", settled: func() bool { return true }}
}

// find is the result of one check.
func find(t *testing.T, all []Result, check string) Result {
	t.Helper()
	for _, r := range all {
		if r.Check == check {
			return r
		}
	}
	t.Fatalf("no %s among %+v", check, all)
	return Result{}
}

func TestWell(t *testing.T) {
	begun := time.Now()
	all := Run(t.Context(), of(t))
	for _, check := range []string{"ports", "data", "space", "peer b", "clock", "timing"} {
		if r := find(t, all, check); r.Level != OK {
			t.Errorf("%+v", r)
		}
	}
	if r := find(t, all, "peer b"); !strings.Contains(r.Text, "etcd 3.") {
		t.Errorf("%+v", r)
	}
	if took := time.Since(begun); took > 5*time.Second+poll.Patience/10 {
		t.Errorf("it took %s", took)
	}
}

// A clock that is wrong is told by the peer's answer, to a second.
func TestClocks(t *testing.T) {
	n := of(t)
	for ahead, want := range map[time.Duration]Level{0: OK, time.Second: OK, time.Minute: Warning, -time.Hour: Warning} {
		n.now = func() time.Time { return time.Now().Add(ahead) }
		r := find(t, Run(t.Context(), n), "peer b")
		if r.Level != want || want == Warning && (!strings.Contains(r.Text, "its clock is ") || r.Next == "") {
			t.Errorf("a clock that is %s ahead: %+v", ahead, r)
		}
	}
	n.settled = func() bool { return false }
	if r := find(t, Run(t.Context(), n), "clock"); r.Level != Warning || !strings.Contains(r.Next, "timedatectl") {
		t.Errorf("nothing keeps the clock: %+v", r)
	}
}

// Heartbeat and election timeout against what was measured.
func TestTiming(t *testing.T) {
	for _, tc := range []struct {
		heartbeat, election uint
		trip, fsync         time.Duration
		level               Level
		next                string
	}{
		{100, 1000, 500 * time.Microsecond, 2 * time.Millisecond, OK, ""},
		{100, 1000, 120 * time.Millisecond, 2 * time.Millisecond, Warning, "ETCD_HEARTBEAT_INTERVAL=180 and ETCD_ELECTION_TIMEOUT=1800"},
		{100, 1000, 99 * time.Millisecond, 2 * time.Millisecond, OK, ""},
		{150, 1000, 140 * time.Millisecond, 2 * time.Millisecond, Warning, "ETCD_ELECTION_TIMEOUT=2000"},
		{100, 1000, time.Millisecond, 300 * time.Millisecond, Warning, "ETCD_ELECTION_TIMEOUT=4000"},
		{1000, 5000, time.Millisecond, 300 * time.Millisecond, OK, ""},
		{100, 1000, 0, 2 * time.Millisecond, OK, ""},
		{100, 1000, 0, 0, Warning, "see disk and peers above"}, // nothing was measured: nothing is right for it
	} {
		n := &node{config: &embed.Config{TickMs: tc.heartbeat, ElectionMs: tc.election}, trips: []time.Duration{tc.trip / 2, tc.trip}, fsync: tc.fsync}
		r := n.timing(t.Context())[0]
		if r.Level != tc.level || !strings.Contains(r.Next, tc.next) {
			t.Errorf("%+v: %+v", tc, r)
		}
	}
}

// A disk is judged by the slowest of a hundred but one, and the timing by the disk.
func TestSlowDisk(t *testing.T) {
	n := of(t)
	for took, want := range map[time.Duration]struct{ disk, timing Level }{
		9 * time.Millisecond: {OK, OK}, 11 * time.Millisecond: {Warning, OK}, 101 * time.Millisecond: {Problem, Warning},
	} {
		n.syncs = func(context.Context, string) ([]time.Duration, error) {
			return append(slices.Repeat([]time.Duration{took}, syncs-1), time.Minute), nil
		}
		all := Run(t.Context(), n)
		if r := find(t, all, "disk"); r.Level != want.disk || (r.Next == "") != (want.disk == OK) {
			t.Errorf("%s: %+v", took, r)
		}
		if r := find(t, all, "timing"); r.Level != want.timing {
			t.Errorf("%s: %+v", took, r)
		}
	}
	for err, want := range map[error]Level{unix.EROFS: Problem, unix.ENOSPC: Problem, unix.EACCES: Warning, unix.EIO: Warning} {
		n.syncs = func(context.Context, string) ([]time.Duration, error) { return nil, err }
		if r := find(t, Run(t.Context(), n), "disk"); r.Level != want || r.Next == "" {
			t.Errorf("%v: %+v", err, r)
		}
	}
}

// One slow fsync of a hundred is no slow disk, two are.
func TestPercentile(t *testing.T) {
	took := slices.Repeat([]time.Duration{time.Millisecond}, syncs)
	took[syncs-1] = time.Second
	if p := percentile99(took); p != time.Millisecond {
		t.Errorf("one slow of %d: %s", syncs, p)
	}
	took[syncs-2] = time.Second
	if p := percentile99(took); p != time.Second {
		t.Errorf("two slow of %d: %s", syncs, p)
	}
	if p := percentile99(took[syncs-1:]); p != time.Second {
		t.Errorf("a single one: %s", p)
	}
}

// Who may see neither the daemon nor whose a port is must not be told to stop what may
// be the member.
func TestTaken(t *testing.T) {
	for _, tc := range []struct {
		hidden bool
		pid    int
		level  Level
		next   string
	}{
		{true, 0, Warning, "run this as root"},
		{true, 7, Problem, "stop it"}, // a daemon that does not answer, seen by root
		{false, 0, Problem, "stop it"},
		{false, 7, Problem, "stop it"},
	} {
		n := &node{Node: Node{Hidden: tc.hidden}}
		if r := n.taken("127.0.0.1:2379", "2379", listener.Process{PID: tc.pid, Name: "x"}); r.Level != tc.level || !strings.Contains(r.Next, tc.next) {
			t.Errorf("%+v: %+v", tc, r)
		}
	}
}

// The file that measures the disk leaves nothing, whatever the file system can do.
func TestFsyncs(t *testing.T) {
	dir := t.TempDir()
	took, err := fsyncs(t.Context(), dir)
	if err != nil || len(took) == 0 || len(took) > syncs {
		t.Fatalf("%d, %v", len(took), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fsyncs(ctx, dir); err == nil {
		t.Error("measured without time for it")
	}
}

// A check that hangs does not hold up the others.
func TestHang(t *testing.T) {
	before := checks
	t.Cleanup(func() { checks = before })
	release := make(chan struct{})
	defer close(release)
	checks = [][]func(*node, context.Context) []Result{{(*node).clock, func(*node, context.Context) []Result { <-release; return nil }}}
	all := Run(t.Context(), of(t))
	if find(t, all, "clock").Level != OK || find(t, all, "time").Level != Problem {
		t.Errorf("%+v", all)
	}
}

// Lines are no wider than a terminal, and a command stays in one piece.
func TestText(t *testing.T) {
	command := "etcd-node explain " + strings.Repeat("x", 90)
	text := Text([]Result{{"ports", OK, "free", ""}, {"configuration", Problem, strings.Repeat("many words of it ", 20), command}})
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, l := range lines[:len(lines)-1] {
		if n := utf8.RuneCountInString(l); n > 80 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	if !strings.HasPrefix(lines[0], "ok       ports          free") || !strings.HasSuffix(text, "next: "+command+"\n") {
		t.Error(text)
	}
	for want, levels := range map[Level][]Level{OK: {OK}, Warning: {OK, Warning}, Problem: {Problem, Warning}} {
		var all []Result
		for _, l := range levels {
			all = append(all, Result{Level: l})
		}
		if got := Worst(all); got != want {
			t.Errorf("of %v %s is the worst", levels, got)
		}
	}
}

// A data dir in which nobody has lived, while the pin names another: the setting is lost,
// and the daemon will not begin.
func TestPinOfAnotherDir(t *testing.T) {
	n := of(t)
	n.Pins = identity.Store{Dir: t.TempDir()}
	if err := n.Pins.Save(identity.Pin{ClusterID: "c1", MemberID: "a1", Name: "a", DataDir: "/srv/etcd", Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if r := find(t, Run(t.Context(), n), "data"); r.Level != Problem || !strings.Contains(r.Text, "in /srv/etcd, and the data dir is ") || !strings.HasPrefix(r.Next, "ETCD_DATA_DIR=/srv/etcd") {
		t.Errorf("%+v", r)
	}
}
