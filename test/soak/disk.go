package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/poll"
)

// diskSize is that of the small disk. etcd keeps five 64 MB segments of its log
// and prepares the next, beside the database and the reserve.
const diskSize = 1 << 30

// disk is a small file system of its own under one host's data dir. It is a
// file on this machine, which is full when its file system is, survives the
// host's power losses, and is gone with this process.
type disk struct {
	lab   string // LAB_NAME
	image string
}

// waitForDisk holds etcd back at boot until the disk is there, as a mount unit
// would: the host itself may not mount anything, it is attached from outside.
const waitForDisk = `[Unit]
Description=Wait for the data disk
Before=etcd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until mountpoint -q /var/lib/etcd; do sleep 0.05; done'
[Install]
RequiredBy=etcd.service
`

// newDisk gives the host a data disk, before etcd was started there.
func newDisk(ctx context.Context, labName string, n *node) (*disk, error) {
	dir, err := os.MkdirTemp("/var/tmp", "soak-disk") // not /tmp, which may be memory
	if err != nil {
		return nil, err
	}
	d := &disk{lab: labName, image: filepath.Join(dir, "data")}
	err = os.WriteFile(d.image, nil, 0o600)
	if err == nil {
		err = os.Truncate(d.image, diskSize)
	}
	if err == nil {
		err = d.make(ctx, n)
	}
	if err != nil {
		d.close()
		return nil, fmt.Errorf("small disk for %s: %w", n.Name, err)
	}
	return d, nil
}

func (d *disk) make(ctx context.Context, n *node) error {
	// -m 0: full for the service user is full for all.
	if _, err := command(ctx, "mkfs.ext4", "-q", "-m", "0", d.image); err != nil {
		return err
	}
	if err := n.Write(ctx, "/etc/systemd/system/data-disk.service", waitForDisk, 0o644); err != nil {
		return err
	}
	if _, err := n.Sh(ctx, "systemctl daemon-reload; systemctl enable data-disk"); err != nil {
		return err
	}
	return d.attach(ctx, n)
}

// attach mounts it on a host that has just booted. The kernel detaches the loop
// device with the last mount, that is when the host dies.
func (d *disk) attach(ctx context.Context, n *node) error {
	// Mounted twice it would be destroyed: the host's former life must have
	// let go of it.
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	err := poll.Until(ctx, 10*time.Millisecond, func() error {
		used, err := command(ctx, "losetup", "--associated", d.image)
		if err == nil && used != "" {
			err = fmt.Errorf("%s is still attached: %s", d.image, used)
		}
		return err
	})
	if err != nil {
		return err
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	init, err := command(ctx, "env", "LAB_NAME="+d.lab, filepath.Join(root, "test/lab/lab"), "pid", n.Name)
	if err != nil {
		return err
	}
	loop, err := command(ctx, "losetup", "--find", "--show", d.image)
	if err != nil {
		return err
	}
	var number int
	if _, err := fmt.Sscanf(loop, "/dev/loop%d", &number); err != nil {
		return fmt.Errorf("losetup says %q: %w", loop, err)
	}
	// Detached while in use: it goes when it is not used any more.
	defer func() { _, _ = command(context.WithoutCancel(ctx), "losetup", "--detach", loop) }()
	_, err = command(ctx, "nsenter", "--target="+init, "--mount", "--", "sh", "-ec", fmt.Sprintf(`
		mkdir -p /var/lib/etcd
		mknod /dev/data b 7 %d
		mount /dev/data /var/lib/etcd
		rm /dev/data`, number))
	return err
}

// fill leaves no byte free for a time, whatever else is freed meanwhile.
func (d *disk) fill(ctx context.Context, n *node, hold time.Duration) error {
	_, err := n.Sh(ctx, fmt.Sprintf(`
		cd /var/lib/etcd
		mountpoint -q .
		trap 'rm -f ballast' EXIT
		end=$(($(date +%%s%%N) + %d))
		while
			free=$(df --output=avail -B1M . | tail -1)
			[ "$free" -lt 2 ] || fallocate -l "$((free - 1))M" -o "$(stat -c %%s ballast 2>/dev/null || echo 0)" ballast || true
			cat /dev/zero >>ballast 2>/dev/null || true
			[ "$(date +%%s%%N)" -lt "$end" ]
		do sleep 0.1; done`, hold.Nanoseconds()))
	return err
}

// close forgets it, after the hosts have gone.
func (d *disk) close() { _ = os.RemoveAll(filepath.Dir(d.image)) }

// command runs a program of this machine and returns its stdout.
func command(ctx context.Context, name string, args ...string) (string, error) {
	var said strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
