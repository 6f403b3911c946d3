package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

func killFollower(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	_, followers, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	p, err := c.process(followers[0])
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := p.Signal(unix.SIGKILL); err != nil {
		return 0, err
	}
	if err := poll(ctx, "the process to end", func() (bool, error) { return p.Gone(), nil }); err != nil {
		return 0, err
	}
	err = c.answers(ctx, followers[0])
	return time.Since(begin), err
}

// cutFollower is the time from the return of a follower's network until the
// follower serves.
func cutFollower(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := c.busy(ctx); err != nil {
		return 0, err
	}
	_, followers, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	if err := followers[0].Cut(ctx); err != nil {
		return 0, err
	}
	select {
	case <-time.After(30 * time.Second):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := followers[0].Heal(ctx); err != nil {
		return 0, err
	}
	begin := time.Now()
	// An old client's connection has its own wait for TCP before it.
	if cli, ok := c.clients[followers[0]]; ok {
		cli.Close()
		delete(c.clients, followers[0])
	}
	err = c.answers(ctx, followers[0])
	return time.Since(begin), err
}
