package admission

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lookAgain is how often the directory is looked at when the kernel reports no
// mount: what has to be seen then is rare, and the look is two system calls.
const lookAgain = time.Second

// arrival is data that comes with a mount. What somebody copies into the
// directory instead may be half of it, and only that person knows when it is
// whole: it is noticed, and not taken. So is what is copied to a disk that was
// empty when it was mounted.
type arrival struct {
	dataDir, walDir string
	first           [2]mount // at the beginning
	before          [2]mount // what was there without data the last time
	noticed         func(sight)
	last            sight // what that was told
	there           bool  // already at the beginning: it came a moment before
}

// sight is what can be seen without data that came with a mount.
type sight int

const (
	nothing sight = iota // the mounts are those at the beginning, and there is no data
	blank                // they are others, and there is none
	byHand               // there is data that none of them has brought
)

// mount names what is mounted somewhere.
type mount struct {
	major, minor uint32
	id           uint64 // tells a bind mount of the same file system; 0 before Linux 5.8
}

func newArrival(dataDir, walDir string, noticed func(sight)) *arrival {
	a := &arrival{dataDir: dataDir, walDir: walDir, noticed: noticed}
	if a.walDir == "" {
		a.walDir = filepath.Join(dataDir, "member", "wal")
	}
	a.first = a.mounts()
	a.before, a.there = a.first, a.hasWAL()
	return a
}

func (a *arrival) mounts() [2]mount { return [2]mount{mountOf(a.dataDir), mountOf(a.walDir)} }

// wait returns true as soon as data has been mounted, and false when ctx ends.
// The kernel reports each mount and unmount by an exceptional condition on
// mountinfo (proc(5)).
func (a *arrival) wait(ctx context.Context) bool {
	if a.there {
		return true
	}
	ended, end, err := os.Pipe()
	if err != nil {
		return a.waitByClock(ctx)
	}
	defer ended.Close()
	defer end.Close()
	defer context.AfterFunc(ctx, func() { end.Close() })()
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return a.waitByClock(ctx)
	}
	defer mounts.Close()
	for {
		yes := a.look()
		if yes || ctx.Err() != nil {
			return yes
		}
		_, _ = unix.Poll([]unix.PollFd{ // an error: the next look is due all the same
			{Fd: int32(mounts.Fd()), Events: unix.POLLPRI},
			{Fd: int32(ended.Fd()), Events: unix.POLLIN},
		}, int(lookAgain.Milliseconds()))
	}
}

// waitByClock is wait where the kernel's reports cannot be had.
func (a *arrival) waitByClock(ctx context.Context) bool {
	for {
		yes := a.look()
		if yes || ctx.Err() != nil {
			return yes
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// look reports whether data has come with a mount. An error is for the start to
// explain, which looks at the owner and the mode first.
func (a *arrival) look() bool {
	now, has := a.mounts(), a.hasWAL()
	if now != a.before {
		if _, err := os.ReadDir(a.walDir); has || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return true
		}
		a.before = now // what comes here from now on comes by hand
	}
	see := nothing
	switch {
	case has:
		see = byHand
	case now != a.first:
		see = blank
	}
	if see != a.last {
		a.last = see
		a.noticed(see)
	}
	return false
}

// hasWAL reports whether there is a log, by etcd's own rule.
func (a *arrival) hasWAL() bool {
	files, _ := filepath.Glob(filepath.Join(a.walDir, "*.wal")) // the pattern is ours
	return len(files) > 0
}

// mountOf is what is mounted at a path, or at the nearest directory above it that
// is there.
func mountOf(path string) mount {
	for {
		var st unix.Statx_t
		err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_TYPE|unix.STATX_MNT_ID, &st)
		up := filepath.Dir(path)
		if err == nil || up == path {
			return mount{st.Dev_major, st.Dev_minor, st.Mnt_id}
		}
		path = up
	}
}
