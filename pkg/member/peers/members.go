package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ErrUnasked is the error for a peer on a unix socket, which the client does not
// ask.
var ErrUnasked = errors.New("a peer on a unix socket is not asked")

// Member is a member in a peer's list.
type Member struct {
	ID       uint64   `json:"id"`
	Name     string   `json:"name"` // empty before its first start, if it was added
	PeerURLs []string `json:"peerURLs"`
	// ClientURLs are empty until it has published itself, for which it takes a
	// quorum: a member that has any has served.
	ClientURLs []string `json:"clientURLs"`
	Learner    bool     `json:"isLearner"`
}

// List is a cluster as one of its members has applied it.
type List struct {
	ClusterID string // hexadecimal
	Members   []Member
}

// Served reports whether the cluster has ever served: it takes a quorum for a
// member to publish itself.
func (l List) Served() bool {
	for _, m := range l.Members {
		if len(m.ClientURLs) > 0 {
			return true
		}
	}
	return false
}

// Members gets a peer's list of members, as that peer has applied it: it can
// lag behind the cluster's, and is empty before the peer knows its cluster. The
// error says why there is none, as [Finding.Cause] does, and wraps the reason.
func (c *Client) Members(ctx context.Context, peerURL string) (List, error) {
	u, err := url.Parse(peerURL)
	if err != nil {
		return List{}, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return List{}, ErrUnasked
	}
	resp, err := c.getMembers(ctx, peerURL)
	if err != nil {
		return List{}, &unanswered{u.Hostname() + ": " + short(explain(err, u)), err}
	}
	defer resp.Body.Close()
	if resp.Header.Get(noData) != "" {
		return List{}, &unanswered{u.Hostname() + ": " + ErrNoData.Error(), ErrNoData}
	}
	list := List{ClusterID: resp.Header.Get("X-Etcd-Cluster-ID")}
	if resp.StatusCode != http.StatusOK || list.ClusterID == "" {
		return List{}, errors.New(notEtcd(u, resp.StatusCode))
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxMembers)).Decode(&list.Members); err != nil {
		return List{}, fmt.Errorf("%s: its list of members cannot be read: %w", u.Hostname(), err)
	}
	return list, nil
}

// unanswered is an error in the words for an operator.
type unanswered struct {
	cause string
	err   error
}

func (u *unanswered) Error() string { return u.cause }
func (u *unanswered) Unwrap() error { return u.err }
