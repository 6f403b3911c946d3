package member

import (
	"context"
	"net"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// elector is the running [election.Elector], if there is one.
type elector struct {
	*election.Elector
	cancel context.CancelFunc
	done   chan struct{}
}

// elect begins to ask for elections that etcd would wait for. Without pre-vote
// the question alone would depose a leader.
func (m *member) elect(ctx context.Context, s *etcdserver.EtcdServer) {
	if !m.Config.PreVote || !m.Election.Failover && !m.Election.Start {
		return
	}
	tlsConfig, err := peers.ClientTLS(m.Config.PeerTLSInfo, m.Config.PeerAutoTLS)
	if err != nil {
		m.log.Warn("a dead leader will cost an election timeout: the TLS settings for peers cannot be used", zap.Error(err))
		return
	}
	m.elector.Elector = election.New(election.Options{
		Server:  election.Embedded(s),
		Self:    uint64(s.MemberID()),
		Streams: m.streams,
		Network: election.Network{
			Dial: func(ctx context.Context, address string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", address)
			},
			TLS: tlsConfig,
		},
		Timeout:  time.Duration(m.Config.ElectionMs) * time.Millisecond,
		Log:      m.log,
		Changed:  m.observer.ask,
		Failover: m.Election.Failover,
		Start:    m.Election.Start,
	})
	ctx, m.elector.cancel = context.WithCancel(ctx)
	m.elector.done = make(chan struct{})
	go func() {
		defer close(m.elector.done)
		m.elector.Run(ctx)
	}()
}

// stop ends the elector, if it runs.
func (e *elector) stop() {
	if e.Elector != nil {
		e.cancel()
		<-e.done
	}
}

// elections is what the elector has done.
func (e *elector) elections() status.Elections {
	if e.Elector == nil {
		return status.Elections{}
	}
	return status.Elections(e.Counts())
}
