package preflight

import (
	"os"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// User is a user and the groups that a service of that user has.
type User struct {
	Name string
	UID  uint32
	GIDs []uint32 // the primary group first
}

// Lookup finds a user, who may be given as a number, with the groups that a unit
// adds and, unless it is "", its primary group; ok is false where there is no such
// user.
func Lookup(name, group string, groups ...string) (u User, ok bool) {
	found, err := user.Lookup(name)
	if err != nil {
		found, err = user.LookupId(name)
	}
	if err != nil {
		return User{}, false
	}
	u.Name = found.Username
	ids, _ := found.GroupIds() // without the extra groups it is stricter, not wrong
	ids = append([]string{found.Gid}, ids...)
	if group != "" {
		ids = slices.Insert(ids, 0, groupID(group))
	}
	for _, name := range groups {
		ids = append(ids, groupID(name))
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			u.GIDs = append(u.GIDs, uint32(n))
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	u.UID = uint32(uid)
	return u, err == nil && len(u.GIDs) > 0
}

// groupID is the number of a group that is given by its name or its number.
func groupID(name string) string {
	if g, err := user.LookupGroup(name); err == nil {
		return g.Gid
	}
	return name
}

// SystemAs is this machine as u would see it: every file is opened with u's
// rights, ACLs included. Only root can ask so; for all others, and for root as
// u, it is [System].
func SystemAs(u User) *Host {
	h := System()
	if os.Geteuid() != 0 || u.UID == 0 {
		return h
	}
	h.User = &u
	h.ReadFile = func(path string) (data []byte, err error) {
		failed := u.do(func() { data, err = os.ReadFile(path) })
		if failed != nil {
			return nil, failed
		}
		return data, err
	}
	return h
}

// Do runs f with u's rights on the file system, ACLs included, where this process is
// root's; else as it is. What f opens stays open.
func (u User) Do(f func()) error {
	if os.Geteuid() != 0 || u.UID == 0 {
		f()
		return nil
	}
	return u.do(f)
}

// do runs f on a thread of its own that has u's rights on the file system: for
// that the kernel looks at a thread's fsuid, and takes root's override with it.
// The thread is never unlocked, so that it ends with the goroutine and nobody
// else runs on it.
func (u User) do(f func()) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		// Not syscall.Setgroups: that is for all threads of the process.
		if _, _, errno := syscall.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(u.GIDs)), uintptr(unsafe.Pointer(&u.GIDs[0])), 0); errno != 0 {
			err = os.NewSyscallError("setgroups", errno)
			return
		}
		if err = os.NewSyscallError("setfsgid", syscall.Setfsgid(int(u.GIDs[0]))); err != nil {
			return
		}
		if err = os.NewSyscallError("setfsuid", syscall.Setfsuid(int(u.UID))); err != nil {
			return
		}
		f()
	}()
	<-done
	return err
}
