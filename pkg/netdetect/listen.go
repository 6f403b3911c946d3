package netdetect

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Listen is an address to listen on, and where that is set, for the operator:
// "ETCD_LISTEN_PEER_URLS (/etc/default/etcd:4)".
type Listen struct {
	Addr  netip.Addr
	Where string
}

// AwaitAddresses returns when this machine has all the addresses, which may come
// with an interface that is not there yet. It looks whenever the kernel reports a
// change. Say is called with the reason for waiting when it changes, and must not
// block. The error is that of ctx.
func AwaitAddresses(ctx context.Context, host *Host, all []Listen, say func(reason string)) error {
	changes, stop := host.subscribe(ctx)
	defer stop()
	for said := ""; ; {
		reason := ""
		for _, x := range all {
			if !host.CanListen(x.Addr) {
				reason = fmt.Sprintf("no interface has %s yet; waiting, or correct %s", x.Addr, x.Where)
				break
			}
		}
		if reason == "" {
			return nil
		}
		if reason != said {
			said = reason
			say(said)
		}
		// Not every change is reported: the kernel takes a whole network for its
		// own by a route, and sysctl can let anybody listen on anything.
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", reason, ctx.Err())
		case _, open := <-changes:
			if !open {
				changes = nil // ctx ended, or the kernel's socket broke
			}
		case <-time.After(lastRetry):
		}
	}
}
