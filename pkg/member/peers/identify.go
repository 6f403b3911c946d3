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
// it. A message to an ID that nobody has must be refused, or the answer to the
// first means nothing.
func (c *Client) Is(ctx context.Context, peerURL, clusterID string, memberID uint64) bool {
	return c.takes(ctx, peerURL, clusterID, memberID) && !c.takes(ctx, peerURL, clusterID, ^memberID)
}

// takes reports whether the member at a peer URL takes a message to a member.
func (c *Client) takes(ctx context.Context, peerURL, clusterID string, memberID uint64) bool {
	return post(ctx, c.fresh, peerURL, clusterID, &raftpb.Message{Type: raftpb.MsgHup.Enum(), From: &memberID, To: &memberID})
}

// Tell hands a raft message to a member of a cluster with an ID, at its peer URLs.
func (c *Client) Tell(ctx context.Context, peerURLs []string, clusterID string, m *raftpb.Message) {
	for _, u := range peerURLs {
		if post(ctx, c.reusing, u, clusterID, m) {
			return
		}
	}
}

// post reports whether the peer at a URL has taken a raft message.
func post(ctx context.Context, client *http.Client, peerURL, clusterID string, m *raftpb.Message) bool {
	body, err := proto.Marshal(m)
	if err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(peerURL, "/")+rafthttp.RaftPrefix, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/protobuf")
	req.Header.Set("X-Server-Version", version.Version)
	req.Header.Set("X-Min-Cluster-Version", version.MinClusterVersion)
	req.Header.Set("X-Etcd-Cluster-ID", clusterID)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusNoContent
}
