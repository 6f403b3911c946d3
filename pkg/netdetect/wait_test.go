package netdetect

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lively is a fake Host that changes while it is waited for.
type lively struct {
	machine
	start time.Time

	mu    sync.Mutex // guards what follows, rows and dns
	looks []string   // when Addresses was called, since start
	subs  []chan struct{}
}

func (m *lively) host(t *testing.T) *Host {
	m.start = time.Now()
	h := m.machine.host(t)
	h.Addresses = func() ([]Address, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.looks = append(m.looks, time.Since(m.start).String())
		return parseRows(t, m.rows), nil
	}
	look := h.Lookup
	h.Lookup = func(ctx context.Context, name string) ([]netip.Addr, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return look(ctx, name)
	}
	h.Changes = func(ctx context.Context) (<-chan struct{}, error) {
		ch := make(chan struct{}, 1)
		m.mu.Lock()
		m.subs = append(m.subs, ch)
		m.mu.Unlock()
		out := make(chan struct{})
		go func() {
			defer close(out)
			for {
				select {
				case <-ch:
				case <-ctx.Done():
					return
				}
				select {
				case out <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		}()
		return out, nil
	}
	return h
}

// change makes the rows what they are to be and reports that, as the kernel
// does: to those who have subscribed.
func (m *lively) change(rows ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = rows
	for _, ch := range m.subs {
		ch <- struct{}{}
	}
}

// wait runs Wait with a minute and returns its answer, with the reasons said.
func (m *lively) wait(t *testing.T, host *Host, req Request) string {
	var said []string
	r, err := Wait(t.Context(), host, req, Patience{Limit: time.Minute}, func(reason string) {
		said = append(said, fmt.Sprintf("%v: %s", time.Since(m.start), reason))
	})
	return strings.Join(append(said, fmt.Sprintf("%v: %s", time.Since(m.start), answer(r, err))), "\n")
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

const found5 = "etcd-1, the entry of 192.168.122.5 in the initial cluster at 192.168.122.5, detected from eth0 (etcd-1 in the initial cluster), entry etcd-1"

func TestWaitWakesOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo}}}
		host := m.host(t)
		for after, rows := range map[time.Duration][]string{
			3 * time.Second:  {lo, "eth0 -"},
			4 * time.Second:  {lo, "eth0 fe80::5/64"}, // no new reason: not said
			20 * time.Second: {lo, eth0},
		} {
			time.AfterFunc(after, func() { m.change(rows...) })
		}
		check(t, m.wait(t, host, Request{Cluster: members(three)}), "0s: no interface with a usable address yet\n"+
			"3s: no usable IPv4 address on eth0 yet (is DHCP late?)\n20s: "+found5)
		check(t, strings.Join(m.looks, " "), "0s 3s 4s 20s")
	})
}

// An address that comes while the first look is under way is not missed.
func TestWaitSubscribesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo}}}
		host := m.host(t)
		look := host.Addresses
		host.Addresses = func() ([]Address, error) {
			rows, err := look()
			if len(m.looks) == 1 {
				m.change(lo, eth0)
			}
			return rows, err
		}
		check(t, m.wait(t, host, Request{Cluster: members(three)}), "0s: no interface with a usable address yet\n0s: "+found5)
	})
}

func TestWaitFindsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, eth0}}}
		check(t, m.wait(t, m.host(t), Request{Cluster: members(three)}), "0s: "+found5)
	})
}

func TestWaitRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, eth0, vip}}}
		_, err := Wait(t.Context(), m.host(t), Request{}, Patience{Limit: time.Minute}, func(string) { t.Error("said a reason for waiting") })
		if !errors.As(err, new(*Refusal)) || time.Since(m.start) != 0 {
			t.Errorf("after %v: %v, want a Refusal at once", time.Since(m.start), err)
		}
	})
}

