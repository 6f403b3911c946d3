package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// supervisorMemory is in bytes what only the leader's supervisor has in memory,
// which the price of a second process is.
func supervisorMemory(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	leader, _, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	p, err := c.supervisor(leader)
	if err != nil {
		return 0, err
	}
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID))
	if err != nil {
		return 0, err
	}
	var bytes time.Duration
	for line := range strings.Lines(string(rollup)) {
		var kib time.Duration
		if _, err := fmt.Sscanf(line, "Private_Clean: %d kB", &kib); err == nil {
			bytes += kib << 10
		} else if _, err := fmt.Sscanf(line, "Private_Dirty: %d kB", &kib); err == nil {
			bytes += kib << 10
		}
	}
	return bytes, nil
}

func mebibytes(bytes time.Duration) string { return fmt.Sprintf("%.2f MiB", float64(bytes)/(1<<20)) }
