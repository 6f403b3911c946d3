package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
)

// diskWatch writes to a file beside the hosts' disks, as a member writes to its
// WAL, and remembers how long that took. The hosts share one disk with each
// other and with whatever else this machine does: a gap in which a write took
// long here too says nothing about either etcd.
type diskWatch struct {
	stop chan struct{}
	done sync.WaitGroup

	err error // once done

	mu     sync.Mutex
	writes []write
}

type write struct{ begin, end time.Time }

// watchDisk begins. It ends with close.
func watchDisk() (*diskWatch, error) {
	dir := os.Getenv("LAB_DIR")
	if dir == "" {
		root, err := lab.Root()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(root, "test/lab/.lab")
	}
	f, err := os.CreateTemp(dir, "disk")
	if err != nil {
		return nil, err
	}
	// It is to leave nothing behind, whoever stops the program.
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w := &diskWatch{stop: make(chan struct{})}
	w.done.Go(func() { w.err = errors.Join(w.run(f), f.Close()) })
	return w, nil
}

func (w *diskWatch) run(f *os.File) error {
	// Written once before, so that a write is no matter of the journal.
	block := make([]byte, 4096)
	if _, err := f.WriteAt(block, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// Each write makes the members' wait. A stop of the disk as long as a gap
	// that is printed is not missed so.
	tick := time.NewTicker(noticed)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return nil
		case <-tick.C:
		}
		begin := time.Now()
		if _, err := f.WriteAt(block, 0); err != nil {
			return err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return err
		}
		w.mu.Lock()
		w.writes = append(w.writes, write{begin, time.Now()})
		w.mu.Unlock()
	}
}

// slowest is how long a write took at most that was under way in this time.
func (w *diskWatch) slowest(from, to time.Time) (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.writes {
		if one.end.After(from) && one.begin.Before(to) {
			longest = max(longest, one.end.Sub(one.begin))
		}
	}
	return longest
}

func (w *diskWatch) close() error {
	close(w.stop)
	w.done.Wait()
	if w.err != nil {
		return fmt.Errorf("watch the disk: %w", w.err)
	}
	return nil
}
