package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// This node is the third of three, at ownURL.
const ownURL = "http://127.0.0.3:2380"

var (
	peerA       = peers.Member{ID: 1, Name: "a", PeerURLs: []string{"http://127.0.0.1:2380"}}
	peerB       = peers.Member{ID: 2, Name: "b", PeerURLs: []string{"http://127.0.0.2:2380"}}
	old         = peers.Member{ID: 3, Name: "c", PeerURLs: []string{ownURL}}
	replacement = peers.Member{ID: 4, PeerURLs: []string{ownURL}}

	whole   = []peers.Member{peerA, peerB, old}
	removed = []peers.Member{peerA, peerB}
	added3  = []peers.Member{peerA, peerB, replacement}
	begun   = []peers.Member{peerA, peerB, {ID: 4, Name: "c", PeerURLs: []string{ownURL}}}
	strange = []peers.Member{peerA, peerB, {ID: 5, PeerURLs: []string{"http://127.0.0.5:2380"}}}
)

// fakePeer is what a peer answers, by the time since the node began to ask.
type fakePeer func(since time.Duration) (peers.List, error)

// errMute is the error of a peer that never answers.
var errMute = errors.New("mute")

func says(l peers.List, err error) fakePeer {
	return func(time.Duration) (peers.List, error) { return l, err }
}

// lists is a peer of cluster c.
func lists(members []peers.Member) fakePeer { return of("c", members) }

// of is a peer of a cluster.
func of(cluster string, members []peers.Member) fakePeer {
	return says(peers.List{ClusterID: cluster, Members: members}, nil)
}

// overTLS is a peer whose URL says http, and who speaks TLS.
func overTLS(cluster string, members []peers.Member) fakePeer {
	return says(peers.List{ClusterID: cluster, Members: members, OtherScheme: "https"}, nil)
}

// later is a peer that says something else after a time.
func later(at time.Duration, before, after fakePeer) fakePeer {
	return func(since time.Duration) (peers.List, error) {
		if since < at {
			return before(since)
		}
		return after(since)
	}
}

var (
	mute   = says(peers.List{}, errMute)
	noData = says(peers.List{}, fmt.Errorf("127.0.0.1: %w", peers.ErrNoData))
	closed = says(peers.List{}, fmt.Errorf("127.0.0.1: %w", syscall.ECONNREFUSED))
	alert  = says(peers.List{}, fmt.Errorf("127.0.0.1: TLS: %w", peers.ErrAnswered))
)

// knows is a node without data that has found a cluster that does not list it.
func knows(cluster uint64) fakePeer {
	return says(peers.List{}, &peers.Waits{Announcement: peers.Announcement{Unlisted: cluster}})
}

// fakeAsker asks fake peers, whose URLs are their places.
type fakeAsker struct {
	peers   []fakePeer
	err     error
	begun   time.Time
	is      string              // the URL at which every member is said to answer
	from    time.Duration       // since when
	until   time.Duration       // for how long; 0: for ever
	another string              // the URL at which another member is said to answer
	at      map[string]fakePeer // at other URLs than the peers'
	first   string              // the first URL of each; "": one that refuses
}

func (a fakeAsker) Peers() (all []peers.Peer, err error) {
	for i := range a.peers {
		all = append(all, peers.Peer{URLs: []string{cmp.Or(a.first, "http://refuses"), fmt.Sprint("z", i)}})
	}
	return all, a.err
}

func (a fakeAsker) Members(ctx context.Context, url string) (peers.List, error) {
	if url == "http://mute" {
		<-ctx.Done()
		return peers.List{}, ctx.Err()
	}
	if p := a.at[url]; p != nil {
		return p(time.Since(a.begun))
	}
	var i int
	if _, err := fmt.Sscanf(url, "z%d", &i); err != nil {
		return peers.List{}, fmt.Errorf("no: %w", syscall.ECONNREFUSED)
	}
	list, err := a.peers[i](time.Since(a.begun))
	if err == errMute {
		<-ctx.Done()
		return list, ctx.Err()
	}
	return list, err
}

func (a fakeAsker) Is(_ context.Context, url, cluster string, member uint64) bool {
	since := time.Since(a.begun)
	return a.is != "" && url == a.is && cluster == "c" && since >= a.from && (a.until == 0 || since < a.until)
}

func (a fakeAsker) IsAnother(_ context.Context, url, cluster string, member uint64) bool {
	return url == a.another && cluster == "c"
}

