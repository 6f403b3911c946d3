package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// removedTimeout bounds the questions about a removal. They go out at once, so
// this is one that is answered slowly at the second of two URLs.
const removedTimeout = 2 * answerTimeout

// Removed reports whether a member of the cluster says that it does not list
// the member with this ID any more. Otherwise said tells what each peer said
// instead.
//
// A removal is permanent, so the word of a stranger is not enough for it: etcd
// takes every 403 to a message of raft's for one, also that of a proxy, and that
// of a member which is not the one that it was meant for. A peer on a unix socket
// is not asked but believed, because nobody can sit in between.
func (c *Client) Removed(ctx context.Context, others []Peer, clusterID string, memberID uint64) (yes bool, said []string) {
	ctx, cancel := context.WithTimeout(ctx, removedTimeout)
	defer cancel()
	type word struct {
		yes  bool
		said string
	}
	words := make(chan word, len(others)) // the first yes is enough
	for _, p := range others {
		go func() {
			var w word
			for _, u := range p.URLs {
				if w.yes, w.said = c.lists(ctx, u, clusterID, memberID); w.yes {
					break
				}
			}
			words <- w
		}()
	}
	for range others {
		w := <-words
		if w.yes {
			return true, nil
		}
		said = append(said, w.said)
	}
	slices.Sort(said)
	return false, said
}

// lists asks one peer, and reports whether it is a member of the cluster and does
// not list the member.
func (c *Client) lists(ctx context.Context, peerURL, clusterID string, memberID uint64) (not bool, said string) {
	u, err := url.Parse(peerURL)
	if err != nil {
		return false, "a peer URL cannot be read"
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return true, ""
	}
	resp, err := c.getMembers(ctx, peerURL)
	if err != nil {
		return false, u.Hostname() + ": " + short(explain(err, u))
	}
	defer resp.Body.Close()
	switch id := resp.Header.Get("X-Etcd-Cluster-ID"); {
	case id == "" || resp.StatusCode != http.StatusOK:
		return false, fmt.Sprintf("%s: port %s is not an etcd peer port (HTTP %d)", u.Hostname(), portOf(u), resp.StatusCode)
	case id != clusterID:
		return false, fmt.Sprintf("%s belongs to another cluster, %s", u.Hostname(), id)
	}
	var members []Member
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxMembers)).Decode(&members); err != nil {
		return false, fmt.Sprintf("%s: its list of members cannot be read: %s", u.Hostname(), short(err.Error()))
	}
	listed := slices.ContainsFunc(members, func(m Member) bool { return m.ID == memberID })
	switch {
	case len(members) == 0: // it does not know its cluster yet
		return false, u.Hostname() + " lists no members yet"
	case listed:
		return false, u.Hostname() + " lists this member"
	}
	return true, ""
}
