package admission

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// survey is what the peers have said so far.
type survey struct {
	Node
	begun   time.Time // when they were asked first
	replies []surveyed
	top     standing  // the highest one in the last round
	since   time.Time // since when it is
	free    time.Time // since when a new cluster may begin; zero: not yet
	size    int       // of the list, with this node
}

// surveyed is a reply, what it means, and the ID that it gives to this node.
type surveyed struct {
	reply
	standing
	own uint64
}

// take takes in a reply. What a peer has said stands while it does not answer: a
// cluster does not go away with a restart of its member. It does when that says
// that it has no data.
func (s *survey) take(r surveyed) {
	i := slices.IndexFunc(s.replies, func(x surveyed) bool { return x.peer.Key() == r.peer.Key() })
	switch {
	case i < 0:
		s.replies = append(s.replies, r)
	case r.list.ClusterID != "" || r.fresh || s.replies[i].list.ClusterID == "":
		s.replies[i] = r
	}
}

// join is how this node joins the cluster of the peers with a standing. The
// first one that etcd will ask, in the order of URLs, says who the members are.
func (s *survey) join(what standing) Admission {
	var first surveyed
	for _, r := range s.replies {
		if r.standing == what && r.own != 0 && (first.own == 0 || r.peer.Key() < first.peer.Key()) {
			first = r
		}
	}
	if first.own == 0 { // none that knows its members yet
		return Admission{Joins: true}
	}
	return s.joinBy(first.list, first.own)
}

func (s *survey) highest() standing {
	top := fresh
	for _, r := range s.replies {
		top = max(top, r.standing)
	}
	if top == stranger && s.serves() { // this node's own cluster is there: there cannot be an older one
		return original
	}
	return top
}

// serves reports whether a cluster serves that has listed this node since it began.
func (s *survey) serves() bool {
	return slices.ContainsFunc(s.replies, func(r surveyed) bool { return r.standing == original && r.list.Served() })
}

// enough reports whether the nodes that begin together are a quorum of the list.
// Fewer could not serve; and where the others are only stopped, and have data,
// this node has written nothing that would contradict them.
func (s *survey) enough() bool {
	together := 1
	for _, r := range s.replies {
		if r.standing == fresh || r.standing == original {
			together++
		}
	}
	return together > s.size/2 || s.serves() || s.Guard.BootstrapWait == 0
}

// waits reports whether this start may take long, where etcd's own would not.
func (s *survey) waits() bool { return s.Guard.Patient && !s.AsEtcd }

// waiting is what a start waits for: an ID of the catalogue and a text, both ""
// where the list of members says enough.
type waiting struct{ id, text string }

// next is what follows from the replies: how the member starts, what it waits
// for, or why it must not start.
func (s *survey) next(now time.Time) (Admission, *waiting, *failure.Failure) {
	if top := s.highest(); top != s.top || s.since.IsZero() {
		s.top, s.since = top, now
	}
	settled := now.Sub(s.since) >= settleLimit
	switch {
	case s.top == added:
		return s.join(added), nil, nil
	case s.top > original && !settled && (s.top == unlisted || s.waits()):
		return Admission{}, &waiting{}, nil
	case s.top == unlisted && s.several() && s.waits():
		return Admission{}, &waiting{failure.IDSeveral, s.whichOf()}, nil
	case s.top == unlisted && s.several():
		return Admission{}, nil, failure.New(failure.IDSeveral, s.whichOf())
	case s.top == unlisted && s.waits():
		return Admission{}, &waiting{failure.IDNotListed, s.notListed() + "; " + s.memberAdd()}, nil
	case s.top == unlisted:
		return Admission{}, nil, failure.New(failure.IDNotListed, s.notListed())
	case s.top > original && !s.waits(): // where this is wrong the other members tell etcd so
		return Admission{Joins: !s.New}, nil, nil
	case s.top == hasServed:
		return Admission{}, nil, s.rejoins()
	case s.top == foreign:
		clusters, _ := s.clusters(foreign)
		return Admission{}, nil, failure.New(failure.IDForeign, clusters+" lists this node, but as a member of another token")
	case !s.New:
		return s.existing()
	case !s.waits():
		return Admission{}, nil, nil
	case s.top == stranger:
		return Admission{}, &waiting{failure.IDNoAnswer, fmt.Sprintf("waiting for %s: it answers, but not as a node without data; an older cluster may live there",
			s.reasons(stranger))}, nil
	case !s.enough():
		s.free = time.Time{}
		if now.Sub(s.begun) >= quorumLimit {
			return Admission{}, &waiting{id: failure.IDNoQuorumYet}, nil
		}
		return Admission{}, &waiting{}, nil
	case s.top == original:
		return Admission{}, nil, nil
	case s.top == fresh, s.top == noEtcd && now.Sub(s.since) >= restartLimit, !s.early(now):
		if s.free.IsZero() {
			s.free = now
		}
		if s.hasTurn() || now.Sub(s.free) >= turnLimit {
			return Admission{}, nil, nil
		}
		return Admission{}, &waiting{}, nil
	case s.top == noEtcd:
		return Admission{}, &waiting{}, nil
	}
	return Admission{}, &waiting{failure.IDNoAnswer, fmt.Sprintf("waiting%s for an answer from %s: an older cluster may live there",
		s.limit(), s.reasons(noAnswer))}, nil
}

