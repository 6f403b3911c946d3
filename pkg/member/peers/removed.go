package peers

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
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
// is not asked. Where all of them are on such, the removal is believed, because
// nobody can sit in between.
func (c *Client) Removed(ctx context.Context, others []Peer, clusterID string, memberID uint64) (yes bool, said []string) {
	ctx, cancel := context.WithTimeout(ctx, removedTimeout)
	defer cancel()
	type word struct {
		yes, unasked bool
		said         string
	}
	words := make(chan word, len(others)) // the first yes is enough
	for _, p := range others {
		go func() {
			w := word{unasked: true, said: ErrUnasked.Error()}
			for _, u := range p.URLs {
				if overUnixSocket(u) {
					continue
				}
				w.unasked = false
				if w.yes, w.said = c.lists(ctx, u, clusterID, memberID); w.yes {
					break
				}
			}
			words <- w
		}()
	}
	unasked := 0
	for range others {
		w := <-words
		if w.yes {
			return true, nil
		}
		if w.unasked {
			unasked++
		}
		said = append(said, w.said)
	}
	if unasked > 0 && unasked == len(others) {
		return true, nil
	}
	slices.Sort(said)
	return false, said
}

// overUnixSocket reports whether a peer URL is one that is not asked.
func overUnixSocket(peerURL string) bool {
	return strings.HasPrefix(peerURL, "unix://") || strings.HasPrefix(peerURL, "unixs://")
}

// lists asks one peer, and reports whether it is a member of the cluster and does
// not list the member.
func (c *Client) lists(ctx context.Context, peerURL, clusterID string, memberID uint64) (not bool, said string) {
	u, err := url.Parse(peerURL)
	if err != nil {
		return false, "a peer URL cannot be read"
	}
	list, err := c.Members(ctx, peerURL)
	switch {
	case err != nil:
		return false, err.Error()
	case list.OtherScheme != "": // nobody has looked at its certificate
		return false, fmt.Sprintf("%s speaks %s, and not what its peer URL says", u.Hostname(), list.OtherScheme)
	case list.ClusterID != clusterID:
		return false, fmt.Sprintf("%s belongs to another cluster, %s", u.Hostname(), list.ClusterID)
	case len(list.Members) == 0: // it does not know its cluster yet
		return false, u.Hostname() + " lists no members yet"
	case slices.ContainsFunc(list.Members, func(m Member) bool { return m.ID == memberID }):
		return false, u.Hostname() + " lists this member"
	}
	return true, ""
}
