package member

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// pipes is a listener whose connections are made in memory.
type pipes struct {
	conns chan net.Conn
	ended chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.ended); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A cable is out and plugged in again, and then the peer freezes: what is said of
// it is never older than what raft's connection to it has told.
func TestPeerComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out atomic.Bool // the cable, or the process is frozen
		listener := &pipes{make(chan net.Conn), make(chan struct{})}
		server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if out.Load() {
				<-r.Context().Done()
				return
			}
			w.Header().Set("X-Etcd-Cluster-ID", "c")
		})}
		served := make(chan struct{})
		go func() { defer close(served); _ = server.Serve(listener) }()
		client := peers.NewClient(nil, func(ctx context.Context, _, _ string) (net.Conn, error) {
			if out.Load() {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			ours, theirs := net.Pipe()
			listener.conns <- theirs
			return ours, nil
		})
		m, o := newTestMember(), twoMembers()
		b := peerOf(o.members[1])
		ctx, cancel := context.WithCancel(t.Context())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			client.Watch(ctx, func() []peers.Peer { return []peers.Peer{b} }, &m.probes, func() {})
		}()
		defer func() {
			cancel()
			<-watched
			time.Sleep(2 * time.Second) // net/http goes on with a connection that nobody waits for
			server.Close()
			<-served
		}()

		raft := func(text string) { m.heard.line(zapcore.Entry{Message: text, Time: time.Now()}, b.ID, text) }
		check := func(what, cause string, frozen bool) {
			t.Helper()
			synctest.Wait()
			v := m.view(o, time.Now())
			x := v.Members[1]
			if x.Connected != (cause == "") || !strings.HasPrefix(x.Cause, cause) {
				t.Errorf("%s: connected %v, %q; want %q", what, x.Connected, x.Cause, cause)
			}
			if got := v.Conditions; (len(got) > 0) != frozen || frozen && got[0].ID != failure.IDPeerFrozen {
				t.Errorf("%s: the conditions are %+v", what, got)
			}
		}
		time.Sleep(10 * time.Millisecond)
		check("before raft is connected", "it answers, raft is connecting", false)
		raft(msgPeerActive)
		check("connected", "", false)
		time.Sleep(time.Second)
		raft(msgPeerInactive)
		out.Store(true)
		time.Sleep(time.Millisecond)
		check("the connection has just ended", "its connection ended", false)
		time.Sleep(10 * time.Second)
		check("the cable is out", "b: no answer in 1s; is it up", false)
		time.Sleep(100 * time.Millisecond)
		out.Store(false)
		raft(msgPeerActive)
		time.Sleep(time.Millisecond)
		check("the cable is in again", "coming back", false)
		time.Sleep(3 * time.Second)
		check("all is well", "", false)
		out.Store(true)
		time.Sleep(10 * time.Second)
		check("it is frozen", "b: no answer in 1s; is it up", true)
	})
}
