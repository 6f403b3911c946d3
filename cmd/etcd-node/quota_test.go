package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func warnsOfQuota(st status.Status) bool {
	return slices.ContainsFunc(st.AllConditions(), func(c status.Condition) bool { return c.ID == failure.IDQuotaLow })
}

// Before the database reaches its quota, it is said: while puts still work. With
// room again it is over; with the alarm, the alarm is what is said.
func TestQuotaWarning(t *testing.T) {
	t.Parallel()
	const quota = 16 << 20
	n := single(t)
	n.flags = append(n.flags, fmt.Sprintf("--quota-backend-bytes=%d", quota))
	n.up()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := n.etcd()
	value := strings.Repeat("x", 512<<10)
	if warnsOfQuota(n.status()) {
		t.Fatal("at the start: " + n.status().Line())
	}
	// A compaction has etcd write all that it has; it tells the size as of then.
	compact := func(revision int64) {
		t.Helper()
		if _, err := c.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
			t.Fatal(err)
		}
	}
	size := func() int64 {
		t.Helper()
		r, err := c.Status(ctx, n.Client)
		if err != nil {
			t.Fatal(err)
		}
		return r.DbSize
	}
	for i := 0; size() < quota*9/10; i++ {
		r, err := c.Put(ctx, fmt.Sprint("burden", i), value)
		if err != nil {
			t.Fatal(err)
		}
		compact(r.Header.Revision)
	}
	st := n.until("warning", warnsOfQuota)
	if line := st.Line(); !strings.Contains(line, "the database has 9") || !strings.Contains(line, "% of its quota: ") {
		t.Error(line)
	}
	n.put("still", "works")
	if out := n.run("explain"); !strings.Contains(out, "quota-low: ") || !strings.Contains(out, "etcd-node ctl defrag --command-timeout=60s --endpoints="+n.Client) {
		t.Errorf("explain: %s", out)
	}
	r, err := c.Delete(ctx, "burden", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	compact(r.Header.Revision)
	if _, err := c.Defragment(ctx, n.Client); err != nil {
		t.Fatal(err)
	}
	n.until("at ease", func(st status.Status) bool { return !warnsOfQuota(st) })

	for err := error(nil); !errors.Is(err, rpctypes.ErrNoSpace); {
		if _, err = c.Put(ctx, "k", value); err != nil && !errors.Is(err, rpctypes.ErrNoSpace) {
			t.Fatal(err)
		}
	}
	n.until("in alarm alone", func(st status.Status) bool { return len(st.View.Alarms) == 1 && !warnsOfQuota(st) })
	n.stop()
}

// With authentication on, the printed commands name the user without whom they
// are refused.
func TestCommandsWithAuth(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.up("--bcrypt-cost=4") // at etcd's own 10 a password takes seconds with -race, longer than etcdctl waits
	if out := n.run("explain", "nospace-alarm"); strings.Contains(out, "--user") {
		t.Errorf("without auth: %s", out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := n.etcd()
	_, err1 := c.UserAdd(ctx, "root", "pw")
	_, err2 := c.UserGrantRole(ctx, "root", "root")
	_, err3 := c.AuthEnable(ctx)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	n.until("asking for a user", func(st status.Status) bool { return st.View.Auth })
	out := n.run("explain", "nospace-alarm")
	i := strings.Index(out, "etcd-node ctl alarm disarm")
	if i < 0 {
		t.Fatal(out)
	}
	command, _, _ := strings.Cut(out[i:], "\n")
	if !strings.HasSuffix(command, " --user=root") {
		t.Errorf("%q", command)
	}
	// It is what is needed, but for the password.
	words := strings.Fields(command)[2:]
	run := func(more ...string) error {
		cmd := program(t, "etcdctl", append(slices.Clone(words[:len(words)-1]), more...)...)
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return errors.New(string(out))
		}
		return nil
	}
	if err := run(); err == nil {
		t.Error("etcdctl is let in without a user")
	}
	if err := run("--user=root", "--password=pw"); err != nil {
		t.Error(err)
	}
	n.stop()
}
