package member

import (
	"context"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

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
	door := admission.Door{
		Node: admission.Node{
			Guard: m.Guard, DataDir: cfg.Dir, WALDir: cfg.WalDir, PeerURLs: urlStrings(cfg.AdvertisePeerUrls), Others: m.initial,
			New: isNew, ForceNewCluster: cfg.ForceNewCluster,
			OnlyMember: isNew && len(m.names) == 1 && len(cfg.DiscoveryCfg.Endpoints) == 0 && cfg.DNSCluster == "",
		},
		Asker:   asker{m, client, err},
		Waiting: func(c status.Condition) { m.waits.Store(&c); m.wake() },
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
	if a.err != nil {
		return nil, a.err
	}
	return a.client.Members(ctx, peerURL)
}

// stuck recognises a start that will never come to its end.
func (m *member) stuck() *failure.Failure {
	e := m.etcd.Load()
	if e == nil || m.ready.Load() {
		return nil
	}
	s := e.Server
	return admission.Stuck(admission.Start{
		ClusterID: s.Cluster().ID().String(), Members: len(s.Cluster().Members()), Listed: len(m.names),
		Begun: s.Term() != 0 || s.CommittedIndex() != 0, Since: time.Since(m.startedAt),
	}, &m.found)
}
