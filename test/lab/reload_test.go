package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
	"github.com/etcd-node/etcd-node/test/prober"
)

// Limits of what a client of all members sees of a reload on all hosts, beside three
// times what the machine itself is held up.
const (
	reloadGap    = 300 * time.Millisecond
	reloadAnswer = 500 * time.Millisecond
	reloadRounds = 10
)

// An edit of the file and a reload on all hosts at the same moment: the members are
// restarted one after the other, and a client does not feel it.
func TestReloadAllAtOnce(t *testing.T) {
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	open, answers := c.client(c.Hosts...), c.client(c.Hosts...)
	written := c.ledger()
	for round := range reloadRounds {
		c.env(c.initialCluster(), fmt.Sprintf("ETCD_SNAPSHOT_COUNT=%d", 5000+round))
		machine := prober.Start(10*time.Millisecond, time.Second, prober.Target{Name: "machine", Try: func(context.Context) error { return nil }})
		gaps := prober.Start(10*time.Millisecond, 5*time.Second, prober.Put("open", open))
		closed := prober.StartClosed(5*time.Second, prober.Put("closed", answers))
		begun := time.Now()
		errs := make([]error, len(c.Hosts))
		var told sync.WaitGroup
		for i, h := range c.Hosts {
			told.Go(func() {
				if out, err := h.Run(t.Context(), "systemctl", "reload", "etcd"); err != nil {
					errs[i] = fmt.Errorf("%s: %w: %s", h.Name, err, out)
				}
			})
		}
		told.Wait()
		took := time.Since(begun)
		g, s, m := gaps.Stop()[0], closed.Stop()[0], machine.Stop()[0].Gap
		t.Logf("round %d: %v for all; gap %v, slowest answer %v, %d of %d answers are errors (%v); the machine %v",
			round+1, took.Round(time.Millisecond), g.Gap.Round(time.Millisecond), s.Slowest().Round(time.Millisecond), s.Failures, s.Tries, s.LastErr, m.Round(time.Millisecond))
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if g.Gap > reloadGap+3*m || s.Slowest() > reloadAnswer+3*m {
			t.Errorf("a gap of %v, and an answer after %v", g.Gap, s.Slowest())
		}
	}
	written.check()
	c.neverTwoDown(3 * reloadRounds)
	for i := range c.Hosts {
		if u := c.unit(i + 1); u.NRestarts != 0 || u.ActiveState != "active" {
			t.Errorf("%v", u)
		}
	}
}

// ledger is a client that writes, and knows what it was acknowledged.
type ledger struct {
	c     *cluster
	cli   *clientv3.Client
	stop  context.CancelFunc
	ended sync.WaitGroup
	acked []string
}

func (c *cluster) ledger() *ledger {
	l := &ledger{c: c, cli: c.client(c.Hosts...)}
	var ctx context.Context
	ctx, l.stop = context.WithCancel(c.t.Context())
	l.ended.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			key := fmt.Sprintf("ledger/%08d", n)
			if _, err := l.cli.Put(context.WithoutCancel(ctx), key, ""); err == nil {
				l.acked = append(l.acked, key)
			}
			time.Sleep(time.Millisecond)
		}
	})
	return l
}

// check ends it, and fails where something that was acknowledged is not there.
func (l *ledger) check() {
	l.c.t.Helper()
	l.stop()
	l.ended.Wait()
	got, err := l.cli.Get(l.c.t.Context(), "ledger/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		l.c.t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, kv := range got.Kvs {
		there[string(kv.Key)] = true
	}
	lost := 0
	for _, key := range l.acked {
		if !there[key] {
			lost++
		}
	}
	l.c.t.Logf("%d writes were acknowledged, %d of them are lost", len(l.acked), lost)
	if lost > 0 || len(l.acked) == 0 {
		l.c.t.Errorf("%d of %d acknowledged writes are lost", lost, len(l.acked))
	}
}

// neverTwoDown reads in the flight recorders when members were restarted, how often,
// and that no two were at the same time.
func (c *cluster) neverTwoDown(want int) {
	c.t.Helper()
	type span struct {
		host     string
		from, to time.Time
	}
	var down []span
	for i, h := range c.Hosts {
		var from time.Time
		for _, line := range strings.Split(strings.TrimSpace(c.run(i+1, "etcd-node", "history", "-o", "json")), "\n") {
			var r recorder.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				c.t.Fatalf("%v: %s", err, line)
			}
			switch {
			case r.State == status.Restarting:
				from = r.Time
			case r.State == status.Serving && !from.IsZero():
				down = append(down, span{h.Name, from, r.Time})
				from = time.Time{}
			}
		}
	}
	if len(down) != want {
		c.t.Errorf("%d restarts are recorded, want %d", len(down), want)
	}
	for i, a := range down {
		for _, b := range down[:i] {
			if a.from.Before(b.to) && b.from.Before(a.to) {
				c.t.Errorf("%s was down from %s to %s, and %s from %s to %s", a.host, a.from, a.to, b.host, b.from, b.to)
			}
		}
	}
}

