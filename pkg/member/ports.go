package member

import (
	"errors"
	"fmt"
	"syscall"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/listener"
)

// peerPortsFree says why etcd could not listen for its peers; nil where it can,
// or would fail for another reason. It has to be known before anybody is asked
// about this node: whoever has its port answers the cluster in its place, so that
// what the cluster says of this address is about that one.
func (m *member) peerPortsFree() *failure.Failure {
	for _, u := range m.Config.ListenPeerUrls {
		if u.Scheme != "http" && u.Scheme != "https" { // a unix socket's name is no host to look up
			continue
		}
		l, err := transport.NewListenerWithOpts(u.Host, "http", transport.WithSocketOpts(&m.Config.SocketOpts))
		if err == nil {
			l.Close()
			continue
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			continue // etcd says it better
		}
		by := "another process"
		if who, ok := listener.On("/proc", u.Hostname(), u.Port()); ok {
			by = who.String()
		}
		f := failure.FromError(err)
		f.Detail = fmt.Sprintf("%s is in use by %s", u.Host, by)
		return f
	}
	return nil
}
