package member

import (
	"context"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/admission"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// admit looks at the data before etcd touches it; see package admission.
func (m *member) admit(ctx context.Context) (admission.Admission, *failure.Failure) {
	cfg := m.Config
	client, err := m.client()
	isNew := cfg.ClusterState == embed.ClusterStateFlagNew
	door := admission.Door{
		Node: admission.Node{
			Guard: m.Guard, DataDir: cfg.Dir, WALDir: cfg.WalDir, PeerURLs: urlStrings(cfg.AdvertisePeerUrls), Others: m.initial,
			New: isNew, ForceNewCluster: cfg.ForceNewCluster,
			OnlyMember: isNew && len(m.names) == 1 && len(cfg.DiscoveryCfg.Endpoints) == 0 && cfg.DNSCluster == "",
		},
		Asker:   asker{m, client, err},
		Waiting: m.startAt,
		Log:     m.log,
	}
	return door.Admit(ctx)
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

func (a asker) Members(ctx context.Context, peerURL string) ([]peers.Member, error) {
	return a.client.Members(ctx, peerURL)
}

// stuck recognises a start that will never come to its end.
func (m *member) stuck(o *observation) *failure.Failure {
	if o == nil || o.ready {
		return nil
	}
	return admission.Stuck(admission.Start{
		ClusterID: o.cluster.String(), Members: len(o.members), Listed: len(m.names),
		Begun: o.term != 0 || o.committed != 0, Since: time.Since(m.startedAt),
	}, &m.probes)
}
