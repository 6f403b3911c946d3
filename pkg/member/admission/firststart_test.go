package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// inUse is a list whose members have served, but for the last n.
func inUse(members []peers.Member, n int) (all []peers.Member) {
	for i, x := range members {
		if i < len(members)-n {
			x.ClientURLs = []string{fmt.Sprintf("http://192.0.2.%d:2379", i+1)}
		}
		all = append(all, x)
	}
	return all
}

func TestFirstStart(t *testing.T) {
	const (
		add      = "; add this node to that cluster, and it joins by itself: etcd-node ctl member add c --learner --peer-urls=" + ownURL + " --endpoints="
		dead     = "z1 (context deadline exceeded)"
		forNew   = "set ETCD_INITIAL_CLUSTER_STATE=new on all of them, or remove ETCD_INITIAL_CLUSTER_STATE (FILE:3)"
		noList   = "; if no node of the list has data, this is a new cluster: " + forNew
		refused  = "http://refuses,z0 (127.0.0.1: connection refused), http://refuses,z1 (127.0.0.1: connection refused)"
		sec      = time.Second
		other    = "d" // a cluster
		forever  = 0   // the test stops it
		noQuorum = "no-quorum-yet: "
		lags     = "wiped-rejoin: cluster c of a, b, c has seen this node serve (1 of 2 say so, 2 are a quorum): the others are asked; if its data is on a disk that is mounted by now: systemctl restart etcd"
		hearsay  = "not-listed: http://refuses,z0 says that cluster d lives and does not list it; nothing is begun here before that cluster lists c (" + ownURL + ")" + add + "ENDPOINTS"
	)
	var (
		patient  = pipe.Guard{Patient: true, BootstrapWait: 30 * sec, StateSource: "ETCD_INITIAL_CLUSTER_STATE (FILE:3)"}
		later3   = Node{New: true, Guard: patient, PeerURLs: []string{"https://127.0.0.3:2380"}} // behind the others in order
		first    = Node{New: true, Guard: patient}
		existing = Node{Guard: patient}
		bare     = Node{New: true} // without systemd
		asEtcd   = Node{New: true, AsEtcd: true, Guard: patient}
		atOnce   = Node{New: true, Guard: pipe.Guard{Patient: true}}
		endless  = Node{New: true, Guard: pipe.Guard{Patient: true, BootstrapWait: -1}}
		pair     = inUse(removed, 0)
		both     = func(x fakePeer) []fakePeer { return []fakePeer{x, x} }
		which    = "; leave only the members of the one that is meant in ETCD_INITIAL_CLUSTER, and restart"
		unlisted = "not-listed: cluster c of a, b does not list c (" + ownURL + "), and nothing is begun here" + add + "http://192.0.2.1:2379,http://192.0.2.2:2379"
	)
	type want struct {
		joins bool
		id    string // of the failure; "stopped" while it still waits
		took  time.Duration
		said  string
	}
	for name, tc := range map[string]struct {
		node  Node
		peers []fakePeer
		err   error
		want
	}{
		"all begin together":                               {first, both(noData), nil, want{}},
		"all begin together, not its turn":                 {later3, both(noData), nil, want{took: turnLimit}},
		"the first of them has begun":                      {later3, []fakePeer{noData, later(sec/10, noData, of("c", nil))}, nil, want{took: sec / 10}},
		"one is missing, not its turn":                     {later3, []fakePeer{noData, closed}, nil, want{took: restartLimit + turnLimit}},
		"all begin, one after the other":                   {first, []fakePeer{noData, later(sec, closed, noData)}, nil, want{took: sec}},
		"one begins a moment before":                       {first, []fakePeer{noData, later(sec, closed, of("c", whole))}, nil, want{took: sec}},
		"one has etcd stopped":                             {first, []fakePeer{noData, closed}, nil, want{took: restartLimit}},
		"one restarts, with another list":                  {first, []fakePeer{noData, later(sec, closed, of("c", pair))}, nil, want{id: "stopped", said: unlisted}},
		"nobody is there":                                  {first, both(closed), nil, want{id: "stopped", said: noQuorum}},
		"a quorum is there late":                           {first, []fakePeer{later(time.Minute, closed, noData), closed}, nil, want{took: time.Minute, said: noQuorum}},
		"one has begun, of four":                           {first, []fakePeer{of("c", whole), closed, closed}, nil, want{id: "stopped", said: noQuorum}},
		"one has begun and serves, of four":                {first, []fakePeer{of("c", inUse(whole, 1)), closed, closed}, nil, want{}},
		"of four, all others have served, and are stopped": {first, []fakePeer{later(4*sec, closed, of("c", pair)), later(4*sec, closed, of("c", pair)), closed}, nil, want{id: "stopped", said: unlisted}},
		"one is wiped while it is asked":                   {first, []fakePeer{later(sec/2, of("c", pair), noData), closed}, nil, want{took: sec/2 + restartLimit}},
		"nobody is there, no wait":                         {atOnce, both(closed), nil, want{}},
		"nobody is there, without unit":                    {bare, both(closed), nil, want{}},
		"the others have begun":                            {first, both(of("c", whole)), nil, want{}},
		"one has begun, one is down":                       {first, []fakePeer{of("c", whole), mute}, nil, want{took: sec}},
		"one has begun, one is not there":                  {first, []fakePeer{of("c", whole), closed}, nil, want{}},
		"one has stored nothing yet":                       {first, []fakePeer{of("c", nil), closed}, nil, want{}},
		"alone in the list":                                {first, nil, nil, want{}},
		"no DNS":                                           {first, nil, errors.New("no such host"), want{}},
		"no DNS, existing":                                 {existing, nil, errors.New("no such host"), want{joins: true}},
		"one does not answer":                              {first, []fakePeer{noData, mute}, nil, want{took: 31 * sec, said: "no-answer: waiting up to 30s for an answer from http://refuses," + dead + ": an older cluster may live there"}},
		"one does not answer, no wait":                     {atOnce, []fakePeer{closed, mute}, nil, want{took: sec}},
		"one does not answer, without unit":                {bare, []fakePeer{closed, mute}, nil, want{took: sec}},
		"one does not answer, as etcd":                     {asEtcd, []fakePeer{closed, mute}, nil, want{}},
		"one does not answer, for ever":                    {endless, []fakePeer{noData, mute}, nil, want{id: "stopped", said: "no-answer: waiting for an answer from http://refuses," + dead + ": an older cluster may live there"}},
		"one comes up without etcd":                        {first, []fakePeer{noData, later(5*sec, mute, closed)}, nil, want{took: 6*sec + restartLimit, said: "no-answer: waiting up to 30s for an answer from http://refuses," + dead + ": an older cluster may live there"}},
		"a foreign one knows no members":                   {atOnce, both(of(other, nil)), nil, want{}},

		"not listed":                         {first, both(of("c", pair)), nil, want{id: "stopped", said: unlisted}},
		"not listed, existing":               {existing, both(of("c", pair)), nil, want{id: "stopped", said: unlisted}},
		"not listed, without unit":           {bare, both(of("c", pair)), nil, want{id: failure.IDNotListed, took: settleLimit}},
		"not listed, existing, without unit": {Node{}, both(of("c", pair)), nil, want{id: failure.IDNotListed, took: settleLimit}},
		"not listed, as etcd":                {asEtcd, both(of("c", pair)), nil, want{}},
		"added, as etcd, existing":           {Node{AsEtcd: true, Guard: patient}, both(of("c", added3)), nil, want{joins: true}},
		"not listed by one, one is down":     {first, []fakePeer{of("c", pair), mute}, nil, want{id: "stopped", said: unlisted}},
		"not listed by a cluster of one":     {first, []fakePeer{of(other, inUse([]peers.Member{peerA}, 0)), closed}, nil, want{id: "stopped", said: "not-listed: cluster d of a does not list c (" + ownURL + "), and nothing is begun here" + add + "http://192.0.2.1:2379"}},
		"not listed, its member restarts":    {first, []fakePeer{later(sec, of("c", pair), closed), closed}, nil, want{id: "stopped", said: unlisted}},
		"not listed by one, begun by the other": {first, []fakePeer{of("c", whole), of(other, inUse([]peers.Member{peerA}, 0))}, nil, want{id: "stopped",
			said: "several-clusters: cluster d of a does not list c (" + ownURL + "), and nothing is begun here; cluster c of a, b, c (it has never served) lists it" + which}},
		"not listed by one, served in the other": {first, []fakePeer{of("c", inUse(whole, 0)), of(other, inUse([]peers.Member{peerA}, 0))}, nil, want{id: "stopped",
			said: "several-clusters: cluster d of a does not list c (" + ownURL + "), and nothing is begun here; cluster c of a, b, c lists it" + which}},
		"not listed by two clusters": {first, []fakePeer{of("e", []peers.Member{peerA}), of(other, inUse([]peers.Member{peerB}, 0))}, nil, want{id: "stopped",
			said: "several-clusters: cluster d of b, and cluster e of a (it has never served) do not list c (" + ownURL + "), and nothing is begun here" + which}},
		"not listed by two clusters that serve": {first, []fakePeer{of("e", inUse([]peers.Member{peerB}, 0)), of(other, []peers.Member{{ID: 1, Name: "a", PeerURLs: peerA.PeerURLs, ClientURLs: []string{"http://192.0.2.9:2379"}}})}, nil, want{id: "stopped",
			said: "several-clusters: cluster d of a, and cluster e of b do not list c (" + ownURL + "), and nothing is begun here" + which}},
		"not listed by two clusters, without unit": {bare, []fakePeer{of("e", inUse([]peers.Member{peerB}, 0)), of(other, inUse([]peers.Member{peerA}, 0))}, nil, want{id: failure.IDSeveral, took: settleLimit}},
		"not listed by two clusters, then added":   {first, []fakePeer{of("e", inUse([]peers.Member{peerB}, 0)), later(time.Minute, of(other, inUse([]peers.Member{peerA}, 0)), of(other, added3))}, nil, want{joins: true, took: time.Minute, said: "several-clusters: cluster d of a, and cluster e of b do not list c (" + ownURL + "), and nothing is begun here" + which}},
		"added under another URL": {first, both(of("c", append(inUse(removed, 0), peers.Member{ID: 0x1f, PeerURLs: []string{"https://127.0.0.3:2380"}}))), nil, want{id: "stopped",
			said: "not-listed: cluster c of a, b, https://127.0.0.3:2380 does not list c (" + ownURL + "), and nothing is begun here; it was added as https://127.0.0.3:2380: " +
				"start it under exactly that, or etcd-node ctl member update 1f --peer-urls=" + ownURL + " --endpoints=http://192.0.2.1:2379,http://192.0.2.2:2379"}},
		"added while it waits": {first, both(later(5*time.Minute, of("c", pair), of("c", inUse(added3, 1)))), nil, want{joins: true, took: 5 * time.Minute, said: unlisted}},

		"one knows a cluster that does not list it": {first, []fakePeer{knows(0xd), noData}, nil, want{id: "stopped", said: hearsay}},
		"the same, of five":                         {first, []fakePeer{knows(0xd), noData, noData, closed}, nil, want{id: "stopped", said: hearsay}},
		"the same, with no wait":                    {atOnce, []fakePeer{knows(0xd), noData}, nil, want{id: "stopped", said: hearsay}},
		"the same, without unit":                    {bare, []fakePeer{knows(0xd), noData}, nil, want{id: failure.IDNotListed, took: settleLimit}},
		"the same, existing":                        {existing, []fakePeer{knows(0xd), noData}, nil, want{id: "stopped", said: hearsay}},
		"the same, and it goes away":                {first, []fakePeer{later(sec, knows(0xd), closed), noData}, nil, want{id: "stopped", said: hearsay}},
		"the same, and it is forgotten":             {first, []fakePeer{later(5*sec, knows(0xd), noData), noData}, nil, want{took: 5 * sec, said: hearsay}},
		"the same, and that cluster is asked":       {first, []fakePeer{knows(0xc), of("c", pair)}, nil, want{id: "stopped", said: unlisted}},
		"that cluster lists this node":              {first, []fakePeer{knows(0xc), of("c", whole)}, nil, want{}},
		"that cluster has added this node":          {first, []fakePeer{knows(0xc), of("c", added3)}, nil, want{joins: true}},
		"two of five know it, which is no quorum":   {first, []fakePeer{knows(0xc), knows(0xc), of("c", whole), closed}, nil, want{id: "stopped", said: noQuorum}},

		"added":                      {first, both(of("c", added3)), nil, want{joins: true}},
		"added, existing":            {existing, both(of("c", added3)), nil, want{joins: true}},
		"added, without unit":        {bare, both(of("c", added3)), nil, want{joins: true}},
		"added, one is down":         {first, []fakePeer{mute, of("c", added3)}, nil, want{joins: true}},
		"added, one peer lags":       {first, []fakePeer{of("c", pair), of("c", added3)}, nil, want{joins: true}},
		"added, all that answer lag": {first, []fakePeer{later(sec, of("c", pair), of("c", added3)), mute}, nil, want{joins: true, took: sec + peers.PauseMissing}},
		"added to another cluster":   {first, []fakePeer{of("c", pair), of(other, added3)}, nil, want{joins: true}},
		"original, of another list":  {first, both(of(other, inUse(whole, 1))), nil, want{joins: true}}, // member 3 is what token and URL make
		"original, of another token": {first, both(of(other, inUse(begun, 1))), nil, want{id: failure.IDForeign, took: settleLimit}},
		"the same, by one only":      {first, []fakePeer{of(other, inUse(begun, 1)), mute}, nil, want{id: "stopped", said: "foreign-cluster: cluster d of a, b, c lists this node, but as a member of another token (1 of 2 say so, 2 are a quorum): the others are asked"}},
		"original, its URL was changed since": {Node{New: true, Guard: patient, ByToken: func(urls []string) uint64 {
			if slices.Equal(urls, peerA.PeerURLs) {
				return peerA.ID
			}
			return 99
		}}, both(of(other, inUse(begun, 1))), nil, want{joins: true}},
		"original, under a wrong URL": {first, both(of("d", inUse([]peers.Member{peerA, peerB, {ID: 0x1f, Name: "c", PeerURLs: []string{"http://127.0.0.77:2380"}}}, 1))), nil, want{id: "stopped",
			said: "not-listed: cluster d of a, b, c does not list c (" + ownURL + "), and nothing is begun here; it has a member c (1f) at http://127.0.0.77:2380 that has never started: " +
				"correct the list, or, if that is to be this node, etcd-node ctl member update 1f --peer-urls=" + ownURL + " --endpoints=http://192.0.2.1:2379,http://192.0.2.2:2379"}},
		"the same, nobody has served":    {first, both(of(other, begun)), nil, want{}},
		"original, existing":             {existing, both(of("c", inUse(whole, 1))), nil, want{joins: true}},
		"it has served, without unit":    {bare, both(of("c", inUse(whole, 0))), nil, want{}},
		"it has served":                  {first, both(of("c", inUse(whole, 0))), nil, want{id: failure.IDWipedRejoin, took: settleLimit}},
		"it has served, existing":        {existing, both(of("c", inUse(whole, 0))), nil, want{id: failure.IDWipedRejoin, took: settleLimit}},
		"one lags, the others are late":  {first, []fakePeer{of("c", inUse(whole, 0)), later(15*sec, mute, of("c", inUse(added3, 1)))}, nil, want{joins: true, took: 15 * sec, said: lags}},
		"one lags, and then none does":   {first, []fakePeer{later(15*sec, of("c", inUse(whole, 0)), of("c", inUse(added3, 1))), closed}, nil, want{joins: true, took: 15 * sec, said: lags}},
		"one lags, another one did":      {first, []fakePeer{of("c", inUse(whole, 0)), later(5*sec, of("c", inUse(whole, 0)), mute)}, nil, want{id: failure.IDWipedRejoin, took: settleLimit}},
		"one says it, the other one did": {first, []fakePeer{of("c", inUse(whole, 0)), later(sec, of("c", inUse(whole, 0)), mute)}, nil, want{id: "stopped", said: lags}},
		"the last one of two":            {first, []fakePeer{of("c", inUse(append([]peers.Member{peerA}, old), 0))}, nil, want{id: "stopped", said: "wiped-rejoin: cluster c of a, c has seen this node serve (1 of 1 say so, 2 are a quorum): the others are asked; if its data is on a disk that is mounted by now: systemctl restart etcd"}},
		"it had served, and is added":    {first, both(later(sec, of("c", inUse(whole, 0)), of("c", inUse(added3, 1)))), nil, want{joins: true, took: sec}},

		"an alert of TLS":                    {first, []fakePeer{noData, alert}, nil, want{id: "stopped", said: "no-answer: waiting for http://refuses,z1 (127.0.0.1: TLS: no list of members in the answer): it answers, but not as a node without data; an older cluster may live there"}},
		"an alert of TLS, one has begun":     {first, []fakePeer{of("c", whole), alert}, nil, want{id: "stopped", said: "no-answer: waiting for http://refuses,z1 (127.0.0.1: TLS: no list of members in the answer): it answers, but not as a node without data; an older cluster may live there"}},
		"an alert of TLS, the cluster lives": {first, []fakePeer{of("c", inUse(whole, 1)), alert}, nil, want{}},
		"an alert of TLS, no wait":           {atOnce, []fakePeer{noData, alert}, nil, want{}},
		"an alert of TLS, without unit":      {bare, []fakePeer{noData, alert}, nil, want{}},
		"an alert of TLS, for a while":       {first, []fakePeer{noData, later(5*sec, alert, noData)}, nil, want{took: 5 * sec, said: "no-answer: waiting for http://refuses,z1 (127.0.0.1: TLS: no list of members in the answer): it answers, but not as a node without data; an older cluster may live there"}},
		"not listed, under the other scheme": {first, []fakePeer{overTLS("d", inUse([]peers.Member{peerA}, 0)), noData}, nil, want{id: "stopped",
			said: "not-listed: cluster d of a (http://refuses,z0 speaks https, not as its URL in the list says) does not list c (" + ownURL + "), and nothing is begun here" + add + "http://192.0.2.1:2379"}},
		"added, under the other scheme": {first, []fakePeer{overTLS("d", added3), noData}, nil, want{id: "stopped",
			said: "no-answer: waiting for http://refuses,z0 (a member of cluster d, which speaks https, and not what its URL in the list says): it answers, but not as a node without data; an older cluster may live there"}},
		"begun, under the other scheme":    {first, []fakePeer{overTLS("c", whole), noData}, nil, want{id: "stopped", said: "no-answer: waiting for http://refuses,z0 (a member of cluster c, which speaks https, and not what its URL in the list says): it answers, but not as a node without data; an older cluster may live there"}},
		"served, under the other scheme":   {first, []fakePeer{overTLS("c", inUse(whole, 0)), noData}, nil, want{id: "stopped", said: "wiped-rejoin: cluster c of a, b, c (http://refuses,z0 speaks https, not as its URL in the list says) has seen this node serve (1 of 2 say so, 2 are a quorum): the others are asked; if its data is on a disk that is mounted by now: systemctl restart etcd"}},
		"added later, by the right scheme": {first, []fakePeer{later(5*sec, overTLS("d", added3), of("d", added3)), noData}, nil, want{joins: true, took: 5 * sec, said: "no-answer: waiting for http://refuses,z0 (a member of cluster d, which speaks https, and not what its URL in the list says): it answers, but not as a node without data; an older cluster may live there"}},

		"existing, no node has data":             {existing, both(noData), nil, want{id: "stopped", said: "no-cluster: no node of the list has data: this is a new cluster: " + forNew}},
		"existing, nothing exists":               {existing, both(closed), nil, want{id: "stopped", said: "no-cluster: no member of the cluster answers: " + refused + noList}},
		"existing, nothing exists, without unit": {Node{}, both(closed), nil, want{joins: true}},
		"existing, nobody answers":               {existing, []fakePeer{mute}, nil, want{id: "stopped", said: "no-cluster: no member of the cluster answers: http://refuses,z0 (context deadline exceeded)" + noList}},
		"existing, one comes up":                 {existing, []fakePeer{later(time.Minute, closed, of("c", added3)), closed}, nil, want{joins: true, took: time.Minute, said: "no-cluster: no member of the cluster answers: " + refused + noList}},
		"existing, the others begin": {existing, []fakePeer{of("c", whole), closed}, nil, want{id: "stopped",
			said: "no-cluster: cluster c of a, b, c (it has never served) lists this node, which joins once it serves; to begin it together, " + forNew}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				tc.node.DataDir, tc.node.Name, tc.node.Begins = dir, "c", Identity{"c", "3"}
				c, said := checker(tc.node, fakeAsker{peers: tc.peers, err: tc.err})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				asked := time.Now()
				a, f := c.Admit(ctx)
				took, id := time.Since(asked), idOf(f)
				if id == failure.IDSignalled {
					id, took = "stopped", forever
				}
				if got := (want{a.Joins, id, took, said()}); got != tc.want {
					t.Errorf("got  %+v (%v)\nwant %+v", got, f, tc.want)
				}
			})
		})
	}
}

