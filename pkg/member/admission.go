package member

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/admission"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// admit looks at the data before etcd touches it; see package admission.
func (m *member) admit(ctx context.Context) (admission.Admission, *failure.Failure) {
	cfg := m.Config
	client, err := m.client()
	isNew := cfg.ClusterState == embed.ClusterStateFlagNew
	discovered := len(cfg.DiscoveryCfg.Endpoints) > 0 || cfg.DNSCluster != ""
	checker := admission.Checker{
		Node: admission.Node{
			Guard: m.Guard, Name: cfg.Name, DataDir: cfg.Dir, WALDir: cfg.WalDir, PeerURLs: urlStrings(cfg.AdvertisePeerUrls),
			Others: m.initial, Names: m.names,
			New: isNew, ForceNewCluster: cfg.ForceNewCluster, AsEtcd: discovered || cfg.ForceNewCluster,
			OnlyMember: isNew && len(m.names) == 1 && !discovered,
			Begins:     m.begins, ByToken: byToken(cfg.InitialClusterToken),
		},
		Asker:     asker{m, client, err},
		PortsFree: m.peerPortsFree,
		Announce:  m.announce,
		Here:      onThisMachine,
		Waiting:   m.startAt,
		Log:       m.log,
	}
	return checker.Admit(ctx)
}

// announce tells the others what says returns, where etcd is going to listen.
func (m *member) announce(says func() peers.Announcement) (stop func(), err error) {
	return peers.Announce(m.Config.ListenPeerUrls, m.Config.PeerTLSInfo, m.Config.PeerAutoTLS, says)
}

// awaited are the members of the list, with the reason for which each is missing,
// while the start waits for what they say; nil before and after that.
func (m *member) awaited() []status.Member {
	if !admission.WaitsForPeers(*m.starting.Load()) {
		return nil
	}
	all := []status.Member{{Name: m.Config.Name, PeerURLs: urlStrings(m.Config.AdvertisePeerUrls), Self: true, Connected: true}}
	for _, p := range m.initial {
		x := status.Member{Name: m.names[p.Key()], PeerURLs: p.URLs, Cause: "not asked yet"}
		switch found, ok := m.probes.Of(p); {
		case ok && found.OK:
			x.Cause = "it answers as a member of cluster " + found.ClusterID
		case ok:
			x.Cause = found.Cause
		}
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b status.Member) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// beginsAs is the member that a first start by the configured list makes, and its
// cluster. They are made of the token and all peer URLs, so that who has the same
// IDs has the same list.
func beginsAs(cfg *embed.Config) (id admission.Identity) {
	urls, err := types.NewURLsMap(cfg.InitialCluster)
	if err != nil {
		return id
	}
	c, err := membership.NewClusterFromURLsMap(zap.NewNop(), cfg.InitialClusterToken, urls)
	if err != nil {
		return id
	}
	if self := c.MemberByName(cfg.Name); self != nil {
		id = admission.Identity{ClusterID: c.ID().String(), MemberID: self.ID.String()}
	}
	return id
}

// byToken returns the func that makes a member's ID of a token and its URLs.
func byToken(token string) func(peerURLs []string) uint64 {
	return func(peerURLs []string) uint64 {
		urls, err := types.NewURLs(peerURLs)
		if err != nil {
			return 0
		}
		return uint64(membership.NewMember("", urls, token, nil).ID)
	}
}

// asker asks the members of the initial cluster, also where etcd would look it
// up in DNS.
type asker struct {
	*member
	client *peers.Client
	err    error // why there is no client
}

func (a asker) Peers() ([]peers.Peer, error) {
	if a.err != nil {
		return nil, a.err
	}
	if len(a.initial) > 0 || a.Config.DNSCluster == "" {
		return a.initial, nil
	}
	byName, _, err := a.Config.PeerURLsMapAndToken("etcd")
	if err != nil {
		return nil, err
	}
	var others []peers.Peer
	for name, urls := range byName {
		if name != a.Config.Name {
			others = append(others, peers.Peer{URLs: urls.StringSlice()})
		}
	}
	return others, nil
}

func (a asker) Members(ctx context.Context, peerURL string) (peers.List, error) {
	return a.client.Members(ctx, peerURL)
}

func (a asker) Is(ctx context.Context, peerURL, clusterID string, memberID uint64) bool {
	return a.client != nil && a.client.Is(ctx, peerURL, clusterID, memberID)
}

func (a asker) IsAnother(ctx context.Context, peerURL, clusterID string, memberID uint64) bool {
	return a.client != nil && a.client.IsAnother(ctx, peerURL, clusterID, memberID)
}

// stuck recognises a start that will never come to its end.
func (m *member) stuck(o *observation) *failure.Failure {
	if o == nil || o.ready {
		return nil
	}
	return admission.Stuck(admission.Start{
		ClusterID: o.cluster.String(), Members: len(o.members), Listed: len(m.names),
		Begun: o.term != 0 || o.committed != 0, Since: time.Since(m.startedAt),
		Begins: m.begins.ClusterID, Pinned: m.Guard.Pin != nil,
	}, &m.probes)
}
