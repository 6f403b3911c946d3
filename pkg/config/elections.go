package config

import (
	"slices"
	"strconv"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// leastSilence is the least that ETCD_NODE_HOST_SILENCE counts as: that of package
// silence, which belongs to the member and is not for the configuration to import.
// TestLeastSilence holds the two together.
const leastSilence = 400 * time.Millisecond

// checkElections tells of settings about elections that do not do what they say:
// they are noticed otherwise only when a leader is lost.
func (d *derivation) checkElections(node settings.Node, own []settings.Setting) {
	ms, err := strconv.Atoi(d.effective("election-timeout"))
	early, bad := strconv.ParseBool(d.effective("pre-vote"))
	if err != nil || bad != nil { // refused already
		return
	}
	timeout := time.Duration(ms) * time.Millisecond
	i := slices.IndexFunc(own, func(s settings.Setting) bool { return s.Name == "ETCD_NODE_HOST_SILENCE" })
	listens := i >= 0 && node.HostSilence > 0 // 0 where it was refused, too
	switch {
	case listens && !node.Failover: // whatever pre-vote is
	case !early:
		if node.Failover || node.FastStart {
			d.notice("%s: without pre-vote no election is asked for early: a lost leader costs one to two election timeouts (%s–%s), and ETCD_NODE_HOST_SILENCE and ETCD_NODE_FAST_START have no effect; remove ETCD_PRE_VOTE, whose default is true",
				d.at("pre-vote"), timeout, 2*timeout)
		}
		return
	case !listens:
		return
	}
	where, counts := own[i].Source, max(node.HostSilence, leastSilence)
	switch {
	case !node.Failover:
		d.notice("%s: no effect, because ETCD_NODE_FAILOVER=off leaves every lost leader to the election timeout; remove it, or set ETCD_NODE_FAILOVER=on", where)
	case timeout <= leastSilence:
		d.notice("%s: no effect, because it counts as %s at least and the election timeout is %s: etcd's own timer is sooner, as with 0s; remove it, or set a longer ETCD_ELECTION_TIMEOUT on all members", where, leastSilence, timeout)
	case counts >= timeout:
		d.notice("%s: %s is not below the election timeout, %s: etcd's own timer is sooner, as with 0s; set less than %s, the default is %s", where, own[i].Value, timeout, timeout, leastSilence)
	case node.HostSilence < leastSilence:
		d.notice("%s: %s counts as %s, the least: TCP may need that long to send again and be answered; set %s or more, and less than the election timeout, %s", where, own[i].Value, leastSilence, leastSilence, timeout)
	}
}
