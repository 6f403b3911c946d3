package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
)

const dataDir = "/var/lib/etcd"

// dataDisk puts a file system of its own under the data dir of host i, which
// has not started etcd yet. It is a file on this machine, full when it is full.
func (s *scene) dataDisk(i int, size int64) {
	dir, err := os.MkdirTemp("/var/tmp", "faults-disk") // not /tmp, which may be memory
	s.must(err)
	s.later(func(context.Context) error { return os.RemoveAll(dir) })
	image := filepath.Join(dir, "data")
	s.must(os.WriteFile(image, nil, 0o600))
	s.must(os.Truncate(image, size))
	s.mountImage(i, image)
}

// mountImage makes a file system in a file of this machine and mounts it on
// host i, which may not mount block devices itself. The kernel detaches the
// loop device with the last mount: when the row is over, or the host dies.
func (s *scene) mountImage(i int, image string) {
	// -m 0: full for the service user is full for all.
	s.command("mkfs.ext4", "-q", "-m", "0", image)
	s.mount(i, image)
	s.later(func(ctx context.Context) error {
		_, err := s.host(i).Sh(ctx, "systemctl kill --signal=KILL etcd 2>/dev/null || true; systemctl stop etcd; umount "+dataDir)
		return err
	})
}

// mount mounts the file system in an image over the data dir of host i.
func (s *scene) mount(i int, image string) {
	loop := s.command("losetup", "--find", "--show", image)
	defer s.command("losetup", "--detach", loop)
	var number int
	if _, err := fmt.Sscanf(loop, "/dev/loop%d", &number); err != nil {
		s.failf("losetup says %q: %w", loop, err)
	}
	s.inMounts(i, fmt.Sprintf("mkdir -p %[1]s; mknod /dev/data b 7 %[2]d; mount /dev/data %[1]s; rm /dev/data", dataDir, number))
}

// inMounts runs a script in the mount namespace of host i, with this machine's
// rights.
func (s *scene) inMounts(i int, script string) string {
	return s.command("nsenter", "--target="+s.pid1(i), "--mount", "--", "sh", "-ec", script)
}

// pid1 is this machine's number of host i's PID 1.
func (s *scene) pid1(i int) string {
	root, err := lab.Root()
	s.must(err)
	return s.command("env", "LAB_NAME="+s.name, filepath.Join(root, "test/lab/lab"), "pid", s.host(i).Name)
}

// command runs a program of this machine and returns what it prints.
func (s *scene) command(name string, args ...string) string {
	var said strings.Builder
	cmd := exec.CommandContext(s.ctx, name, args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		s.failf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(string(out))
}

// freezeDisk stops every write to the data disk of host i, and returns what
// lets them go on. So does the end of this process, however it comes: what
// waits for a disk cannot be killed.
func (s *scene) freezeDisk(i int) (thaw func()) {
	cmd := exec.Command("nsenter", "--target="+s.pid1(i), "--mount", "--", "sh", "-ec",
		"fsfreeze --freeze "+dataDir+"; echo frozen; cat >/dev/null; fsfreeze --unfreeze "+dataDir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us alone
	lifeline, err := cmd.StdinPipe()
	s.must(err)
	out, err := cmd.StdoutPipe()
	s.must(err)
	s.must(cmd.Start())
	thawed := false
	s.later(func(context.Context) error {
		if thawed {
			return nil
		}
		lifeline.Close()
		return cmd.Wait()
	})
	if said, err := io.ReadAll(io.LimitReader(out, int64(len("frozen\n")))); string(said) != "frozen\n" {
		s.failf("fsfreeze on %s: %q, %v", s.host(i).Name, said, err)
	}
	return func() {
		thawed = true
		lifeline.Close()
		s.must(cmd.Wait())
	}
}

// fill takes every byte of the data disk of host i, and whatever is given up
// meanwhile, until the function that it returns frees it all again and says
// when that was.
func (s *scene) fill(i int) (free func() time.Duration) {
	in, lifeline := io.Pipe()
	var freed string
	done := make(chan error, 1)
	go func() {
		var err error
		freed, err = s.host(i).Feed(context.WithoutCancel(s.ctx), in, "sh", "-ec", `
			mountpoint -q `+dataDir+`
			touch `+ballast+` /run/filling
			while [ -e /run/filling ]; do `+fillOnce+` sleep 0.05; done &
			cat >/dev/null
			rm /run/filling
			wait
			read uptime idle </proc/uptime
			rm `+ballast+`
			echo "$uptime"`)
		done <- err
	}()
	ended := false
	free = func() time.Duration {
		ended = true
		lifeline.Close()
		s.must(<-done)
		uptime, err := time.ParseDuration(strings.TrimSpace(freed) + "s")
		s.must(err)
		return uptime // the clock of lab.Now, on a machine that never slept
	}
	s.later(func(context.Context) error {
		if !ended {
			lifeline.Close()
			return <-done
		}
		return nil
	})
	s.await("full", func() error { return s.isFull(i) })
	return free
}

const ballast = dataDir + "/ballast"

// fillOnce appends to the ballast all that is left: in one piece, then byte by
// byte.
const fillOnce = `
	free=$(df --output=avail -B1M ` + dataDir + ` | tail -1)
	[ "$free" -lt 2 ] || fallocate -l "$((free - 1))M" -o "$(stat -c %s ` + ballast + `)" ` + ballast + ` 2>/dev/null || true
	cat /dev/zero >>` + ballast + ` 2>/dev/null || true
`

// isFull fails while one more block can be written.
func (s *scene) isFull(i int) error {
	left, err := s.host(i).Sh(s.ctx, "df --output=avail -B1 "+dataDir+" | tail -1; ! head -c 4096 /dev/zero 2>/dev/null >>"+ballast)
	if err != nil {
		return fmt.Errorf("%s bytes are free: %w", strings.TrimSpace(left), err)
	}
	return nil
}
