package admission

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// limit is for how long that is.
func (s *survey) limit() string {
	if s.Guard.BootstrapWait < 0 {
		return ""
	}
	return " up to " + s.Guard.BootstrapWait.String()
}

// notListed says which cluster does not list this node.
func (s *survey) notListed() string {
	clusters, n := s.clusters(unlisted)
	do := "does"
	switch {
	case n == 0:
		return s.hearsay()
	case n > 1:
		do = "do"
	}
	return fmt.Sprintf("%s %s not list %s (%s), and nothing is begun here", clusters, do, s.Name, strings.Join(s.PeerURLs, ","))
}

// hearsay says the same of a cluster that only others know.
func (s *survey) hearsay() string {
	var all []string
	for _, r := range s.replies {
		if r.unlisted != "" && !s.overruled(r) {
			all = append(all, fmt.Sprintf("%s says that cluster %s lives and does not list it", s.peerName(r.peer), r.unlisted))
		}
	}
	return fmt.Sprintf("%s; nothing is begun here before that cluster lists %s (%s)", strings.Join(sorted(all), ", "), s.Name, strings.Join(s.PeerURLs, ","))
}

// several reports whether the peers are members of more than one cluster. Which of
// them is meant nobody knows here: one may be another list's, or have been begun by
// mistake.
func (s *survey) several() bool {
	_, n := s.clusters(fresh, noEtcd, noAnswer, original, stranger, foreign, hasServed, unlisted)
	return n > 1
}

// whichOf names all clusters then, and no command: it would add this node to any
// one of them.
func (s *survey) whichOf() string {
	text := s.notListed()
	if others, n := s.clusters(original, stranger, foreign, hasServed); n > 0 {
		do := "lists"
		if n > 1 {
			do = "list"
		}
		text += fmt.Sprintf("; %s %s it", others, do)
	}
	return text + "; leave only the members of the one that is meant in ETCD_INITIAL_CLUSTER, and restart"
}

// memberAdd is what to do then: to add this node to that cluster or, where it was
// added under another URL, to start it under that or to change it.
func (s *survey) memberAdd() string {
	live := s.first(unlisted)
	values := maps.Clone(s.Guard.Values)
	if values == nil {
		values = map[string]string{}
	}
	urls := strings.Join(s.PeerURLs, ",")
	values["name"], values["peer-urls"] = s.Name, urls
	endpoints := s.endpoints(live.ClusterID)
	if endpoints != "" {
		values["endpoints"] = endpoints
	}
	update := func(x peers.Member) string {
		args := fmt.Sprintf("member update %x --peer-urls=%s", x.ID, shown.Quoted(urls))
		if endpoints != "" {
			args += " --endpoints=" + shown.Quoted(endpoints)
		}
		return failure.Etcdctl(args, values)
	}
	for _, x := range live.Members {
		if x.Name == s.Name && len(x.ClientURLs) == 0 && live.Served() { // from the beginning, under a wrong address
			return fmt.Sprintf("it has a member %s (%x) at %s that has never started: correct the list, or, if that is to be this node, %s", shown.Text(x.Name), x.ID, shown.Text(strings.Join(x.PeerURLs, ",")), update(x))
		}
		// Another entry of the list may be on this host, too.
		if !unstarted(x) || !s.sharesHost(x) || s.Names[peers.Peer{URLs: x.PeerURLs}.Key()] != "" {
			continue
		}
		return fmt.Sprintf("it was added as %s: start it under exactly that, or %s", strings.Join(x.PeerURLs, ","), update(x))
	}
	return failure.Steps(failure.IDNotListed, values)[0]
}

// first is the list of one of the clusters of the peers with a standing: of the
// first by its ID that serves or, where none does, of the first.
func (s *survey) first(what standing) (first peers.List) {
	for _, r := range s.replies {
		switch serves := r.list.Served(); {
		case r.standing != what:
		case first.ClusterID == "", serves && !first.Served(),
			serves == first.Served() && r.list.ClusterID < first.ClusterID:
			first = r.list
		}
	}
	return first
}

// endpoints are where clients reach the cluster with an ID: what its members
// announce, which is of use elsewhere only if it is not on their loopback.
func (s *survey) endpoints(clusterID string) string {
	var local, reachable []string
	for _, r := range s.replies {
		if r.list.ClusterID != clusterID {
			continue
		}
		for _, x := range r.list.Members {
			for _, u := range x.ClientURLs {
				if datadir.OnLoopback(u) {
					local = append(local, u)
				} else {
					reachable = append(reachable, u)
				}
			}
		}
	}
	if len(reachable) == 0 {
		reachable = local
	}
	return strings.Join(slices.Compact(sorted(reachable)), ",")
}

// sharesHost reports whether a member has a peer URL on a host of this node's.
func (n Node) sharesHost(x peers.Member) bool {
	host := func(raw string) string {
		u, err := url.Parse(raw)
		if err != nil {
			return ""
		}
		return u.Hostname()
	}
	return slices.ContainsFunc(x.PeerURLs, func(theirs string) bool {
		return slices.ContainsFunc(n.PeerURLs, func(own string) bool { return host(own) != "" && host(own) == host(theirs) })
	})
}

// clusters names the clusters of the peers with one of these standings, and their
// members, and says how many they are.
func (s *survey) clusters(what ...standing) (text string, n int) {
	said := map[string]string{}
	for _, r := range s.replies {
		if !slices.Contains(what, r.standing) || len(r.list.Members) == 0 {
			continue
		}
		var names []string
		for _, x := range r.list.Members {
			names = append(names, s.nameOf(x))
		}
		text := fmt.Sprintf("cluster %s of %s", r.list.ClusterID, strings.Join(sorted(names), ", "))
		if other := r.list.OtherScheme; other != "" {
			text += fmt.Sprintf(" (%s speaks %s, not as its URL in the list says)", s.peerName(r.peer), other)
		}
		if !r.list.Served() {
			text += " (it has never served)"
		}
		said[r.list.ClusterID] = text
	}
	return strings.Join(slices.Sorted(maps.Values(said)), ", and "), len(said)
}

// reasons names the peers with a standing, each with what it did.
func (s *survey) reasons(what standing) string {
	var all []string
	for _, r := range s.replies {
		if r.standing != what {
			continue
		}
		why := "it does not know its members yet"
		switch other := r.list.OtherScheme; {
		case r.err != nil:
			why = r.err.Error()
		case other != "":
			why = fmt.Sprintf("a member of cluster %s, which speaks %s, and not what its URL in the list says", r.list.ClusterID, other)
		}
		all = append(all, fmt.Sprintf("%s (%s)", s.peerName(r.peer), why))
	}
	return strings.Join(sorted(all), ", ")
}

// peerName is a peer's name in the list.
func (n Node) peerName(p peers.Peer) string {
	if name := n.Names[p.Key()]; name != "" {
		return name
	}
	return p.Key()
}

// nameOf is a member's name: its own, else that in the list, else its URLs.
func (n Node) nameOf(x peers.Member) string {
	if x.Name != "" {
		return x.Name
	}
	return n.peerName(peers.Peer{URLs: x.PeerURLs})
}

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
