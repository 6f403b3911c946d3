package recorder

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// queueLimit bounds the bytes that wait for a disk which does not take them: a
// goroutine dump and some hundred transitions.
const queueLimit = 512 << 10

// lookLimit is how long a start waits for the past to be read: two megabytes at
// most, in the page cache or nearly so.
const lookLimit = time.Second

// Recorder writes records. Its methods are safe for concurrent use and wait
// for no disk, except Open and Close.
type Recorder struct {
	log *zap.Logger

	mu      sync.Mutex
	dir     string // "": it is not known yet, and the records wait
	past    Past
	queue   []Record
	failing error         // why the last records could not be written; nil: they could
	writing chan struct{} // closed when the writer ends; nil while no writer runs
	closed  bool

	seq  uint64 // of the last record written, 0 = not looked up; the writer's alone
	boot string // of the last Start; the writer's alone
}

// New returns a recorder that writes to a directory, which need not be there
// yet, and touches nothing; "" where it is not known yet: then the records wait
// for [Recorder.Open]. It logs why records cannot be written, once until they can.
func New(dir string, log *zap.Logger) *Recorder { return &Recorder{dir: dir, log: log} }

// Open gives a directory to a recorder that waits for one, and has the start of
// the daemon recorded before what waits. If the daemon before was cut off, it first
// records that, and that is then the last end of the past.
func (r *Recorder) Open(dir, version string) {
	if !r.Homeless() {
		return
	}
	// Before the first record, which has the time of a clock that may be wrong.
	looked := make(chan Past, 1)
	go func() { looked <- Look(dir) }()
	var past Past
	select {
	case past = <-looked:
	case <-time.After(lookLimit):
		r.log.Warn("what the flight recorder knows could not be read in time", zap.String("directory", dir))
	}
	now, boot := time.Now(), BootID()
	begin := []Record{{Kind: Start, Time: now, Version: version, Boot: boot}}
	if past.CutOff() {
		past.End, past.Over = Record{Kind: Ended, Time: now, End: past.cutOffEnd(boot)}, time.Time{}
		begin = []Record{past.End, begin[0]}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	early := r.queue
	for i := range early {
		early[i].Time = now // in the order of the records
	}
	r.dir, r.past, r.queue = dir, past, nil
	for _, rec := range begin {
		r.enqueue(rec.bounded())
	}
	r.enqueue(early...)
	r.write()
}

// Homeless reports whether the records wait for a directory.
func (r *Recorder) Homeless() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dir == "" && !r.closed
}

// GiveUp says that no directory will come: nothing is recorded.
func (r *Recorder) GiveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dir == "" {
		r.closed, r.queue = true, nil
	}
}

// Past is what was found when the recorder was opened.
func (r *Recorder) Past() Past {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.past
}

// Refused records that a daemon did not even begin. It is silent if that cannot
// be written: standard error and systemd have the reason.
func Refused(dir, version string, f *failure.Failure, limit time.Duration) {
	r := New(dir, zap.NewNop())
	r.Add(Record{Kind: Start, Version: version, Boot: BootID()})
	r.Add(Record{Kind: Ended, End: &End{ID: f.ID, Class: f.Class, Cause: f.Error(), Status: f.Exit, Values: f.Values}})
	r.Add(Record{Kind: Stop})
	_ = r.Close(limit)
}

// Add records one event. A record that cannot be written is kept, and tried
// again with each further Add and each Retry. After Close and GiveUp it does nothing.
func (r *Recorder) Add(rec Record) {
	if rec.Time.IsZero() {
		rec.Time = time.Now()
	}
	rec = rec.bounded()

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.enqueue(rec)
	r.write()
}

// Close writes what is left, for at most the given time; what still waits for a
// directory is lost. The error says that
// records were not written. A disk that hangs keeps a goroutine beyond that.
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
	if n := len(r.queue); n > 0 && r.dir != "" {
		return fmt.Errorf("not written: %s: %w", shown.Count(n, "record"), r.failing)
	}
	return nil
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
	if r.writing == nil && len(r.queue) > 0 && r.dir != "" {
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
			dir := shown.Quoted(r.dir)
			r.log.Warn(fmt.Sprintf("the flight recorder cannot be written; it is tried again every second (df -h %s; ls -ld %s)", dir, dir),
				zap.String("failure", failure.IDCannotRecord), zap.Error(err))
		}
		r.failing = err
		if n < len(batch) {
			break
		}
	}
	close(r.writing)
	r.writing = nil
}
