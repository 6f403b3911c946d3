package silence

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// Voters is what the kernel knows of the connections with the hosts of the other
// voters. It belongs to one goroutine.
type Voters struct {
	conns func() ([]peers.Conn, error) // with all peers
	at    map[uint64][]netip.Addr
	with  map[uint64][]peers.Conn
}

// NewVoters returns Voters of which nothing is known before Resolve and Refresh.
func NewVoters(conns func() ([]peers.Conn, error)) *Voters { return &Voters{conns: conns} }

// Resolve looks up where the voters are, whose peer URLs these are. Names that
// cannot be looked up now are where they were.
func (v *Voters) Resolve(ctx context.Context, urls map[uint64][]string) {
	before := v.at
	v.at = map[uint64][]netip.Addr{}
	for id, u := range urls {
		if v.at[id] = addresses(ctx, u); len(v.at[id]) == 0 {
			v.at[id] = before[id]
		}
	}
}

// Refresh finds the connections with the voters. Two at one address have one
// host, and all its connections.
func (v *Voters) Refresh() {
	all, err := v.conns()
	if err != nil {
		return // the minder of the connections complains
	}
	v.with = map[uint64][]peers.Conn{}
	for _, c := range all {
		for id, at := range v.at {
			if slices.Contains(at, c.Remote) {
				v.with[id] = append(v.with[id], c)
			}
		}
	}
}

// Look is what the kernel says now of each. Of one that cannot be found nothing
// is waited for.
func (v *Voters) Look() (at time.Time, looks map[uint64]Look) {
	at, looks = time.Now(), map[uint64]Look{}
	for id, found := range v.at {
		l, conns := Look{At: at, Acked: len(found) == 0}, v.with[id]
		stand := conns[:0]
		for _, c := range conns {
			info, ok := c.Info()
			if !ok {
				continue
			}
			if l.Acked = l.Acked || len(stand) == 0; info.Unacked > 0 {
				l.Acked = false
				if sent := at.Add(-time.Duration(info.Last_data_sent) * time.Millisecond); sent.After(l.Sent) {
					l.Sent = sent
				}
			}
			stand = append(stand, c)
			l.add(at, info)
		}
		v.with[id], looks[id] = stand, l
	}
	return at, looks
}

// lookup bounds the search for the address of a name.
const lookup = time.Second

// addresses are those to which URLs lead.
func addresses(ctx context.Context, urls []string) (all []netip.Addr) {
	ctx, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" {
			continue
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
			all = append(all, ip.Unmap().WithZone(""))
			continue
		}
		found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
		for _, ip := range found {
			all = append(all, ip.Unmap().WithZone(""))
		}
	}
	return all
}
