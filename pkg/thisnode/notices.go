package thisnode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Notices are what else the operator should know of a configuration: what the unit
// and the data say. read is the env file that was read in the place of the unit's.
func (n *Node) Notices(ctx context.Context, r *settings.Resolved, read string) []string {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	u := unit.Ask(ctx, n.Unit)
	return slices.Concat(r.Notices, u.OtherEnvFile(read), u.Forbids(r), u.Outdated(), n.OtherProgram(ctx), n.file.Flags(), n.listAgainstData(ctx, r), n.throwsOut(ctx, r))
}

// throwsOut says whom --force-new-cluster would drop from this node's data. Whether
// they are alive the start finds out.
func (n *Node) throwsOut(ctx context.Context, r *settings.Resolved) []string {
	if r.Value("force-new-cluster") != "true" {
		return nil
	}
	members, _ := n.storedMembers(ctx, r)
	var others []string
	for _, m := range members {
		if !m.Self {
			others = append(others, shown.Text(cmp.Or(m.Name, m.ID)))
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	return []string{fmt.Sprintf("%s makes the next start drop %s from the data: it is refused while one of them is alive; only where they are lost, or stopped for good (systemctl disable --now etcd on each of their machines), and never in a file that all members share: else remove it",
		cmp.Or(r.SetAt("force-new-cluster"), "--force-new-cluster"), roster.Join(others))}
}

// self is this program.
const self = "/proc/self/exe"

// OtherProgram says so where the unit does not run this program. A wrapper may: the
// daemon that answers tells.
func (n *Node) OtherProgram(ctx context.Context) []string {
	notices := n.file.OtherProgram(self)
	if len(notices) == 0 {
		return nil
	}
	st, _, err := n.UnitsDaemon(ctx).Ask(ctx)
	exe := fmt.Sprintf("/proc/%d/exe", st.PID)
	if _, hidden := os.Stat(exe); err == nil && (same(exe, self) || errors.Is(hidden, fs.ErrPermission)) { // hidden: it is an etcd-node at least
		return nil
	}
	return notices
}

// listAgainstData says where a configuration's list of members differs from
// what the data has. A daemon that runs has its database locked and is asked;
// where neither can be read, as for a user who is not root, nothing is said.
func (n *Node) listAgainstData(ctx context.Context, r *settings.Resolved) (notices []string) {
	if !r.HasData || r.LoopbackOnly {
		return nil
	}
	members, auth := n.storedMembers(ctx, r)
	node := roster.New(r.Name, r.Value("initial-cluster"),
		settings.List(r.Value("initial-advertise-peer-urls")), settings.List(r.Value("listen-peer-urls")))
	node.NameSource = r.SetAt("name")
	node.Derived = r.Derived("listen-peer-urls")
	node.TLS = r.Value("peer-cert-file") != "" || r.Value("peer-auto-tls") == "true"
	node.Values = config.Values(r)
	if n.installed {
		maps.Copy(node.Values, n.file.Values())
	}
	if auth {
		node.Values["auth"] = "true"
	}
	node.Listens = node.ListenAs(members) // as it would after a start
	for _, d := range node.Compare(members) {
		notices = append(notices, d.Text)
	}
	return notices
}

// storedMembers are the members of the cluster by this node's data. auth: it
// asks every client for a user, as far as that is known.
func (n *Node) storedMembers(ctx context.Context, r *settings.Resolved) (members []roster.Member, auth bool) {
	data, err := datadir.Inspect(r.DataDir, r.WALDir)
	if err == nil && !data.DB.Locked {
		return roster.Stored(data.DB.Members, data.WAL.MemberID), false
	}
	st, _, err := n.Daemon(ctx, r.DataDir).Ask(ctx)
	if err != nil || st.Values["data-dir"] != r.DataDir {
		return nil, false // another daemon's data says nothing here
	}
	for _, m := range st.View.Members {
		x := roster.Member{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, Self: m.Self, Reached: m.Connected}
		if m.Unstarted {
			x.Name = "" // the name shown is the list's
		}
		members = append(members, x)
	}
	return members, st.View.Auth
}