func TestWaitEndsAtItsLimit(t *testing.T) {
	for _, limit := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			m := &lively{machine: machine{rows: []string{lo, "eth0 10.0.0.9/24", "eth1 -"}}}
			_, err := Wait(t.Context(), m.host(t), Request{Cluster: members(three)}, Patience{Limit: limit}, func(string) {})
			var timeout *Timeout
			if !errors.As(err, &timeout) || !errors.As(err, new(*Pending)) || time.Since(m.start) != limit {
				t.Fatalf("after %v: %v, want a Timeout after %v", time.Since(m.start), err, limit)
			}
			check(t, err.Error(), "no address for this member after "+limit.String()+" (ETCD_NODE_ADDRESS_WAIT): "+
				"no usable IPv4 address on eth1 yet (is DHCP late?); what is there is not in the initial cluster; "+
				"found eth0: 10.0.0.9/24, eth1: none; set ETCD_PEER to this machine's address, or ETCD_NODE_INTERFACE")
		})
	}
}

// A data dir outranks the list: what the list lacks is waited for, not demanded.
func TestWaitWithDataEndsInAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, "eth0 10.0.0.9/24", "eth1 -"}}}
		check(t, m.wait(t, m.host(t), Request{Cluster: members(three + " gone=gone.example"), HasData: true}),
			"0s: waiting for DNS: cannot resolve gone.example (no such name) of the initial cluster\n"+
				"1m0s: host, host name at 10.0.0.9, detected from eth0\n"+
				"warning: none of this machine's addresses is in the initial cluster, of which these names do not resolve: "+
				"gone.example (no such name); the data dir holds a member, and what it says counts")
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		m := &lively{machine: machine{rows: []string{lo}}}
		time.AfterFunc(7*time.Second, func() { cancel(errors.New("stopped")) })
		_, err := Wait(ctx, m.host(t), Request{}, Patience{Limit: time.Minute}, func(string) {})
		if !errors.Is(err, context.Canceled) || time.Since(m.start) != 7*time.Second {
			t.Errorf("after %v: %v, want it cancelled after 7s", time.Since(m.start), err)
		}
	})
}

// The kernel does not report that DNS is up, so names are asked for again.
func TestWaitRetriesDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &lively{machine: machine{rows: []string{lo, eth0}, dns: map[string]string{}}}
		host := m.host(t)
		time.AfterFunc(20*time.Second, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.dns["one.example"] = "192.168.122.5"
		})
		check(t, m.wait(t, host, Request{Cluster: members("a=one.example")}),
			"0s: waiting for DNS: cannot resolve one.example (no such name) of the initial cluster\n"+
				"22s: a, the entry of one.example (192.168.122.5) in the initial cluster at 192.168.122.5, detected from eth0 (a in the initial cluster), entry a")
		check(t, strings.Join(m.looks, " "), "0s 1s 3s 7s 12s 17s 22s")
	})
}

// A name server that swallows questions holds up neither the reason nor the stop.
func TestWaitWithDeafNameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := &lively{machine: machine{rows: []string{lo, eth0}}}
		host := m.host(t)
		host.Lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		var said []string
		time.AfterFunc(8*time.Second, cancel)
		_, err := Wait(ctx, host, Request{Cluster: members("a=one.example b=two.example")}, Patience{Limit: time.Minute}, func(reason string) {
			said = append(said, fmt.Sprintf("%v: %s", time.Since(m.start), reason))
		})
		if !errors.Is(err, context.Canceled) || time.Since(m.start) != 8*time.Second {
			t.Errorf("after %v: %v, want it cancelled after 8s", time.Since(m.start), err)
		}
		if want := []string{"5s: waiting for DNS: cannot resolve one.example (no answer in time), " +
			"two.example (no answer in time) of the initial cluster"}; !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}

// Without the kernel's reports, because they cannot be had or their socket
// broke, the timer alone finds the address.
func TestWaitWithoutChanges(t *testing.T) {
	broken := make(chan struct{})
	close(broken)
	for name, changes := range map[string]func(context.Context) (<-chan struct{}, error){
		"refused": func(context.Context) (<-chan struct{}, error) { return nil, errors.New("not permitted") },
		"closed":  func(context.Context) (<-chan struct{}, error) { return broken, nil },
	} {
		t.Run(name, func(t *testing.T) {
			m := &lively{machine: machine{rows: []string{lo, "eth0 -"}}}
			synctest.Test(t, func(t *testing.T) {
				host := m.host(t)
				host.Changes = changes
				time.AfterFunc(2*time.Second, func() { m.change(lo, eth0) })
				check(t, m.wait(t, host, Request{Cluster: members(three)}),
					"0s: no usable IPv4 address on eth0 yet (is DHCP late?)\n3s: "+found5)
			})
		})
	}
}
