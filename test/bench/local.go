package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// startLocal is the time from exec of a single member on this machine's
// loopback, with a little data and its files in the page cache, until it
// answers a linearizable read.
func startLocal(ctx context.Context, c *cluster) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "single")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	var urls []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		urls = append(urls, "http://"+l.Addr().String())
		l.Close()
	}
	cli, err := clientv3.New(clientv3.Config{
		Endpoints: urls[:1], Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1, MaxDelay: time.Millisecond}, MinConnectTimeout: time.Second,
		})},
	})
	if err != nil {
		return 0, err
	}
	defer cli.Close()
	run := func(use func() error) (time.Duration, error) {
		cmd := exec.CommandContext(ctx, c.local, "--name=a", "--data-dir="+filepath.Join(dir, "data"),
			"--listen-client-urls="+urls[0], "--advertise-client-urls="+urls[0],
			"--listen-peer-urls="+urls[1], "--initial-advertise-peer-urls="+urls[1], "--initial-cluster=a="+urls[1],
			fmt.Sprintf("--heartbeat-interval=%d", c.timing.heartbeat), fmt.Sprintf("--election-timeout=%d", c.timing.election))
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		err := poll(ctx, c.local+" to serve", func() (bool, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := cli.Get(ctx, "k")
			return err == nil, nil
		})
		took := time.Since(begin)
		if err == nil {
			err = use()
		}
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended: Wait says so
		_ = cmd.Wait()                          // stock etcd ends by the signal itself
		return took, err
	}
	if _, err := run(func() error {
		for i := range 1000 {
			if _, err := cli.Put(ctx, fmt.Sprint("k", i), "0123456789"); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return 0, err
	}
	return run(func() error { return nil })
}
