package member

import (
	"context"
	"net"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/server/v3/etcdserver"

	"github.com/etcd-node/etcd-node/pkg/member/election"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/member/silence"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// elector is the running [election.Elector], if there is one.
type elector struct {
	*election.Elector
	cancel context.CancelFunc
	done   chan struct{}
}

// newElector makes what asks for elections that etcd would wait for. Without
// pre-vote the question alone would depose a leader. It reads certificates, and
// so it is not for the loop.
func (m *member) newElector(s *etcdserver.EtcdServer) *election.Elector {
	if !m.Config.PreVote || !m.Election.Failover && !m.Election.Start {
		return nil
	}
	tlsConfig, err := m.clientTLS()
	if err != nil {
		m.log.Warn("a dead leader will cost an election timeout: the TLS settings for peers cannot be used", zap.Error(err))
		return nil
	}
	dialer := m.dialer()
	return election.New(election.Options{
		Server:  election.Embedded(s),
		Self:    uint64(s.MemberID()),
		Streams: m.streams,
		Network: election.Network{
			Dial: func(ctx context.Context, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", address)
			},
			TLS:     tlsConfig,
			Silence: m.hostSilence(),
		},
		Timeout: time.Duration(m.Config.ElectionMs) * time.Millisecond,
		Log:     m.log,

		Activity: m.activity,

		Changed: m.observer.ask,

		QuorumSilent: m.lookAtRequests,

		Failover: m.Election.Failover,
		Start:    m.Election.Start,
	})
}

// hostSilence is how the host of a leader is listened to.
func (m *member) hostSilence() election.Silence {
	return election.Silence{
		Limit:  m.Election.HostSilence,
		Host:   func() election.Host { return silence.NewHost(m.peerConns) },
		Voters: func() election.Voters { return silence.NewVoters(m.peerConns) },
	}
}

// peerConns are the connections with peers that stand now, raft's and our own.
func (m *member) peerConns() ([]peers.Conn, error) { return m.minder().Ports().Conns() }

// run starts the elector, if there is one.
func (e *elector) run(ctx context.Context, made *election.Elector) {
	if made == nil {
		return
	}
	e.Elector, e.done = made, make(chan struct{})
	ctx, e.cancel = context.WithCancel(ctx)
	go func() {
		defer close(e.done)
		e.Run(ctx)
	}()
}

// stop ends the elector, if it runs. It asks for nothing more after that; where
// the disk hangs it may hang in a lock of etcd's, and is not waited for.
func (e *elector) stop() {
	if e.Elector != nil {
		e.cancel()
		select {
		case <-e.done:
		case <-time.After(time.Second):
		}
	}
}

// quorumSilentSince is since when this member leads without a quorum.
func (e *elector) quorumSilentSince() time.Time {
	if e.Elector == nil {
		return time.Time{}
	}
	return e.QuorumSilentSince()
}

// electionsOff says why a leader that is lost is left to etcd's timer; "" if it is
// not.
func (m *member) electionsOff() string {
	switch {
	case !m.Election.Failover:
		return "ETCD_NODE_FAILOVER=off"
	case !m.Config.PreVote:
		return "pre-vote=false"
	case m.elector.Elector == nil:
		return "the TLS settings for peers cannot be used"
	}
	return ""
}

// elections is what the elector has done.
func (e *elector) elections() status.Elections {
	if e.Elector == nil {
		return status.Elections{}
	}
	return status.Elections(e.Counts())
}
