package datadir

import (
	"fmt"

	"github.com/coreos/go-semver/semver"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"
)

// Foreign reports whether the data was written by an etcd that is newer than
// this one, or so old that this one would panic on it, and says which.
//
// Data is too new by its storage version, which etcd stores since 3.6. It is
// too old where it holds what this etcd trips over: requests to the v2 store
// among the entries that are read again at each start. Members up to 3.5 write
// one at each of their starts, and the first snapshot after it takes it away;
// data without one starts, and is not refused here. The WAL is read for this
// only where the storage version is missing: in old data, and in a cluster's
// first second.
func (d Data) Foreign() (why string, yes bool) {
	own := semver.Must(semver.NewVersion(version.Version))
	if found, err := semver.NewVersion(d.DB.StorageVersion); err == nil {
		if found.Major == own.Major && found.Minor <= own.Minor || found.Major < own.Major {
			return "", false
		}
		return fmt.Sprintf("the data is of etcd %d.%d, this is etcd %s: install %d.%d again (going back takes etcdctl downgrade, one minor version at a time)",
			found.Major, found.Minor, version.Version, found.Major, found.Minor), true
	}
	if d.DB.Locked || d.DB.Damage != nil || !d.WAL.Entries || !d.v2Requests() {
		return "", false
	}
	from := "3.5 or older"
	path := "3.4 → 3.5 → 3.6 → 3.7"
	if v, err := semver.NewVersion(d.DB.ClusterVersion); err == nil {
		from = fmt.Sprintf("%d.%d", v.Major, v.Minor)
		if v.Major == 3 && v.Minor == 5 {
			path = "3.5 → 3.6 → 3.7"
		}
	}
	return fmt.Sprintf("the data is of etcd %s, which etcd %s cannot read: upgrade one minor version at a time, %s, and let each serve before the next",
		from, version.Version, path), true
}

// v2Requests reports whether etcd would come upon an entry that it cannot
// decode. Of a log that cannot be read etcd complains itself.
func (d Data) v2Requests() bool {
	snaps, err := wal.ValidSnapshotEntries(nop, d.WALDir)
	if err != nil || len(snaps) == 0 {
		return false
	}
	w, err := wal.OpenForRead(nop, d.WALDir, snaps[len(snaps)-1])
	if err != nil {
		return false
	}
	defer w.Close()
	_, _, entries, _ := w.ReadAll() // those before an error count too
	for _, e := range entries {
		var r etcdserverpb.InternalRaftRequest
		if e.GetType() == raftpb.EntryNormal && len(e.Data) > 0 && proto.Unmarshal(e.Data, &r) != nil {
			return true
		}
	}
	return false
}

// nop is for etcd's functions that want a logger.
var nop = zap.NewNop()
