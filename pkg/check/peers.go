package check

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

const (
	// trips to a peer, of which the shortest counts.
	trips = 5
	// apart is how far two clocks may be apart: an answer tells its time in whole
	// seconds, and leases and certificates are not more exact.
	apart = 2 * time.Second
)

// others are the other members: those that the running member knows, else those of
// the list.
func (n *node) others() (all []peers.Peer, names map[string]string) {
	if n.Running != nil && len(n.Running.View.Members) > 0 {
		names = map[string]string{}
		for _, m := range n.Running.View.Members {
			if !m.Self {
				p := peers.Peer{ID: m.ID, URLs: m.PeerURLs}
				all = append(all, p)
				names[p.Key()] = m.Name
			}
		}
		return all, names
	}
	all, names = peers.Initial(n.config.InitialCluster, n.config.Name)
	slices.SortFunc(all, func(a, b peers.Peer) int { return strings.Compare(names[a.Key()], names[b.Key()]) }) // it comes in any order
	return all, names
}

// peers: each answers as a member of this cluster, has the same time, and is near.
func (n *node) peers(ctx context.Context) []Result {
	all, names := n.others()
	if len(all) == 0 {
		return nil
	}
	tlsConfig, err := peers.ClientTLS(n.config.PeerTLSInfo, n.config.PeerAutoTLS)
	if err != nil {
		return []Result{{"peers", Problem, "the peer certificates cannot be used: " + err.Error(), "etcd-node config"}}
	}
	own, begun := n.cluster()
	client := peers.NewClient(tlsConfig, nil)
	found := make([][]Result, len(all))
	var asked sync.WaitGroup
	for i, p := range all {
		asked.Go(func() { found[i] = n.peer(ctx, client, p, names[p.Key()], own, begun) })
	}
	asked.Wait()
	return slices.Concat(found...)
}

// cluster is this node's own, if it has begun one.
func (n *node) cluster() (id string, begun bool) {
	if n.Running != nil && n.Running.View.ClusterID != "" {
		return n.Running.View.ClusterID, true
	}
	d, err := datadir.Inspect(n.config.Dir, n.config.WalDir)
	if err != nil || d.WAL.ClusterID == 0 {
		return "", false
	}
	return types.ID(d.WAL.ClusterID).String(), true
}

// peer checks one, which is called name in the list.
func (n *node) peer(ctx context.Context, client *peers.Client, p peers.Peer, name, own string, begun bool) []Result {
	if name == "" && len(p.URLs) > 0 {
		name = hostOf(p.URLs[0])
	}
	what := "peer " + name
	f := client.Probe(ctx, p.URLs)
	switch {
	case !f.OK && !begun && strings.Contains(f.Cause, "connection refused"):
		return []Result{{what, Warning, f.Cause + ": its etcd does not run yet, or a firewall rejects", "systemctl start etcd there; a first start waits for a quorum"}}
	case !f.OK && f.Untrusted:
		return []Result{{what, Problem, f.Cause, "the CAs of both must be in ETCD_PEER_TRUSTED_CA_FILE of both (etcd-node explain tls-unfit)"}}
	case !f.OK:
		return []Result{{what, Problem, f.Cause, "is it up, and is TCP " + portsOf(p.URLs) + " open between the two? etcd-node check there"}}
	case own != "" && f.ClusterID != "" && f.ClusterID != own:
		return []Result{{what, Problem, fmt.Sprintf("%s belongs to cluster %s, this node to %s", hostOf(p.URLs[0]), f.ClusterID, own), "etcd-node explain foreign-cluster"}}
	}
	trip := f.Trip
	for range trips {
		if again := client.Probe(ctx, p.URLs); again.OK {
			trip = min(trip, again.Trip)
		}
	}
	n.mu.Lock()
	n.trips = append(n.trips, trip)
	n.mu.Unlock()
	text := fmt.Sprintf("answers in %s", short(trip))
	if v := client.Version(ctx, p.URLs); v != "" {
		text += ", etcd " + v
		n.mu.Lock()
		n.versions[name] = v
		n.mu.Unlock()
	}
	if off, known := n.clockOf(ctx, client, p.URLs); known && (off > apart || off < -apart) {
		return []Result{{what, Warning, fmt.Sprintf("%s, but its clock is %s from this one's", text, off.Round(time.Second)), "timedatectl on both: one of them is wrong"}}
	}
	return []Result{ok(what, "%s", text)}
}

// portsOf is "port 2380".
func portsOf(urls []string) string {
	var all []string
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Port() != "" && !slices.Contains(all, u.Port()) {
			all = append(all, u.Port())
		}
	}
	return "port " + strings.Join(all, " and ")
}

// clockOf is how far a peer's clock is ahead of this one's, to a second.
func (n *node) clockOf(ctx context.Context, client *peers.Client, urls []string) (ahead time.Duration, known bool) {
	for _, u := range urls {
		before := n.now()
		resp, err := client.Get(ctx, strings.TrimSuffix(u, "/")+"/version")
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		after := n.now()
		at, err := http.ParseTime(resp.Header.Get("Date"))
		if err != nil {
			continue
		}
		// It is cut to the second in which it was.
		return at.Add(500 * time.Millisecond).Sub(before.Add(after.Sub(before) / 2)), true
	}
	return 0, false
}
