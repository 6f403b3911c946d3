package member

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// lockPoll is how often a database that another process holds is looked at.
const lockPoll = 200 * time.Millisecond

// guard looks at the data before etcd touches it, and says why etcd must not:
// what it finds here etcd would answer with a crash, with silence, or with an
// empty cluster. The second result is true if there is nothing to say.
func (m *member) guard(ctx context.Context) *failure.Failure {
	if f := m.accessible(); f != nil {
		return f
	}
	if detail, yes := exposed(m.Config.Dir); yes {
		m.note(failure.IDDirMode, detail)
	}
	d, err := m.inspect(ctx)
	switch {
	case ctx.Err() != nil:
		return failure.New(failure.IDSignalled, "")
	case err != nil:
		// etcd reads the same, and says what it thinks of it.
		m.log.Warn("the data cannot be inspected before etcd opens it", zap.Error(err))
		return nil
	case d.DB.Locked:
		return failure.New(failure.IDLocked, holder(d))
	}
	if why, yes := d.Foreign(); yes {
		if d.DB.StorageVersion != "" {
			return failure.New(failure.IDTooNew, why)
		}
		return failure.New(failure.IDTooOld, why)
	}
	if why, yes := d.WALLost(); yes {
		if d.WAL.Damage != nil {
			return failure.New(failure.IDDamaged, why)
		}
		return failure.New(failure.IDWALLost, why)
	}
	// Half-begun first, for it is not empty; afterwards it is.
	if d.HalfBegun() && m.alone() {
		if m.Guard.Unreadable != "" {
			return m.mayBegin(ctx)
		}
		if m.Guard.Pin != nil || m.Guard.Damage != "" {
			return failure.New(failure.IDWiped, "its log holds no entry; "+m.pinned())
		}
		kept, err := datadir.MoveAside(m.Config.Dir, m.Config.WalDir, time.Now())
		if err != nil {
			return failure.New(failure.IDAsideLimit, err.Error())
		}
		m.log.Warn("a first start of this member was interrupted before anything was stored; it begins anew", zap.Strings("kept", kept))
		return nil
	}
	if d.Empty() {
		return m.mayBegin(ctx)
	}
	if p := m.Guard.Pin; p != nil && d.WAL.MemberID != 0 {
		if f := m.mayStay(ctx, d); f != nil {
			return f
		}
	}
	if self, yes := d.OneOfSeveral(); yes && m.Guard.Unconfigured && !m.Config.ForceNewCluster {
		return failure.New(failure.IDLoopbackConfig, fmt.Sprintf("its peer URL is %s", strings.Join(self.PeerURLs, ", ")))
	}
	if alone, yes := d.AloneOnLoopback(); yes && m.reachesOthers() && d.WAL.LastIndex <= d.DB.ConsistentIndex {
		f := failure.New(failure.IDLoopbackData, fmt.Sprintf("its peer URL is %s", strings.Join(alone.PeerURLs, ", ")))
		if d.WAL.MemberID != 0 {
			f.Values = map[string]string{"member-id": fmt.Sprintf("%x", d.WAL.MemberID)}
		}
		return f
	}
	if text, yes := d.Torn(); yes {
		m.note(failure.IDWALBroken, text)
	}
	if text, yes := d.Kept(); yes {
		m.note(failure.IDHalfBegun, text)
	}
	if text, yes := d.Behind(); yes {
		m.note(failure.IDWALLost, text)
	}
	return nil
}

// note keeps a condition for as long as this process lives.
func (m *member) note(id, text string) {
	m.noted = append(m.noted, status.Condition{ID: id, Text: text})
}

// reachesOthers reports whether the configuration is of several members, not
// all on this machine's loopback. Where they are, one may well be what is left.
func (m *member) reachesOthers() bool {
	for _, p := range m.initial {
		for _, u := range p.urls {
			if !datadir.OnLoopback(u) {
				return true
			}
		}
	}
	return false
}

// inspect reads the data, and waits while another process holds it, if anybody
// waits for us: etcd would wait too, but with its ports open and without a word.
func (m *member) inspect(ctx context.Context) (datadir.Data, error) {
	for said := false; ; {
		d, err := datadir.Inspect(m.Config.Dir, m.Config.WalDir)
		if err != nil || !d.DB.Locked || !m.Guard.Patient {
			return d, err
		}
		if !said {
			m.await(failure.IDLocked, "waiting for the lock of "+holder(d))
			said = true
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// holder names what is locked, and who holds it, as far as one may see.
func holder(d datadir.Data) string {
	if pid, command, ok := datadir.Holder(d.DB.Path); ok {
		return fmt.Sprintf("%s, which process %d (%s) holds", d.DB.Path, pid, command)
	}
	return d.DB.Path + ", which another process holds"
}

// await says what the start waits for.
func (m *member) await(id, text string) {
	m.log.Warn(text)
	m.waits.Store(&status.Condition{ID: id, Text: text})
	m.wake()
}

// accessible reports whether what is there of the data can be worked with.
func (m *member) accessible() *failure.Failure {
	dir := m.Config.Dir
	paths := []string{dir, filepath.Join(dir, "member"), filepath.Join(dir, "member", "snap"), filepath.Join(dir, "member", "wal")}
	if m.Config.WalDir != "" {
		paths = append(paths, m.Config.WalDir)
	}
	for _, p := range paths {
		if f := usable(p, true); f != nil {
			return f
		}
	}
	return usable(filepath.Join(dir, "member", "snap", "db"), false)
}

// usable reports whether a directory or file, if it exists, can be written.
func usable(path string, isDir bool) *failure.Failure {
	info, err := os.Stat(path)
	mode := uint32(unix.R_OK | unix.W_OK)
	if isDir {
		mode |= unix.X_OK
	}
	switch {
	case os.IsNotExist(err):
		return nil // etcd makes it
	case err != nil:
		return orAccess(err)
	case info.IsDir() != isDir:
		return failure.New(failure.IDDirAccess, fmt.Sprintf("%s has the wrong type, %s", path, info.Mode().Type()))
	}
	if err := unix.Access(path, mode); err == nil {
		return nil
	} else if err != unix.EACCES && err != unix.EPERM { // a disk that the kernel has made read-only
		return orAccess(fmt.Errorf("%s: %w", path, err))
	}
	detail := fmt.Sprintf("%s has mode %04o", path, info.Mode().Perm())
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return failure.New(failure.IDDirOwner, fmt.Sprintf("%s, and belongs to user %d; this is user %d", detail, st.Uid, os.Geteuid()))
	}
	return failure.New(failure.IDDirAccess, detail)
}

// orAccess is what the catalogue knows of an error of the file system.
func orAccess(err error) *failure.Failure {
	if f := failure.FromError(err); f != nil {
		return f
	}
	return failure.New(failure.IDDirAccess, err.Error())
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
