package adopt

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// begin starts a unit in the place of another, if that ran.
func begin(ctx context.Context, name string, r *Record, say func(string)) error {
	if err := systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	if r.Enabled {
		if err := systemctl(ctx, "enable", name); err != nil {
			return err
		}
	}
	if !r.Running {
		return nil
	}
	say("starting " + name)
	// Not waited for here: a start may wait for others.
	return systemctl(ctx, "start", "--no-block", name)
}

// runs reports whether a unit does something: one that is starting or stopping, too.
func runs(ctx context.Context, name string) bool {
	out, _ := exec.CommandContext(ctx, "systemctl", "show", "--property=ActiveState", "--value", name).Output()
	switch strings.TrimSpace(string(out)) {
	case "", "inactive", "failed":
		return false
	}
	return true
}

// loaded reports whether systemd knows a unit.
func loaded(ctx context.Context, name string) bool {
	out, _ := exec.CommandContext(ctx, "systemctl", "show", "--property=LoadState", "--value", name).Output()
	state := strings.TrimSpace(string(out))
	return state != "" && state != "not-found"
}

func is(ctx context.Context, what, name string) bool {
	return exec.CommandContext(ctx, "systemctl", what, "--quiet", name).Run() == nil
}

func systemctl(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's Ctrl-C is not for it
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
