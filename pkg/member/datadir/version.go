package datadir

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-semver/semver"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"
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
		return fmt.Sprintf("the data is of etcd %d.%d, this is etcd %s: install %d.%d again (going back takes etcd-node ctl downgrade, one minor version at a time)",
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
	return len(undecodable(d.WALDir)) > 0
}

// HoldsV2 reports whether a log holds a request to the v2 store among the entries
// that are read again at each start. Then data whose storage version is new enough
// came from etcd 3.5 too quickly; otherwise an entry that cannot be decoded is
// damaged.
func HoldsV2(walDir string) bool { return slices.ContainsFunc(undecodable(walDir), isV2) }

// undecodable are the entries that this etcd cannot decode.
func undecodable(walDir string) (all [][]byte) {
	snaps, err := wal.ValidSnapshotEntries(nop, walDir)
	if err != nil || len(snaps) == 0 {
		return nil
	}
	w, err := wal.OpenForRead(nop, walDir, snaps[len(snaps)-1])
	if err != nil {
		return nil
	}
	defer w.Close()
	_, _, entries, _ := w.ReadAll() // those before an error count too
	for _, e := range entries {
		var r etcdserverpb.InternalRaftRequest
		if e.GetType() == raftpb.EntryNormal && len(e.Data) > 0 && proto.Unmarshal(e.Data, &r) != nil {
			all = append(all, e.Data)
		}
	}
	return all
}

// isV2 reports whether an entry is a request to the v2 store, whose second field
// is its method and whose third its path.
func isV2(entry []byte) bool {
	method, path := "", ""
	err := fields(entry, func(at field, _ uint64, b []byte) {
		switch at {
		case field{2, protowire.BytesType}:
			method = string(b)
		case field{3, protowire.BytesType}:
			path = string(b)
		}
	})
	return err == nil && slices.Contains([]string{"PUT", "POST", "DELETE", "QGET", "SYNC"}, method) && strings.HasPrefix(path, "/")
}

// nop is for etcd's functions that want a logger.
var nop = zap.NewNop()