// What systemd says of a reload that is refused, of one that changes the log's level,
// and of a variable that has gone: the unit's own counts again.
func TestReloadUnderSystemd(t *testing.T) {
	c := hosts(t)
	c.dropIn(1, "[Service]\nEnvironment=ETCD_SNAPSHOT_COUNT=7000\n")
	c.env(c.initialCluster(), "ETCD_SNAPSHOT_COUNT=5000")
	c.start()
	_, before := c.procs(1)
	c.env(c.initialCluster(), "ETCD_SNAPSHOT_COUNT=5000", "ETCD_HEARTBEAT_INTERVAL=fast")
	if out, err := c.host(1).Run(t.Context(), "systemctl", "reload", "etcd"); err == nil {
		t.Errorf("a typo was taken: %s", out)
	}
	if out := c.run(1, "journalctl", "-u", "etcd", "-n", "20", "--no-pager", "--output=cat"); !containsAll(out, "reload refused, the member runs as before", "/etc/default/etcd:3") {
		t.Errorf("the journal says\n%s", out)
	}
	if _, now := c.procs(1); now.PID != before.PID || c.unit(1).ActiveState != "active" {
		t.Error("the service was touched")
	}
	c.env(c.initialCluster(), "ETCD_SNAPSHOT_COUNT=5000", "ETCD_LOG_LEVEL=debug")
	c.run(1, "systemctl", "reload", "etcd")
	if _, now := c.procs(1); now.PID != before.PID {
		t.Error("a level of the log restarted the member")
	}
	for _, how := range []string{"systemctl reload etcd", "etcd-node reload"} {
		c.env(c.initialCluster())
		c.run(1, "sh", "-c", how)
		if _, now := c.procs(1); !strings.Contains(strings.Join(now.Args, " "), "--snapshot-count=7000") {
			t.Errorf("%s: the member runs as %q", how, now.Args)
		}
		c.env(c.initialCluster(), "ETCD_SNAPSHOT_COUNT=5000")
		c.run(1, "sh", "-c", how)
		if _, now := c.procs(1); !strings.Contains(strings.Join(now.Args, " "), "--snapshot-count=5000") {
			t.Errorf("%s: the member runs as %q", how, now.Args)
		}
	}
	// The group may ask, and not act; a stranger neither.
	as := func(groups, command string) string {
		t.Helper()
		return c.run(1, "sh", "-c", `setpriv --reuid=65533 --regid=65533 `+groups+` etcd-node `+command+` 2>&1; echo "exit code $?"`)
	}
	group := "--groups=$(getent group etcd | cut -d: -f3)"
	for _, tc := range []struct{ groups, command, text, code string }{
		{group, "can-stop", "yes: every other voting member serves", "0"},
		{group, "reload", "only root and the user of the daemon", "4"},
		{group, "restart --force", "only root and the user of the daemon", "4"},
		{"--clear-groups", "can-stop", "permission denied", "4"},
		{"--clear-groups", "reload", "permission denied", "4"},
	} {
		if out := as(tc.groups, tc.command); !containsAll(out, tc.text, "exit code "+tc.code) {
			t.Errorf("%s with %s: %s", tc.command, tc.groups, out)
		}
	}
}

// A host that dies with the turn lets the next one go after the turn's time, and not
// before the quorum is whole again.
func TestHolderOfTheTurnDies(t *testing.T) {
	if os.Getenv("CI") == "true" || testing.Short() {
		t.Skip("it waits for a minute, which make lab-test does; TestHolderGone of pkg/member/turn does for a second")
	}
	c := hosts(t)
	c.env(c.initialCluster())
	c.start()
	// A member that has no time to leave holds the turn for good.
	sup, _ := c.procs(1)
	if out, err := c.host(1).Sh(t.Context(), `
		printf 'ETCD_SNAPSHOT_COUNT=5000\n' >>/etc/default/etcd
		etcd-node reload >/run/reload.log 2>&1 &
		until grep -q restarting /run/reload.log; do sleep 0.01; done
		kill -KILL `+fmt.Sprint(sup.Host)); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c.status(1, "serving: ") // systemd has started it again
	begun := time.Now()
	out := c.run(2, "etcd-node", "restart")
	if took := time.Since(begun); !strings.Contains(out, "it is the turn of etcd-1") || took < 20*time.Second || took > 2*time.Minute {
		t.Errorf("after %v:\n%s", took, out)
	}
	t.Logf("the next one waited %v", time.Since(begun))
}
