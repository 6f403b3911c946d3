package admission

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// ofOtherEntry refuses data of a member whose address is another entry of the
// list than this machine: a copy, whose original may be off, so that nobody need
// answer there now. Where two machines have changed their addresses the list is
// right and the data old, and a member that answers knows it.
//
// etcd would serve, so without a service manager it does.
func (c *Checker) ofOtherEntry(ctx context.Context, data datadir.Data) *failure.Failure {
	if !c.Guard.Patient || c.AsEtcd {
		return nil
	}
	self, other, here := c.otherEntry(data)
	if other == "" || c.movedHere(ctx, data) {
		return nil
	}
	f := failure.New(failure.IDCloned, fmt.Sprintf("its data is of %s (%s), which is another entry of the list; this machine is %s",
		shown.Text(other), shown.Text(strings.Join(self.PeerURLs, ",")), shown.Text(here)))
	f.Cause = "the data here is another machine's"
	f.Values = map[string]string{"member-id": hex(self.ID)}
	return f
}

// otherEntry names the entry of the list at whose address the data has its own
// member, and the entry that this machine is; "" where they are the same, or one
// of them is none. The scheme does not matter: it may be changing.
func (n Node) otherEntry(data datadir.Data) (self datadir.Member, other, here string) {
	i := slices.IndexFunc(data.DB.Members, func(m datadir.Member) bool { return m.ID == data.WAL.MemberID && m.ID != 0 })
	if i < 0 {
		return self, "", ""
	}
	self = data.DB.Members[i]
	if shareHostAndPort(self.PeerURLs, n.PeerURLs) {
		return self, "", ""
	}
	// In order, for the case that an address is listed twice.
	for _, key := range slices.Sorted(maps.Keys(n.Names)) {
		switch urls := strings.Split(key, ","); {
		case shareHostAndPort(urls, n.PeerURLs):
			here = n.Names[key]
		case shareHostAndPort(urls, self.PeerURLs):
			other = n.Names[key]
		}
	}
	if here == "" {
		return self, "", ""
	}
	return self, other, here
}

// movedHere reports whether a member of the data's cluster lists the data's member
// at this machine: `member update` was done elsewhere while this one was down.
func (c *Checker) movedHere(ctx context.Context, data datadir.Data) (moved bool) {
	others, err := c.Asker.Peers()
	if err != nil {
		return false
	}
	c.askAll(ctx, others, func(r reply) bool {
		id, err := strconv.ParseUint(r.list.ClusterID, 16, 64)
		moved = err == nil && id == data.WAL.ClusterID && slices.ContainsFunc(r.list.Members, func(x peers.Member) bool {
			return x.ID == data.WAL.MemberID && shareHostAndPort(x.PeerURLs, c.PeerURLs)
		})
		return moved
	})
	return moved
}

// shareHostAndPort reports whether two lists of URLs have a host with its port in
// common, as they are written.
func shareHostAndPort(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Host != "" && slices.ContainsFunc(b, func(t string) bool {
			v, err := url.Parse(t)
			return err == nil && strings.EqualFold(u.Host, v.Host)
		})
	})
}
