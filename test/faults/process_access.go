package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// access are directories and files that the service user cannot use.
func (p *product) access() []fault {
	// denied: a member whose user is nobody, spoilt while it is down,
	// explained, and back by itself when that is mended.
	denied := func(name, id string, spoil, mend func(n *local) error) fault {
		return fault{name, id, named, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.belongsTo(nobody)
			s.must(spoil(n))
			n.start()
			seen, at := n.waits(id)
			n.Mark()
			s.must(mend(n))
			n.back(at) // an attempt every 30 s
			return seen, at.Sub(n.begun)
		})}
	}
	mode := func(path func(n *local) string, mode os.FileMode) func(n *local) error {
		return func(n *local) error { return os.Chmod(path(n), mode) }
	}
	owner := func(path func(n *local) string, user int) func(n *local) error {
		return func(n *local) error { return os.Lchown(path(n), user, user) }
	}
	member := func(n *local) string { return filepath.Join(n.Data(), "member") }
	snap := func(n *local) string { return filepath.Join(member(n), "snap") }
	wal := func(n *local) string { return filepath.Join(member(n), "wal") }
	return []fault{
		denied("data dir with mode 0000", failure.IDDirAccess, mode((*local).Data, 0), mode((*local).Data, 0o700)),
		denied("data dir belongs to root", failure.IDDirOwner, owner((*local).Data, 0), owner((*local).Data, nobody)),
		denied("member/ belongs to root", failure.IDDirOwner, owner(member, 0), owner(member, nobody)),
		denied("member/snap with mode 0000", failure.IDDirAccess, mode(snap, 0), mode(snap, 0o700)),
		denied("member/wal with mode 0000", failure.IDDirAccess, mode(wal, 0), mode(wal, 0o700)),
		denied("the database belongs to root", failure.IDDirOwner, owner((*local).db, 0), owner((*local).db, nobody)),
		denied("data dir is a file", failure.IDDirAccess, func(n *local) error {
			if err := os.Rename(n.Data(), n.Data()+".kept"); err != nil {
				return err
			}
			return os.WriteFile(n.Data(), nil, 0o600)
		}, func(n *local) error { return os.Rename(n.Data()+".kept", n.putAside()) }),
		{"data dir open to others", failure.IDDirMode, carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			s.must(os.Chmod(n.Data(), 0o755))
			n.up()
			line, at := n.condition(failure.IDDirMode)
			n.kept()
			return n.essence(line), at.Sub(n.begun)
		})},
		{"env file that the service user may not read", failure.IDEnvFile, "`etcd-node config` says so instead of showing other settings", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.belongsTo(nobody)
			file := filepath.Join(n.Dir, "etcd.env")
			s.must(os.WriteFile(file, []byte("ETCD_HEARTBEAT_INTERVAL=50\n"), 0o600))
			n.set("ETCD_NODE_ENV_FILE", file)
			begun := time.Now()
			out, err := n.try("config")
			if err == nil {
				s.fail("it went on without: %s", out)
			}
			took := time.Since(begun)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			return n.essence(strings.TrimSpace(lines[len(lines)-1])), took
		})},
		{"the recorder's and the pin's directories belong to root", failure.IDCannotRecord, carrying, goalExplained, p.on(func(s *stage) (seen string, took time.Duration) {
			n := s.used()
			n.belongsTo(nobody)
			for _, dir := range []string{n.Log(), n.Pins()} {
				s.must(os.Chown(dir, 0, 0))
			}
			n.up()
			n.kept()
			seen, took = n.complains()
			for _, dir := range []string{n.Log(), n.Pins()} {
				s.must(os.Chown(dir, nobody, nobody))
			}
			n.until("without a complaint", func(st status.Status) bool { return len(st.AllConditions()) == 0 })
			return seen, took
		})},
	}
}

// complains waits until status and log say that the recorder cannot be written.
func (n *local) complains() (seen string, took time.Duration) {
	line, at := n.condition(failure.IDCannotRecord)
	if logged := n.logged("the flight recorder cannot be written"); !strings.Contains(logged, `"`+failure.IDCannotRecord+`"`) {
		n.s.fail("the line does not name its entry: %s", logged)
	}
	return n.essence(line), at.Sub(n.begun)
}

// putAside removes the file where the data dir was, and is its name.
func (n *local) putAside() string {
	n.s.must(os.Remove(n.Data()))
	return n.Data()
}
