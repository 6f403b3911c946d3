package recorder

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Ring is the supervisor's end of the memory into which the member writes its
// last log lines. It is for one goroutine.
type Ring struct{ f *os.File }

// NewRing makes a ring: 256 KiB of memory without a name, used as far as lines
// are written.
func NewRing() (*Ring, error) {
	// No kernel before 6.3 knows NOEXEC, and later ones can demand it. It
	// allows sealing, too.
	fd, err := unix.MemfdCreate("etcd-log", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("etcd-log", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("memory for the member's last log lines: %w", err)
	}
	f := os.NewFile(uintptr(fd), "etcd-log")
	if err := f.Truncate(ringSize); err != nil {
		f.Close()
		return nil, fmt.Errorf("memory for the member's last log lines: %w", err)
	}
	// A member that shrank it would die of its own mapping.
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK); err != nil {
		f.Close()
		return nil, fmt.Errorf("seal the memory for the member's last log lines: %w", err)
	}
	return &Ring{f}, nil
}

// File is what the member inherits. It stays the ring's.
func (r *Ring) File() *os.File { return r.f }

// Lines returns the lines of level warn and above that the member wrote last,
// at most 256, oldest first. It can be called while the member lives.
func (r *Ring) Lines() []string {
	var lines []string
	// Read, not mapped: so the pages are not part of this process.
	for _, n := range getSlots(func(i int, slot []byte) bool {
		_, err := r.f.ReadAt(slot, int64(i)*slotSize)
		return err == nil
	}) {
		lines = append(lines, n.line)
	}
	return lines
}

// Reset forgets the lines and gives the memory back. Call it when no member
// runs, before the next one starts.
func (r *Ring) Reset() error {
	err := unix.Fallocate(int(r.f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, ringSize)
	if err != nil {
		return fmt.Errorf("forget the member's last log lines: %w", err)
	}
	return nil
}

// Close gives the memory back, once no member has it either.
func (r *Ring) Close() error { return r.f.Close() }

// RingWriter is the member's end of a Ring.
type RingWriter struct {
	mu   sync.Mutex
	mem  []byte
	last uint64 // number of the last line
}

// OpenRing maps the ring that the supervisor left as a file descriptor, and
// closes the descriptor if it is one. The mapping stays for the life of the
// process.
func OpenRing(fd uintptr) (*RingWriter, error) {
	// Before anything is written into what may be somebody's file.
	seals, err := unix.FcntlInt(fd, unix.F_GET_SEALS, 0)
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(int(fd), &st)
	}
	if err != nil || seals&unix.F_SEAL_SHRINK == 0 || st.Size != ringSize {
		return nil, fmt.Errorf("descriptor %d is not the supervisor's memory for log lines", fd)
	}
	mem, err := unix.Mmap(int(fd), 0, ringSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the memory for the last log lines: %w", err)
	}
	_ = unix.Close(int(fd))
	w := &RingWriter{mem: mem}
	for _, n := range getSlots(func(i int, slot []byte) bool {
		copy(slot, mem[i*slotSize:])
		return true
	}) {
		w.last = n.seq // goes on behind what is there
	}
	return w, nil
}

// write puts a line in the place of the oldest. It makes no system call.
func (w *RingWriter) write(line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	at := w.last % slots * slotSize
	putSlot(w.mem[at:at+slotSize], w.last, line)
}
