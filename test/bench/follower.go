package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/steps"
)

// followerRows are about a follower that was away.
func followerRows() []row {
	var all []row
	for _, t := range []timing{near, far} {
		all = append(all,
			row{name: "follower's serving process killed until it serves again", setup: setup{timing: t}, figures: took(goal{worst: 1}), measure: once(killFollower)},
			row{name: "follower's cable pulled, and plugged in again 30 s later, until it serves again", setup: setup{timing: t}, figures: took(goal{}), measure: once(cutFollower)},
		)
	}
	return all
}

func killFollower(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	_, followers := c.leader(ctx)
	p := c.process(followers[0])
	begin := time.Now()
	steps.Must(p.Signal(unix.SIGKILL))
	await(ctx, "the process to end", p.Gone)
	c.answers(ctx, followers[0])
	return time.Since(begin)
}

// cutFollower is the time from the return of a follower's network until the
// follower serves.
func cutFollower(ctx context.Context, c *cluster) time.Duration {
	c.busy(ctx)
	_, followers := c.leader(ctx)
	steps.Must(followers[0].Cut(ctx))
	pass(ctx, 30*time.Second)
	steps.Must(followers[0].Heal(ctx))
	begin := time.Now()
	// An old client's connection has its own wait for TCP before it.
	if cli, ok := c.clients[followers[0]]; ok {
		cli.Close()
		delete(c.clients, followers[0])
	}
	c.answers(ctx, followers[0])
	return time.Since(begin)
}
