package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/steps"
)

// startLocal is the time from exec of a single member on this machine's
// loopback, with a little data and its files in the page cache, until it
// answers a linearizable read.
func startLocal(ctx context.Context, c *cluster) time.Duration {
	dir := steps.Of(os.MkdirTemp("", "single"))
	defer os.RemoveAll(dir)
	m := loopback.New("a", dir)
	cli := steps.Of(clientv3.New(clientv3.Config{
		Endpoints: []string{m.Client}, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1, MaxDelay: time.Millisecond}, MinConnectTimeout: time.Second,
		})},
	}))
	defer cli.Close()
	run := func(use func()) time.Duration {
		cmd := exec.CommandContext(ctx, c.local, append(m.Flags(),
			fmt.Sprintf("--heartbeat-interval=%d", c.timing.heartbeat), fmt.Sprintf("--election-timeout=%d", c.timing.election))...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		begin := time.Now()
		steps.Must(cmd.Start())
		defer func() {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended: Wait says so
			_ = cmd.Wait()                          // stock etcd ends by the signal itself
		}()
		await(ctx, c.local+" to serve", func() bool {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := cli.Get(ctx, "k")
			return err == nil
		})
		took := time.Since(begin)
		use()
		return took
	}
	run(func() {
		for i := range 1000 {
			steps.Of(cli.Put(ctx, fmt.Sprint("k", i), "0123456789"))
		}
	})
	return run(func() {})
}
