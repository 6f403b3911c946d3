package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/steps"
)

// supervisorMemory is in bytes what only the leader's supervisor has in memory,
// which the price of a second process is.
func supervisorMemory(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	leader, _ := c.leader(ctx)
	p := c.supervisor(leader)
	rollup := steps.Of(os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID)))
	var bytes time.Duration
	for line := range strings.Lines(string(rollup)) {
		var kib time.Duration
		if _, err := fmt.Sscanf(line, "Private_Clean: %d kB", &kib); err == nil {
			bytes += kib << 10
		} else if _, err := fmt.Sscanf(line, "Private_Dirty: %d kB", &kib); err == nil {
			bytes += kib << 10
		}
	}
	return bytes
}

func mebibytes(bytes time.Duration) string { return fmt.Sprintf("%.2f MiB", float64(bytes)/(1<<20)) }
