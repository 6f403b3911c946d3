package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/poll"
)

// errNobody says that there was no process to strike: the host is still down
// from an earlier fault.
var errNobody = errors.New("nobody there")

// strike breaks the host, waits, and heals what it broke. The end of ctx
// shortens the wait, never the healing.
func (n *node) strike(ctx context.Context, f fault) error {
	heal := context.WithoutCancel(ctx)
	if n.stock && f.left { // nobody would end it
		f.left, f.hold = false, max(f.hold, 10*time.Second)
	}
	switch f.kind {
	case killMember:
		_, member, err := n.processes()
		return errors.Join(err, kill(heal, member))
	case killSupervisor:
		supervisor, _, err := n.processes()
		return errors.Join(err, kill(heal, supervisor))
	case freezeMember:
		_, member, err := n.processes()
		return errors.Join(err, freeze(ctx, member, f))
	case freezeSupervisor:
		supervisor, _, err := n.processes()
		return errors.Join(err, freeze(ctx, supervisor, f))
	case restart:
		ctx, cancel := context.WithTimeout(heal, recovery)
		defer cancel()
		_, err := n.Run(ctx, "systemctl", "restart", unit)
		return err
	case cutCable:
		if err := n.Cut(heal); err != nil {
			return err
		}
		wait(ctx, f.hold)
		return n.Heal(heal)
	case powerLoss:
		if err := n.PowerLoss(heal); err != nil {
			return err
		}
		wait(ctx, f.hold)
		if err := n.Boot(heal); err != nil || n.disk == nil {
			return err
		}
		return n.disk.attach(heal, n)
	case fullDisk:
		return n.disk.fill(heal, n, f.hold)
	}
	return fmt.Errorf("no such fault: %s", f.kind)
}

// kill returns when the process is gone, so that what is seen of its host from
// then on is the recovery.
func kill(ctx context.Context, p lab.Proc) error {
	if p.PID == 0 {
		return errNobody
	}
	if err := p.Signal(unix.SIGKILL); errors.Is(err, unix.ESRCH) {
		return errNobody
	} else if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	return poll.Until(ctx, time.Millisecond, func() error {
		if !p.Gone() {
			return fmt.Errorf("process %d outlives its SIGKILL", p.PID)
		}
		return nil
	})
}

// freeze stops a process for a time, or for good if it is left to its fate.
func freeze(ctx context.Context, p lab.Proc, f fault) error {
	if p.PID == 0 {
		return errNobody
	}
	if err := p.Signal(unix.SIGSTOP); errors.Is(err, unix.ESRCH) {
		return errNobody
	} else if err != nil || f.left {
		return err
	}
	wait(ctx, f.hold)
	if err := p.Signal(unix.SIGCONT); !errors.Is(err, unix.ESRCH) { // it may have been killed meanwhile
		return err
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
