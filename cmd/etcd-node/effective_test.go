package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/etcd-node/etcd-node/test/cmdline"
)

// TestLogsTheSameConfiguration: etcd and etcd-node, given the same settings,
// log the same configuration when they start. What pkg/config compares field
// by field is compared here in real processes, as far as etcd logs it.
func TestLogsTheSameConfiguration(t *testing.T) {
	t.Parallel()
	combinations := 140 // etcd refuses a quarter of them, and so do we
	if testing.Short() {
		combinations = 14
	}
	var started atomic.Int32
	t.Cleanup(func() {
		if n := int(started.Load()); n < combinations*5/7 {
			t.Errorf("only %d of %d combinations are such that etcd starts", n, combinations)
		}
	})
	for seed := range combinations {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			line := cmdline.Random(rand.New(rand.NewPCG(uint64(seed), 1)), true)
			line.Args = append(line.Args, "--data-dir=data")
			want, ours := effective(t, "stock-etcd", line), effective(t, "etcd", line)
			if want != nil {
				started.Add(1)
			}
			if !maps.Equal(ours, want) {
				for _, key := range slices.Sorted(maps.Keys(want)) {
					if ours[key] != want[key] {
						t.Errorf("%s: %s, etcd has %s", key, ours[key], want[key])
					}
				}
				t.Errorf("%d settings, etcd has %d\n%q", len(ours), len(want), line)
			}
		})
	}
}

// effective is the configuration that a daemon logs at its start, nil if it
// ends before.
func effective(t *testing.T, called string, line cmdline.Line) map[string]string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{
		Path: exe, Args: append([]string{called}, line.Args...), Env: append(line.Environ, "PATH="+os.Getenv("PATH")), Dir: t.TempDir(),
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), `"msg":"starting an etcd server"`) {
			continue
		}
		var entry map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatal(err)
		}
		delete(entry, "ts")
		found := make(map[string]string)
		for key, value := range entry {
			found[key] = string(value)
		}
		return found
	}
	return nil
}
