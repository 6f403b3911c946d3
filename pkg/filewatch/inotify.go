package filewatch

import (
	"encoding/binary"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// watched is what happens in a directory that can change a file that a path
// leads to, or its rights, and what happens to the directory itself. A file that
// is being written counts when its writer closes it.
const watched = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// notifier hears from the kernel. A nil one hears nothing.
type notifier struct {
	fd      int
	file    *os.File      // the same, for the reader: closing it ends the reader
	changed chan struct{} // of capacity 1
	ended   chan struct{}

	mu    sync.Mutex
	names map[int32]map[string]bool // by watch descriptor: the names that matter
}

// newNotifier returns nil where the kernel has no inotify left for this user.
func newNotifier() *notifier {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil
	}
	n := &notifier{fd: fd, file: os.NewFile(uintptr(fd), "inotify"), changed: make(chan struct{}, 1), ended: make(chan struct{})}
	go n.read()
	return n
}

func (n *notifier) close() {
	if n != nil {
		n.file.Close()
		<-n.ended
	}
}

// changes receives when something has changed.
func (n *notifier) changes() <-chan struct{} {
	if n == nil {
		return nil
	}
	return n.changed
}

// watch listens on the way to these paths, and no longer elsewhere. A directory
// that is not there, or that this user may not read, is left out: of its coming
// the one above tells.
func (n *notifier) watch(paths []string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	names := map[int32]map[string]bool{}
	for _, path := range paths {
		for _, p := range places(path) {
			wd, err := unix.InotifyAddWatch(n.fd, p.dir, watched)
			if err != nil {
				continue
			}
			if names[int32(wd)] == nil {
				names[int32(wd)] = map[string]bool{}
			}
			names[int32(wd)][p.name] = true
		}
	}
	for wd := range n.names {
		if names[wd] == nil {
			_, _ = unix.InotifyRmWatch(n.fd, uint32(wd)) // it may have gone with its directory
		}
	}
	n.names = names
}

// read passes on that something has changed, until the file is closed.
func (n *notifier) read() {
	defer close(n.ended)
	buf := make([]byte, 16<<10) // some hundred events
	for {
		got, err := n.file.Read(buf)
		if err != nil {
			return
		}
		if n.matters(buf[:got]) {
			select {
			case n.changed <- struct{}{}:
			default:
			}
		}
	}
}

// matters reports whether one of the events is about a name that matters, or
// about a directory as a whole.
func (n *notifier) matters(events []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(events) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(events))
		mask := binary.NativeEndian.Uint32(events[4:])
		length := int(binary.NativeEndian.Uint32(events[12:]))
		name := strings.TrimRight(string(events[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length]), "\x00")
		events = events[unix.SizeofInotifyEvent+length:]
		names, known := n.names[wd]
		switch {
		case mask&unix.IN_Q_OVERFLOW != 0:
			return true
		case mask&unix.IN_IGNORED == 0 && known && (name == "" || names[name]):
			return true
		}
	}
	return false
}
