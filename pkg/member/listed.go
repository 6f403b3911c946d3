package member

import (
	"net/url"
	"reflect"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/admission"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// follow makes etcd listen for peers as its data announces, where the operator
// has not said where it listens, and logs where the list and the data differ.
// It returns this node by its configuration.
func (m *member) follow(a admission.Admission) roster.Node {
	cfg := m.Config
	if m.Guard.Unconfigured {
		return roster.Node{}
	}
	n := roster.New(cfg.Name, cfg.InitialCluster, urlStrings(cfg.AdvertisePeerUrls), urlStrings(cfg.ListenPeerUrls))
	n.Values, n.NameSource = m.Guard.Values, m.Guard.NameSource
	n.Derived, n.TLS = m.Guard.Derived, !cfg.PeerTLSInfo.Empty() || cfg.PeerAutoTLS
	members := roster.Stored(a.Members, a.Self)
	if as := n.ListenAs(members); !slices.Equal(as, n.Listens) {
		m.log.Warn("it listens for peers as its data says, because they dial it so", zap.Strings("urls", as), zap.Strings("list", n.Listens))
		n.Listens, cfg.ListenPeerUrls = as, parsed(as)
	}
	for _, d := range n.Compare(members) {
		if d.Idle {
			m.log.Info(d.Text)
		} else {
			m.log.Warn(d.Text)
		}
	}
	return n
}

// differences are those between the list and the members that this one has
// applied, as far as something is to be done. A first start is quiet: it stores
// the members of the list one by one, and one that was interrupted goes on with
// that when there is a leader.
func (m *member) differences(o *observation) []roster.Difference {
	if !m.hadData && !o.ready {
		return nil
	}
	all := slices.Clone(m.compared.differences(m.asked(o), m.roster(o)))
	if !o.ready {
		all = slices.DeleteFunc(all, func(d roster.Difference) bool { return d.ID == failure.IDOtherMembers })
	}
	return roster.Short(all)
}

// comparison is the last one: it is asked for several times a second, and takes a
// tenth of a millisecond, which is as much as etcd itself takes when nobody asks it
// anything.
type comparison struct {
	node    roster.Node
	members []roster.Member
	all     []roster.Difference
}

func (c *comparison) differences(n roster.Node, members []roster.Member) []roster.Difference {
	if !reflect.DeepEqual(c.node, n) || !reflect.DeepEqual(c.members, members) {
		*c = comparison{n, members, n.Compare(members)}
	}
	return c.all
}

// roster are the members that this one has applied.
func (m *member) roster(o *observation) (members []roster.Member) {
	for _, x := range o.members {
		r := roster.Member{ID: x.ID.String(), Name: x.Name, PeerURLs: x.PeerURLs, Self: x.ID == o.self, Absent: o.absent(x)}
		if !r.Self {
			r.Reached, _ = m.takesPart(peerOf(x), o.cluster.String())
		}
		members = append(members, r)
	}
	return members
}

// whyLeaderless is why there has been no leader for long, beside what the
// conditions say already. Members that dial each other at the wrong place, and
// those that never were, come first: what mends a lost quorum does harm there.
func whyLeaderless(o *observation, said []roster.Difference) []status.Condition {
	if slices.ContainsFunc(said, func(d roster.Difference) bool { return d.Apart }) {
		return nil
	}
	voters, begun := 0, 0
	var never []string
	for _, x := range o.members {
		switch {
		case x.IsLearner:
		case x.Name == "" && x.ID != o.self:
			voters++
			never = append(never, "a member was "+neverStarted(x.PeerURLs))
		default:
			voters++
			begun++
		}
	}
	if begun > voters/2 || len(never) == 0 {
		return []status.Condition{{ID: failure.IDNoQuorum}}
	}
	if slices.ContainsFunc(said, func(d roster.Difference) bool { return d.ID == failure.IDNeverStarted }) {
		return nil
	}
	return []status.Condition{{ID: failure.IDNeverStarted, Text: strings.Join(never, "; ") + ": without it there is no quorum"}}
}

// neverStarted says so of a member that was added under these URLs.
func neverStarted(urls []string) string {
	return "added as " + shown.Text(strings.Join(urls, ",")) + ", has never started"
}

// parsed are URLs that were URLs before.
func parsed(list []string) (urls []url.URL) {
	for _, s := range list {
		if u, err := url.Parse(s); err == nil {
			urls = append(urls, *u)
		}
	}
	return urls
}
