package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// SlowDisk makes each fdatasync of the process take longer by delay, until stop is
// called, which fails where there was none. strace does it, and makes every other
// system call slower too, by some microseconds.
func (p Proc) SlowDisk(ctx context.Context, delay time.Duration) (stop func() error, err error) {
	dir, err := os.MkdirTemp("", "strace")
	if err != nil {
		return nil, err
	}
	trace := filepath.Join(dir, "trace")
	cmd := exec.Command("strace", "-f", "-qq", "-o", trace, "-p", fmt.Sprint(p.PID), "-e", "trace=fdatasync",
		"-e", fmt.Sprintf("inject=fdatasync:delay_enter=%d", delay.Microseconds()))
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() error {
		_ = cmd.Process.Signal(unix.SIGINT) // it may have ended, with the process
		_ = cmd.Wait()                      // by the signal
		said, err := os.ReadFile(trace)
		err = errors.Join(err, os.RemoveAll(dir))
		if err == nil && !strings.Contains(string(said), "(DELAYED)") {
			err = fmt.Errorf("strace has delayed no fdatasync of process %d", p.PID)
		}
		return err
	}
	for ctx.Err() == nil { // until it holds the process
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		if !strings.Contains(string(status), "TracerPid:\t0\n") {
			return stop, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil, errors.Join(ctx.Err(), stop())
}
