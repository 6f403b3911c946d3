package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
)

// certificates: how long each in use is valid. Whether they fit is the configuration's.
func (n *node) certificates(context.Context) (all []Result) {
	host, now := preflight.System(), n.now()
	for _, s := range []preflight.Side{
		{Peer: true, Cert: n.config.PeerTLSInfo.CertFile, ClientCert: n.config.PeerTLSInfo.ClientCertFile, CA: n.config.PeerTLSInfo.TrustedCAFile},
		{Cert: n.config.ClientTLSInfo.CertFile, ClientCert: n.config.ClientTLSInfo.ClientCertFile, CA: n.config.ClientTLSInfo.TrustedCAFile},
	} {
		for _, e := range host.Ends(s) {
			left := e.NotAfter.Sub(now)
			text := fmt.Sprintf("%s (%s) is valid for %d days", e.Path, e.Setting, int(left.Hours()/24))
			const next = "put a renewed file in its place: a leaf counts at once, a CA after etcd-node restart on each node"
			switch {
			case left <= 0:
				all = append(all, Result{"certificates", Problem, fmt.Sprintf("%s (%s) expired on %s", e.Path, e.Setting, e.NotAfter.UTC().Format(time.DateOnly)), next})
			case left < 30*24*time.Hour:
				all = append(all, Result{"certificates", Warning, text, next})
			default:
				all = append(all, ok("certificates", "%s", text))
			}
		}
	}
	return all
}

// timing: heartbeat and election timeout fit the network and the disk, by etcd's
// guide: a heartbeat is about a round trip, an election ten of them.
func (n *node) timing(context.Context) []Result {
	n.mu.Lock() // a check of the first stage that hangs may still come back
	var trip time.Duration
	for _, t := range n.trips {
		trip = max(trip, t)
	}
	fsync := n.fsync
	n.mu.Unlock()
	heartbeat, election := time.Duration(n.config.TickMs)*time.Millisecond, time.Duration(n.config.ElectionMs)*time.Millisecond
	slowest := max(10*trip, 10*fsync)
	switch {
	case trip > heartbeat:
		ms := (trip + trip/2).Milliseconds()
		return []Result{{"timing", Warning, fmt.Sprintf("a heartbeat of %s is less than a round trip of %s", heartbeat, short(trip)),
			fmt.Sprintf("ETCD_HEARTBEAT_INTERVAL=%d and ETCD_ELECTION_TIMEOUT=%d, the same on all nodes; etcd-node reload", ms, 10*ms)}}
	case election < slowest:
		return []Result{{"timing", Warning, fmt.Sprintf("an election timeout of %s is less than ten times the slowest round trip (%s) or fsync (%s)", election, short(trip), short(fsync)),
			fmt.Sprintf("a quicker disk, or ETCD_ELECTION_TIMEOUT=%d, the same on all nodes; etcd-node reload", min(50000, (slowest.Milliseconds()/1000+1)*1000))}}
	}
	var near []string
	if trip > 0 {
		near = append(near, "round trips of "+short(trip))
	}
	if fsync > 0 {
		near = append(near, "fsyncs of "+short(fsync))
	}
	if len(near) == 0 {
		return []Result{{"timing", Warning, fmt.Sprintf("heartbeat %s, election %s: neither the disk nor a peer could be measured", heartbeat, election), "see disk and peers above"}}
	}
	return []Result{ok("timing", "heartbeat %s, election %s: right for %s", heartbeat, election, strings.Join(near, " and "))}
}
