package peers

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// Is reports whether the member with an ID of a cluster with an ID answers at a
// peer URL.
//
// No answer of a peer port names the member that gave it. But every member
// refuses a raft message that is addressed to another one, and takes one that is
// addressed to itself. The message here is of a kind that raft takes from its own
// process only and drops when it comes over the network, so nothing is changed by
// it. A message to an ID that nobody has must be refused, in a member's own way,
// or the answer to the first means nothing: silence is no refusal.
func (c *Client) Is(ctx context.Context, peerURL, clusterID string, memberID uint64) bool {
	if taken, _ := c.takes(ctx, peerURL, clusterID, memberID); !taken {
		return false
	}
	_, refused := c.takes(ctx, peerURL, clusterID, ^memberID)
	return refused
}

// IsAnother reports whether a member of the cluster answers at a peer URL that is
// not the one with the ID. Where nobody answers, or something else, it is false as
// Is is.
func (c *Client) IsAnother(ctx context.Context, peerURL, clusterID string, memberID uint64) bool {
	_, refused := c.takes(ctx, peerURL, clusterID, memberID)
	return refused
}

// takes reports whether what answers at a peer URL takes a message to a member of
// a cluster, or refuses it as another member of that cluster does.
func (c *Client) takes(ctx context.Context, peerURL, clusterID string, memberID uint64) (taken, refused bool) {
	return post(ctx, c.fresh, peerURL, clusterID, &raftpb.Message{Type: raftpb.MsgHup.Enum(), From: &memberID, To: &memberID})
}

// Tell hands a raft message to a member of a cluster with an ID, at its peer URLs.
func (c *Client) Tell(ctx context.Context, peerURLs []string, clusterID string, m *raftpb.Message) {
	for _, u := range peerURLs {
		if taken, _ := post(ctx, c.reusing, u, clusterID, m); taken {
			return
		}
	}
}

// post hands a raft message to what answers at a peer URL, and reports whether a
// member of the cluster has taken it, or refuses it as meant for another.
func post(ctx context.Context, client *http.Client, peerURL, clusterID string, m *raftpb.Message) (taken, refused bool) {
	body, err := proto.Marshal(m)
	if err != nil {
		return false, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(peerURL, "/")+rafthttp.RaftPrefix, bytes.NewReader(body))
	if err != nil {
		return false, false
	}
	req.Header.Set("Content-Type", "application/protobuf")
	req.Header.Set("X-Server-Version", version.Version)
	req.Header.Set("X-Min-Cluster-Version", version.MinClusterVersion)
	req.Header.Set("X-Etcd-Cluster-ID", clusterID)
	resp, err := client.Do(req)
	if err != nil {
		return false, false
	}
	resp.Body.Close()
	// etcd means 403 (see EtcdServer.Process), and 3.7 makes 500 of it.
	mismatch := resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusInternalServerError
	return resp.StatusCode == http.StatusNoContent, mismatch && resp.Header.Get("X-Etcd-Cluster-ID") == clusterID
}
