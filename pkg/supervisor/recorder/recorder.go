package recorder

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// queueLimit bounds the bytes that wait for a disk which does not take them: a
// goroutine dump and some hundred transitions.
const queueLimit = 512 << 10

// Recorder writes records. Its methods are safe for concurrent use and wait
// for no disk, except Close.
type Recorder struct {
	dir string

	mu      sync.Mutex
	queue   []Record
	err     error         // to be returned by the next Add
	failing error         // why the last records could not be written; nil: they could
	writing chan struct{} // closed when the writer ends; nil while there is none
	closed  bool

	seq  uint64 // of the last record written, 0 = not looked up; the writer's alone
	boot string // of the last Start; the writer's alone
}

// New returns a recorder that writes to a directory, which need not be there
// yet, and touches nothing.
func New(dir string) *Recorder { return &Recorder{dir: dir} }

// Add records one event. An error is about this or earlier records, which are
// kept and tried again with each further Add; it is returned once, and again
// after it had worked. After Close it is [os.ErrClosed].
func (r *Recorder) Add(rec Record) error {
	if rec.Time.IsZero() {
		rec.Time = time.Now()
	}
	rec = rec.bounded()

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return os.ErrClosed
	}
	r.enqueue(rec)
	r.write()
	return r.takeErr()
}

// Close writes what is left, for at most the given time, and returns what Add
// would have, or that records were not written. A disk that hangs keeps a
// goroutine beyond that.
func (r *Recorder) Close(limit time.Duration) error {
	r.mu.Lock()
	r.closed = true
	r.write()
	writing := r.writing
	r.mu.Unlock()
	if writing != nil {
		select {
		case <-writing:
		case <-time.After(limit):
			return fmt.Errorf("record to %s: the disk has not answered for %v", r.dir, limit)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.queue); n > 0 && r.err == nil {
		return fmt.Errorf("record to %s: %d records were not written", r.dir, n)
	}
	return r.takeErr()
}

// Retry has records written that could not be, and returns why not, as of the
// try before; nil when none is left to be written.
func (r *Recorder) Retry() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing == nil || r.closed {
		return nil
	}
	r.write()
	if r.writing == nil { // all are written, if perhaps not safe from a power loss
		return nil
	}
	return r.failing
}

func (r *Recorder) takeErr() error {
	err := r.err
	r.err = nil
	return err
}

// enqueue adds records and drops the oldest that are too many.
func (r *Recorder) enqueue(recs ...Record) {
	r.queue = append(r.queue, recs...)
	total := 0
	for _, q := range r.queue {
		total += q.size()
	}
	for total > queueLimit && len(r.queue) > 1 {
		total -= r.queue[0].size()
		r.queue[1].Lost += r.queue[0].Lost + 1
		r.queue = r.queue[1:]
	}
}

// write starts the writer if there is something to write and none is running.
func (r *Recorder) write() {
	if r.writing == nil && len(r.queue) > 0 {
		r.writing = make(chan struct{})
		go r.drain()
	}
}

// drain is the writer: it ends when the queue is empty or cannot be written.
func (r *Recorder) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) > 0 {
		batch := r.queue
		r.queue = nil
		r.mu.Unlock()
		n, err := r.append(batch)
		r.mu.Lock()
		newer := r.queue
		r.queue = nil
		r.enqueue(append(batch[n:len(batch):len(batch)], newer...)...)
		if err != nil && r.failing == nil {
			r.err = explain(r.dir, err)
		}
		r.failing = err
		if n < len(batch) {
			break
		}
	}
	close(r.writing)
	r.writing = nil
}

func explain(dir string, err error) error {
	return fmt.Errorf("record what happens here: %w; it is tried again every second: df -h %s; ls -ld %s", err, dir, dir)
}

// BootID names this boot of the machine, "" where the kernel does not tell: a
// start under another ID than the one before follows a reboot.
func BootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
