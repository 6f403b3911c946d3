package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// daemon: it has not failed for good, and its member runs with what is written.
func (n *node) daemon(context.Context) (all []Result) {
	if n.LastEnd != "" {
		all = append(all, Result{"daemon", Problem, "it has failed for good: " + n.LastEnd, "etcd-node explain"})
	}
	if len(n.Drift) > 0 {
		all = append(all, Result{"daemon", Warning, "the member does not run with what is written: " + strings.Join(n.Drift, "; "), "etcd-node reload"})
	}
	return all
}

// access: nobody but the member looks into its data.
func (n *node) access(context.Context) []Result {
	info, err := os.Stat(n.config.Dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return []Result{{"access", Warning, fmt.Sprintf("%s has mode %04o: other users may look into the data", n.config.Dir, info.Mode().Perm()), "chmod 0700 " + shown.Quoted(n.config.Dir)}}
}

// data: what the data dir holds is this node's, and this etcd can read it. While a
// member runs it knows better, and its files are left alone.
func (n *node) data(context.Context) []Result {
	if n.Running != nil && n.Running.View.MemberID != "" {
		return []Result{ok("data", "member %s of cluster %s runs in %s", n.Running.View.MemberID, n.Running.View.ClusterID, n.config.Dir)}
	}
	problem := func(text, next string) []Result { return []Result{{"data", Problem, text, next}} }
	var d datadir.Data
	var err error
	inspect := func() { d, err = datadir.Inspect(n.config.Dir, n.config.WalDir) }
	if n.User == nil {
		inspect()
	} else if failed := n.User.Do(inspect); failed != nil {
		return problem(failed.Error(), "etcd-node explain")
	}
	switch {
	case errors.Is(err, os.ErrPermission) && n.User != nil:
		return problem(fmt.Sprintf("the user %s of the daemon may not: %v", n.User.Name, err),
			fmt.Sprintf("chown -R %s: %s; chmod -R u+rwX %[2]s", shown.Quoted(n.User.Name), shown.Quoted(n.config.Dir)))
	case errors.Is(err, os.ErrPermission):
		return []Result{{"data", Warning, "this user may not look into " + n.config.Dir, "run this as root"}}
	case err != nil:
		return problem(err.Error(), "etcd-node explain")
	}
	pin, pinned, pinErr := n.Pins.Load()
	var found []Result
	if pinned && pin.DataDir != "" && pin.DataDir != n.config.Dir { // the daemon refuses that, too
		found = append(found, problem(fmt.Sprintf("%s has lived on this node, in %s, and the data dir is %s now", pin, pin.DataDir, n.config.Dir),
			"ETCD_DATA_DIR="+pin.DataDir+", if that setting was lost; else etcd-node explain other-identity")...)
		pinned = false
	}
	if pinErr != nil && !errors.Is(pinErr, os.ErrPermission) {
		found = append(found, Result{"data", Warning, pinErr.Error(), "etcd-node explain cannot-record"})
	}
	if d.Empty() {
		if pinned {
			return append(found, problem(n.config.Dir+" is empty, and "+pin.String()+" has lived there", "is its disk mounted? findmnt -T "+shown.Quoted(n.config.Dir)+"; else etcd-node explain wiped")...)
		}
		return append(found, ok("data", "%s is empty: a first start, or a replacement", n.config.Dir))
	}
	if why, yes := d.Foreign(); yes {
		return append(found, problem(why, "etcd-node explain data-too-old; etcd-node explain data-too-new")...)
	}
	if n.Resolved.LoopbackOnly && len(d.DB.Members) > 1 {
		return append(found, problem(fmt.Sprintf("%s holds one member of %d, and no cluster is configured", n.config.Dir, len(d.DB.Members)),
			"ETCD_INITIAL_CLUSTER, as on the other machines; etcd-node config")...)
	}
	if why, yes := d.WALLost(); yes {
		return append(found, problem(why, "etcd-node explain wal-lost")...)
	}
	cluster, member := hex(d.WAL.ClusterID), hex(d.WAL.MemberID)
	if pinned && d.WAL.MemberID != 0 && (pin.ClusterID != cluster || pin.MemberID != member) {
		return append(found, problem(fmt.Sprintf("%s holds member %s of cluster %s, but %s has lived on this node", n.config.Dir, member, cluster, pin),
			"etcd-node explain other-identity")...)
	}
	if why, yes := d.Behind(); yes {
		found = append(found, Result{"data", Warning, why, "start it, and look at etcd-node status"})
	}
	if text, yes := d.Torn(); yes {
		found = append(found, Result{"data", Warning, text, "remove them when the member serves"})
	}
	return append(found, ok("data", "%s holds member %s of cluster %s", n.config.Dir, member, cluster))
}

func hex(id uint64) string { return strconv.FormatUint(id, 16) }
