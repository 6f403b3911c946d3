package member

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/datadir"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// lockPoll is how often a database that another process holds is looked at.
const lockPoll = 200 * time.Millisecond

// guard looks at the data before etcd touches it, and says why etcd must not:
// what it finds here etcd would answer with a crash, with silence, or with an
// empty cluster. The second result is true if there is nothing to say.
func (m *member) guard(ctx context.Context) (failure.Failure, bool) {
	if f, ok := accessible(m.Config.Dir); !ok {
		return f, false
	}
	if detail, yes := exposed(m.Config.Dir); yes {
		m.noted = append(m.noted, status.Condition{ID: failure.IDDirMode, Text: detail})
	}
	d, ok := m.inspect(ctx)
	if ctx.Err() != nil {
		return failure.New(failure.IDSignalled, ""), false
	}
	if !ok {
		return failure.Failure{}, true // etcd reads the same, and says what it thinks of it
	}
	if why, yes := d.Foreign(); yes {
		if d.DB.StorageVersion != "" {
			return failure.New(failure.IDTooNew, why), false
		}
		return failure.New(failure.IDTooOld, why), false
	}
	if why, yes := d.WALLost(); yes {
		return failure.New(failure.IDWALLost, why), false
	}
	// Half-begun first, for it is not empty; afterwards it is.
	if d.HalfBegun() && m.alone() {
		if m.Guard.Pin != nil || m.Guard.Damage != "" {
			return failure.New(failure.IDWiped, "its log holds no entry; "+m.pinned()), false
		}
		kept, err := datadir.MoveAside(m.Config.Dir, m.Config.WalDir, time.Now())
		if err != nil {
			return failure.New(failure.IDAsideLimit, err.Error()), false
		}
		m.log.Warn("a first start of this member was interrupted before anything was stored; it begins anew", zap.Strings("kept", kept))
		return failure.Failure{}, true
	}
	if d.Empty() {
		return m.mayBegin(ctx)
	}
	if p := m.Guard.Pin; p != nil && d.WAL.MemberID != 0 {
		if cluster, id := fmt.Sprintf("%x", d.WAL.ClusterID), fmt.Sprintf("%x", d.WAL.MemberID); p.ClusterID != cluster || p.MemberID != id {
			return failure.New(failure.IDOtherIdentity, fmt.Sprintf("the data is of member %s of cluster %s; the pin says %s", id, cluster, p)), false
		}
	}
	// The cluster's version is stored once it has had a quorum: before that,
	// members may be missing in the database that the log is about to add.
	if alone, yes := d.AloneOnLoopback(); yes && len(m.names) > 1 && d.DB.ClusterVersion != "" {
		return failure.New(failure.IDLoopbackData, fmt.Sprintf("its peer URL is %s", strings.Join(alone.PeerURLs, ", "))), false
	}
	for _, w := range d.Warnings() {
		m.noted = append(m.noted, status.Condition{ID: failure.IDWALBroken, Text: w})
	}
	return failure.Failure{}, true
}

// inspect reads the data, and waits while another process holds it: etcd would
// wait too, but with its ports open and without a word.
func (m *member) inspect(ctx context.Context) (datadir.Data, bool) {
	for said := false; ; {
		d, err := datadir.Inspect(m.Config.Dir, m.Config.WalDir)
		if err != nil {
			m.log.Warn("the data cannot be inspected before etcd opens it", zap.Error(err))
			return d, false
		}
		if !d.DB.Locked {
			m.locked.Store(nil)
			return d, true
		}
		if !said {
			text := "waiting for the lock of " + d.DB.Path
			if pid, command, ok := datadir.Holder(d.DB.Path); ok {
				text += fmt.Sprintf(", which process %d (%s) holds", pid, command)
			} else {
				text += ", which another process holds"
			}
			m.log.Warn(text)
			m.locked.Store(&text)
			m.wake()
			said = true
		}
		select {
		case <-ctx.Done():
			return d, false
		case <-time.After(lockPoll):
		}
	}
}

// accessible reports whether a data dir that exists can be worked in.
func accessible(dir string) (failure.Failure, bool) {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return failure.Failure{}, true // etcd makes it
	case err != nil:
		return failure.New(failure.IDDirAccess, err.Error()), false
	case !info.IsDir():
		return failure.New(failure.IDDirAccess, dir+" is not a directory"), false
	}
	if unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK) == nil {
		return failure.Failure{}, true
	}
	detail := fmt.Sprintf("%s has mode %04o", dir, info.Mode().Perm())
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return failure.New(failure.IDDirOwner, fmt.Sprintf("%s, and belongs to user %d; this is user %d", detail, st.Uid, os.Geteuid())), false
	}
	return failure.New(failure.IDDirAccess, detail), false
}

// exposed reports whether others than the member may look into a directory.
func exposed(dir string) (detail string, yes bool) {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return "", false
	}
	return fmt.Sprintf("%s has mode %04o: other users may look into the data (chmod 0700 %s)", dir, info.Mode().Perm(), dir), true
}

// alone reports whether the configuration is of a new cluster of one.
func (m *member) alone() bool {
	return m.Config.ClusterState == embed.ClusterStateFlagNew && len(m.names) == 1 && len(m.Config.DiscoveryCfg.Endpoints) == 0 && m.Config.DNSCluster == ""
}

// mayBegin reports whether a member may begin on an empty data dir. Where one
// has lived before, only as its replacement: the cluster lists a member that
// has never started, with our peer URL and another ID.
func (m *member) mayBegin(ctx context.Context) (failure.Failure, bool) {
	pin := m.Guard.Pin
	if pin == nil && m.Guard.Damage == "" {
		return failure.Failure{}, true
	}
	if pin == nil || m.Config.ClusterState != embed.ClusterStateFlagExisting {
		return failure.New(failure.IDWiped, m.pinned()), false
	}
	for {
		listed, asked := m.replaces(ctx, pin.MemberID)
		if listed {
			m.log.Info("the cluster lists this node as a new member; it replaces the one that lived here", zap.Stringer("before", pin))
			return failure.Failure{}, true
		}
		if asked {
			return failure.New(failure.IDWiped, m.pinned()+", and the cluster lists no new member with this node's peer URL"), false
		}
		text := "asking the cluster whether this node replaces a member; no answer yet"
		m.locked.Store(&text)
		m.wake()
		select {
		case <-ctx.Done():
			return failure.New(failure.IDSignalled, ""), false
		case <-time.After(probeMissing):
		}
	}
}

// pinned is what the pin says.
func (m *member) pinned() string {
	if m.Guard.Pin == nil {
		return m.Guard.Damage
	}
	return "the pin says " + m.Guard.Pin.String()
}

// replaces asks the members of the initial cluster; asked says that one of
// them has answered.
func (m *member) replaces(ctx context.Context, before string) (listed, asked bool) {
	p, err := m.prober()
	if err != nil {
		return false, false
	}
	var own []string
	for _, u := range m.Config.AdvertisePeerUrls {
		own = append(own, u.String())
	}
	for _, peer := range m.initial {
		for _, u := range peer.urls {
			members, err := p.members(ctx, u)
			if err != nil {
				continue
			}
			asked = true
			for _, x := range members {
				if x.Name == "" && fmt.Sprintf("%x", x.ID) != before && slices.ContainsFunc(x.PeerURLs, func(u string) bool { return slices.Contains(own, u) }) {
					return true, true
				}
			}
		}
	}
	return false, asked
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(peerURL, "/")+"/members", nil)
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var members []listedMember
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&members); err != nil {
		return nil, err
	}
	return members, nil
}