// hasTurn reports whether this node is the first among those that have no data. A
// new cluster begins with that one.
func (s *survey) hasTurn() bool {
	return !slices.ContainsFunc(s.replies, func(r surveyed) bool {
		return r.standing == fresh && urlKey(r.peer.URLs) < urlKey(s.PeerURLs)
	})
}

// early reports whether peers that do not answer are still waited for.
func (s *survey) early(now time.Time) bool {
	return s.Guard.BootstrapWait < 0 || now.Sub(s.begun) < s.Guard.BootstrapWait
}

// limit is for how long that is.
func (s *survey) limit() string {
	if s.Guard.BootstrapWait < 0 {
		return ""
	}
	return " up to " + s.Guard.BootstrapWait.String()
}

// existing is what follows where the configuration says that the cluster exists,
// and no peer says that this node was added to it.
func (s *survey) existing() (Admission, *waiting, *failure.Failure) {
	text := ""
	isNew := "set ETCD_INITIAL_CLUSTER_STATE=new on all of them, or remove " + cmp.Or(s.Guard.StateSource, "the setting")
	switch {
	case s.top == original && s.serves():
		return s.join(original), nil, nil
	case !s.waits():
		return Admission{Joins: true}, nil, nil
	case s.top == original:
		clusters, _ := s.clusters(original)
		text = clusters + " lists this node, which joins once it serves; to begin it together, "
	case s.top == fresh:
		text = "no node of the list has data: this is a new cluster: "
	default:
		text = "no member of the cluster answers: " + strings.Join(nonEmpty(s.reasons(fresh), s.reasons(noEtcd), s.reasons(noAnswer), s.reasons(stranger)), ", ") +
			"; if no node of the list has data, this is a new cluster: "
	}
	return Admission{}, &waiting{failure.IDNoCluster, text + isNew}, nil
}

// rejoins refuses a node without data that its cluster counts on.
func (s *survey) rejoins() *failure.Failure {
	clusters, _ := s.clusters(hasServed)
	f := failure.New(failure.IDWipedRejoin, clusters+" has seen this node serve")
	for _, r := range s.replies {
		if r.standing == hasServed {
			f.Values = map[string]string{"member-id": hex(r.own)}
		}
	}
	return f
}

// notListed says which cluster does not list this node.
func (s *survey) notListed() string {
	clusters, n := s.clusters(unlisted)
	do := "does"
	if n > 1 {
		do = "do"
	}
	return fmt.Sprintf("%s %s not list %s (%s), and nothing is begun here", clusters, do, s.Name, strings.Join(s.PeerURLs, ","))
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
	live := s.live(unlisted)
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
	for _, x := range live.Members {
		// Another entry of the list may be on this host, too.
		if !unstarted(x) || !s.sharesHost(x) || s.Names[peers.Peer{URLs: x.PeerURLs}.Key()] != "" {
			continue
		}
		update := fmt.Sprintf("member update %x --peer-urls=%s", x.ID, shown.Quoted(urls))
		if endpoints != "" {
			update += " --endpoints=" + shown.Quoted(endpoints)
		}
		return fmt.Sprintf("it was added as %s: start it under exactly that, or %s", strings.Join(x.PeerURLs, ","), failure.Etcdctl(update, values))
	}
	return failure.Steps(failure.IDNotListed, values)[0]
}

// live is the list of the cluster of the peers with a standing: of one that knows
// that it serves, where one does.
func (s *survey) live(what standing) (live peers.List) {
	for _, r := range s.replies {
		if r.standing == what && (live.ClusterID == "" || r.list.Served() && !live.Served()) {
			live = r.list
		}
	}
	return live
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