// A list that differs from the configured one is the one to join by.
func TestJoinBy(t *testing.T) {
	const own = "http://192.0.2.3:2380"
	n := Node{
		Name: "c", PeerURLs: []string{own},
		Others: []peers.Peer{{URLs: []string{"http://192.0.2.1:2380"}}, {URLs: []string{"http://192.0.2.2:2380"}}},
		Names:  map[string]string{"http://192.0.2.1:2380": "a", "http://192.0.2.2:2380": "b"},
	}
	member := func(id uint64, name string, urls ...string) peers.Member {
		return peers.Member{ID: id, Name: name, PeerURLs: urls}
	}
	a, b, self := member(1, "a", "http://192.0.2.1:2380"), member(2, "b", "http://192.0.2.2:2380"), member(3, "", own)
	for name, tc := range map[string]struct {
		live []peers.Member
		want string // "": as configured
	}{
		"the same":               {[]peers.Member{a, b, self}, ""},
		"fewer":                  {[]peers.Member{a, self}, "a=http://192.0.2.1:2380,c=" + own},
		"more":                   {[]peers.Member{a, b, self, member(4, "d", "http://192.0.2.4:2380")}, "a=http://192.0.2.1:2380,b=http://192.0.2.2:2380,c=" + own + ",d=http://192.0.2.4:2380"},
		"two URLs":               {[]peers.Member{member(1, "a", "http://192.0.2.1:2380", "http://10.0.0.1:2380"), self}, "a=http://10.0.0.1:2380,a=http://192.0.2.1:2380,c=" + own},
		"this node by name":      {[]peers.Member{a, member(3, "", "http://c.example:2380")}, "a=http://192.0.2.1:2380,c=" + own},
		"not started, listed":    {[]peers.Member{member(1, "", "http://192.0.2.1:2380"), self}, "a=http://192.0.2.1:2380,c=" + own},
		"not started, unknown":   {[]peers.Member{a, member(0x10, "", "http://192.0.2.9:2380"), self}, "10=http://192.0.2.9:2380,a=http://192.0.2.1:2380,c=" + own},
		"this node's name twice": {[]peers.Member{a, member(0x10, "c", "http://192.0.2.9:2380"), self}, "10=http://192.0.2.9:2380,a=http://192.0.2.1:2380,c=" + own},
		"another's name twice":   {[]peers.Member{a, member(0x11, "a", "http://192.0.2.9:2380"), self}, "11=http://192.0.2.9:2380,a=http://192.0.2.1:2380,c=" + own},
	} {
		got := n.joinBy(peers.List{Members: tc.live}, 3)
		if got.InitialCluster != tc.want || !got.Joins {
			t.Errorf("%s: %+v, want %s", name, got, tc.want)
		}
	}
}

