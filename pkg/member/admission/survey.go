package admission

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// survey is what the peers have said so far. Its texts are in survey_text.go.
type survey struct {
	Node
	begun   time.Time // when they were asked first
	replies []surveyed
	top     standing  // the highest one in the last round
	since   time.Time // since when it is
	sure    time.Time // since when a quorum says in each round that this node must not start; zero: none does
	free    time.Time // since when a new cluster may begin; zero: not yet
	size    int       // of the list, with this node
}

// surveyed is a reply, what it means, and the ID that it gives to this node.
type surveyed struct {
	reply
	standing
	own    uint64
	silent bool // it has not answered since
}

// take takes in a reply. What a peer has said stands while it does not answer: a
// cluster does not go away with a restart of its member. It does when that says
// that it has no data.
func (s *survey) take(r surveyed) {
	i := slices.IndexFunc(s.replies, func(x surveyed) bool { return x.peer.Key() == r.peer.Key() })
	switch {
	case i < 0:
		s.replies = append(s.replies, r)
	case r.list.ClusterID != "" || r.fresh || s.replies[i].list.ClusterID == "" && s.replies[i].unlisted == "":
		s.replies[i] = r
	default:
		s.replies[i].silent = true
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
		if !s.overruled(r) {
			top = max(top, r.standing)
		}
	}
	if top == stranger && s.serves() { // this node's own cluster is there: there cannot be an older one
		return original
	}
	return top
}

// overruled reports whether the cluster of which a node without data has said that
// it does not list that node has answered itself: it may well list this one.
func (s *survey) overruled(r surveyed) bool {
	return r.unlisted != "" && slices.ContainsFunc(s.replies, func(x surveyed) bool {
		return x.list.ClusterID == r.unlisted && len(x.list.Members) > 0
	})
}

// announces is what this node says to others while it waits: what it has heard
// itself, and not what others have said, or nobody could ever take it back.
func (s *survey) announces() *peers.Announcement {
	id, err := strconv.ParseUint(s.first(unlisted).ClusterID, 16, 64)
	if err != nil {
		return new(peers.Announcement)
	}
	return &peers.Announcement{Unlisted: id}
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
		s.top, s.since, s.sure = top, now, time.Time{}
	}
	settled := now.Sub(s.since) >= settleLimit
	switch {
	case s.top == added:
		return s.join(added), nil, nil
	case s.top == unlisted:
		return s.outside(settled)
	case s.top > original && !s.waits(): // where this is wrong the other members tell etcd so
		return Admission{Joins: !s.New}, nil, nil
	case s.top == hasServed, s.top == foreign:
		return s.against(now, settled)
	case s.top == stranger && !settled:
		return Admission{}, &waiting{}, nil
	case !s.New:
		return s.existing()
	case !s.waits():
		return Admission{}, nil, nil
	}
	return s.begins(now)
}

// against is what follows where a cluster lists this node as one that cannot begin
// without data. A member that lags behind says so too, after this node was replaced:
// only a quorum is believed, and fewer are waited with.
func (s *survey) against(now time.Time, settled bool) (Admission, *waiting, *failure.Failure) {
	say, quorum := s.count(s.top)
	switch {
	case say < quorum:
		s.sure = time.Time{}
	case s.sure.IsZero():
		s.sure = now
	}
	f := s.rejoins()
	disk := "; if its data is on a disk that is mounted by now: systemctl restart etcd"
	if s.top == foreign {
		f, disk = s.otherToken(), ""
	}
	switch {
	case !s.sure.IsZero() && now.Sub(s.sure) >= settleLimit:
		return Admission{}, nil, f
	case !s.sure.IsZero() || !settled:
		return Admission{}, &waiting{}, nil
	}
	return Admission{}, &waiting{f.ID, fmt.Sprintf("%s (%d of %d say so, %d are a quorum): the others are asked%s", f.Detail, say, len(s.replies), quorum, disk)}, nil
}

// count is how many peers with a standing have answered in this round, and how many
// are a quorum by the longest of their lists.
func (s *survey) count(what standing) (say, quorum int) {
	for _, r := range s.replies {
		if r.standing != what {
			continue
		}
		voters := 0
		for _, x := range r.list.Members {
			if !x.Learner {
				voters++
			}
		}
		quorum = max(quorum, voters/2+1)
		if !r.silent {
			say++
		}
	}
	return say, quorum
}

// outside is what follows where a cluster does not list this node.
func (s *survey) outside(settled bool) (Admission, *waiting, *failure.Failure) {
	switch {
	case !settled:
		return Admission{}, &waiting{}, nil
	case s.several() && s.waits():
		return Admission{}, &waiting{failure.IDSeveral, s.whichOf()}, nil
	case s.several():
		return Admission{}, nil, failure.New(failure.IDSeveral, s.whichOf())
	case s.waits():
		return Admission{}, &waiting{failure.IDNotListed, s.notListed() + "; " + s.memberAdd()}, nil
	}
	return Admission{}, nil, failure.New(failure.IDNotListed, s.notListed())
}

// begins is what follows where no cluster says anything against it that this node
// begins a new one with the others.
func (s *survey) begins(now time.Time) (Admission, *waiting, *failure.Failure) {
	switch {
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

// otherToken refuses a node that a cluster lists as another member than the one
// that it would be: both are made of the token and of the peer URLs as written.
func (s *survey) otherToken() *failure.Failure {
	clusters, _ := s.clusters(foreign)
	text := clusters + " lists this node, but as a member of another token"
	for _, r := range s.replies {
		i := slices.IndexFunc(r.list.Members, func(x peers.Member) bool { return r.standing == foreign && x.ID == r.own })
		if i < 0 {
			continue
		}
		if there := urlKey(r.list.Members[i].PeerURLs); there != urlKey(s.PeerURLs) {
			return failure.New(failure.IDForeign, fmt.Sprintf("%s, or under a URL that is written otherwise: there %s, here %s", text, there, urlKey(s.PeerURLs)))
		}
	}
	return failure.New(failure.IDForeign, text)
}
