package netdetect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// lookupLimit bounds one round of lookups. All names are looked up at once, and
// the operator must see the reason for waiting well within 15 s.
const lookupLimit = 5 * time.Second

// cluster is the initial cluster with its hosts turned into addresses.
type cluster struct {
	members []Member
	hosts   []listing
}

// listing is one host of one entry.
type listing struct {
	member int
	host   string
	dns    bool         // a name that has to be looked up
	addrs  []netip.Addr // without DNS answers on loopback, where there are others

	// The outcome of the lookup.
	loopback bool   // the only answers were on loopback
	failed   string // why the name does not resolve, "" when it does
}

func newCluster(members []Member) *cluster {
	c := &cluster{members: members}
	for i, m := range members {
		for _, host := range m.Hosts {
			l := listing{member: i, host: host}
			name := strings.ToLower(strings.TrimSuffix(host, "."))
			switch addr, err := netip.ParseAddr(host); {
			case err == nil:
				l.addrs = []netip.Addr{plain(addr)}
			case name == "localhost" || strings.HasSuffix(name, ".localhost"):
				// RFC 6761: these mean loopback, whatever DNS says.
				l.addrs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
			default:
				l.dns = true
			}
			c.hosts = append(c.hosts, l)
		}
	}
	return c
}

// plain is addr as the kernel's table has it.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// resolve looks up every name that has no answer yet, all at once. It fails
// only when ctx ends; a name that does not resolve is in unresolved.
func (c *cluster) resolve(ctx context.Context, lookup func(context.Context, string) ([]netip.Addr, error)) error {
	bounded, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	var wg sync.WaitGroup
	for i := range c.hosts {
		l := &c.hosts[i]
		if !l.dns {
			continue
		}
		wg.Go(func() {
			answers, err := lookup(bounded, l.host)
			if err != nil || len(answers) == 0 {
				l.failed = whyNot(err)
				return
			}
			for i := range answers {
				answers[i] = plain(answers[i])
			}
			l.addrs = slices.DeleteFunc(slices.Clone(answers), netip.Addr.IsLoopback)
			if l.loopback = len(l.addrs) == 0; l.loopback {
				l.addrs = answers
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// whyNot classifies a failed lookup. The resolver's own text names a new
// local port at every try, so it would make every try a new reason.
func whyNot(err error) string {
	var d *net.DNSError
	switch {
	case err == nil, errors.As(err, &d) && d.IsNotFound:
		return "no such name"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &d) && d.IsTimeout:
		return "no answer in time"
	}
	return "the name server failed or cannot be reached"
}

// hasNames says whether the list has names to look up.
func (c *cluster) hasNames() bool {
	for _, l := range c.hosts {
		if l.dns {
			return true
		}
	}
	return false
}

// unresolved lists the names that do not resolve, plain and with the reason.
func (c *cluster) unresolved() (names, why []string) {
	for _, l := range c.hosts {
		if l.failed != "" {
			names = append(names, l.host)
			why = append(why, fmt.Sprintf("%s (%s)", l.host, l.failed))
		}
	}
	return names, why
}

// onLoopback says that every host of the list is on loopback: a whole cluster
// on one machine, as in etcd's Procfile. (That does not hold for one member
// alone under a name that Debian maps to 127.0.1.1.)
func (c *cluster) onLoopback() bool {
	for _, l := range c.hosts {
		if l.dns && (!l.loopback || len(c.members) == 1) {
			return false
		}
		for _, a := range l.addrs {
			if !a.IsLoopback() {
				return false
			}
		}
	}
	return len(c.hosts) > 0
}

// families says which address families the list uses; neither when it names
// no address beyond loopback.
func (c *cluster) families() (v4, v6 bool) {
	for _, l := range c.hosts {
		for _, a := range l.addrs {
			if !a.IsLoopback() {
				v4 = v4 || a.Is4()
				v6 = v6 || a.Is6()
			}
		}
	}
	return v4, v6
}

// find is the index of the entry of that name, -1 when there is none.
func (c *cluster) find(name string) int {
	for i, m := range c.members {
		if m.Name == name {
			return i
		}
	}
	return -1
}
