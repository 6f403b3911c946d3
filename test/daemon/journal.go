package daemon

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// journalStream gives a command a socket for stderr, and the variable that
// names it. It returns the journal's end.
func journalStream(cmd *exec.Cmd) (*os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	journal, service := os.NewFile(uintptr(fds[0]), "journal"), os.NewFile(uintptr(fds[1]), "service")
	var st unix.Stat_t
	if err := unix.Fstat(fds[1], &st); err != nil {
		return nil, err
	}
	cmd.Stderr = service
	cmd.Env = append(cmd.Env, fmt.Sprintf("JOURNAL_STREAM=%d:%d", st.Dev, st.Ino))
	return journal, nil
}
