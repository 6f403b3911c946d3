package netdetect

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What is to be listened on may come with an interface that is late, and the
// kernel's report is enough.
func TestAwaitAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, eth0}}}
		host := m.host(t)
		host.CanListen = func(a netip.Addr) bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			_, ok := table(parseRows(t, m.rows)).holder(a)
			return ok || a.IsUnspecified()
		}
		time.AfterFunc(3*time.Second, func() { m.change(lo, eth0, "wg0 10.9.0.1/24") })
		all := []Listen{{addr("0.0.0.0"), "everywhere"}, {addr("127.0.0.1"), "here"}, {addr("10.9.0.1"), "ETCD_LISTEN_PEER_URLS (/etc/default/etcd:4)"}}
		var said []string
		say := func(reason string) { said = append(said, fmt.Sprintf("%v: %s", time.Since(m.start), reason)) }
		err := AwaitAddresses(t.Context(), host, all, say)
		if err != nil || time.Since(m.start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(m.start), err)
		}
		check(t, strings.Join(said, "\n"), "0s: no interface has 10.9.0.1 yet; waiting, or correct ETCD_LISTEN_PEER_URLS (/etc/default/etcd:4)")

		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := AwaitAddresses(ctx, host, []Listen{{addr("10.9.0.2"), "x"}}, say); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an address that never comes: %v", err)
		}
	})
}

func TestCanListen(t *testing.T) {
	for text, want := range map[string]bool{"127.0.0.1": true, "127.0.0.9": true, "0.0.0.0": true, "192.0.2.1": false} {
		if got := System().CanListen(addr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
