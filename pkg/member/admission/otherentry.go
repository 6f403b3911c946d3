package admission

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// ofOtherEntry waits with data of a member whose address is another entry of the
// list than this machine. Either machines have changed their addresses: then the
// data counts, and the member starts where it is, with a text for the operator. Or
// this is a copy: then it must not, and its original may be off, so that nobody
// answers for it. What the others say decides, as soon as they say it; until then
// this node tells them whose data it has, for those that wait as it does.
//
// etcd would serve, so without a service manager it does. So does a cluster of one,
// as where its data was moved.
func (c *Checker) ofOtherEntry(ctx context.Context, data datadir.Data) (misplaced string, f *failure.Failure) {
	if !c.Guard.Patient || c.AsEtcd || len(data.DB.Members) == 1 {
		return "", nil
	}
	self, other, here := c.otherEntry(data)
	if other == "" {
		return "", nil
	}
	said := ""
	for places := c.places(self); ; {
		switch at := c.askAt(ctx, self, data); {
		case at.same:
			if f := c.copied(ctx, data); f != nil {
				return "", f
			} // it is off now, or ctx has ended
		case c.movedHere(ctx, data):
			return "", nil
		case at.other != "":
			text := fmt.Sprintf("the data is of %s, which the list has at another address (%s), and this machine is %s; at that address is another member now (%s): the data counts; if machines have changed their addresses, give them back, then `systemctl restart etcd`",
				shown.Text(other), shown.Text(strings.Join(self.PeerURLs, ",")), shown.Text(here), at.other)
			text = failure.ForUnit(text, c.Guard.Values)
			c.Log.Warn(text)
			return text, nil
		case !slices.Equal(c.places(self), places):
			f := failure.New(failure.IDAddressGone, "")
			f.Class, f.Cause = failure.Transient, "the addresses of this machine have changed"
			return "", f
		default:
			if said == "" {
				stop, err := c.Announce(func() peers.Announcement {
					return peers.Announcement{ClusterID: data.WAL.ClusterID, MemberID: self.ID}
				})
				if err != nil { // etcd could not listen there either
					return "", unasked(err)
				}
				defer stop()
			}
			text := fmt.Sprintf("waiting: the data is of %s, which the list has at another address (%s), and this machine is %s; no member answers there (%s), so this may be a copy of a machine that is off; %s",
				shown.Text(other), shown.Text(strings.Join(self.PeerURLs, ",")), shown.Text(here), at.silence, c.homeOrUpdate(self))
			switch said {
			case text:
			case "":
				c.waitFor(status.Condition{ID: failure.IDOtherEntry, Text: text})
			default: // what is heard there may change every second: not worth the log
				c.Waiting(status.Condition{ID: failure.IDOtherEntry, Text: failure.ForUnit(text, c.Guard.Values)})
			}
			said = text
		}
		select {
		case <-ctx.Done():
			return "", failure.New(failure.IDSignalled, "")
		case <-time.After(peers.PauseMissing):
		}
	}
}

// homeOrUpdate is what to do where machines have changed their addresses.
func (c *Checker) homeOrUpdate(self datadir.Member) string {
	values := maps.Clone(c.Guard.Values)
	if values == nil {
		values = map[string]string{}
	}
	values["member-id"], values["peer-urls"] = hex(self.ID), strings.Join(c.PeerURLs, ",")
	steps := failure.Steps(failure.IDOtherEntry, values)
	return steps[0] + "; " + steps[1]
}

// found is what is at the address at which the data has its member.
type found struct {
	same    bool   // that member
	other   string // who else of its cluster, in words
	silence string // why that cannot be told
}

// askAt asks there.
func (c *Checker) askAt(ctx context.Context, self datadir.Member, data datadir.Data) (f found) {
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout) // a list, and then a question
	defer cancel()
	cluster := hex(data.WAL.ClusterID)
	all := make(chan found, len(self.PeerURLs))
	for _, u := range self.PeerURLs {
		go func() {
			list, err := c.Asker.Members(ctx, u)
			w, waits := errors.AsType[*peers.Waits](err)
			switch {
			case waits && w.MemberID != 0 && (w.ClusterID != data.WAL.ClusterID || w.MemberID != self.ID):
				all <- found{other: err.Error()}
			case err != nil:
				all <- found{silence: err.Error()}
			case list.ClusterID != cluster:
				all <- found{silence: hostOf(u) + ": a member of another cluster, " + list.ClusterID}
			case c.Asker.Is(ctx, u, cluster, self.ID):
				all <- found{same: true}
			case c.Asker.IsAnother(ctx, u, cluster, self.ID):
				all <- found{other: hostOf(u) + ": another member of this cluster"}
			default:
				all <- found{silence: hostOf(u) + ": a member of this cluster, which does not say which"}
			}
		}()
	}
	var silent []string
	for range self.PeerURLs {
		x := <-all
		f.same = f.same || x.same
		f.other = max(f.other, x.other)
		silent = append(silent, nonEmpty(x.silence)...)
	}
	f.silence = strings.Join(sorted(silent), ", ")
	return f
}

// places says of each host at which the data or the list has this member whether it
// is this machine's: where that changes, an address has come or gone.
func (c *Checker) places(self datadir.Member) (here []bool) {
	for _, raw := range slices.Concat(self.PeerURLs, c.PeerURLs) {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
			here = append(here, c.Here(addr))
		}
	}
	return here
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
	if OneAddress(self.PeerURLs, n.PeerURLs) {
		return self, "", ""
	}
	// In order, for the case that an address is listed twice.
	for _, key := range slices.Sorted(maps.Keys(n.Names)) {
		switch urls := strings.Split(key, ","); {
		case OneAddress(urls, n.PeerURLs):
			here = n.Names[key]
		case OneAddress(urls, self.PeerURLs):
			other = n.Names[key]
		}
	}
	if here == "" {
		return self, "", ""
	}
	return self, other, here
}

// movedHere reports whether a quorum of the data's cluster lists the data's member
// at this machine, this one included, which will as soon as it hears of it: `member
// update` was done elsewhere.
func (c *Checker) movedHere(ctx context.Context, data datadir.Data) bool {
	others, err := c.Asker.Peers()
	if err != nil {
		return false
	}
	say, quorum := 1, 2
	c.askAll(ctx, others, func(r reply) bool {
		if r.list.ClusterID != hex(data.WAL.ClusterID) {
			return false
		}
		voters := 0
		for _, x := range r.list.Members {
			if !x.Learner {
				voters++
			}
			if x.ID == data.WAL.MemberID && OneAddress(x.PeerURLs, c.PeerURLs) {
				say++
			}
		}
		quorum = max(quorum, voters/2+1)
		return false
	})
	return say >= quorum
}

// OneAddress reports whether two lists of URLs have a host with its port in common.
func OneAddress(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Host != "" && slices.ContainsFunc(b, func(t string) bool {
			v, err := url.Parse(t)
			return err == nil && strings.EqualFold(u.Host, v.Host)
		})
	})
}
