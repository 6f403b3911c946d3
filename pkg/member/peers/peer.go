package peers

import (
	"net/url"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"
)

// Peer is another member, or one that shall become one.
type Peer struct {
	ID   string // hexadecimal; "" before this member knows the cluster
	URLs []string
}

// Key identifies a peer by its URLs: its ID is not known from the beginning.
func (p Peer) Key() string { return strings.Join(p.URLs, ",") }

// Initial are the other members by the initial cluster, as known before etcd
// has read its data, and the names of all in it by their [Peer.Key]. They are
// this node's guess, no more. A list that cannot be understood gives nothing:
// etcd says so itself.
func Initial(initialCluster, self string) (others []Peer, names map[string]string) {
	byName, err := types.NewURLsMap(initialCluster)
	if err != nil {
		return nil, nil
	}
	names = map[string]string{}
	for name, urls := range byName {
		p := Peer{URLs: urls.StringSlice()}
		names[p.Key()] = name
		if name != self {
			others = append(others, p)
		}
	}
	return others, names
}

// portOf is a URL's port, also where it is the scheme's own; "" if it has none.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