// checker is where the third member comes in, and what it says of its waiting.
func checker(n Node, a fakeAsker) (c *Checker, said func() string) {
	var (
		mu    sync.Mutex
		texts []string
	)
	if n.PeerURLs == nil {
		n.PeerURLs = []string{ownURL}
	}
	a.begun = time.Now()
	c = &Checker{Node: n, Asker: a, Log: zap.NewNop(), Here: func(netip.Addr) bool { return true }, PortsFree: func() *failure.Failure { return nil }, Announce: func(func() peers.Announcement) (func(), error) { return func() {}, nil }, Waiting: func(c status.Condition) {
		mu.Lock()
		defer mu.Unlock()
		if c.ID == "" { // progress
			return
		}
		texts = append(texts, c.ID+": "+strings.TrimPrefix(c.Text, "asking the cluster whether this node replaces a member; "))
	}}
	return c, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(texts, ", ")
	}
}

func TestReplace(t *testing.T) {
	const (
		none   = "wiped: no answer yet"
		oneNo  = "wiped: 1 of 2 say no so far"
		bothNo = "wiped: 2 of 2 say no so far"
	)
	var (
		lived           = Node{New: true, Guard: pin("c", "3")}
		existing        = Node{Guard: pin("c", "3")}
		damaged         = Node{New: true, Guard: pipe.Guard{Damage: "the pin is damaged"}}
		damagedExisting = Node{Guard: pipe.Guard{Damage: "the pin is damaged"}}
		both            = func(x fakePeer) []fakePeer { return []fakePeer{x, x} }
		sec             = time.Second
	)
	for name, tc := range map[string]struct {
		node  Node
		peers []fakePeer
		err   error
		joins bool
		want  string // the failure's ID
		said  string
		took  time.Duration
	}{

		"wiped, alone":                        {lived, nil, nil, false, failure.IDWiped, "", 0},
		"wiped, alone, existing":              {existing, nil, nil, false, failure.IDWiped, "", 0},
		"wiped":                               {lived, both(lists(whole)), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, existing":                     {existing, both(lists(whole)), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, removed":                      {lived, both(lists(removed)), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, another one was added":        {existing, both(lists(strange)), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, the replacement lives":        {existing, both(lists(begun)), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, one peer is down":             {lived, []fakePeer{lists(whole), mute}, nil, false, failure.IDWiped, oneNo, denialLimit + 1500*time.Millisecond},
		"wiped, nobody answers":               {lived, both(mute), nil, false, failure.IDWiped, none, silenceLimit + sec},
		"wiped, existing, a late answer":      {existing, both(later(time.Minute, mute, lists(whole))), nil, false, failure.IDWiped, none + ", " + bothNo, 0},
		"wiped, one of two, a learner beside": {existing, []fakePeer{lists([]peers.Member{peerA, {ID: 2, Learner: true}}), mute}, nil, false, failure.IDWiped, oneNo, settleLimit + 2*sec},
		"wiped, listed twice":                 {existing, both(lists([]peers.Member{peerA, old, replacement})), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, the pin is damaged":           {damaged, both(lists(whole)), nil, false, failure.IDWiped, bothNo, settleLimit},
		"wiped, no DNS":                       {existing, nil, errors.New("lookup etcd.invalid: no such host"), false, "name-resolution", "", 0},
		"wiped, new, no DNS":                  {lived, nil, errors.New("lookup etcd.invalid: no such host"), false, "name-resolution", "", 0},
		"wiped, unusable TLS":                 {existing, nil, errors.New("no certificate"), false, failure.IDNotStarted, "", 0},

		"replacement, under the other scheme":       {lived, both(overTLS("c", added3)), nil, false, failure.IDWiped, none, silenceLimit},
		"replacement":                               {lived, both(lists(added3)), nil, true, "", "", 0},
		"replacement, existing":                     {existing, both(lists(added3)), nil, true, "", "", 0},
		"replacement, the pin is damaged":           {damaged, both(lists(added3)), nil, true, "", "", 0},
		"the same, existing":                        {damagedExisting, both(lists(added3)), nil, true, "", "", 0},
		"replacement, the first peer lags":          {existing, []fakePeer{lists(removed), lists(added3)}, nil, true, "", "", 0},
		"replacement, lags behind the removal":      {existing, []fakePeer{lists(whole), lists(added3)}, nil, true, "", "", 0},
		"replacement, all that answer lag, new":     {lived, []fakePeer{later(5*sec, lists(removed), lists(added3)), mute}, nil, true, "", oneNo, 0},
		"replacement, all that answer lag":          {existing, []fakePeer{later(5*sec, lists(removed), lists(added3)), mute}, nil, true, "", oneNo, 0},
		"replacement, a quorum lags":                {existing, both(later(sec, lists(removed), lists(added3))), nil, true, "", bothNo, sec},
		"replacement, answers late, new":            {lived, both(later(10*sec, mute, lists(added3))), nil, true, "", none, 0},
		"replacement, answers late":                 {existing, both(later(time.Hour, mute, lists(added3))), nil, true, "", none, 0},
		"replacement, one answers late":             {existing, []fakePeer{lists(removed), later(8*sec, mute, lists(added3))}, nil, true, "", oneNo, 0},
		"replacement, its cluster is not known yet": {existing, both(later(20*sec, lists([]peers.Member{}), lists(added3))), nil, true, "", none, 20 * sec},

		"the pin cannot be read": {Node{New: true, Guard: pipe.Guard{Unreadable: "no permission"}}, both(lists(added3)), nil, false, failure.IDCannotLook, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				tc.node.DataDir = dir
				c, said := checker(tc.node, fakeAsker{peers: tc.peers, err: tc.err})
				asked := time.Now()
				a, f := c.Admit(t.Context())
				took := time.Since(asked)
				if id := idOf(f); id != tc.want || a.Joins != tc.joins {
					t.Errorf("%q (%v), joins: %v; want %q, %v", id, f, a.Joins, tc.want, tc.joins)
				}
				if got := said(); got != tc.said {
					t.Errorf("said %q, want %q", got, tc.said)
				}
				if (tc.took != 0 || tc.said == "") && took != tc.took {
					t.Errorf("it took %s, want %s", took, tc.took)
				}
				if f != nil && strings.HasSuffix(tc.said, "say no so far") && !strings.HasSuffix(f.Detail, ", and the cluster lists no new member with this node's peer URL") {
					t.Errorf("the refusal does not tell what the cluster says: %q", f.Detail)
				}
			})
		})
	}
}

// Data of a replacement that has not served, where another member is pinned.
func TestStay(t *testing.T) {
	data := served(member3)
	data.WAL.MemberID = 4
	for name, tc := range map[string]struct {
		peers []fakePeer
		want  string
		said  string
	}{
		"nobody to ask":              {nil, failure.IDOtherIdentity, ""},
		"added":                      {[]fakePeer{lists(added3), mute}, "", ""},
		"added, and has its name":    {[]fakePeer{lists(begun), mute}, "", ""},
		"the first peer lags":        {[]fakePeer{lists(removed), lists(added3)}, "", ""},
		"the only answer lags":       {[]fakePeer{later(time.Second, lists(removed), lists(added3)), mute}, "", "other-identity: 1 of 2 say no so far"},
		"answers late":               {[]fakePeer{later(time.Hour, mute, lists(added3)), mute}, "", "other-identity: no answer yet"},
		"the pinned one is a member": {[]fakePeer{lists(whole), lists(whole)}, failure.IDOtherIdentity, "other-identity: 2 of 2 say no so far"},
		"another one was added":      {[]fakePeer{lists(strange), lists(strange)}, failure.IDOtherIdentity, "other-identity: 2 of 2 say no so far"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, said := checker(Node{Guard: pin("c", "3")}, fakeAsker{peers: tc.peers})
				f := c.stay(t.Context(), data)
				if id := idOf(f); id != tc.want {
					t.Errorf("%q (%v), want %q", id, f, tc.want)
				}
				if got := said(); got != tc.said {
					t.Errorf("said %q, want %q", got, tc.said)
				}
			})
		})
	}
}