// A URL that is mute does not take the time of the peer's other one.
func TestMuteFirstURL(t *testing.T) {
	patient := pipe.Guard{Patient: true, BootstrapWait: 30 * time.Second}
	for name, tc := range map[string]struct {
		other fakePeer
		took  time.Duration
		id    string
	}{
		"without data": {noData, 0, ""},
		"not listed":   {of("d", inUse(removed, 0)), 0, failure.IDSignalled},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				c, said := checker(Node{New: true, Guard: patient, DataDir: dir, Begins: Identity{"c", "3"}}, fakeAsker{peers: []fakePeer{noData, tc.other}, first: "http://mute"})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				asked := time.Now()
				_, f := c.Admit(ctx)
				if took := time.Since(asked); idOf(f) != tc.id || f == nil && took != tc.took || f != nil && !strings.HasPrefix(said(), "not-listed: ") {
					t.Errorf("%v after %s, said %q", f, took, said())
				}
			})
		})
	}
}

// The member's ID is made of the token and of the URL as it is written: where both
// may be why it is another one, both are said.
func TestOtherToken(t *testing.T) {
	for own, want := range map[string]string{
		ownURL:                  "cluster d of a, b, c lists this node, but as a member of another token",
		"HTTP://127.0.0.3:2380": "cluster d of a, b, c lists this node, but as a member of another token, or under a URL that is written otherwise: there " + ownURL + ", here HTTP://127.0.0.3:2380",
	} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			n := Node{New: true, PeerURLs: []string{own}, DataDir: dir, Begins: Identity{"c", "3"}, Guard: pipe.Guard{Patient: true}}
			c, _ := checker(n, fakeAsker{peers: []fakePeer{of("d", inUse(begun, 1)), of("d", inUse(begun, 1))}})
			if _, f := c.Admit(t.Context()); idOf(f) != failure.IDForeign || f.Detail != want {
				t.Errorf("%v", f)
			}
		})
	}
}

