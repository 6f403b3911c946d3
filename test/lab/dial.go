package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Dial connects to an address in the lab's network, from 192.168.122.1, the
// operator's workstation. IP addresses only: names would be this machine's.
func (l *Lab) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return dialIn(ctx, l.name+"-switch", addr)
}

// Dial connects from the host itself, so that its loopback is in reach.
func (h *Host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return dialIn(ctx, h.lab.name+"-"+h.Name, addr)
}

// Client is an etcd client on the workstation, of the hosts given. tls is nil
// for http. It reconnects within milliseconds of a member's return, so that
// what it measures is the member and not grpc's patience.
func (l *Lab) Client(config *tls.Config, hosts ...*Host) (*clientv3.Client, error) {
	scheme := "http"
	if config != nil {
		scheme = "https"
	}
	var endpoints []string
	for _, h := range hosts {
		endpoints = append(endpoints, scheme+"://"+h.IP+":2379")
	}
	return l.clientOf(config, endpoints...)
}

// clientOf is such a client of the URLs given.
func (l *Lab) clientOf(config *tls.Config, endpoints ...string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: endpoints,
		TLS:       config,
		Logger:    zap.NewNop(), // a member that is down is no news here
		DialOptions: []grpc.DialOption{
			grpc.WithContextDialer(l.Dial),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.2, MaxDelay: 50 * time.Millisecond},
				MinConnectTimeout: time.Second,
			}),
		},
	})
}

// dialIn dials in a network namespace. The thread is lent to it for the system
// calls of one socket, which then stays where it was made.
func dialIn(ctx context.Context, namespace, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if net.ParseIP(host) == nil { // a name would take further goroutines and threads
		return nil, fmt.Errorf("dial %s: not an IP address", addr)
	}
	var conn net.Conn
	err = inside(namespace, func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", addr)
		return err
	})
	return conn, err
}

// inside does something in a network namespace, all in this goroutine.
func inside(namespace string, do func() error) error {
	there, err := os.Open("/run/netns/" + namespace)
	if err != nil {
		return err
	}
	defer there.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer here.Close()

	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", namespace, err)
	}
	err = do()
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back) // any later socket of this process would be in the wrong place
	}
	return err
}
