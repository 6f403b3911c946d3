package admission

import (
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// joinBy is how etcd starts as a new member of a cluster that lives, with the
// list of members of that cluster. etcd compares --initial-cluster with that list
// and refuses to join where they differ, but the env file is the same on every
// node and was right when the cluster began. own is the ID that it gives to this
// node.
func (n Node) joinBy(live peers.List, own uint64) Admission {
	a := Admission{Joins: true}
	if n.sameMembers(live) {
		return a
	}
	a.InitialCluster = n.initialCluster(live, own)
	return a
}

// sameMembers reports whether the configured list has the same peer URLs, written
// the same.
func (n Node) sameMembers(live peers.List) bool {
	configured := []string{urlKey(n.PeerURLs)}
	for _, p := range n.Others {
		configured = append(configured, urlKey(p.URLs))
	}
	var living []string
	for _, x := range live.Members {
		living = append(living, urlKey(x.PeerURLs))
	}
	return slices.Equal(sorted(configured), sorted(living))
}

func urlKey(urls []string) string { return strings.Join(sorted(urls), ",") }

// initialCluster writes a live list as --initial-cluster: each member under its
// name, this one as it is configured. Two with one name would be one to etcd, so
// a name that is taken, or that nobody knows, becomes the ID.
func (n Node) initialCluster(live peers.List, own uint64) string {
	var list []string
	add := func(name string, urls []string) {
		for _, u := range urls {
			list = append(list, name+"="+u)
		}
	}
	taken := map[string]bool{n.Name: true}
	for _, x := range live.Members {
		if x.ID == own {
			add(n.Name, n.PeerURLs)
			continue
		}
		name := x.Name
		if name == "" {
			name = n.Names[peers.Peer{URLs: x.PeerURLs}.Key()]
		}
		if name == "" || taken[name] {
			name = hex(x.ID)
		}
		taken[name] = true
		add(name, x.PeerURLs)
	}
	return strings.Join(sorted(list), ",")
}