// A node that waits announces the cluster that it waits for, once it has asked, and
// only what it has heard itself.
func TestAnnounces(t *testing.T) {
	for name, tc := range map[string]struct {
		peer fakePeer
		want uint64
	}{
		"a cluster that does not list it": {of("c", inUse(removed, 0)), 0xc},
		"what another node knows":         {knows(0xd), 0},
		"nobody is there":                 {closed, 0},
	} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, _ := checker(Node{New: true, Guard: pipe.Guard{Patient: true, BootstrapWait: -1}, DataDir: dir}, fakeAsker{peers: []fakePeer{tc.peer, closed}})
			var first, last peers.Announcement
			c.Announce = func(says func() peers.Announcement) (func(), error) {
				first = says()
				return func() { last = says() }, nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, f := c.Admit(ctx)
			if want := (peers.Announcement{Unlisted: tc.want}); first != want || last != want || idOf(f) != failure.IDSignalled {
				t.Errorf("%s: %v, then %v; %v", name, first, last, f)
			}
		})
	}
}

// A port that cannot be had ends the attempt, as it would end etcd's.
func TestPortBusy(t *testing.T) {
	c, _ := checker(Node{New: true, Guard: pipe.Guard{Patient: true, BootstrapWait: time.Minute}, DataDir: t.TempDir()}, fakeAsker{peers: []fakePeer{closed}})
	c.Announce = func(func() peers.Announcement) (func(), error) {
		return nil, fmt.Errorf("listen tcp 127.0.0.1:2380: bind: %w", syscall.EADDRINUSE)
	}
	if _, f := c.Admit(t.Context()); f == nil || f.Class != failure.Transient || !strings.Contains(f.Detail, "127.0.0.1:2380") {
		t.Errorf("%+v", f)
	}
}

// A peer that has begun and knows no members yet says nothing of who they are.
func TestJoinByTheFirstThatKnows(t *testing.T) {
	s := survey{Node: Node{PeerURLs: []string{ownURL}}}
	at := func(url string) reply { return reply{peer: peers.Peer{URLs: []string{url}}} }
	s.take(surveyed{reply: at("http://a"), standing: original, own: 0})
	if a := s.join(original); !a.Joins || a.InitialCluster != "" {
		t.Errorf("nobody knows: %+v", a)
	}
	knows := at("http://b")
	knows.list = peers.List{ClusterID: "c", Members: added3}
	s.take(surveyed{reply: knows, standing: original, own: 4})
	s.take(surveyed{reply: at("http://0"), standing: original, own: 0})
	if a := s.join(original); !a.Joins || !strings.Contains(a.InitialCluster, ownURL) {
		t.Errorf("%+v", a)
	}
}
