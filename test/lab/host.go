package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Host is one machine of the lab.
type Host struct {
	Name string // "etcd-2", also its host name
	IP   string // of its eth0

	lab *Lab
}

// Run runs a command as root on the host and returns its stdout. A non-zero
// exit is an error (of type [*exec.ExitError] inside) that holds its stderr.
func (h *Host) Run(ctx context.Context, cmd ...string) (string, error) {
	return h.lab.run(ctx, nil, append([]string{"exec", h.Name}, cmd...)...)
}

// Sh runs a shell script on the host, like [Host.Run]; it ends at the first
// command that fails.
func (h *Host) Sh(ctx context.Context, script string) (string, error) {
	return h.Run(ctx, "sh", "-ec", script)
}

// Feed runs a command with stdin.
func (h *Host) Feed(ctx context.Context, stdin io.Reader, cmd ...string) (string, error) {
	return h.lab.run(ctx, stdin, append([]string{"exec", h.Name}, cmd...)...)
}

// Write puts a file on the host, owned by root, and makes its directories.
func (h *Host) Write(ctx context.Context, path, content string, mode os.FileMode) error {
	tmp, err := os.MkdirTemp("", "lab")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	local := filepath.Join(tmp, filepath.Base(path))
	if err := os.WriteFile(local, []byte(content), mode); err != nil {
		return err
	}
	_, err = h.lab.run(ctx, nil, "put", local, h.Name, path)
	return err
}

// Cut pulls the network cable: silently, no reset, no FIN.
func (h *Host) Cut(ctx context.Context) error { return h.power(ctx, "cut") }

// Heal plugs the cable in again.
func (h *Host) Heal(ctx context.Context) error { return h.power(ctx, "heal") }

// Outage pulls the cable and plugs it in again after this time, which may be
// short: nothing is started in between.
func (h *Host) Outage(ctx context.Context, d time.Duration) error {
	port := "p" + h.Name[strings.LastIndexByte(h.Name, '-')+1:]
	_, err := h.lab.run(ctx, nil, "net", "sh", "-ec",
		fmt.Sprintf("ip link set %[1]s down; sleep %[2]g; ip link set %[1]s up", port, d.Seconds()))
	return err
}

// PowerLoss cuts the cable and kills every process at one stroke.
func (h *Host) PowerLoss(ctx context.Context) error { return h.power(ctx, "kill") }

// Boot powers a dead host on; its disk is as it was.
func (h *Host) Boot(ctx context.Context) error { return h.power(ctx, "boot") }

func (h *Host) power(ctx context.Context, what string) error {
	_, err := h.lab.run(ctx, nil, what, h.Name)
	return err
}

// Journal is what a unit has logged since the time given, a Unix time as
// `date +%s.%N` prints it, one line per message, without journald's prefix.
func (h *Host) Journal(ctx context.Context, unit, since string) (string, error) {
	return h.Run(ctx, "journalctl", "--no-pager", "--output=cat", "--unit="+unit, "--since=@"+strings.TrimSpace(since))
}
