package failure

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// failing makes a system call fail with errno from now on, in the whole
// process: a seccomp filter is the disk that breaks on demand.
func (c *child) failing(nr uintptr, errno syscall.Errno) {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	// TSYNC sets no_new_privs on the other threads along with the filter.
	c.must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if e != 0 {
		c.must(os.NewSyscallError("seccomp", e))
	}
}

// limit sets a resource limit.
func (c *child) limit(resource int, value uint64) {
	c.must(unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value}))
}

// small mounts a small file system, which only this process sees and which
// ends with it.
func (c *child) small(path, size string) {
	c.must(os.MkdirAll(path, 0o700))
	c.must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	c.must(unix.Mount("tmpfs", path, "tmpfs", 0, "size="+size))
}

// fill takes the rest of the file system.
func (c *child) fill(dir string) {
	f, err := os.Create(dir + "/filler")
	c.must(err)
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return
		}
	}
}
