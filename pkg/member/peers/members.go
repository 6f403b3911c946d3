package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ErrUnasked is the error for a peer on a unix socket, which the client does not
// ask.
var ErrUnasked = errors.New("a peer on a unix socket is not asked")

// ErrAnswered is the error for a peer at whose port something answers that gives
// no list: it is not the silence of a machine that is off, cut off, or without an
// etcd.
var ErrAnswered = errors.New("no list of members in the answer")

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
	// OtherScheme is the scheme under which the peer gave it, where that is not its
	// URL's; else "". Nobody has looked at a certificate then.
	OtherScheme string
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
//
// A peer that was told another scheme than its URL has is still there: its list
// comes with [List.OtherScheme].
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
		if list, ok := c.underOther(ctx, u, mismatched(u, err)); ok {
			return list, nil
		}
		return List{}, &noList{u.Hostname() + ": " + short(explain(err, u)), err, answers(err)}
	}
	list, err := readList(u, resp)
	if speaksOther := resp.StatusCode == http.StatusBadRequest && u.Scheme == "http"; err != nil && speaksOther {
		if list, ok := c.underOther(ctx, u, true); ok {
			return list, nil
		}
		return List{}, &noList{u.Hostname() + ": " + speaksTLS, err, true}
	}
	return list, err
}

// readList reads a peer's answer.
func readList(u *url.URL, resp *http.Response) (List, error) {
	defer resp.Body.Close()
	if a, yes := announced(resp.Header); yes {
		return List{}, &Waits{a, u.Hostname()}
	}
	list := List{ClusterID: resp.Header.Get("X-Etcd-Cluster-ID")}
	if resp.StatusCode != http.StatusOK || list.ClusterID == "" {
		return List{}, &noList{cause: notEtcd(u, resp.StatusCode), answered: true}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxMembers)).Decode(&list.Members); err != nil {
		return List{}, &noList{fmt.Sprintf("%s: its list of members cannot be read: %v", u.Hostname(), err), err, true}
	}
	return list, nil
}

// underOther asks a peer for its list under the other scheme, at the same port,
// where it may speak that one.
func (c *Client) underOther(ctx context.Context, u *url.URL, may bool) (List, bool) {
	if !may {
		return List{}, false
	}
	other := *u
	other.Host = net.JoinHostPort(u.Hostname(), portOf(u))
	if other.Scheme = "https"; u.Scheme == "https" {
		other.Scheme = "http"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(other.String(), "/")+"/members", nil)
	if err != nil {
		return List{}, false
	}
	resp, err := c.unverified.Do(req)
	if err != nil {
		return List{}, false
	}
	list, err := readList(&other, resp)
	list.OtherScheme = other.Scheme
	return list, err == nil
}

// noList is the error where a peer gave no list, in the words for an operator.
type noList struct {
	cause    string
	err      error // the reason; nil where cause is all that there is
	answered bool
}

func (n *noList) Error() string { return n.cause }
func (n *noList) Unwrap() error { return n.err }

func (n *noList) Is(target error) bool { return target == ErrAnswered && n.answered }
