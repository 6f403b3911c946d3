package admission

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// copied refuses data whose member answers already, at the address at which the
// data itself lists it. Nobody of this node's listens yet, so that whoever answers
// under this member's ID is a second one. An address that does not answer costs
// askTimeout.
//
// --force-new-cluster is how a copy is looked at; whether the cluster lives beside
// it, throwsOut asks. A copy of a cluster of one, on other ports, does no harm
// either: it answers nobody but its own clients. And without a service manager
// etcd's own behaviour counts.
func (c *Checker) copied(ctx context.Context, data datadir.Data) *failure.Failure {
	if c.ForceNewCluster || !c.Guard.Patient || len(data.DB.Members) == 1 {
		return nil
	}
	for _, x := range data.DB.Members {
		if x.ID == data.WAL.MemberID && x.ID != 0 {
			return c.elsewhere(ctx, x.PeerURLs, hex(data.WAL.ClusterID), x.ID, "its data is here too")
		}
	}
	return nil
}

// runsElsewhere refuses a node whose pinned member answers at one of these URLs.
func (c *Checker) runsElsewhere(ctx context.Context, urls []string) *failure.Failure {
	p := c.Guard.Pin
	if p == nil {
		return nil
	}
	id, err := strconv.ParseUint(p.MemberID, 16, 64)
	if err != nil {
		return nil
	}
	return c.elsewhere(ctx, urls, p.ClusterID, id, c.pinned()+", but there is no data: this machine, or its pin, was cloned")
}

// elsewhere refuses to start where a member goes on answering at one of its URLs:
// one that is just being stopped, as where its address moves to this machine,
// does not.
func (c *Checker) elsewhere(ctx context.Context, urls []string, clusterID string, id uint64, here string) *failure.Failure {
	for begun := time.Now(); ; {
		f := c.answersElsewhere(ctx, urls, clusterID, id, here)
		if f == nil || time.Since(begun) >= settleLimit {
			return f
		}
		select {
		case <-ctx.Done():
			return failure.New(failure.IDSignalled, "")
		case <-time.After(peers.PauseMissing):
		}
	}
}

func (c *Checker) answersElsewhere(ctx context.Context, urls []string, clusterID string, id uint64, here string) *failure.Failure {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found := make(chan string, len(urls))
	for _, u := range urls {
		go func() {
			if c.Asker.Is(ctx, u, clusterID, id) {
				found <- u
			} else {
				found <- ""
			}
		}()
	}
	for range urls {
		if at := <-found; at != "" {
			f := failure.New(failure.IDCloned, fmt.Sprintf("%s already is member %x; %s", hostOf(at), id, here))
			f.Values = map[string]string{"member-id": hex(id)}
			return f
		}
	}
	return nil
}

// hostOf is a URL's host, with its port where that is not etcd's own.
func hostOf(peerURL string) string {
	u, err := url.Parse(peerURL)
	if err != nil {
		return peerURL
	}
	return strings.TrimSuffix(u.Host, ":2380")
}
