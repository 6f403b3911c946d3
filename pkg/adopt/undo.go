package adopt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/durable"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

// Undo puts back what the last adoption has replaced, which is in a directory below
// [Kept], and starts the other etcd again if it ran. storage is the data's storage version
// as the member says; "" where none runs. The error says so before anything is touched
// where the other etcd could not read the data any more.
//
// ready is asked right before something that runs is stopped. It returns the unit that was
// started; "" if none was, because none ran.
func Undo(ctx context.Context, storage string, ready func() error, say func(string)) (started string, err error) {
	dir, r, err := last()
	if err != nil {
		return "", err
	}
	if storage == "" {
		d, err := datadir.Inspect(r.Data, r.WAL)
		if err != nil {
			return "", err
		}
		storage = d.DB.StorageVersion
	}
	if err := tooNew(storage, r.Version); err != nil {
		return "", err
	}
	if r.Done {
		if err := ready(); err != nil {
			return "", err
		}
	}
	say("putting back what is in " + dir)
	ctx = context.WithoutCancel(ctx)
	r.Running = r.Running || runs(ctx, unit.Name)
	for _, name := range slices.Compact([]string{unit.Name, r.Unit}) {
		if !loaded(ctx, name) {
			continue
		}
		if is(ctx, "is-enabled", name) {
			if err := systemctl(ctx, "disable", name); err != nil {
				return "", err
			}
		}
		if err := systemctl(ctx, "stop", name); err != nil {
			return "", err
		}
	}
	for _, path := range slices.Concat(r.Made, r.Files) { // what was edited since is not lost
		if _, err := os.Lstat(filepath.Join(dir, "undone", path)); err == nil {
			continue // an undo before this one was interrupted, and this is what it has put there
		}
		if err := copyFile(path, filepath.Join(dir, "undone", path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	say("what was there until now is in " + filepath.Join(dir+".undone", "undone"))
	for _, path := range r.Made {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	for _, path := range r.Files {
		if err := restore(dir, path); err != nil {
			return "", err
		}
	}
	for _, o := range r.Owners {
		if err := withoutReserve(o.Dir); err != nil {
			return "", err
		}
		if err := own(o); err != nil {
			return "", err
		}
	}
	if r.Pins != "" { // else the next member here would be taken for another's data
		if _, err := (identity.Store{Dir: r.Pins}).Forget(time.Now()); err != nil {
			return "", err
		}
	}
	if u, ok := unit.Read(r.Unit); !ok || u.Runs("etcd-node") {
		r.Running, r.Enabled = false, false
		say("there is no unit of the other etcd any more: bring it back, and start it (its settings and its data are as they were)")
	}
	if err := begin(ctx, r.Unit, r, say); err != nil {
		return "", err
	}
	if r.Running {
		started = r.Unit
	}
	// It is done: another undo must not find it.
	return started, durable.Rename(dir, dir+".undone")
}

// withoutReserve removes etcd-node's own file from a data dir. No link is followed.
func withoutReserve(dir string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove("member/reserve"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
