package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coreos/go-semver/semver"

	"go.etcd.io/etcd/api/v3/version"
)

// upgrade: this etcd works together with those of the peers, and nothing is in the way
// of an upgrade that has begun.
func (n *node) upgrade(context.Context) []Result {
	n.mu.Lock()
	versions := maps.Clone(n.versions)
	n.mu.Unlock()
	all := upgrade(version.Version, versions)
	if len(versions) > 0 && n.Running != nil && len(all) > 0 {
		for _, m := range n.Running.View.Members {
			if m.Learner {
				all = append(all, Result{"upgrade", Warning, fmt.Sprintf("%s is a learner: an upgrade is no time to add a member", m.Name),
					"etcd-node status has the command that promotes it; or etcd-node ctl member remove " + m.ID})
			}
		}
	}
	return all
}

// upgrade compares the versions of peers with one's own. etcd lets members of two minor
// versions that follow each other work together, and no others.
func upgrade(own string, peers map[string]string) (all []Result) {
	mine := semver.Must(semver.NewVersion(own))
	var before, after []string
	for _, name := range slices.Sorted(maps.Keys(peers)) {
		v, err := semver.NewVersion(peers[name])
		if err != nil {
			continue
		}
		says := name + " " + peers[name]
		switch apart := (mine.Major-v.Major)*100 + mine.Minor - v.Minor; {
		case apart > 1:
			all = append(all, Result{"upgrade", Problem, fmt.Sprintf("%s runs etcd %s, which does not work together with %s", name, peers[name], own),
				fmt.Sprintf("upgrade all members one minor version at a time, with etcd's own binaries up to %d.%d", mine.Major, mine.Minor-1)})
		case apart < -1:
			all = append(all, Result{"upgrade", Problem, fmt.Sprintf("%s runs etcd %s, which does not work together with %s", name, peers[name], own), "install the etcd-node of that version here"})
		case apart == 1:
			before = append(before, says)
		case apart == -1:
			after = append(after, says)
		}
	}
	if len(before) > 0 {
		all = append(all, Result{"upgrade", Warning, fmt.Sprintf("an upgrade is under way: %s; the cluster has the features of the older version until all have the new one, and then the way back is etcdctl downgrade", strings.Join(before, ", ")),
			"the next machine when all members serve (etcd-node can-stop)"})
	}
	if len(after) > 0 {
		all = append(all, Result{"upgrade", Warning, fmt.Sprintf("members have a later version than this one: %s", strings.Join(after, ", ")), "install it here, then etcd-node reload"})
	}
	return all
}
