package disk

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

const (
	// pollInterval is for a disk with plenty of space.
	pollInterval = time.Second
	// fastInterval is for one with less than near, 2 GiB. Needed leaves 67 MiB
	// for what is written between two polls, which less than 670 MB a second does
	// not exceed. statfs costs a microsecond.
	fastInterval = 100 * time.Millisecond
	near         = 16 * Needed
	// settleTime is how long there must be room before a released reserve is
	// made again, and how long a warning stands before its numbers change: a
	// disk that fills and empties every few seconds must not fill the log too.
	settleTime = time.Minute
	// relief is how long there must be more space before a warning ends or is
	// lowered: who has made room looks whether it was enough.
	relief = 3 * time.Second
)

// Options says what to watch.
type Options struct {
	MemberDir string // <data dir>/member; it need not exist yet
	WALDir    string // "": MemberDir/wal
	// Size is that of each reserve, in bytes: at least [Min], or 0 for none and
	// to remove what is there.
	Size int64
	Log  *zap.Logger
	// Changed is called, from Poll, when Warnings has changed. May be nil.
	Changed func()
}

// Keeper keeps the reserves of one member and watches its free space.
type Keeper struct {
	Options
	os       system
	watched  []*watched
	mu       sync.Mutex
	warnings []string // what Warnings returns
	space    Space    // of the data, as it was seen last
	held     int64    // of the reserve there
}

// system is what a Keeper asks of the operating system, besides its files.
type system struct {
	space     func(dir string) (Space, error)
	device    func(dir string) (uint64, error)
	fallocate func(f *os.File, size int64) error
}

// NewKeeper makes a Keeper; nothing is touched before Poll.
func NewKeeper(o Options) *Keeper {
	return newKeeper(o, system{SpaceOf, deviceOf, fallocate})
}

func newKeeper(o Options, sys system) *Keeper {
	o.WALDir = cmp.Or(o.WALDir, filepath.Join(o.MemberDir, "wal"))
	k := &Keeper{Options: o, os: sys}
	for _, at := range [][2]string{{o.MemberDir, "reserve"}, {o.WALDir, "reserve.tmp"}} {
		k.watched = append(k.watched, &watched{
			keeper: k, dir: at[0], file: file{filepath.Join(at[0], at[1]), sys.fallocate},
		})
	}
	k.watched[0].db = filepath.Join(o.MemberDir, "snap", "db")
	return k
}

// Poll looks at the disk once: it releases, makes or removes reserves as is due,
// and brings Warnings up to date. It must return before etcd is started, so that
// etcd finds the space that it gives. Not for two goroutines at a time.
func (k *Keeper) Poll() { k.poll() }

// Run polls until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	for {
		next := k.poll()
		due := pace.After(next)
		if len(k.Warnings()) > 0 { // somebody waits for its end
			due = time.After(next)
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
		}
	}
}

// Warnings says what is wrong with the space, one sentence for each file
// system; empty when nothing is. Any goroutine may call it, at any time.
func (k *Keeper) Warnings() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.warnings)
}

// Space is that of the data's file system as it was seen last, and how many bytes are
// held in reserve there. All zero: it was not seen yet.
func (k *Keeper) Space() (s Space, held int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.space, k.held
}

// poll returns when to poll again.
func (k *Keeper) poll() time.Duration {
	member, wal := k.watched[0], k.watched[1]
	memberDevice, err := k.os.device(member.dir)
	if err != nil {
		return pollInterval // a first start: etcd has not made its directory yet
	}
	walDevice, err := k.os.device(wal.dir)
	separate := err == nil && walDevice != memberDevice

	next := member.poll(k.Size)
	if separate {
		next = min(next, wal.poll(k.Size))
	} else {
		wal.unwatch()
	}

	var warnings []string
	for _, w := range k.watched {
		if w.said != "" {
			warnings = append(warnings, w.said)
		}
	}
	k.mu.Lock()
	changed := !slices.Equal(warnings, k.warnings)
	k.warnings = warnings
	k.mu.Unlock()
	if changed && k.Changed != nil {
		k.Changed()
	}
	return next
}

// haveWAL reports whether etcd has made its WAL.
func (k *Keeper) haveWAL() bool {
	entries, _ := os.ReadDir(k.WALDir)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool { return filepath.Ext(e.Name()) == ".wal" })
}
