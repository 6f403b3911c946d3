package member

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/pkg/v3/netutil"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

// mayBegin reports whether a member may begin on an empty data dir. Where one
// has lived before, only as its replacement: the cluster lists a member that
// has never started, with our peer URL and another ID.
func (m *member) mayBegin(ctx context.Context) *failure.Failure {
	lived := m.Guard.Pin != nil || m.Guard.Damage != ""
	switch {
	case m.Guard.Unreadable != "":
		return failure.New(failure.IDCannotLook, m.Guard.Unreadable+": whether a member has lived here cannot be known")
	case m.Config.ClusterState == embed.ClusterStateFlagNew && m.announced(ctx, lived):
		// The env file is the same on every node, and says what was true when
		// the cluster began. Whoever ran `member add` has said what is true now.
		m.log.Info("the cluster lists this node as a new member: it joins, as with --initial-cluster-state=existing")
		m.Config.ClusterState = embed.ClusterStateFlagExisting
		return nil
	case ctx.Err() != nil:
		return failure.New(failure.IDSignalled, "")
	case !lived:
		return nil
	case m.Guard.Pin == nil, m.Config.ClusterState != embed.ClusterStateFlagExisting:
		return failure.New(failure.IDWiped, m.pinned())
	}
	return m.replacement(ctx, unstarted,
		failure.New(failure.IDWiped, m.pinned()+", and the cluster lists no new member with this node's peer URL"))
}

// unstarted is a member that was added and has not been there yet; those with
// which a cluster begins have their names from the beginning.
func unstarted(x listedMember) bool { return x.Name == "" }

// answerWait is how long a node on which a member has lived waits for somebody
// who knows whether this is its replacement: a machine that has just booted may
// have no network yet. The refusal that follows is for good, and has to come
// within 30 s.
const answerWait = 15 * time.Second

// announced reports whether a peer lists a new member with our peer URL. If
// nobody answers there is none; a patient caller has it asked again for
// answerWait.
func (m *member) announced(ctx context.Context, patient bool) bool {
	peers, err := m.others()
	if err != nil {
		return false // etcd says the same, and more
	}
	over := time.Now().Add(answerWait)
	for said := false; ; said = true {
		yes, answered := m.ask(ctx, peers)
		if yes || answered || !patient || len(peers) == 0 || time.Now().After(over) {
			return yes
		}
		if !said {
			m.awaitAnswer()
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(probeMissing):
		}
	}
}

// ask asks all peers at once whether they list a new member with our peer URL,
// and whether any of them answered.
func (m *member) ask(ctx context.Context, peers []peer) (yes, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	type answer struct{ yes, ok bool }
	answers := make(chan answer, len(peers))
	for _, p := range peers {
		go func() {
			members, ok := m.listed(ctx, []peer{p})
			answers <- answer{ok && m.replaces(ctx, members, unstarted), ok}
		}()
	}
	for range peers {
		a := <-answers
		if a.yes {
			return true, true
		}
		answered = answered || a.ok
	}
	return false, answered
}

func (m *member) awaitAnswer() {
	m.await(failure.IDWiped, "asking the cluster whether this node replaces a member; no answer yet")
}

// mayStay reports whether the data is the pinned member's, or that of its
// replacement, which has not served yet.
func (m *member) mayStay(ctx context.Context, d datadir.Data) *failure.Failure {
	p, cluster, id := m.Guard.Pin, fmt.Sprintf("%x", d.WAL.ClusterID), fmt.Sprintf("%x", d.WAL.MemberID)
	if p.ClusterID == cluster && p.MemberID == id {
		return nil
	}
	other := failure.New(failure.IDOtherIdentity, fmt.Sprintf("the data is of member %s of cluster %s; %s", id, cluster, m.pinned()))
	if p.ClusterID != cluster {
		return other
	}
	return m.replacement(ctx, func(x listedMember) bool { return x.ID == d.WAL.MemberID }, other)
}

// replacement asks the cluster whether this node is to replace the pinned
// member: it lists one as wanted, with our peer URL, and the pinned one no
// more. It waits until somebody answers.
func (m *member) replacement(ctx context.Context, wanted func(listedMember) bool, not *failure.Failure) *failure.Failure {
	peers, err := m.others()
	if err != nil {
		if f := failure.FromError(err); f != nil {
			return f
		}
		return not
	}
	if len(peers) == 0 { // nobody to ask
		return not
	}
	for said := false; ; {
		members, ok := m.listed(ctx, peers)
		if ok {
			if m.replaces(ctx, members, wanted) {
				m.log.Info("the cluster lists this node as a new member; it replaces the one that lived here", zap.Stringer("before", m.Guard.Pin))
				return nil
			}
			return not
		}
		if !said {
			m.awaitAnswer()
			said = true
		}
		select {
		case <-ctx.Done():
			return failure.New(failure.IDSignalled, "")
		case <-time.After(probeMissing):
		}
	}
}

// replaces judges the cluster's list.
func (m *member) replaces(ctx context.Context, members []listedMember, wanted func(listedMember) bool) bool {
	own := m.Config.AdvertisePeerUrls
	urls := make([]string, len(own))
	for i, u := range own {
		urls[i] = u.String()
	}
	found := false
	for _, x := range members {
		if p := m.Guard.Pin; p != nil && fmt.Sprintf("%x", x.ID) == p.MemberID {
			return false
		}
		// As etcd compares them: by address, where one names a host. It would
		// ask for ever for one that has no address any more.
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		same, err := netutil.URLStringsEqual(ctx, m.log, urls, x.PeerURLs)
		cancel()
		found = found || err == nil && same && wanted(x)
	}
	return found
}

// others are the peers of the initial cluster, also where etcd would look it up
// in DNS.
func (m *member) others() ([]peer, error) {
	if len(m.initial) > 0 || m.Config.DNSCluster == "" {
		return m.initial, nil
	}
	urls, _, err := m.Config.PeerURLsMapAndToken("etcd")
	if err != nil {
		return nil, err
	}
	var peers []peer
	for name, u := range urls {
		if name != m.Config.Name {
			peers = append(peers, peer{urls: u.StringSlice()})
		}
	}
	return peers, nil
}

// listed is the list of the first peer that answers.
func (m *member) listed(ctx context.Context, peers []peer) ([]listedMember, bool) {
	p, err := m.prober()
	if err != nil {
		return nil, false
	}
	for _, peer := range peers {
		for _, u := range peer.urls {
			if members, err := p.members(ctx, u); err == nil {
				return members, true
			}
		}
	}
	return nil, false
}

// pinned is what the pin says.
func (m *member) pinned() string {
	if m.Guard.Pin == nil {
		return m.Guard.Damage
	}
	return "the pin says " + m.Guard.Pin.String()
}

// listedMember is a member in a peer's list; Name is empty before its first
// start.
type listedMember struct {
	ID       uint64   `json:"id"`
	Name     string   `json:"name"`
	PeerURLs []string `json:"peerURLs"`
}

// members gets a peer's list.
func (p *prober) members(ctx context.Context, peerURL string) ([]listedMember, error) {
	resp, err := p.get(ctx, peerURL)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var members []listedMember
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxMembers)).Decode(&members); err != nil {
		return nil, err
	}
	return members, nil
}