// A replacement that stays can still be configured against its data.
func TestStayOnLoopback(t *testing.T) {
	data := served(loopback)
	data.WAL.MemberID = 4
	c, _ := checker(Node{Guard: pin("c", "3"), Others: []peers.Peer{{URLs: []string{"http://192.0.2.1:2380"}}}}, fakeAsker{peers: []fakePeer{lists(added3)}})
	if f := c.stay(t.Context(), data); idOf(f) != failure.IDLoopbackData {
		t.Errorf("%v", f)
	}
}

// A stop while it waits is a stop.
func TestStopWhileAsking(t *testing.T) {
	for _, n := range []Node{{New: true, Guard: pin("c", "3")}, {Guard: pin("c", "3")}} {
		n.DataDir = t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, _ := checker(n, fakeAsker{peers: []fakePeer{mute, lists(removed)}})
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			if _, f := c.Admit(ctx); idOf(f) != failure.IDSignalled {
				t.Errorf("%v", f)
			}
			other := served(member3)
			other.WAL.MemberID = 4
			if f := c.stay(ctx, other); idOf(f) != failure.IDSignalled {
				t.Errorf("%v", f)
			}
		})
	}
}

func idOf(f *failure.Failure) string {
	if f == nil {
		return ""
	}
	return f.ID
}
