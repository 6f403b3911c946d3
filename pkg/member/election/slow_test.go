package election

import (
	"os/exec"
	"testing"
	"time"
)

// wasted terms are what a loaded machine may cost; a candidate that is
// restarted again and again uses up hundreds.
const wasted = 6

// A vote counts when it is on the disk. Where that takes long, elections take
// that long, and use up few terms: a candidate that is restarted
// before its own vote is written never wins.
func TestSlowDisk(t *testing.T) {
	if err := exec.Command("strace", "-qq", "-o", "/dev/null", "-e", "trace=none", "true").Run(); err != nil {
		t.Skipf("no strace to slow the disk down with: %v", err)
	}
	t.Run("one member", func(t *testing.T) {
		t.Parallel()
		for _, write := range []time.Duration{12 * time.Millisecond, 150 * time.Millisecond} {
			n := newSlowCluster(t, write, 100, 1000, "a")[0]
			_, _, before := roles(t, n)
			n.kill()
			n.start()
			n.serves()
			if _, _, after := roles(t, n); after > before+wasted {
				t.Errorf("%d terms in a restart with a disk of %v", after-before, write)
			}
		}
	})
	t.Run("three members", func(t *testing.T) {
		t.Parallel()
		nodes := newSlowCluster(t, 150*time.Millisecond, 100, 1000, "a", "b", "c")
		leader, followers, before := roles(t, nodes...)
		if before > 1+wasted {
			t.Errorf("%d terms until a leader was elected", before)
		}
		kill9(leader)
		if _, _, after := roles(t, followers...); after > before+wasted {
			t.Errorf("%d terms for one dead leader", after-before)
		}
	})
}
