package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/poll"
)

// victim is a process of our own.
func victim(t *testing.T) (lab.Proc, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return lab.Proc{PID: cmd.Process.Pid}, cmd
}

func TestKill(t *testing.T) {
	p, cmd := victim(t)
	if err := kill(t.Context(), p); err != nil || !p.Gone() {
		t.Errorf("gone: %v, %v", p.Gone(), err)
	}
	_ = cmd.Wait()
	for what, p := range map[string]lab.Proc{"one that has ended": p, "none": {}} {
		if err := kill(t.Context(), p); !errors.Is(err, errNobody) {
			t.Errorf("kill %s: %v, want %v", what, err, errNobody)
		}
	}
}

// A frozen process is thawed, at once when the run is interrupted; one that is
// left to its fate is not.
func TestFreeze(t *testing.T) {
	p, cmd := victim(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- freeze(ctx, p, fault{hold: time.Hour}) }()
	await(t, p, "T")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	await(t, p, "S")
	if err := freeze(t.Context(), p, fault{left: true}); err != nil {
		t.Error(err)
	}
	await(t, p, "T")

	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	if err := freeze(t.Context(), p, fault{}); !errors.Is(err, errNobody) {
		t.Errorf("freeze one that has ended: %v, want %v", err, errNobody)
	}
}

// await polls until the process is in a state, as /proc/PID/stat has it.
func await(t *testing.T, p lab.Proc, state string) {
	t.Helper()
	poll.Eventually(t, func() error {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/stat")
		if err == nil && !strings.Contains(string(stat), ") "+state+" ") {
			err = fmt.Errorf("not in state %s: %s", state, stat)
		}
		return err
	})
}
